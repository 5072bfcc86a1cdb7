//! Adapters: the model door's `Wire` over a component.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use wasmtime::Store;
use wasmtime::component::ResourceAny;

use super::bindings::adapter as world;
use super::bindings::adapter::exports::aiagent::step::model_adapter as wit;
use super::bindings::types;
use super::drive::{self, Clocks};
use super::load::{Entry, Plugin};
use super::log::Sink;
use super::meter::Meter;
use super::state::State;
use super::steps::{Bounds, Sandbox, after};
use super::turns::Turn;
use super::{Failure, Fallback, Generation, convert};
use crate::model::{
    Auth, Completion, Decoder, Description, HttpRequest, ModelError, Request, Wire, WireEvent, WireSettings,
};
use crate::workspace::{Globs, Tree};

/// What a response decodes to, per byte of it, and beside that: escapes and events only make it longer.
const MAX_DECODED_GROWTH: u64 = 4;
const DECODED_SLACK_BYTES: u64 = 64 << 10;
/// JSON spells a control character in six bytes.
const MAX_ENCODING_GROWTH: usize = 6;

/// A loaded adapter. Each `describe` and `encode` has an instance of its own, each decoder one that
/// lives as long as its response.
pub struct Adapter {
    generation: Generation,
    plugin: Arc<Plugin>,
    /// What a trap of it is to be done again on.
    fallback: Arc<Mutex<Option<Fallback>>>,
}

/// An instance with its limits, which are set anew for each call into it.
struct Instance {
    generation: Generation,
    plugin: Arc<Plugin>,
    fallback: Arc<Mutex<Option<Fallback>>>,
    /// `None` while a call runs, and for good when it was dropped.
    store: Option<Store<State>>,
    /// What a call may return, in bytes.
    output_limit: u64,
}

impl Adapter {
    pub(super) fn new(generation: Generation, plugin: Arc<Plugin>) -> Self {
        Self { generation, plugin, fallback: Arc::default() }
    }

    /// It trapped while it was on trial: the request is worth another try, on this.
    pub fn take_fallback(&self) -> Option<Fallback> {
        self.fallback.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Of the `.wasm` file it was made from.
    pub fn digest(&self) -> &crate::task::Digest {
        &self.plugin.digest
    }

    async fn instance(&self, input_bytes: usize) -> Result<Instance, ModelError> {
        let ready = self.plugin.uses.rested(&CancellationToken::new()).await;
        ready.map_err(|failure| ModelError::Other(failure.to_string()))?;
        let limits = &self.plugin.limits;
        let output_limit = limits.output_bytes.saturating_add((input_bytes * MAX_ENCODING_GROWTH) as u64);
        let sandbox = Sandbox {
            // An adapter's answer depends on its input alone.
            seed: 0,
            cancel: CancellationToken::new(),
            tree: Tree::default(),
            protected: Globs::default(),
            sink: Sink::Service { plugin: Arc::clone(&self.plugin.name) },
            outside: None,
        };
        let bounds = Bounds {
            wall: limits.wall(),
            // Lists of small strings take more room on the host's side than their text.
            crossing_bytes: output_limit.saturating_mul(4),
        };
        let start = Instant::now();
        let meter = Arc::new(Meter::new(limits.compute(), start));
        let store = self.generation.shared.store(&self.plugin, sandbox, &bounds, meter, start);
        let (generation, plugin) = (self.generation.clone(), Arc::clone(&self.plugin));
        Ok(Instance {
            generation,
            plugin,
            fallback: Arc::clone(&self.fallback),
            store: Some(store),
            output_limit,
        })
    }
}

impl Instance {
    /// One call into the instance, under limits that begin now.
    async fn call<T: Send + 'static>(
        &mut self,
        size: fn(&T) -> usize,
        entry: impl for<'s> FnOnce(&'s Plugin, &'s mut Store<State>) -> BoxFuture<'s, wasmtime::Result<T>>
        + Send
        + 'static,
    ) -> Result<T, ModelError> {
        let Some(mut store) = self.store.take() else {
            return Err(ModelError::Other("an earlier call into the adapter did not end".into()));
        };
        let (shared, plugin) = (Arc::clone(&self.generation.shared), Arc::clone(&self.plugin));
        let (limits, output_limit, start) = (plugin.limits, self.output_limit, Instant::now());
        let meter = Arc::new(Meter::new(limits.compute(), start));
        let its = Arc::clone(&meter);
        let call = async move {
            let deadline = after(start, limits.wall());
            let state = store.data_mut();
            state.meter = Arc::clone(&its);
            state.deadline = deadline;
            let cancel = state.cancel.clone();
            store.set_epoch_deadline(1);
            let clocks = Clocks {
                meter: &its,
                ticker: &shared.ticker,
                service: &shared.tokio,
                cancel: &cancel,
                deadline,
                wall: limits.wall(),
            };
            let answer = clocks.run(Turn::always(), entry(&plugin, &mut store)).await;
            store.data().close();
            // A spoilt instance is taken apart here, where it may take its time.
            match answer {
                Ok(answer) if size(&answer) as u64 <= output_limit => Ok((store, answer)),
                Ok(_) => Err(Failure::Output(output_limit)),
                Err(error) => Err(drive::failure(&error, store.data(), output_limit)),
            }
        };
        let answer = self.generation.shared.aside.run(&self.plugin.habit, &meter, Box::pin(call)).await;
        let failure = match answer {
            Ok((store, answer)) => {
                self.store = Some(store);
                return Ok(answer);
            }
            Err(failure) => failure,
        };
        if let Some(fallback) = self.generation.judge(&self.plugin, Some(&failure), start.elapsed()) {
            *self.fallback.lock().unwrap_or_else(PoisonError::into_inner) = Some(fallback);
        }
        Err(ModelError::Other(format!("adapter {}: {failure}", self.plugin.name)))
    }
}

