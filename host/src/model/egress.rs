//! Which addresses a model's requests may go to.
//!
//! Invariant: a connection is only made to an address that `Egress::check` has seen. Names are
//! resolved once per connection, by us, and what is connected to is what was checked.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

/// An entry of `allow`: `loopback`, an address, or a network as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allow {
    Loopback,
    Net { address: IpAddr, prefix: u8 },
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither `loopback` nor an address nor a network such as 10.0.0.0/8")]
pub struct AllowError(String);

impl Allow {
    pub fn contains(self, ip: IpAddr) -> bool {
        match (self, ip.to_canonical()) {
            (Self::Loopback, ip) => ip.is_loopback(),
            (Self::Net { address: IpAddr::V4(net), prefix }, IpAddr::V4(ip)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
                (net.to_bits() ^ ip.to_bits()) & mask == 0
            }
            (Self::Net { address: IpAddr::V6(net), prefix }, IpAddr::V6(ip)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
                (net.to_bits() ^ ip.to_bits()) & mask == 0
            }
            (Self::Net { .. }, _) => false,
        }
    }
}

impl FromStr for Allow {
    type Err = AllowError;

    fn from_str(text: &str) -> Result<Self, AllowError> {
        let bad = || AllowError(text.to_owned());
        if text == "loopback" {
            return Ok(Self::Loopback);
        }
        let (address, prefix) = text.split_once('/').map_or((text, None), |(net, len)| (net, Some(len)));
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(longest), |prefix| prefix.parse().map_err(|_| bad()))?;
        // A mapped address never compares equal to the address it stands for.
        if prefix > longest || address != address.to_canonical() {
            return Err(bad());
        }
        Ok(Self::Net { address, prefix })
    }
}

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loopback => f.write_str("loopback"),
            Self::Net { address, prefix } => write!(f, "{address}/{prefix}"),
        }
    }
}

/// Why an address is not one of the public internet's; `None` where it is.
///
/// By IANA's special-purpose registries for IPv4 and IPv6; where those list exceptions inside a
/// reserved block, the block stays refused.
fn special(ip: IpAddr) -> Option<&'static str> {
    match ip.to_canonical() {
        IpAddr::V4(ip) => special_v4(ip),
        IpAddr::V6(ip) => special_v6(ip),
    }
}

fn special_v4(ip: Ipv4Addr) -> Option<&'static str> {
    let kind = match ip.octets() {
        [0, ..] => "an address of this network",
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => "a private address",
        [100, 64..=127, ..] => "a carrier's shared address",
        [127, ..] => "a loopback address",
        [169, 254, ..] => "a link-local address",
        // Azure's metadata and health service: a public address that is only ever local.
        [168, 63, 129, 16] => "a cloud's metadata address",
        [192, 0, 0, _] | [192, 88, 99, _] => "a protocol's reserved address",
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => "a documentation address",
        [198, 18..=19, ..] => "a benchmarking address",
        [224..=239, ..] => "a multicast address",
        [240..=255, ..] => "a reserved address",
        _ => return None,
    };
    Some(kind)
}

fn special_v6(ip: Ipv6Addr) -> Option<&'static str> {
    let kind = match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => "a loopback address",
        // NAT64: where the network has no IPv4 of its own, every public IPv4 address looks like this.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            return special_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
        }
        [0xfc00..=0xfdff, ..] => "a private address",
        [0xfe80..=0xfebf, ..] => "a link-local address",
        [0xff00..=0xffff, ..] => "a multicast address",
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => "a documentation address",
        // Teredo, ORCHID, benchmarking.
        [0x2001, 0..=0x1ff, ..] => "a protocol's reserved address",
        [0x2002, ..] => "a 6to4 address",
        [0x2000..=0x3fff, ..] => return None,
        _ => "a reserved address",
    };
    Some(kind)
}

/// An address that may not be connected to, and the line that would allow it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{host} is {ip}, {why}; to allow it: [models.{model}] allow = [\"{entry}\"]")]
pub(super) struct Refused {
    host: String,
    ip: IpAddr,
    why: &'static str,
    model: String,
    entry: String,
}

type Looking = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
/// From a host's name to its addresses.
pub(super) type Lookup = Arc<dyn Fn(String) -> Looking + Send + Sync>;

/// A look-up blocks a thread: this many at once, however many calls begin together.
const LOOKUPS: usize = 4;

/// The system's resolver.
pub(super) fn system() -> Lookup {
    let turns = Arc::new(Semaphore::new(LOOKUPS));
    Arc::new(move |host| {
        let turns = Arc::clone(&turns);
        Box::pin(async move {
            let _turn = turns.acquire().await.expect("nobody closes it");
            Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
        })
    })
}

