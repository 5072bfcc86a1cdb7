//! What the host calls.

wit_bindgen::generate!({ path: "wit", world: "plugin", generate_all });

use std::cell::RefCell;

use aiagent::step::types::{FinishReason, Role, Usage};
use exports::aiagent::step::model_adapter::{
    Auth, Completion, Description, Event, Guest, GuestDecoder, Header, HttpRequest, ModelError, Request,
    Settings,
};
use serde_json::{Value, json};

use crate::{Answer, Failure, body};

struct Ollama;

struct Decoder {
    answer: RefCell<Answer>,
    model: String,
}

impl Guest for Ollama {
    type Decoder = Decoder;

    fn describe(_: Settings) -> Result<Description, ModelError> {
        Ok(Description {
            name: "ollama-chat".to_owned(),
            auth: Auth::None,
            default_base_url: Some("http://127.0.0.1:11434".to_owned()),
        })
    }

    fn encode(request: Request, settings: Settings) -> Result<HttpRequest, ModelError> {
        let role = |role| match role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        let messages: Vec<_> = request.messages.iter().map(|m| (role(m.role), m.content.as_str())).collect();
        let options = json!({
            "temperature": request.temperature,
            "num_predict": request.max_tokens,
            "stop": if request.stop.is_empty() { Value::Null } else { json!(request.stop) },
            "seed": request.seed,
        });
        let body = body(&settings.model, &messages, settings.stream, options, &settings.extra)?;
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Ok(HttpRequest { path: "/api/chat".to_owned(), headers, body })
    }
}

impl GuestDecoder for Decoder {
    fn new(status: u16, headers: Vec<Header>, settings: Settings) -> Self {
        Self { answer: RefCell::new(Answer::new(status, &headers)), model: settings.model }
    }

    fn push(&self, bytes: Vec<u8>) -> Vec<Event> {
        self.answer.borrow_mut().push(&bytes).into_iter().map(Event::Text).collect()
    }

    fn finish(&self) -> Result<Completion, ModelError> {
        let done = self.answer.borrow_mut().finish()?;
        Ok(Completion {
            text: done.text,
            finish: match done.reason.as_str() {
                "stop" => FinishReason::Stop,
                "length" => FinishReason::Length,
                _ => FinishReason::Other,
            },
            usage: Usage { input_tokens: done.input_tokens, output_tokens: done.output_tokens },
            model: done.model.unwrap_or_else(|| self.model.clone()),
        })
    }
}

impl From<Failure> for ModelError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::RateLimited(wait) => Self::RateLimited(wait),
            Failure::Auth(what) => Self::Auth(what),
            Failure::Overloaded(wait) => Self::Overloaded(wait),
            Failure::Malformed(what) => Self::Malformed(what),
            Failure::InvalidRequest(what) => Self::InvalidRequest(what),
        }
    }
}

export!(Ollama);
