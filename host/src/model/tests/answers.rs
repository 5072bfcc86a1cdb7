//! Calls that end well, and what the vendor sees of them.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::sync::{mpsc, oneshot};

use super::vendor::{hanging, ok, status, streamed, with};
use super::*;
use crate::model::{Auth, Completion, FinishReason, Usage};

fn completion(text: &str) -> Completion {
    Completion {
        text: text.into(),
        finish: FinishReason::Stop,
        usage: Usage { input_tokens: 1000, output_tokens: 200 },
        model: "vendor-m".into(),
    }
}

#[tokio::test]
async fn a_stream_is_heard_as_it_comes() {
    let parts = &["think h", "m\ntext one\nte", "xt two\n", "usage 1000 200\ndone\n"];
    let vendor = Vendor::of([streamed(parts)]).await;
    let mut bench = Bench::new(&vendor);
    bench.config.price_input = Some("3".parse().expect("a price"));
    bench.config.price_output = Some("15".parse().expect("a price"));
    bench.wire.headers = vec![("X-Vendor-Version".into(), "7".into())];
    let (answered, events) = bench.ask().await;
    let answered = answered.expect("an answer");
    assert_eq!(answered.completion, completion("onetwo"));
    assert_eq!((answered.attempts, answered.estimated, answered.cost_micros), (1, false, Some(6000)));
    let text = |text: &str| DoorEvent::Text(text.into());
    assert_eq!(events, [DoorEvent::Thinking("hm".into()), text("one"), text("two")]);

    let seen = &vendor.seen()[0];
    assert_eq!(
        (seen.path.as_str(), seen.body.as_str()),
        ("/v1/say", "model vendor-m\nmax None\nseed None\nUser hello\n")
    );
    let header = |name: &str| seen.headers.get(name).map(|value| value.to_str().expect("text"));
    assert_eq!(header("authorization"), Some(format!("Bearer {CANARY}").as_str()));
    assert_eq!(header("idempotency-key"), Some("task-1/3"));
    assert_eq!(header("x-vendor-version"), Some("7"));
    assert_eq!(header("accept-encoding"), Some("identity"));
    assert_eq!(header("host"), Some(vendor.address.to_string().as_str()));
}

#[tokio::test]
async fn the_key_goes_where_the_adapter_says() {
    let vendor = Vendor::of([ok("done\n"), ok("done\n"), ok("done\n")]).await;
    let mut bench = Bench::new(&vendor);
    bench.wire.auth = Auth::Header("X-Api-Key".into());
    bench.ask().await.0.expect("an answer");
    bench.wire.auth = Auth::None;
    bench.ask().await.0.expect("an answer");
    bench.wire.auth = Auth::Bearer;
    bench.config.key = KeySource::None;
    bench.ask().await.0.expect("an answer");
    let seen = vendor.seen();
    let has_key = |index: usize| format!("{:?}", seen[index].headers).contains("canary");
    assert_eq!(seen[0].headers["x-api-key"], CANARY);
    assert!(!has_key(1) && !has_key(2));
}

#[tokio::test]
async fn a_rotated_key_needs_no_restart() {
    let vendor = Vendor::of([ok("done\n"), ok("done\n")]).await;
    let bench = Bench::new(&vendor);
    let door = bench.door();
    bench.ask_at(&door, request("hello")).await.0.expect("an answer");
    let KeySource::File(path) = &bench.config.key else { panic!("a file") };
    std::fs::write(path, "sk-rotated").expect("written");
    bench.ask_at(&door, request("hello")).await.0.expect("an answer");
    assert_eq!(vendor.seen()[1].headers["authorization"], "Bearer sk-rotated");
}

#[tokio::test]
async fn what_passes_is_retried() {
    let busy = with(status(429, "slow down"), "retry-after-ms", "20");
    let vendor =
        Vendor::of([busy, status(503, ""), streamed(&["text half\n"]), ok("text x\nusage 1000 200\ndone\n")])
            .await;
    let (answered, events) = Bench::new(&vendor).ask().await;
    let answered = answered.expect("an answer");
    assert_eq!((answered.completion, answered.attempts), (completion("x"), 4));
    assert!(answered.wall >= Duration::from_millis(20), "{:?}", answered.wall);
    assert_eq!(answered.cost_micros, None);
    let [first, second, half, third, last] = &events[..] else { panic!("{events:?}") };
    assert!(
        matches!(first, DoorEvent::Retrying { error: ModelError::RateLimited(Some(20)), wait } if *wait >= Duration::from_millis(20))
    );
    assert!(matches!(second, DoorEvent::Retrying { error: ModelError::Overloaded(None), .. }));
    assert_eq!(*half, DoorEvent::Text("half".into()));
    assert!(matches!(third, DoorEvent::Retrying { error: ModelError::Malformed(_), .. }));
    assert_eq!(*last, DoorEvent::Text("x".into()));
    let keys: Vec<_> = vendor.seen().iter().map(|seen| seen.headers["idempotency-key"].clone()).collect();
    assert_eq!(keys, ["task-1/3"; 4]);
}