async fn instantiate(plugin: &Plugin, store: &mut Store<State>) -> wasmtime::Result<world::Adapter> {
    match &plugin.entry {
        Entry::Adapter(entry) => entry.instantiate_async(store).await,
        Entry::Builder(_) | Entry::Fixer(_) | Entry::Checker(_) => {
            Err(Failure::Host("a plugin was found under another kind than its own".into()).into())
        }
    }
}

#[async_trait]
impl Wire for Adapter {
    async fn describe(&self, settings: &WireSettings) -> Result<Description, ModelError> {
        let settings = settings_to_guest(settings);
        let size = |answer: &Result<wit::Description, types::ModelError>| match answer {
            Ok(found) => found.name.len() + found.default_base_url.as_ref().map_or(0, String::len),
            Err(error) => error_bytes(error),
        };
        let mut instance = self.instance(0).await?;
        let answer = instance.call(size, |plugin, store| {
            Box::pin(async move {
                let guest = instantiate(plugin, store).await?;
                guest.aiagent_step_model_adapter().call_describe(store, &settings).await
            })
        });
        let found = answer.await?.map_err(convert::model_error)?;
        Ok(Description {
            name: found.name,
            auth: match found.auth {
                wit::Auth::None => Auth::None,
                wit::Auth::Bearer => Auth::Bearer,
                wit::Auth::Header(name) => Auth::Header(name),
            },
            default_base_url: found.default_base_url,
        })
    }

    async fn encode(&self, request: &Request, settings: &WireSettings) -> Result<HttpRequest, ModelError> {
        let input_bytes = request.messages.iter().map(|message| message.content.len()).sum();
        let (request, settings) = (convert::request_to_guest(request), settings_to_guest(settings));
        let size = |answer: &Result<wit::HttpRequest, types::ModelError>| match answer {
            Ok(encoded) => encoded.path.len() + encoded.body.len() + headers_bytes(&encoded.headers),
            Err(error) => error_bytes(error),
        };
        let mut instance = self.instance(input_bytes).await?;
        let answer = instance.call(size, |plugin, store| {
            Box::pin(async move {
                let guest = instantiate(plugin, store).await?;
                guest.aiagent_step_model_adapter().call_encode(store, &request, &settings).await
            })
        });
        let encoded = answer.await?.map_err(convert::model_error)?;
        Ok(HttpRequest { path: encoded.path, headers: encoded.headers, body: encoded.body })
    }

