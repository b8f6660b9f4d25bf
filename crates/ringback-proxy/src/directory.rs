//! What a server says of names by itself: of those that are no users, and for users who want it so.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec::Vec;

use ringback_message::{HeaderId, Request, StatusCode};

use crate::reply::Reply;

/// What is known of the names of a domain beside accounts and bindings.
///
/// Whoever may call here is told of it; it is asked before accounts and bindings are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    /// Names that no user has, by the user part of their URI.
    pub names: BTreeMap<Box<str>, Listed>,
    /// Users who take no request of anybody who withholds their identity: it gets 433. `[RFC 5079, Section 4]`
    pub refuse_anonymous: BTreeSet<Box<str>>,
    /// How many digits a number of this domain has at least; one that is shorter and that no user has is incomplete, and gets 484, so
    /// that a phone can go on dialling. 0 for a domain without numbers. `[RFC 3261, Section 21.4.22]`
    pub number_digits_min: usize,
    /// Nobody who is unknown here is known anywhere else: 604 in the place of 404, so that a proxy that forks asks no others.
    /// `[RFC 3261, Section 21.6.3]`
    pub speaks_for_all: bool,
}

/// What a name that is no user means.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Listed {
    /// Its user has left for good: 410. `[RFC 3261, Section 21.4.10]`
    Gone,
    /// Its user has another address now, this URI: 301. `[RFC 3261, Section 21.3.2]`
    Moved(Box<str>),
    /// It stands for several, of whom each will do, by their URIs: 300. `[RFC 3261, Section 21.3.1]`
    Choice(Vec<Box<str>>),
    /// It may mean any of several, by their URIs, of whom only one is meant: 485. With an empty list, nobody is told who they are.
    /// `[RFC 3261, Section 21.4.23]`
    Ambiguous(Vec<Box<str>>),
}

impl Directory {
    /// The reply to a request for this name, where the directory has one.
    #[must_use]
    pub fn reply(&self, user: &str, request: &Request) -> Option<Reply> {
        if self.refuse_anonymous.contains(user) && is_anonymous(request) {
            return Some(Reply::new(StatusCode::AnonymityDisallowed));
        }
        Some(match self.names.get(user)? {
            Listed::Gone => Reply::new(StatusCode::Gone),
            Listed::Moved(uri) => with_contacts(StatusCode::MovedPermanently, core::slice::from_ref(uri)),
            Listed::Choice(uris) => with_contacts(StatusCode::MultipleChoices, uris),
            Listed::Ambiguous(uris) => with_contacts(StatusCode::Ambiguous, uris),
        })
    }

    /// The reply to a request for somebody who has no account.
    #[must_use]
    pub fn unknown(&self, user: &str) -> Reply {
        let digits = user.strip_prefix('+').unwrap_or(user);
        let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        if is_number && digits.len() < self.number_digits_min {
            let least = self.number_digits_min;
            return Reply::because(StatusCode::AddressIncomplete, format!("A Number Has {least} Digits At Least"));
        }
        Reply::new(if self.speaks_for_all { StatusCode::DoesNotExistAnywhere } else { StatusCode::NotFound })
    }
}

fn with_contacts(status: StatusCode, uris: &[Box<str>]) -> Reply {
    uris.iter().fold(Reply::new(status), |reply, uri| reply.with(HeaderId::Contact, format!("<{uri}>")))
}

/// Whether the caller withholds who they are: by a name under `.invalid`, or by what they ask of their proxies.
/// `[RFC 3323, Section 4.1.1.3]` `[RFC 3323, Section 4.2]` `[RFC 3325, Section 9.3]`
fn is_anonymous(request: &Request) -> bool {
    let from = request.from_header().ok();
    let host = from.as_ref().and_then(|from| from.uri.as_sip()).map(|uri| uri.host.to_ascii_lowercase());
    let is_nowhere = host.is_some_and(|host| host == b"invalid" || host.ends_with(b".invalid"));
    let withholds =
        |line: &[u8]| line.split(|byte| *byte == b';').any(|word| matches!(word.trim_ascii(), b"user" | b"id"));
    is_nowhere || request.all(HeaderId::Privacy).any(|line| withholds(&line.value().to_ascii_lowercase()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn from(from: &str, more: &str) -> Request {
        let text = format!(
            "INVITE sip:b@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nFrom: {from};tag=1\r\n\
             To: <sip:b@b.example>\r\nCall-ID: 7\r\nCSeq: 1 INVITE\r\n{more}\r\n"
        );
        Request::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn who_withholds_their_name_is_anonymous() {
        assert!(!is_anonymous(&from("<sip:a@a.example>", "")));
        assert!(!is_anonymous(&from("<sip:a@a.example>", "Privacy: none\r\n")));
        assert!(!is_anonymous(&from("<sip:a@a.example>", "Privacy: session;critical\r\n")));
        assert!(is_anonymous(&from("\"Anonymous\" <sip:anonymous@anonymous.invalid>", "")));
        assert!(is_anonymous(&from("<sip:a@a.example>", "Privacy: header; ID\r\n")));
    }

    #[test]
    fn numbers_are_incomplete_until_they_are_long_enough() {
        let directory = Directory { number_digits_min: 4, speaks_for_all: true, ..Directory::default() };
        for (user, code) in [("12", 484), ("+123", 484), ("1234", 604), ("bob", 604), ("12b", 604), ("+", 604)] {
            assert_eq!(directory.unknown(user).status.as_u16(), code, "{user}");
        }
        assert_eq!(Directory::default().unknown("12").status.as_u16(), 404);
    }
}
