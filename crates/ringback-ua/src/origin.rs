//! What the requests outside of a dialog are made of that we send again and again: SUBSCRIBE, REFER, PUBLISH.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use ringback_base::Micros;
use ringback_message::{HeaderId, Method, RequestBuilder};

/// Who asks whom, and by what Call-ID. `[RFC 3261, Section 8.1.1]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The Request-URI.
    pub uri: Box<str>,
    /// From, without its tag.
    pub from: Box<str>,
    /// Our tag.
    pub tag: Box<str>,
    /// To.
    pub to: Box<str>,
    /// The Call-ID.
    pub call_id: Box<str>,
    /// The proxies to go through, as a Route writes them, the nearest first.
    pub routes: Vec<Box<str>>,
}

impl Origin {
    /// From one address of record to another; the Request-URI is that of the latter.
    #[must_use]
    pub fn new(from_uri: &str, to_uri: &str, call_id: &str, tag: &str) -> Origin {
        let address = |uri: &str| -> Box<str> { String::from_iter(["<", uri, ">"]).into() };
        Origin {
            uri: to_uri.into(),
            from: address(from_uri),
            tag: tag.into(),
            to: address(to_uri),
            call_id: call_id.into(),
            routes: Vec::new(),
        }
    }

    /// A request, without Via and Contact.
    #[must_use]
    pub fn request(&self, method: Method, cseq: u32) -> RequestBuilder {
        let from = String::from_iter([&*self.from, ";tag=", &*self.tag]);
        let builder = RequestBuilder::new(method.clone(), &self.uri)
            .raw(HeaderId::From, from)
            .raw(HeaderId::To, &*self.to)
            .raw(HeaderId::CallId, &*self.call_id)
            .cseq(cseq, method);
        self.routes.iter().fold(builder, |builder, route| builder.raw(HeaderId::Route, &**route))
    }
}

/// How long before its end a state that lasts so many seconds is refreshed: a tenth of that time, at least the 64 seconds in which
/// one attempt may time out and a second succeed, and at most half.
#[must_use]
pub(crate) fn refresh_after(lifetime_secs: u32) -> Micros {
    let lifetime_secs = u64::from(lifetime_secs);
    let slack_secs = (lifetime_secs / 10).max(SLACK_SECS);
    let half = Micros::from_ms(lifetime_secs.saturating_mul(500));
    half.max(Micros::from_secs(lifetime_secs.saturating_sub(slack_secs)))
}

/// Two times 64*T1, with T1 at its default.
const SLACK_SECS: u64 = 64;

/// The shortest time in which a refresh that failed is tried again.
pub(crate) const RETRY_MIN: Micros = Micros::from_secs(1);

/// Halfway from now to the end, or never where that is no use.
#[must_use]
pub(crate) fn retry_at(now: Micros, end: Micros) -> Option<Micros> {
    let half = Micros(end.since(now).0 / 2);
    (half >= RETRY_MIN).then(|| now.plus(half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refreshes_leave_time_for_a_second_attempt() {
        for (lifetime, after_ms) in [
            (0, 0),
            (1, 500),
            (60, 30_000),
            (128, 64_000),
            (600, 536_000),
            (3_600, 3_240_000),
            (u32::MAX, 3_865_470_566_000),
        ] {
            assert_eq!(refresh_after(lifetime), Micros::from_ms(after_ms), "{lifetime}");
        }
        assert_eq!(retry_at(Micros(0), Micros::from_secs(64)), Some(Micros::from_secs(32)));
        assert_eq!(retry_at(Micros::from_secs(63), Micros::from_secs(64)), None);
        assert_eq!(retry_at(Micros::from_secs(65), Micros::from_secs(64)), None);
    }
}
