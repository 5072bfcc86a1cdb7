//! What a vendor, a network or an adapter can do wrong, and what is said of it.

use std::time::Duration;

use super::vendor::{dripping, endless, hanging, ok, status, streamed, with};
use super::*;
use crate::model::Auth;

/// One answer, or the same for every attempt.
async fn error_after(answers: impl IntoIterator<Item = axum::response::Response>) -> (ModelError, usize) {
    let vendor = Vendor::of(answers).await;
    let error = Bench::new(&vendor).error().await;
    (error, vendor.seen().len())
}

#[tokio::test]
async fn what_does_not_pass_is_not_retried() {
    let auth = format!("no such key: {CANARY}").leak();
    assert_eq!(
        error_after([status(401, auth)]).await,
        (ModelError::Auth(format!("no such key: {}", "*".repeat(CANARY.len()))), 1)
    );
    assert_eq!(error_after([status(413, "long")]).await, (ModelError::ContextTooLong("long".into()), 1));
    assert_eq!(error_after([status(404, "what")]).await, (ModelError::InvalidRequest("what".into()), 1));
}

#[tokio::test]
async fn retries_end() {
    let down = || (0..9).map(|_| status(500, "down"));
    assert_eq!(error_after(down()).await, (ModelError::Overloaded(None), 5));
    let garbage = || (0..9).map(|_| ok("\u{1}garbage"));
    let (error, attempts) = error_after(garbage()).await;
    assert!(matches!(error, ModelError::Malformed(_)), "{error}");
    assert_eq!(attempts, 2);
    assert_eq!(error_after((0..9).map(|_| ok(""))).await, (ModelError::Malformed("no `done`".into()), 2));
}

#[tokio::test]
async fn a_wish_beyond_the_total_ends_at_once() {
    for (text, wish) in [("700000", 700_000), ("18446744073709551615", u64::MAX)] {
        let busy = with(status(429, ""), "retry-after-ms", text);
        assert_eq!(error_after([busy]).await, (ModelError::RateLimited(Some(wish)), 1));
    }
}

#[tokio::test]
async fn half_an_answer_is_no_answer() {
    let vendor =
        Vendor::raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\na\r\ntext half\n\r\n").await;
    let (result, events) = Bench::new(&vendor).ask().await;
    let broke_off =
        |error: &ModelError| matches!(error, ModelError::Malformed(text) if text.contains("broke off"));
    assert!(result.as_ref().is_err_and(broke_off), "{result:?}");
    let text = || DoorEvent::Text("half".into());
    let [first, DoorEvent::Retrying { error, .. }, second] = &events[..] else { panic!("{events:?}") };
    assert!(*first == text() && broke_off(error) && *second == text(), "{events:?}");
    assert_eq!(
        error_after((0..9).map(|_| streamed(&["text h\n"]))).await,
        (ModelError::Malformed("no `done`".into()), 2)
    );
}

#[tokio::test]
async fn bytes_that_are_no_http() {
    for bytes in
        [&b"220 smtp.example\r\n"[..], b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ntext", b"\0\0\0\0"]
    {
        let vendor = Vendor::raw(bytes).await;
        let error = Bench::new(&vendor).error().await;
        assert!(matches!(error, ModelError::Malformed(_)), "{bytes:?}: {error}");
        assert_eq!(vendor.seen().len(), 2, "{bytes:?}");
    }
}

/// As from a server that is being restarted: it took the request and was gone.
#[tokio::test]
async fn a_connection_that_closes_without_an_answer_is_unreachable() {
    for bytes in [&b""[..], b"HTTP/1.1 200 O"] {
        let vendor = Vendor::raw(bytes).await;
        let mut bench = Bench::new(&vendor);
        bench.config.retries = 2;
        let error = bench.error().await;
        let said = format!("http://{}: the connection was closed before an answer came", vendor.address);
        assert_eq!((error, vendor.seen().len()), (ModelError::Unreachable(said), 3), "{bytes:?}");
    }
}

#[tokio::test]
async fn silence_is_a_timeout() {
    let vendor = Vendor::of((0..9).map(|_| hanging(&[]))).await;
    let mut bench = Bench::new(&vendor);
    bench.config.first_byte_timeout = Duration::from_millis(30);
    bench.config.retries = 1;
    let error = bench.error().await;
    let expected = "no first byte within 0.03 s ([models.m] first_byte_timeout_s)";
    assert_eq!(error, ModelError::Timeout(expected.into()));
    assert_eq!(vendor.seen().len(), 2);

    let vendor = Vendor::of([hanging(&["text x\n"])]).await;
    let mut bench = Bench::new(&vendor);
    bench.config.idle_timeout = Duration::from_millis(30);
    bench.config.retries = 0;
    let error = bench.error().await.to_string();
    assert!(
        error.contains("7 bytes of an answer, then none for 0.03 s ([models.m] idle_timeout_s)"),
        "{error}"
    );
}

#[tokio::test]
async fn a_drip_ends_at_the_total() {
    let vendor = Vendor::of([dripping()]).await;
    let mut bench = Bench::new(&vendor);
    bench.config.total_timeout = Duration::from_millis(200);
    let (result, events) = bench.ask().await;
    let expected = "no whole answer within 0.2 s ([models.m] total_timeout_s)";
    assert_eq!(result, Err(ModelError::Timeout(expected.into())));
    assert!(events.len() > 1, "{events:?}");
}

#[tokio::test]
async fn a_flood_is_cut_and_not_repeated() {
    let vendor = Vendor::of([endless()]).await;
    let mut bench = Bench::new(&vendor);
    bench.config.max_response_bytes = 1 << 20;
    let error = bench.error().await;
    assert!(
        matches!(&error, ModelError::Other(text) if text.contains("[models.m] max_response_bytes")),
        "{error}"
    );
    assert_eq!(vendor.seen().len(), 1);
}

/// What surrounds an answer is bounded, too, in its size or by the clock.
#[tokio::test]
async fn a_flood_around_the_body_ends_the_attempt() {
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    for (name, head, piece) in [
        ("headers", "HTTP/1.1 200 OK\r\n".to_owned(), "x-a: b\r\n"),
        ("a header's name", "HTTP/1.1 200 OK\r\n".to_owned(), "a"),
        ("a header's value", "HTTP/1.1 200 OK\r\nx-a: ".to_owned(), "a"),
        ("a reason", "HTTP/1.1 200 ".to_owned(), "OK "),
        ("interim answers", String::new(), "HTTP/1.1 100 Continue\r\n\r\n"),
        ("a chunk's size", CHUNKED.to_owned(), "0"),
        ("a chunk's extension", format!("{CHUNKED}5;"), "a"),
        ("trailers", format!("{CHUNKED}0\r\n"), "x-a: b\r\n"),
    ] {
        let vendor = Vendor::flooding(head.leak().as_bytes(), piece.as_bytes()).await;
        let mut bench = Bench::new(&vendor);
        bench.config.first_byte_timeout = Duration::from_millis(500);
        bench.config.idle_timeout = Duration::from_millis(500);
        bench.config.retries = 0;
        let error = bench.error().await;
        assert!(matches!(error, ModelError::Malformed(_) | ModelError::Timeout(_)), "{name}: {error}");
        assert!(error.to_string().len() < 1_000, "{name}: {error}");
    }
}

/// 64 MiB of zeros in 64 KiB.
fn bomb() -> axum::body::Body {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut gz, &vec![0; 64 << 20]).expect("memory takes all");
    axum::body::Body::from(gz.finish().expect("memory takes all"))
}

