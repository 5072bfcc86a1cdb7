//! Who has sent wrong tokens lately.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const WITHIN: Duration = Duration::from_secs(60);

/// How many tries are remembered; of more, the oldest are forgotten.
const REMEMBERED: usize = 4096;

pub(super) struct Tries {
    per_address: usize,
    in_all: Option<usize>,
    /// Oldest first.
    wrong: Mutex<VecDeque<(Instant, Option<IpAddr>)>>,
}

impl Tries {
    pub(super) fn new(per_address: usize, in_all: Option<usize>) -> Self {
        Self { per_address, in_all, wrong: Mutex::default() }
    }

    /// For how many seconds this address has to wait. `None`: it need not.
    pub(super) fn wait(&self, address: Option<IpAddr>, now: Instant) -> Option<u64> {
        let address = address.map(network);
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        while wrong.front().is_some_and(|(at, _)| now.duration_since(*at) >= WITHIN) {
            wrong.pop_front();
        }
        // It may try again once the tries that are one too many have become old.
        let last = |most: usize, of: &mut dyn DoubleEndedIterator<Item = Instant>| {
            of.rev().nth(most.checked_sub(1)?)
        };
        let own =
            last(self.per_address, &mut wrong.iter().filter(|(_, from)| *from == address).map(|(at, _)| *at));
        let all = self.in_all.and_then(|most| last(most, &mut wrong.iter().map(|(at, _)| *at)));
        let until = own.max(all)? + WITHIN;
        Some(until.duration_since(now).as_secs() + 1)
    }

    pub(super) fn note(&self, address: Option<IpAddr>, now: Instant) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let surplus = (wrong.len() + 1).saturating_sub(REMEMBERED);
        wrong.drain(..surplus);
        wrong.push_back((now, address.map(network)));
    }
}

/// Whoever has one IPv6 address mostly has a network of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_waits_until_its_tries_are_old_and_others_do_not() {
        let tries = Tries::new(2, Some(3));
        let ip = |text: &str| Some(text.parse::<IpAddr>().expect("an address"));
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        tries.note(ip("2001:db8::1"), at(0));
        assert_eq!(tries.wait(ip("2001:db8::1"), at(1)), None);
        tries.note(ip("2001:db8::2"), at(10));
        // Another address of the same network.
        assert_eq!(tries.wait(ip("2001:db8::3"), at(20)), Some(41));
        assert_eq!(tries.wait(ip("10.0.0.1"), at(20)), None);
        assert_eq!(tries.wait(None, at(20)), None);
        tries.note(ip("10.0.0.1"), at(30));
        // Three in all: everyone waits until the first is old.
        assert_eq!(tries.wait(ip("10.0.0.2"), at(40)), Some(21));
        assert_eq!(tries.wait(ip("10.0.0.2"), at(60)), None);
        assert_eq!(tries.wait(ip("2001:db8::3"), at(60)), None);
    }
}
