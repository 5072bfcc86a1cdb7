//! A model that says one thing, in its own time, in the words of OpenAI's API.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Answers every request on the returned address `after` it came, as a stream that arrives at once.
pub(crate) async fn start(answer: &str, after: Duration) -> std::io::Result<SocketAddr> {
    let body = stream(answer);
    let complete = async move || {
        tokio::time::sleep(after).await;
        ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = Router::new().route("/v1/chat/completions", post(complete));
    tokio::spawn(async { axum::serve(listener, router).await });
    Ok(address)
}

/// About a token a piece.
fn stream(answer: &str) -> String {
    let chunk = |choices: Value| json!({ "id": "1", "model": "fake", "choices": choices });
    let pieces = answer.split_inclusive([' ', '\n', '(', ',']);
    let mut events: Vec<Value> = pieces
        .map(|text| chunk(json!([{ "index": 0, "delta": { "content": text }, "finish_reason": null }])))
        .collect();
    let usage = json!({ "prompt_tokens": 200, "completion_tokens": events.len() });
    events.push(chunk(json!([{ "index": 0, "delta": {}, "finish_reason": "stop" }])));
    events.push(json!({ "id": "1", "model": "fake", "choices": [], "usage": usage }));
    let mut text: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    text.push_str("data: [DONE]\n\n");
    text
}
