//! Where a request may go: names, addresses, redirects.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::vendor::{ok, status, with};
use super::*;
use crate::model::egress::Lookup;

/// Answers the n-th look-up with the n-th list, and the last one from then on.
fn scripted(answers: &'static [&'static [&'static str]]) -> (Lookup, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let lookup: Lookup = Arc::new(move |_| {
        let index = count.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
        let addresses: Vec<IpAddr> =
            answers[index].iter().map(|ip| ip.parse().expect("an address")).collect();
        Box::pin(async move { Ok(addresses) })
    });
    (lookup, asked)
}

impl Bench {
    /// A door to `http://model.test`, which is where the look-up says.
    fn named_door(&mut self, vendor: &Vendor, lookup: Lookup) -> Door {
        self.config.base_url = Some(format!("http://model.test:{}/v1", vendor.address.port()));
        Door::with_lookup(vec![self.config.clone()], Mode::Live, lookup).expect("a door")
    }
}

#[tokio::test]
async fn an_unlisted_local_address_is_refused_with_the_line_that_allows_it() {
    let vendor = Vendor::of([]).await;
    let mut bench = Bench::new(&vendor);
    bench.config.allow.clear();
    let port = vendor.address.port();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "127.0.0.1.",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "localhost",
    ] {
        bench.config.base_url = Some(format!("http://{host}:{port}"));
        let error = bench.error().await;
        let ModelError::Unreachable(text) = &error else { panic!("{host}: {error}") };
        assert!(text.contains("a loopback address; to allow it: [models.m] allow = [\""), "{text}");
    }
    assert_eq!(vendor.seen().len(), 0);
}

#[tokio::test]
async fn a_name_that_moves_is_checked_at_every_connection() {
    let closing = || with(ok("done\n"), "connection", "close");
    let vendor = Vendor::of([closing(), closing()]).await;
    let mut bench = Bench::new(&vendor);
    let (lookup, asked) = scripted(&[&["127.0.0.1"], &["10.0.0.7", "127.0.0.1"], &["169.254.169.254"]]);
    let door = bench.named_door(&vendor, lookup);
    for _ in 0..2 {
        bench.ask_at(&door, request("hello")).await.0.expect("an answer from the listed address");
    }
    let error = bench.ask_at(&door, request("hello")).await.0.expect_err("refused").to_string();
    assert!(error.contains("model.test is 169.254.169.254, a link-local address"), "{error}");
    assert_eq!((vendor.seen().len(), asked.load(Ordering::SeqCst)), (2, 3));
    assert_eq!(vendor.seen()[0].headers["host"], format!("model.test:{}", vendor.address.port()));
}

#[tokio::test]
async fn a_key_over_plain_http_stays_home() {
    let vendor = Vendor::of([]).await;
    let mut bench = Bench::new(&vendor);
    let (lookup, _) = scripted(&[&["1.1.1.1"]]);
    let door = bench.named_door(&vendor, lookup);
    let error = bench.ask_at(&door, request("hello")).await.0.expect_err("refused").to_string();
    assert!(error.contains("plain http, so use https"), "{error}");
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let other = Vendor::of([ok("done\n")]).await;
    let to: &'static str = format!("http://{}/v1/say", other.address).leak();
    for code in [301, 302, 303, 307, 308] {
        for to in [to, "http://169.254.169.254/latest/meta-data"] {
            let vendor = Vendor::of([with(status(code, ""), "location", to)]).await;
            let error = Bench::new(&vendor).error().await;
            assert!(matches!(&error, ModelError::Unreachable(text) if text.contains(to)), "{code}: {error}");
            assert_eq!(vendor.seen().len(), 1);
        }
    }
    assert_eq!(other.seen().len(), 0);
}

#[tokio::test]
async fn nobody_home_is_unreachable_and_retried() {
    let vendor = Vendor::of([]).await;
    let mut bench = Bench::new(&vendor);
    let free =
        tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    bench.config.base_url = Some(format!("http://{free}"));
    bench.config.retries = 2;
    let (result, events) = bench.ask().await;
    assert!(matches!(&result, Err(ModelError::Unreachable(text)) if text.contains("refused")), "{result:?}");
    let [DoorEvent::Retrying { .. }, DoorEvent::Retrying { .. }, DoorEvent::Away] = events[..] else {
        panic!("{events:?}")
    };

    // A vendor that speaks no TLS.
    bench.config.base_url = Some(format!("https://{}", vendor.address));
    bench.config.retries = 0;
    assert!(matches!(bench.error().await, ModelError::Unreachable(_)));
    assert_eq!(vendor.seen().len(), 0);
}

/// A resolver may say what it likes: every spelling of an address is the address.
#[tokio::test]
async fn a_name_that_leads_inside_is_refused() {
    let vendor = Vendor::of([]).await;
    let mut bench = Bench::new(&vendor);
    for (answer, said) in [
        ("169.254.169.254", "169.254.169.254, a link-local address"),
        ("::ffff:169.254.169.254", "169.254.169.254, a link-local address"),
        ("64:ff9b::a9fe:a9fe", "64:ff9b::a9fe:a9fe, a link-local address"),
        ("64:ff9b:1::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe, a reserved address"),
        ("fd00:ec2::254", "fd00:ec2::254, a private address"),
        ("::", "::, a reserved address"),
        ("0.0.0.0", "0.0.0.0, an address of this network"),
        ("10.0.0.7", "10.0.0.7, a private address"),
        ("100.100.100.200", "100.100.100.200, a carrier's shared address"),
    ] {
        let lookup: Lookup = Arc::new(move |_| {
            let addresses: Vec<IpAddr> = vec![answer.parse().expect("an address")];
            Box::pin(async move { Ok(addresses) })
        });
        let door = bench.named_door(&vendor, lookup);
        let error = bench.ask_at(&door, request("hello")).await.0.expect_err("refused");
        let expected = format!("model.test is {said}; to allow it: [models.m] allow = [");
        assert!(matches!(&error, ModelError::Unreachable(text) if text.starts_with(&expected)), "{error}");
    }
    assert_eq!(vendor.seen().len(), 0);
}

/// Whoever wrote an adapter does not choose where the key and the code go.
#[tokio::test]
async fn an_adapter_names_no_host_of_its_own() {
    let vendor = Vendor::of([]).await;
    let mut bench = Bench::new(&vendor);
    bench.config.base_url = None;
    let error = bench.error().await;
    assert_eq!(error, ModelError::InvalidRequest("[models.m] base_url is missing".into()));
    for host in [
        format!("http://{}", vendor.address).as_str(),
        &format!("https://{}", vendor.address),
        "https://169.254.169.254/latest",
        "https://api.openai.com.evil.example/v1",
        "https://api.openai.com:8443/v1",
        "http://api.openai.com/v1",
    ] {
        bench.wire.default_base_url = Some(host.to_owned());
        let error = bench.error().await;
        let said = format!(
            "the adapter's own {host:?} is no vendor's that this host knows: set [models.m] base_url"
        );
        assert_eq!(error, ModelError::InvalidRequest(said));
    }
    bench.wire.default_base_url = Some("https://user:pass@api.openai.com/v1".to_owned());
    let error = bench.error().await.to_string();
    assert!(error.contains("names a user") && !error.contains("pass"), "{error}");
    assert_eq!(vendor.seen().len(), 0);
}
