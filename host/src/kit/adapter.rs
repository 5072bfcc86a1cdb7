//! Adapters: what they encode, and what they make of responses.

use super::bench::Bench;
use super::{Check, Fault, Judged, check, passed, skipped};
use crate::model::{
    Completion, HttpRequest, Message, ModelError, Request, Role, Wire as _, WireEvent, WireSettings, vet,
};
use crate::plugin::Adapter;

/// Each is in the request's body, whatever the format around it.
const WORDS: [(Role, &str); 4] = [
    (Role::System, "kitsystem"),
    (Role::User, "kitquestion"),
    (Role::Assistant, "kitanswer"),
    (Role::User, "kitlast"),
];
/// Places at which a response is cut, at most.
const CUTS: usize = 300;

pub(super) async fn run(bench: &Bench) -> Vec<Check> {
    vec![
        check("describes", describes(bench).await),
        check("encodes", encodes(bench).await),
        check("repeatable", repeatable(bench).await),
        check("statuses", statuses(bench).await),
        check("garbage", garbage(bench).await),
        check("cut-anywhere", cut_anywhere(bench).await),
    ]
}

fn adapter(bench: &Bench, runtime: usize) -> Result<Adapter, Fault> {
    let found = bench.runtimes[runtime].adapter(&bench.name);
    found.map_err(|failure| Fault::new(failure.to_string(), "this is the host's own failure; report it"))
}

fn settings(bench: &Bench, stream: bool) -> WireSettings {
    WireSettings { model: "kitmodel".to_owned(), stream, extra: bench.wanted.settings.clone() }
}

/// What the runtime says of a call that did not end as the contract has it.
fn fell(bench: &Bench, error: &ModelError) -> Option<Fault> {
    let ModelError::Other(text) = error else { return None };
    let prefix = format!("adapter {}: ", bench.name);
    let what = text.strip_prefix(&prefix)?;
    Some(Fault::new(format!("it {what}"), "return a model-error; a trap or a spent limit is always a bug"))
}

fn unexpected(bench: &Bench, doing: &str, error: &ModelError) -> Fault {
    fell(bench, error).unwrap_or_else(|| {
        Fault::new(format!("{doing} ends with: {error}"), "give the keys that it needs with --set KEY=VALUE")
    })
}

async fn describes(bench: &Bench) -> Judged {
    let description = adapter(bench, 0)?.describe(&settings(bench, true)).await;
    let description = description.map_err(|error| unexpected(bench, "describe", &error))?;
    if description.name.trim().is_empty() {
        return Err(Fault::new("the description has no name", "name the wire format: openai-chat"));
    }
    let nothing = HttpRequest { path: "/".to_owned(), headers: Vec::new(), body: Vec::new() };
    vet(&nothing, &description).map_err(|error| {
        Fault::new(
            format!("the host would refuse its description: {error}"),
            "see `record description` in wit/adapter.wit",
        )
    })?;
    let base = description.default_base_url.as_deref().unwrap_or("named by the configuration");
    passed(format!("{}, base URL {base}", description.name))
}

fn requests() -> Vec<(&'static str, Request)> {
    let message = |(role, content): (Role, &str)| Message { role, content: content.to_owned() };
    let plain = Request {
        messages: WORDS.map(message).to_vec(),
        temperature: Some(0.25),
        max_tokens: Some(1234),
        stop: vec!["END".to_owned()],
        seed: Some(u64::MAX),
    };
    let odd = "quotes \" \\ line\nbreak tab\t nul \u{0} \u{1f600} \u{2028}";
    vec![
        ("a whole request", plain.clone()),
        (
            "a request with nothing but a question",
            Request {
                messages: vec![message((Role::User, "kitlast"))],
                temperature: None,
                max_tokens: None,
                stop: Vec::new(),
                seed: None,
            },
        ),
        (
            "odd characters",
            Request { messages: vec![message((Role::User, &format!("kitlast {odd}")))], ..plain.clone() },
        ),
        (
            "a question of 1 MB",
            Request {
                messages: vec![message((Role::User, &format!("kitlast {}", "word ".repeat(200_000))))],
                ..plain
            },
        ),
    ]
}

