//! What ties a task to the request that asked for it, across services: W3C Trace Context.

use serde::{Deserialize, Serialize};

/// A `traceparent` header, <https://www.w3.org/TR/trace-context/#traceparent-header>: the caller's span.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct Trace(String);

impl Trace {
    /// `None` for what is no such header: the standard has it ignored.
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let hex = |text: &str, length: usize| {
            text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
        };
        let zero = |text: &str| text.bytes().all(|byte| byte == b'0');
        let known = hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
        let whole = hex(trace, 32) && hex(span, 16) && hex(flags, 2) && !zero(trace) && !zero(span);
        (known && whole).then(|| Self(format!("00-{trace}-{span}-{flags}")))
    }

    /// Another span of the same trace.
    #[must_use]
    pub fn child(&self) -> Self {
        let random = ulid::Ulid::generate().random() as u64;
        Self(format!("00-{}-{:016x}-{}", self.trace_id(), random.max(1), self.part(3)))
    }

    /// The first span of another trace.
    pub fn fresh() -> Self {
        let id = ulid::Ulid::generate();
        Self(format!("00-{:032x}-{:016x}-01", id.0, (id.random() as u64).max(1))).child()
    }

    /// Whether the caller keeps it.
    pub fn is_sampled(&self) -> bool {
        u8::from_str_radix(self.part(3), 16).is_ok_and(|flags| flags & 1 == 1)
    }

    pub fn trace_id(&self) -> &str {
        self.part(1)
    }

    pub fn span_id(&self) -> &str {
        self.part(2)
    }

    fn part(&self, index: usize) -> &str {
        self.0.split('-').nth(index).unwrap_or_default()
    }

    /// As a header's value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_what_is_none() {
        let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        let good = format!("00-{trace}-{span}-01");
        let read = Trace::parse(&good).expect("a header");
        assert_eq!((read.as_str(), read.trace_id(), read.span_id()), (good.as_str(), trace, span));
        let child = read.child();
        assert_eq!(Trace::parse(child.as_str()), Some(child.clone()));
        assert_eq!(child.trace_id(), trace);
        assert_ne!(child.span_id(), span);
        let fresh = Trace::fresh();
        assert_eq!(Trace::parse(fresh.as_str()), Some(fresh.clone()));
        assert!(fresh.is_sampled() && read.is_sampled() && fresh.trace_id() != Trace::fresh().trace_id());
        let dropped = Trace::parse(&format!("00-{trace}-{span}-02")).expect("a header");
        assert!(!dropped.is_sampled());
        // A later version may say more.
        assert_eq!(Trace::parse(&format!("01-{trace}-{span}-01-more")), Some(read));
        for bad in [
            String::new(),
            format!("00-{trace}-{span}"),
            format!("00-{trace}-{span}-01-more"),
            format!("ff-{trace}-{span}-01"),
            format!("00-{}-{span}-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{}-{span}-01", trace.to_uppercase()),
            format!("00-{trace}-{span}-1"),
        ] {
            assert_eq!(Trace::parse(&bad), None, "{bad}");
        }
    }
}
