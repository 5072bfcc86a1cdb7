//! Adapters as the model door uses them.

use aiagent_host::model::{
    Auth, Completion, Description, FinishReason, HttpRequest, Message, ModelError, Request, Role, Usage,
    Wire, WireEvent, WireSettings,
};
use aiagent_host::plugin::{Overrides, Runtime};

use crate::guest::{Folder, guest};

async fn echo() -> Runtime {
    let overrides = Overrides { compute_ms: Some(50), ..Overrides::default() };
    Folder::new().with("echo", guest("adapter", "adapter")).set("echo", overrides).start().await
}

fn settings() -> WireSettings {
    WireSettings { model: "m".into(), stream: true, extra: vec![("key".into(), "value".into())] }
}

#[tokio::test]
async fn an_adapter_describes_and_encodes() {
    let adapter = echo().await.adapter("echo").expect("it is loaded");
    let described = adapter.describe(&settings()).await;
    let expected = Description { name: "echo".into(), auth: Auth::Bearer, default_base_url: None };
    assert_eq!(described, Ok(expected));
    let message = Message { role: Role::User, content: "hello".into() };
    let request = Request {
        messages: vec![message],
        temperature: None,
        max_tokens: None,
        stop: Vec::new(),
        seed: None,
    };
    let encoded = adapter.encode(&request, &settings()).await;
    let expected = HttpRequest { path: "/echo".into(), headers: Vec::new(), body: b"hello".to_vec() };
    assert_eq!(encoded, Ok(expected));
}

/// What one push leaves in the decoder is there in the next: one instance per response.
#[tokio::test]
async fn a_decoder_lives_for_one_response() {
    let adapter = echo().await.adapter("echo").expect("it is loaded");
    let mut decoder = adapter.open(200, Vec::new(), &settings()).await.expect("it opens");
    let mut other = adapter.open(200, Vec::new(), &settings()).await.expect("it opens");
    let text = |text: &str| Ok(vec![WireEvent::Text(text.to_owned())]);
    assert_eq!(decoder.push(b"once upon ").await, text("once upon "));
    assert_eq!(other.push(b"another").await, text("another"));
    assert_eq!(decoder.push(b"a time").await, text("a time"));
    let completion = Completion {
        text: "once upon a time".into(),
        finish: FinishReason::Stop,
        usage: Usage { input_tokens: 3, output_tokens: 4 },
        model: "echo".into(),
    };
    assert_eq!(decoder.finish().await, Ok(completion));
}

#[tokio::test]
async fn each_push_has_its_limits_and_a_failure_is_final() {
    let adapter = echo().await.adapter("echo").expect("it is loaded");
    for (poison, why) in
        [("spin", "used up its compute budget of 50 ms"), ("trap", "trapped: wasm `unreachable`")]
    {
        let mut decoder = adapter.open(200, Vec::new(), &settings()).await.expect("it opens");
        decoder.push(b"fine").await.expect("an event");
        let Err(ModelError::Other(failed)) = decoder.push(poison.as_bytes()).await else {
            panic!("{poison} does no harm");
        };
        assert!(failed.starts_with("adapter echo: ") && failed.contains(why), "{failed}");
        assert_eq!(decoder.finish().await, Err(ModelError::Other(failed)));
    }
}