async fn encodes(bench: &Bench) -> Judged {
    let adapter = adapter(bench, 0)?;
    let mut path = String::new();
    for stream in [false, true] {
        let settings = settings(bench, stream);
        let description = adapter.describe(&settings).await;
        let description = description.map_err(|error| unexpected(bench, "describe", &error))?;
        for (case, request) in requests() {
            let encoded = adapter.encode(&request, &settings).await;
            let encoded = encoded.map_err(|error| unexpected(bench, &format!("{case}: encode"), &error))?;
            vet(&encoded, &description).map_err(|error| {
                Fault::new(format!("with {case}: {error}"), "see `record http-request` in wit/adapter.wit")
            })?;
            let holds = |word: &str| encoded.body.windows(word.len()).any(|part| part == word.as_bytes());
            let said = request.messages.iter().map(|message| &message.content);
            let words = WORDS
                .iter()
                .map(|(_, word)| *word)
                .filter(|word| said.clone().any(|text| text.starts_with(word)));
            if let Some(lost) = words.into_iter().find(|word| !holds(word)) {
                return Err(Fault::new(
                    format!("with {case}: the message {lost:?} is not in the body"),
                    "send every message, in its role",
                ));
            }
            path = encoded.path;
        }
    }
    passed(format!("{} requests to {path}, which the host would send", requests().len() * 2))
}

async fn repeatable(bench: &Bench) -> Judged {
    let (first, second) = (adapter(bench, 0)?, adapter(bench, 1)?);
    let settings = settings(bench, true);
    for (case, request) in requests() {
        let once = first.encode(&request, &settings).await;
        if once != first.encode(&request, &settings).await || once != second.encode(&request, &settings).await
        {
            return Err(Fault::new(
                format!("{case} is encoded in more than one way"),
                "let nothing depend on chance or the order of a map",
            ));
        }
    }
    passed("every request has the same bytes, twice and on two hosts")
}