#[tokio::test]
async fn tokens_that_no_vendor_counts_are_estimated() {
    let vendor = Vendor::of([ok("text lost\n"), ok("think hmm\ntext seven\ndone\n")]).await;
    let mut bench = Bench::new(&vendor);
    bench.config.price_input = Some("3".parse().expect("a price"));
    bench.config.price_output = Some("15".parse().expect("a price"));
    let answered = bench.ask().await.0.expect("an answer");
    // `hello`, and `hmm` with `seven`; the attempt that failed is not in it.
    assert_eq!(answered.completion.usage, Usage { input_tokens: 2, output_tokens: 3 });
    assert_eq!((answered.estimated, answered.cost_micros), (true, Some(2 * 3 + 3 * 15)));
}

#[tokio::test]
async fn a_sloppy_end_after_the_closing_mark_is_fine() {
    let vendor = Vendor::of([hanging(&["text x\nusage 1000 200\ndone\n"])]).await;
    let mut bench = Bench::new(&vendor);
    bench.config.idle_timeout = Duration::from_millis(30);
    assert_eq!(bench.ask().await.0.expect("an answer").completion, completion("x"));
}

#[tokio::test]
async fn an_echoed_key_is_struck_from_the_answer() {
    // Cut inside the key.
    let parts = &["text Bearer sk-canary-0123", "456789abcdef!\nusage 1000 200\ndone\n"];
    let vendor = Vendor::of([streamed(parts)]).await;
    let completion = Bench::new(&vendor).ask().await.0.expect("an answer").completion;
    assert_eq!(completion.text, format!("Bearer {}!", "*".repeat(CANARY.len())));
}

/// Spread over messages, no piece on the wire holds it, and only who puts them together would.
#[tokio::test]
async fn a_key_in_pieces_is_struck_from_what_they_make() {
    let parts =
        &["text the sk-canary-01\nthink sk-c\n", "text 23456789abcdef!\ntext  is\nthink at\n", "done\n"];
    let vendor = Vendor::of([streamed(parts)]).await;
    let (answered, events) = Bench::new(&vendor).ask().await;
    let struck = format!("the {}! is", "*".repeat(CANARY.len()));
    assert_eq!(answered.expect("an answer").completion.text, struck);
    let said = |wanted: fn(&DoorEvent) -> Option<&str>| events.iter().filter_map(wanted).collect::<String>();
    let text = said(|event| if let DoorEvent::Text(text) = event { Some(text) } else { None });
    let thinking = said(|event| if let DoorEvent::Thinking(text) = event { Some(text) } else { None });
    assert_eq!((text, thinking.as_str()), (struck, "sk-cat"));
}

#[tokio::test]
async fn the_budget_bounds_the_answer() {
    let vendor = Vendor::of([ok("done\n")]).await;
    let bench = Bench::new(&vendor);
    let door = bench.door();
    let call = async |tokens_left| {
        let events = &mut |_| {};
        let (request, wire, model, idempotency_key) = (request("hello"), &bench.wire, "m", "k");
        door.complete(Completing {
            model,
            request,
            wire,
            idempotency_key,
            trace: None,
            tokens_left,
            cost_left: None,
            events,
        })
        .await
    };
    call(Some(77)).await.expect("an answer");
    assert!(matches!(call(Some(0)).await, Err(ModelError::Budget(_))));
    let seen = vendor.seen();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].body.contains("max Some(77)"), "{}", seen[0].body);
    assert_eq!(door.limits("m", Some(5)).expect("limits").tokens_left, Some(5));
    let unknown = door.limits("n", None).expect_err("no such model").to_string();
    assert!(unknown.ends_with("no model is called `n`; there are: m"), "{unknown}");
}

#[tokio::test]
async fn dropping_the_call_closes_the_connection() {
    let (held, released) = oneshot::channel::<()>();
    let first = stream::once(async { Ok::<_, std::io::Error>("text x\n") });
    let body = first.chain(stream::once(async move {
        let _held = held;
        std::future::pending().await
    }));
    let vendor = Vendor::of([axum::response::Response::new(axum::body::Body::from_stream(body))]).await;
    let bench = Bench::new(&vendor);
    let (door, (heard, mut hearing)) = (bench.door(), mpsc::unbounded_channel());
    let mut events = |event| heard.send(event).expect("someone listens");
    let call = door.complete(Completing {
        model: "m",
        request: request("hello"),
        wire: &bench.wire,
        idempotency_key: "k",
        trace: None,
        tokens_left: None,
        cost_left: None,
        events: &mut events,
    });
    tokio::select! {
        result = call => panic!("{result:?}"),
        event = hearing.recv() => assert_eq!(event, Some(DoorEvent::Text("x".into()))),
    }
    released.await.expect_err("the vendor's stream is dropped without a word");
}