    async fn open(
        &self,
        status: u16,
        headers: Vec<(String, String)>,
        settings: &WireSettings,
    ) -> Result<Box<dyn Decoder>, ModelError> {
        let settings = settings_to_guest(settings);
        let mut instance = self.instance(0).await?;
        let opened = instance.call(
            |_| 0,
            move |plugin, store| {
                Box::pin(async move {
                    let guest = instantiate(plugin, store).await?;
                    let decoder = guest.aiagent_step_model_adapter().decoder();
                    let handle = decoder.call_constructor(store, status, &headers, &settings).await?;
                    Ok((guest, handle))
                })
            },
        );
        let (guest, handle) = opened.await?;
        Ok(Box::new(LiveDecoder {
            instance,
            guest: Arc::new(guest),
            handle,
            failed: None,
            emits_left: DECODED_SLACK_BYTES,
        }))
    }
}

/// A decoder in its instance. After a failure the instance can't be entered again.
struct LiveDecoder {
    instance: Instance,
    guest: Arc<world::Adapter>,
    handle: ResourceAny,
    failed: Option<ModelError>,
    /// What it may still emit for the bytes it was fed so far.
    emits_left: u64,
}

impl LiveDecoder {
    async fn call<T: Send + 'static>(
        &mut self,
        size: fn(&T) -> usize,
        entry: impl for<'s> FnOnce(&'s Plugin, &'s mut Store<State>) -> BoxFuture<'s, wasmtime::Result<T>>
        + Send
        + 'static,
    ) -> Result<T, ModelError> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        // Set first: the caller may drop this future in the middle of the call.
        self.failed = Some(ModelError::Other("an earlier call into the decoder did not end".into()));
        let answer = self.instance.call(size, entry).await;
        self.failed = answer.as_ref().err().cloned();
        answer
    }
}

#[async_trait]
impl Decoder for LiveDecoder {
    async fn push(&mut self, bytes: &[u8]) -> Result<Vec<WireEvent>, ModelError> {
        let (guest, handle, bytes) = (Arc::clone(&self.guest), self.handle, bytes.to_vec());
        let left = self.emits_left.saturating_add(bytes.len() as u64 * MAX_DECODED_GROWTH);
        let events = self.call(
            |events: &Vec<_>| events_bytes(events),
            move |_, store| {
                Box::pin(async move {
                    guest.aiagent_step_model_adapter().decoder().call_push(store, handle, &bytes).await
                })
            },
        );
        let event = |event| match event {
            wit::Event::Text(text) => WireEvent::Text(text),
            wit::Event::Thinking(text) => WireEvent::Thinking(text),
        };
        let events = events.await?;
        let Some(left) = left.checked_sub(events_bytes(&events) as u64) else {
            let plugin = &self.instance.plugin.name;
            let failed =
                ModelError::Other(format!("adapter {plugin}: emitted more text than the response holds"));
            self.failed = Some(failed.clone());
            return Err(failed);
        };
        self.emits_left = left;
        Ok(events.into_iter().map(event).collect())
    }

    async fn finish(&mut self) -> Result<Completion, ModelError> {
        let (guest, handle) = (Arc::clone(&self.guest), self.handle);
        let began = Instant::now();
        let size = |answer: &Result<types::Completion, types::ModelError>| match answer {
            Ok(completion) => completion.text.len() + completion.model.len(),
            Err(error) => error_bytes(error),
        };
        let answer = self.call(size, move |_, store| {
            Box::pin(
                async move { guest.aiagent_step_model_adapter().decoder().call_finish(store, handle).await },
            )
        });
        let answer = answer.await?;
        let Instance { generation, plugin, .. } = &self.instance;
        generation.judge(plugin, None, began.elapsed());
        answer.map(convert::completion).map_err(convert::model_error)
    }
}

fn settings_to_guest(settings: &WireSettings) -> wit::Settings {
    wit::Settings { model: settings.model.clone(), stream: settings.stream, extra: settings.extra.clone() }
}

fn headers_bytes(headers: &[(String, String)]) -> usize {
    headers.iter().map(|(name, value)| name.len() + value.len()).sum()
}

/// An event counts even where it is empty.
fn events_bytes(events: &[wit::Event]) -> usize {
    let text = |event: &wit::Event| match event {
        wit::Event::Text(text) | wit::Event::Thinking(text) => text.len() + 1,
    };
    events.iter().map(text).sum()
}

fn error_bytes(error: &types::ModelError) -> usize {
    convert::model_error(error.clone()).to_string().len()
}