#[tokio::test]
async fn nothing_is_decompressed() {
    for encodings in [&["gzip"][..], &["br"], &["zstd"], &["deflate, gzip"], &["identity", "gzip"]] {
        let answer = encodings.iter().fold(axum::response::Response::new(bomb()), |answer, encoding| {
            with(answer, "content-encoding", encoding)
        });
        let (error, attempts) = error_after([answer]).await;
        let last = encodings.last().expect("one");
        assert!(matches!(&error, ModelError::Other(text) if text.contains(last)), "{encodings:?}: {error}");
        assert_eq!(attempts, 1, "{encodings:?}");
    }
    // Unannounced, it is what it is: garbage, of its own length.
    let vendor = Vendor::of([axum::response::Response::new(bomb())]).await;
    let mut bench = Bench::new(&vendor);
    bench.config.max_response_bytes = 128 << 10;
    bench.config.retries = 0;
    let error = bench.error().await;
    assert!(matches!(error, ModelError::Malformed(_)), "{error}");
}

#[tokio::test]
async fn an_adapter_that_oversteps_sends_nothing() {
    let vendor = Vendor::of([]).await;
    let mut bench = Bench::new(&vendor);
    for path in ["https://evil.example/", "//evil.example/", "/../admin", "/x\r\nHost: evil.example"] {
        bench.wire.path = path.into();
        assert!(matches!(bench.error().await, ModelError::InvalidRequest(_)), "{path}");
    }
    bench.wire = LineWire::default();
    for (name, value) in
        [("host", "evil.example"), ("authorization", "mine"), ("x-a", "b\r\nhost: evil.example")]
    {
        bench.wire.headers = vec![(name.into(), value.into())];
        assert!(matches!(bench.error().await, ModelError::InvalidRequest(_)), "{name}");
    }
    bench.wire = LineWire { auth: Auth::Header("host".into()), ..LineWire::default() };
    assert!(matches!(bench.error().await, ModelError::InvalidRequest(_)));
    assert_eq!(vendor.seen().len(), 0);
}

#[tokio::test]
async fn a_missing_key_sends_nothing() {
    let vendor = Vendor::of([]).await;
    let mut bench = Bench::new(&vendor);
    bench.config.key = KeySource::Env("AIAGENT_NO_SUCH_KEY".into());
    let error = bench.error().await;
    assert!(matches!(&error, ModelError::Auth(text) if text.contains("AIAGENT_NO_SUCH_KEY")), "{error}");
    assert_eq!(vendor.seen().len(), 0);
}

#[test]
fn a_wrong_configuration_is_named() {
    let refused = |change: &dyn Fn(&mut ModelConfig)| {
        let mut config = ModelConfig::new("m", "line", "vendor-m");
        change(&mut config);
        let twin = config.clone();
        let error = Door::new(vec![config], Mode::Live)
            .err()
            .or_else(|| Door::new(vec![twin.clone(), twin], Mode::Live).err());
        error.expect("refused").to_string()
    };
    assert!(
        refused(&|config| config.base_url = Some("localhost:11434".into()))
            .starts_with("[models.m] base_url: ")
    );
    assert!(refused(&|config| config.context_window = 0).starts_with("[models.m] context_window: "));
    for timeout in [Duration::ZERO, Duration::MAX] {
        assert!(refused(&|config| config.total_timeout = timeout).starts_with("[models.m] total_timeout: "));
    }
    assert_eq!(refused(&|_| {}), "two models are called m");
}
