use std::cell::RefCell;
use std::marker::PhantomData;

use self::bindings::aiagent::step::log;
use self::bindings::aiagent::step::types as wit;
use self::bindings::exports::aiagent::step::model_adapter as adapter;
use crate::vendor::Vendor;
use crate::{decoder, types};

/// Generated from `wit/`.
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "adapter",
        pub_export_macro: true,
        export_macro_name: "export_adapter",
        default_bindings_module: "aiagent_wire::guest::bindings",
    });
}

pub use bindings::export_adapter;

/// A vendor as a plugin: `export_adapter!(Plugin)` with `type Plugin = Adapter<MyVendor>`.
pub struct Adapter<V>(PhantomData<V>);

/// The contract's methods take `&self`, and a plugin has one thread.
pub struct Decoder<V>(RefCell<decoder::Decoder<V>>);

impl<V: Vendor + 'static> adapter::Guest for Adapter<V> {
    type Decoder = Decoder<V>;

    fn describe(settings: adapter::Settings) -> Result<adapter::Description, wit::ModelError> {
        let description = V::describe(&settings.into())?;
        Ok(adapter::Description {
            name: description.name,
            auth: match description.auth {
                types::Auth::None => adapter::Auth::None,
                types::Auth::Bearer => adapter::Auth::Bearer,
                types::Auth::Header(name) => adapter::Auth::Header(name),
            },
            default_base_url: description.default_base_url,
        })
    }

    fn encode(
        request: wit::Request,
        settings: adapter::Settings,
    ) -> Result<adapter::HttpRequest, wit::ModelError> {
        let mut notes = Vec::new();
        let encoded = V::encode(&request.into(), &settings.into(), &mut notes);
        write_log(notes);
        let types::HttpRequest { path, headers, body } = encoded?;
        Ok(adapter::HttpRequest { path, headers, body })
    }
}

impl<V: Vendor + 'static> adapter::GuestDecoder for Decoder<V> {
    fn new(status: u16, headers: Vec<adapter::Header>, settings: adapter::Settings) -> Self {
        Self(RefCell::new(decoder::Decoder::new(status, headers, settings.into())))
    }

    fn push(&self, bytes: Vec<u8>) -> Vec<adapter::Event> {
        let mut decoder = self.0.borrow_mut();
        let events = decoder.push(&bytes);
        write_log(decoder.take_notes());
        events
            .into_iter()
            .map(|event| match event {
                types::Event::Text(text) => adapter::Event::Text(text),
                types::Event::Thinking(text) => adapter::Event::Thinking(text),
            })
            .collect()
    }

    fn finish(&self) -> Result<wit::Completion, wit::ModelError> {
        let mut decoder = self.0.borrow_mut();
        let finished = decoder.finish();
        write_log(decoder.take_notes());
        let types::Completion { text, finish, usage, model } = finished?;
        Ok(wit::Completion {
            text,
            finish: match finish {
                types::Finish::Stop => wit::FinishReason::Stop,
                types::Finish::Length => wit::FinishReason::Length,
                types::Finish::ContentFilter => wit::FinishReason::ContentFilter,
                types::Finish::Other => wit::FinishReason::Other,
            },
            usage: wit::Usage { input_tokens: usage.input_tokens, output_tokens: usage.output_tokens },
            model,
        })
    }
}

fn write_log(notes: Vec<types::Note>) {
    for note in notes {
        let level = match note.level {
            types::Level::Debug => wit::Level::Debug,
            types::Level::Warn => wit::Level::Warn,
        };
        log::log(level, &note.text);
    }
}

impl From<adapter::Settings> for types::Settings {
    fn from(settings: adapter::Settings) -> Self {
        Self { model: settings.model, stream: settings.stream, extra: settings.extra }
    }
}

impl From<wit::Request> for types::Request {
    fn from(request: wit::Request) -> Self {
        let message = |message: wit::Message| types::Message {
            role: match message.role {
                wit::Role::System => types::Role::System,
                wit::Role::User => types::Role::User,
                wit::Role::Assistant => types::Role::Assistant,
            },
            content: message.content,
        };
        Self {
            messages: request.messages.into_iter().map(message).collect(),
            temperature: request.temperature,
            max_tokens: request.max_tokens,
            stop: request.stop,
            seed: request.seed,
        }
    }
}

impl From<types::ModelError> for wit::ModelError {
    fn from(error: types::ModelError) -> Self {
        use types::ModelError as E;
        match error {
            E::RateLimited(wait) => Self::RateLimited(wait),
            E::ContextTooLong(what) => Self::ContextTooLong(what),
            E::Auth(what) => Self::Auth(what),
            E::ContentFilter(what) => Self::ContentFilter(what),
            E::Overloaded(wait) => Self::Overloaded(wait),
            E::Malformed(what) => Self::Malformed(what),
            E::InvalidRequest(what) => Self::InvalidRequest(what),
            E::Timeout(what) => Self::Timeout(what),
            E::Other(what) => Self::Other(what),
        }
    }
}
