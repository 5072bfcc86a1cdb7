//! A wire format for tests: one command a line.

use async_trait::async_trait;

use crate::model::{
    Auth, Completion, Decoder, Description, FinishReason, HttpRequest, ModelError, Request, Usage, Wire,
    WireEvent, WireSettings,
};

/// What differs between tests: the request's own parts. The answer's lines are `text WORDS`,
/// `think WORDS`, `usage IN OUT` and, at the end, `done`.
pub(super) struct LineWire {
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) auth: Auth,
    pub(super) default_base_url: Option<String>,
}

impl Default for LineWire {
    fn default() -> Self {
        Self { path: "/say".into(), headers: Vec::new(), auth: Auth::Bearer, default_base_url: None }
    }
}

#[async_trait]
impl Wire for LineWire {
    async fn describe(&self, _settings: &WireSettings) -> Result<Description, ModelError> {
        Ok(Description {
            name: "line".into(),
            auth: self.auth.clone(),
            default_base_url: self.default_base_url.clone(),
        })
    }

    async fn encode(&self, request: &Request, settings: &WireSettings) -> Result<HttpRequest, ModelError> {
        let mut body =
            format!("model {}\nmax {:?}\nseed {:?}\n", settings.model, request.max_tokens, request.seed);
        for message in &request.messages {
            body.push_str(&format!("{:?} {}\n", message.role, message.content));
        }
        Ok(HttpRequest { path: self.path.clone(), headers: self.headers.clone(), body: body.into_bytes() })
    }

    async fn open(
        &self,
        status: u16,
        headers: Vec<(String, String)>,
        settings: &WireSettings,
    ) -> Result<Box<dyn Decoder>, ModelError> {
        Ok(Box::new(LineDecoder {
            status,
            headers,
            model: settings.model.clone(),
            bytes: Vec::new(),
            read: 0,
        }))
    }
}

struct LineDecoder {
    status: u16,
    headers: Vec<(String, String)>,
    model: String,
    bytes: Vec<u8>,
    /// Bytes of whole lines that were turned into events.
    read: usize,
}

#[async_trait]
impl Decoder for LineDecoder {
    async fn push(&mut self, bytes: &[u8]) -> Result<Vec<WireEvent>, ModelError> {
        self.bytes.extend_from_slice(bytes);
        let mut events = Vec::new();
        while let Some(end) = self.bytes[self.read..].iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&self.bytes[self.read..self.read + end]).into_owned();
            self.read += end + 1;
            match line.split_once(' ') {
                Some(("text", words)) => events.push(WireEvent::Text(words.into())),
                Some(("think", words)) => events.push(WireEvent::Thinking(words.into())),
                _ => {}
            }
        }
        Ok(events)
    }

    async fn finish(&mut self) -> Result<Completion, ModelError> {
        let body = String::from_utf8_lossy(&self.bytes).into_owned();
        let wish = self.headers.iter().find(|(name, _)| name == "retry-after-ms").map(|(_, ms)| ms.parse());
        let wish =
            wish.transpose().map_err(|_| ModelError::Malformed("retry-after-ms is no number".into()))?;
        match self.status {
            200 => {}
            401 => return Err(ModelError::Auth(body)),
            413 => return Err(ModelError::ContextTooLong(body)),
            429 => return Err(ModelError::RateLimited(wish)),
            500..=599 => return Err(ModelError::Overloaded(wish)),
            _ => return Err(ModelError::InvalidRequest(body)),
        }
        let mut completion = Completion {
            text: String::new(),
            finish: FinishReason::Stop,
            usage: Usage::default(),
            model: self.model.clone(),
        };
        for line in body.lines() {
            match line.split_once(' ').unwrap_or((line, "")) {
                ("text", words) => completion.text.push_str(words),
                ("think", _) => {}
                ("usage", figures) => {
                    let mut figures = figures.split(' ').map(|figure| figure.parse().ok());
                    let mut figure = || figures.next().flatten().ok_or(ModelError::Malformed("usage".into()));
                    completion.usage = Usage { input_tokens: figure()?, output_tokens: figure()? };
                }
                ("done", "") => return Ok(completion),
                _ => return Err(ModelError::Malformed(format!("no such line: {line:?}"))),
            }
        }
        Err(ModelError::Malformed("no `done`".into()))
    }
}
