//! One row: where a user is reachable, until when, and who said so.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::fmt::Write as _;

use ringback_base::{Hop, Millis, Now};
use ringback_message::header::Qvalue;
use ringback_message::{HeaderId, Uri};

/// The version of a row set: 0 where there is none, another one after each store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u64);

/// The binding of an address of record to one contact.
#[derive(Clone, PartialEq, Eq)]
pub struct Binding {
    /// The URI as registered, with its parameters and headers; its scheme in lower case. `[RFC 4475, Section 3.3.13]` `[RFC 4475, Section 3.3.14]`
    pub contact: Box<[u8]>,
    /// The other parameters of the Contact value, from the first semicolon, without `q` and `expires`. `[RFC 4475, Section 3.3.12]`
    pub params: Box<[u8]>,
    /// The preference, if one was given. `[RFC 3261, Section 20.10]`
    pub q: Option<Qvalue>,
    /// The Call-ID of the REGISTER that set it last.
    pub call_id: Box<[u8]>,
    /// The CSeq number of that REGISTER.
    pub cseq: u32,
    /// When it runs out.
    pub expires_at: Millis,
    /// When it was set last.
    pub updated_at: Millis,
    /// Where the REGISTER came from, and on which of our addresses: private, never on the wire. Its flow is not stored: it ends with the process.
    pub received: Option<Hop>,
    /// The values of Path, each a `name-addr`, the top one first. `[RFC 3327, Section 5.3]`
    pub path: Vec<Box<[u8]>>,
    /// What the phone calls itself, cut to [`USER_AGENT_BYTES_MAX`](crate::USER_AGENT_BYTES_MAX).
    pub user_agent: Option<Box<[u8]>>,
}

impl Binding {
    /// True until it runs out.
    #[must_use]
    pub fn is_live(&self, now: Now) -> bool {
        now.unix < self.expires_at
    }

    /// The contact's URI; `None` only where somebody stored what is none.
    #[must_use]
    pub fn uri(&self) -> Option<Uri<&[u8]>> {
        Uri::parse(&self.contact, HeaderId::Contact, 0).ok()
    }

    /// The preference by which targets are tried, the highest where none was given.
    #[must_use]
    pub fn preference(&self) -> Qvalue {
        self.q.unwrap_or(Qvalue::ONE)
    }

    /// How many seconds are left, begun ones counted whole: what was granted is what the 200 says.
    #[must_use]
    pub fn remaining_secs(&self, now: Now) -> u64 {
        self.expires_at.since(now.unix).div_ceil(1_000)
    }

    /// The value of a Contact header field: the URI in brackets, `q` as registered, `expires` as it is now, the other parameters.
    #[must_use]
    pub fn contact_value(&self, now: Now) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.contact.len().saturating_add(self.params.len()).saturating_add(32));
        out.push(b'<');
        out.extend_from_slice(&self.contact);
        out.push(b'>');
        let mut numbers = alloc::string::String::new();
        if let Some(q) = self.q {
            push_q(&mut numbers, q);
        }
        // "Each Contact value MUST feature an "expires" parameter indicating its expiration interval chosen by the
        // registrar." [RFC 3261, Section 10.3]
        _ = write!(numbers, ";expires={}", self.remaining_secs(now));
        out.extend_from_slice(numbers.as_bytes());
        out.extend_from_slice(&self.params);
        out
    }
}

/// The Contact values of a 200 to REGISTER, one for each row that has not run out. `[RFC 3261, Section 10.3]`
pub fn contact_values(rows: &[Binding], now: Now) -> impl Iterator<Item = Vec<u8>> {
    rows.iter().filter(move |row| row.is_live(now)).map(move |row| row.contact_value(now))
}

/// `;q=` with as few digits as it takes.
fn push_q(out: &mut alloc::string::String, q: Qvalue) {
    let thousandths = q.as_thousandths();
    _ = match thousandths % 1_000 {
        0 => write!(out, ";q={}", thousandths / 1_000),
        n if n % 100 == 0 => write!(out, ";q=0.{}", n / 100),
        n if n % 10 == 0 => write!(out, ";q=0.{:02}", n / 10),
        n => write!(out, ";q=0.{n:03}"),
    };
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut path = f.debug_struct("Binding");
        path.field("contact", &Text(&self.contact))
            .field("params", &Text(&self.params))
            .field("q", &self.q)
            .field("call_id", &Text(&self.call_id))
            .field("cseq", &self.cseq)
            .field("expires_at", &self.expires_at)
            .field("updated_at", &self.updated_at)
            .field("received", &self.received)
            .field("path", &self.path.iter().map(|value| Text(value)).collect::<Vec<_>>())
            .field("user_agent", &self.user_agent.as_deref().map(Text))
            .finish()
    }
}

/// Bytes that are mostly text.
struct Text<'a>(&'a [u8]);

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::string::String;

    fn row(q: Option<u16>, expires_at: u64) -> Binding {
        Binding {
            contact: (*b"sip:a@b;x?h=v").into(),
            params: (*b";reg-id=1").into(),
            q: q.and_then(Qvalue::from_thousandths),
            call_id: (*b"1").into(),
            cseq: 1,
            expires_at: Millis(expires_at),
            updated_at: Millis(0),
            received: None,
            path: Vec::new(),
            user_agent: None,
        }
    }

    fn at(ms: u64) -> Now {
        Now { unix: Millis(ms), ..Now::default() }
    }

    #[test]
    fn what_is_left_is_rounded_up_and_what_ran_out_is_left_out() {
        let rows = [row(None, 10_000), row(None, 5_000)];
        let values = |ms| contact_values(&rows, at(ms)).map(|v| String::from_utf8(v).unwrap()).collect::<Vec<_>>();
        assert_eq!(values(0), ["<sip:a@b;x?h=v>;expires=10;reg-id=1", "<sip:a@b;x?h=v>;expires=5;reg-id=1"]);
        assert_eq!(values(4_999), ["<sip:a@b;x?h=v>;expires=6;reg-id=1", "<sip:a@b;x?h=v>;expires=1;reg-id=1"]);
        assert_eq!(values(5_000), ["<sip:a@b;x?h=v>;expires=5;reg-id=1"]);
        assert!(values(10_000).is_empty());
    }

    #[test]
    fn q_as_registered() {
        for (q, text) in
            [(0, "0"), (1_000, "1"), (700, "0.7"), (50, "0.05"), (120, "0.12"), (5, "0.005"), (123, "0.123")]
        {
            let value = row(Some(q), 1_000).contact_value(at(0));
            let expected = std::format!("<sip:a@b;x?h=v>;q={text};expires=1;reg-id=1");
            assert_eq!(String::from_utf8(value).unwrap(), expected);
        }
        assert_eq!(row(None, 1).preference(), Qvalue::ONE);
    }
}
