/// Who says a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    System,
    User,
    Assistant,
}

impl Role {
    /// The word both wire formats use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub role: Role,
    pub content: String,
}

/// What a step asks of the model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    pub messages: Vec<Message>,
    pub temperature: Option<f32>,
    pub max_tokens: Option<u32>,
    pub stop: Vec<String>,
    pub seed: Option<u64>,
}

/// The model's configuration as far as an adapter needs it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    pub model: String,
    pub stream: bool,
    pub extra: Vec<(String, String)>,
}

/// Where the host puts the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    None,
    Bearer,
    Header(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub name: String,
    pub auth: Auth,
    pub default_base_url: Option<String>,
}

pub type Header = (String, String);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    pub path: String,
    pub headers: Vec<Header>,
    pub body: Vec<u8>,
}

/// A piece of the answer, as it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Text(String),
    Thinking(String),
}

/// Why the model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    Stop,
    Length,
    ContentFilter,
    Other,
}

/// The vendor's own figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub input_tokens: u64,
    pub output_tokens: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    pub text: String,
    pub finish: Finish,
    pub usage: Usage,
    pub model: String,
}

/// Why there is no completion. The contract's `unreachable` and `budget` are the host's to say.
/// Waits are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelError {
    RateLimited(Option<u64>),
    ContextTooLong(String),
    Auth(String),
    ContentFilter(String),
    Overloaded(Option<u64>),
    Malformed(String),
    InvalidRequest(String),
    Timeout(String),
    Other(String),
}

/// A line for the task's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub level: Level,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Debug,
    Warn,
}

impl Note {
    pub fn warn(text: impl Into<String>) -> Self {
        Self { level: Level::Warn, text: text.into() }
    }

    pub fn debug(text: impl Into<String>) -> Self {
        Self { level: Level::Debug, text: text.into() }
    }
}