/// One model's rule.
#[derive(Clone)]
pub(super) struct Egress {
    pub(super) model: String,
    pub(super) allow: Vec<Allow>,
    /// A key goes out over plain http: only to an address the operator has listed.
    pub(super) bare_key: bool,
    pub(super) lookup: Lookup,
}

impl Egress {
    pub(super) fn check(&self, host: &str, ip: IpAddr) -> Result<(), Refused> {
        if self.allow.iter().any(|allow| allow.contains(ip)) {
            return Ok(());
        }
        let bare = || self.bare_key.then_some("where the key would go over plain http, so use https");
        match special(ip).or_else(bare) {
            None => Ok(()),
            Some(why) => {
                let ip = ip.to_canonical();
                // `localhost` is two addresses, and a server often listens on the other one.
                let entry = if ip.is_loopback() { "loopback".to_owned() } else { ip.to_string() };
                Err(Refused { host: host.to_owned(), ip, why, model: self.model.clone(), entry })
            }
        }
    }

    /// A URL's host that is an address goes past the resolver, so it is checked on its own.
    /// `url` has turned every spelling (`0x7f.1`, `2130706433`) into the usual one.
    pub(super) fn check_literal(&self, host: &str) -> Result<(), Refused> {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        bare.parse().map_or(Ok(()), |ip| self.check(host, ip))
    }
}

impl Resolve for Egress {
    fn resolve(&self, name: Name) -> Resolving {
        let egress = self.clone();
        Box::pin(async move {
            let host = name.as_str();
            let found = (egress.lookup)(host.to_owned()).await?;
            let mut refused = None;
            let mut checked = Vec::new();
            for ip in found {
                match egress.check(host, ip) {
                    // Port 0: the URL's own.
                    Ok(()) => checked.push(SocketAddr::new(ip, 0)),
                    Err(refusal) => refused = refused.or(Some(refusal)),
                }
            }
            match refused {
                Some(refusal) if checked.is_empty() => Err(refusal.into()),
                _ => Ok(Box::new(checked.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn egress(allow: &[&str], bare_key: bool) -> Egress {
        let allow = allow.iter().map(|text| text.parse().expect("an entry")).collect();
        Egress { model: "m".into(), allow, bare_key, lookup: system() }
    }

    #[test]
    fn only_global_addresses_unless_listed() {
        let none = egress(&[], false);
        for ip in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "168.63.129.16",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            let error = none.check("host", ip.parse().expect("an address")).expect_err(ip);
            assert!(error.to_string().contains("[models.m] allow = [\""), "{error}");
        }
        for ip in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "192.0.1.1", "2606:4700::1111", "64:ff9b::101:101"]
        {
            assert_eq!(none.check("host", ip.parse().expect("an address")), Ok(()), "{ip}");
        }
    }

    #[test]
    fn a_list_opens_what_it_names_and_no_more() {
        let listed = egress(&["loopback", "10.2.0.0/16", "fd00::/8", "192.168.1.7"], false);
        for (ip, open) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("10.2.9.9", true),
            ("10.3.0.1", false),
            ("fd12::1", true),
            ("fc12::1", false),
            ("192.168.1.7", true),
            ("192.168.1.8", false),
            ("64:ff9b::a02:1", false),
        ] {
            assert_eq!(listed.check("host", ip.parse().expect("an address")).is_ok(), open, "{ip}");
        }
        for text in ["", "localhost", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "::ffff:10.0.0.1"]
        {
            assert!(text.parse::<Allow>().is_err(), "{text}");
        }
        assert!("0.0.0.0/0".parse::<Allow>().expect("all of IPv4").contains("9.9.9.9".parse().expect("one")));
    }

    #[test]
    fn a_bare_key_goes_to_listed_addresses_only() {
        let ip = "1.1.1.1".parse().expect("an address");
        assert!(egress(&[], true).check("host", ip).expect_err("refused").to_string().contains("plain http"));
        assert_eq!(egress(&["1.1.1.1"], true).check("host", ip), Ok(()));
    }

    #[test]
    fn literals_are_checked_in_every_spelling() {
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://127.0.0.1./",
            "http://①②⑦.0.0.1/",
        ] {
            let url = reqwest::Url::parse(url).expect("a URL");
            let host = url.host_str().expect("a host");
            assert!(egress(&[], false).check_literal(host).is_err(), "{url}");
            assert!(egress(&["loopback"], false).check_literal(host).is_ok(), "{url}");
        }
        assert_eq!(egress(&[], false).check_literal("example.com"), Ok(()));
    }
}