async fn statuses(bench: &Bench) -> Judged {
    use ModelError as E;
    let adapter = adapter(bench, 0)?;
    let bodies = ["", "<html><body>Sorry.</body></html>", r#"{"error":{"message":"the kit says so"}}"#];
    for status in [400, 401, 403, 404, 429, 500, 502, 503] {
        for body in bodies {
            let mut decoder = adapter.open(status, Vec::new(), &settings(bench, true)).await;
            let decoder = decoder.as_mut().map_err(|error| unexpected(bench, "a decoder", error))?;
            let pushed = decoder.push(body.as_bytes()).await;
            pushed.map_err(|error| unexpected(bench, "push", &error))?;
            let (fits, name) = match (status, decoder.finish().await) {
                (_, Ok(_)) => (false, "a completion".to_owned()),
                (_, Err(error)) if fell(bench, &error).is_some() => {
                    return Err(unexpected(bench, "finish", &error));
                }
                (401 | 403, Err(error)) => (matches!(error, E::Auth(_)), format!("\"{error}\"")),
                (429, Err(error)) => {
                    (matches!(error, E::RateLimited(_) | E::Overloaded(_)), format!("\"{error}\""))
                }
                (500.., Err(error)) => (matches!(error, E::Overloaded(_)), format!("\"{error}\"")),
                (_, Err(error)) => {
                    let fits =
                        matches!(error, E::InvalidRequest(_) | E::ContextTooLong(_) | E::ContentFilter(_));
                    (fits, format!("\"{error}\""))
                }
            };
            if !fits {
                return Err(Fault::new(
                    format!("a response of status {status} with the body {body:?} becomes {name}"),
                    "401 and 403 are auth, 429 rate-limited, 5xx overloaded, other 4xx invalid-request",
                ));
            }
        }
    }
    passed("eight statuses become the errors that the contract names")
}

async fn garbage(bench: &Bench) -> Judged {
    let adapter = adapter(bench, 0)?;
    let all: Vec<u8> = (0..=255).collect();
    let long = vec![b'x'; 1 << 20];
    let deep = "[".repeat(100_000);
    let cases: [(&str, &[u8]); 6] = [
        ("nothing", b""),
        ("every byte there is", &all),
        ("1 MiB without a line's end", &long),
        ("100,000 open brackets", deep.as_bytes()),
        ("a proxy's page", b"<html><body>Please log in.</body></html>\n"),
        ("half of a message", b"data: {\"choices\":[{\"delta\":{\"cont"),
    ];
    for stream in [false, true] {
        for (case, bytes) in cases {
            let kind = if stream { "text/event-stream" } else { "application/json" };
            let headers = vec![("content-type".to_owned(), kind.to_owned())];
            let mut decoder = adapter.open(200, headers, &settings(bench, stream)).await;
            let decoder = decoder.as_mut().map_err(|error| unexpected(bench, "a decoder", error))?;
            decoder.push(bytes).await.map_err(|error| unexpected(bench, &format!("{case}: push"), &error))?;
            match decoder.finish().await {
                Ok(_) => {
                    return Err(Fault::new(
                        format!("{case} becomes a completion"),
                        "a stream without its closing mark, or a body without an answer, is malformed",
                    ));
                }
                Err(error) => {
                    if let Some(fault) = fell(bench, &error) {
                        return Err(Fault::new(format!("with {case}: {}", fault.what), fault.remedy));
                    }
                }
            }
        }
    }
    passed(format!("{} responses end as typed errors", cases.len() * 2))
}

/// A recorded response: how it is cut does not matter, and half of one is never whole.
async fn cut_anywhere(bench: &Bench) -> Judged {
    let Some(response) = &bench.wanted.response else {
        return skipped("give a recorded response with --response FILE");
    };
    let adapter = adapter(bench, 0)?;
    let whole = decode(bench, &adapter, &[response]).await?;
    let (completion, text) = match whole {
        (Ok(completion), text) => (completion, text),
        (Err(error), _) => {
            return Err(Fault::new(
                format!("the response is not understood: {error}"),
                "record a whole response of status 200",
            ));
        }
    };
    if text != completion.text {
        return Err(Fault::new(
            "the events' texts are not the completion's",
            "text events are the answer, in pieces",
        ));
    }
    let bytes: Vec<&[u8]> = response.chunks(1).collect();
    let step = response.len().div_ceil(CUTS).max(1);
    let mut ways = vec![bytes];
    ways.extend((0..response.len()).step_by(step).map(|cut| {
        let (head, tail) = response.split_at(cut);
        vec![head, tail]
    }));
    for pieces in &ways {
        if decode(bench, &adapter, pieces).await? != (Ok(completion.clone()), text.clone()) {
            let first = pieces.first().map_or(0, |piece| piece.len());
            return Err(Fault::new(
                format!("cut after {first} bytes it becomes another answer"),
                "keep what is not complete until the next push, also within a character",
            ));
        }
    }
    for cut in (0..response.len()).step_by(step) {
        if let (Ok(part), _) = decode(bench, &adapter, &[&response[..cut]]).await?
            && part != completion
        {
            return Err(Fault::new(
                format!("its first {cut} bytes alone become a completion"),
                "a response without its closing mark is malformed",
            ));
        }
    }
    passed(format!("{} bytes cut in {} ways are one answer", response.len(), ways.len()))
}

type Decoded = (Result<Completion, ModelError>, String);

async fn decode(bench: &Bench, adapter: &Adapter, pieces: &[&[u8]]) -> Result<Decoded, Fault> {
    let response = bench.wanted.response.as_deref().unwrap_or_default();
    let (stream, kind) = match response {
        [b'd' | b'e' | b':', ..] => (true, "text/event-stream"),
        _ => (response.trim_ascii().contains(&b'\n'), "application/json"),
    };
    let headers = vec![("content-type".to_owned(), kind.to_owned())];
    let mut decoder = adapter.open(200, headers, &settings(bench, stream)).await;
    let decoder = decoder.as_mut().map_err(|error| unexpected(bench, "a decoder", error))?;
    let mut text = String::new();
    for piece in pieces {
        for event in decoder.push(piece).await.map_err(|error| unexpected(bench, "push", &error))? {
            if let WireEvent::Text(part) = event {
                text += &part;
            }
        }
    }
    Ok((decoder.finish().await, text))
}
