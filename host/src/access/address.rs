//! Where a request comes from: which machine, over which wire, from whose page.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, header};

use crate::model::Allow;

/// The other end of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// `None` where there is no network in between.
    pub address: Option<IpAddr>,
    /// It came over TLS, as a trusted proxy says.
    pub tls: bool,
}

impl Caller {
    /// A proxy adds to the end of what it was sent, so that only the end can be believed: as far as
    /// trusted proxies have written it.
    pub(super) fn of(peer: Option<IpAddr>, headers: &HeaderMap, proxies: &[Allow]) -> Self {
        let peer = peer.map(|peer| peer.to_canonical());
        let trusted = |ip: IpAddr| proxies.iter().any(|proxy| proxy.contains(ip));
        if !peer.is_some_and(trusted) {
            return Self { address: peer, tls: false };
        }
        let mut address = peer;
        let forwarded = headers.get_all("x-forwarded-for").into_iter().filter_map(|line| line.to_str().ok());
        let hops: Vec<&str> = forwarded.flat_map(|line| line.split(',')).map(str::trim).collect();
        for hop in hops.into_iter().rev() {
            let Some(hop) = ip(hop) else { break };
            address = Some(hop);
            if !trusted(hop) {
                break;
            }
        }
        let protocol = headers.get_all("x-forwarded-proto").into_iter().filter_map(|line| line.to_str().ok());
        let last = protocol.flat_map(|line| line.split(',')).last().map(str::trim);
        Self { address, tls: last.is_some_and(|last| last.eq_ignore_ascii_case("https")) }
    }
}

/// Some proxies add the port.
fn ip(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<std::net::SocketAddr>().ok().map(|address| address.ip());
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse().ok().or_else(with_port).map(|ip: IpAddr| ip.to_canonical())
}

/// Whether a script or form of another site's page has made the browser send a request. Browsers say so;
/// what says nothing is no browser.
pub fn is_other_site(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    // Sent to trustworthy addresses only, which plain http beyond this machine is not.
    if let Some(site) = headers.get("sec-fetch-site") {
        return !matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let site = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, site)| site);
    site.is_none() || site != text(&header::HOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().expect("a value"));
        }
        headers
    }

    #[test]
    fn only_what_trusted_proxies_wrote_counts() {
        let proxies: Vec<Allow> =
            ["loopback", "10.1.0.0/16"].iter().map(|it| it.parse().expect("ok")).collect();
        for (peer, forwarded, proto, address, tls) in [
            ("203.0.113.9", &["198.51.100.1"][..], "https", "203.0.113.9", false),
            ("127.0.0.1", &[], "", "127.0.0.1", false),
            ("127.0.0.1", &["198.51.100.1"], "https", "198.51.100.1", true),
            // The client made the first up.
            ("127.0.0.1", &["6.6.6.6, 198.51.100.1"], "https", "198.51.100.1", true),
            ("127.0.0.1", &["6.6.6.6", "198.51.100.1, 10.1.2.3"], "http", "198.51.100.1", false),
            ("::ffff:10.1.9.9", &["198.51.100.1:4711"], "HTTPS", "198.51.100.1", true),
            ("10.1.9.9", &["[2001:db8::1]"], "http, https", "2001:db8::1", true),
            ("10.1.9.9", &["unknown"], "https, http", "10.1.9.9", false),
            ("10.2.0.1", &["198.51.100.1"], "https", "10.2.0.1", false),
        ] {
            let mut lines: Vec<(&'static str, &str)> = vec![("x-forwarded-proto", proto)];
            lines.extend(forwarded.iter().map(|line| ("x-forwarded-for", *line)));
            let peer: IpAddr = peer.parse().expect("an address");
            let caller = Caller::of(Some(peer), &headers(&lines), &proxies);
            let wanted = Caller { address: Some(address.parse().expect("an address")), tls };
            assert_eq!(caller, wanted, "{peer} {forwarded:?} {proto:?}");
        }
    }

    #[test]
    fn a_browser_says_whose_page_it_shows() {
        for (lines, other) in [
            (&[("host", "ours:8080")][..], false),
            (&[("host", "ours:8080"), ("origin", "http://ours:8080")], false),
            (&[("host", "ours:8080"), ("origin", "http://evil.example")], true),
            (&[("host", "ours:8080"), ("origin", "null")], true),
            (&[("origin", "http://ours:8080")], true),
            (&[("host", "ours"), ("origin", "http://evil.example"), ("sec-fetch-site", "cross-site")], true),
            (&[("host", "ours"), ("sec-fetch-site", "same-site")], true),
            (&[("host", "ours"), ("sec-fetch-site", "none")], false),
            // Behind a proxy that asks for us under another name.
            (&[("host", "inner"), ("origin", "https://ours"), ("sec-fetch-site", "same-origin")], false),
        ] {
            assert_eq!(is_other_site(&headers(lines)), other, "{lines:?}");
        }
    }
}
