//! Which transaction a message belongs to. `[RFC 3261, Section 17.1.3]` `[RFC 3261, Section 17.2.3]`

use alloc::format;
use alloc::string::String;
use core::hash::{BuildHasher as _, Hash, Hasher};

use ringback_base::KeyedHash;
use ringback_message::header::MAGIC_COOKIE;
use ringback_message::{Request, Response, Via};

/// Text whose case says nothing: host names and tokens. `[RFC 3261, Section 7.3.1]`
#[derive(Clone, Copy, Debug, Eq)]
struct Folded<'a>(&'a [u8]);

impl PartialEq for Folded<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Hash for Folded<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_usize(self.0.len());
        for chunk in self.0.chunks(64) {
            let mut lower = [0; 64];
            let Some(lower) = lower.get_mut(..chunk.len()) else { return };
            lower.copy_from_slice(chunk);
            lower.make_ascii_lowercase();
            hasher.write(lower);
        }
    }
}

#[derive(PartialEq, Eq, Hash)]
struct SentBy<'a> {
    host: Folded<'a>,
    port: Option<u16>,
}

impl<'a> SentBy<'a> {
    fn of(via: &Via<&'a [u8]>) -> SentBy<'a> {
        SentBy { host: Folded(via.host), port: via.port }
    }
}

/// The branch, if its sender made it unique. The cookie alone names nothing. `[RFC 4475, Section 3.2.1]`
fn unique_branch(branch: Option<&[u8]>) -> Option<Folded<'_>> {
    let branch = branch?;
    let (cookie, rest) = branch.split_at_checked(MAGIC_COOKIE.len())?;
    (cookie.eq_ignore_ascii_case(MAGIC_COOKIE) && !rest.is_empty()).then_some(Folded(branch))
}

/// What tells one server transaction from all others.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct ServerKey<'a>(Kind<'a>);

#[derive(PartialEq, Eq, Hash)]
enum Kind<'a> {
    Unique { branch: Folded<'a>, sent_by: SentBy<'a>, method: &'a [u8] },
    Old(OldKey<'a>),
}

/// For requests of elements of RFC 2543: Request-URI, To tag, From tag, Call-ID, CSeq and top Via, for want of a unique
/// branch.
///
/// The Request-URI is compared as written: whoever repeats, acknowledges or cancels a request copies it, and what is
/// equal only by `[RFC 3261, Section 19.1.4]` can't be hashed. Of the parameters of the Via only the branch counts,
/// since the transport adds some.
#[derive(PartialEq, Eq, Hash)]
struct OldKey<'a> {
    uri: &'a [u8],
    to_tag: Option<Folded<'a>>,
    from_tag: Option<Folded<'a>>,
    call_id: &'a [u8],
    cseq: u32,
    method: &'a [u8],
    transport: Folded<'a>,
    sent_by: SentBy<'a>,
    branch: Option<Folded<'a>>,
}

impl<'a> ServerKey<'a> {
    /// The key of the transaction that this request makes or repeats.
    pub(crate) fn of(request: &'a Request) -> ServerKey<'a> {
        ServerKey::with(request, request.cseq_method(), request.to_tag())
    }

    /// The key of the INVITE that this CANCEL names.
    ///
    /// > The TU determines the transaction to be cancelled by taking the CANCEL request, and then assuming that the
    /// > request method is anything but CANCEL or ACK and applying the transaction matching procedures
    /// > `[RFC 3261, Section 9.2]`
    pub(crate) fn of_cancelled(cancel: &'a Request) -> ServerKey<'a> {
        ServerKey::with(cancel, b"INVITE", cancel.to_tag())
    }

    /// The keys that the INVITE of this ACK may have. With a unique branch there is one; else the INVITE had the To tag
    /// of the ACK, or none.
    pub(crate) fn of_acknowledged(ack: &'a Request) -> [ServerKey<'a>; 2] {
        [ServerKey::with(ack, b"INVITE", ack.to_tag()), ServerKey::with(ack, b"INVITE", None)]
    }

    fn with(request: &'a Request, method: &'a [u8], to_tag: Option<&'a [u8]>) -> ServerKey<'a> {
        let via = request.top_via();
        let sent_by = SentBy::of(&via);
        ServerKey(match unique_branch(request.branch()) {
            Some(branch) => Kind::Unique { branch, sent_by, method },
            None => Kind::Old(OldKey {
                uri: request.request_uri_text(),
                to_tag: to_tag.map(Folded),
                from_tag: request.from_tag().map(Folded),
                call_id: request.call_id(),
                cseq: request.cseq(),
                method,
                transport: Folded(via.transport),
                sent_by,
                branch: request.branch().map(Folded),
            }),
        })
    }

    /// True where the branch says it all.
    pub(crate) fn is_unique(&self) -> bool {
        matches!(self.0, Kind::Unique { .. })
    }
}

/// What the same request has by whatever path it came. `[RFC 3261, Section 8.2.2.2]`
#[derive(Hash)]
pub(crate) struct MergeKey<'a> {
    call_id: &'a [u8],
    from_tag: Option<Folded<'a>>,
    cseq: u32,
    method: &'a [u8],
}

impl<'a> MergeKey<'a> {
    pub(crate) fn of(request: &'a Request) -> MergeKey<'a> {
        MergeKey {
            call_id: request.call_id(),
            from_tag: request.from_tag().map(Folded),
            cseq: request.cseq(),
            method: request.cseq_method(),
        }
    }
}

/// Whether two tags are the same, or both missing.
pub(crate) fn same_tag(a: Option<&[u8]>, b: Option<&[u8]>) -> bool {
    a.map(Folded) == b.map(Folded)
}

/// What tells one client transaction from all others: the branch and the method. `[RFC 3261, Section 17.1.3]`
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct ClientKey<'a> {
    branch: Folded<'a>,
    method: &'a [u8],
}

impl<'a> ClientKey<'a> {
    /// `None` where the branch is not unique.
    pub(crate) fn of_request(request: &'a Request) -> Option<ClientKey<'a>> {
        Some(ClientKey { branch: unique_branch(request.branch())?, method: request.cseq_method() })
    }

    /// The key by what a fragment of a message says.
    pub(crate) fn of_parts(method: &'a [u8], branch: &'a [u8]) -> Option<ClientKey<'a>> {
        Some(ClientKey { branch: unique_branch(Some(branch))?, method })
    }

    /// `None` where the branch can't be one of ours.
    pub(crate) fn of_response(response: &'a Response) -> Option<ClientKey<'a>> {
        Some(ClientKey { branch: unique_branch(response.branch())?, method: response.cseq_method() })
    }
}

/// The To tag of a response that leaves no state: the same for a request, its repetitions and its ACK.
/// `[RFC 3261, Section 8.2.7]`
pub(crate) fn stateless_tag(hash: &KeyedHash, request: &Request) -> String {
    let via = request.top_via();
    let what = (
        request.call_id(),
        request.from_tag().map(Folded),
        request.cseq(),
        request.branch().map(Folded),
        SentBy::of(&via),
    );
    format!("{:016x}", hash.hash_one(("stateless tag", what)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;

    use bytes::Bytes;
    use ringback_message::Message;

    use super::*;

    fn request(text: &str) -> Request {
        Request::check(Message::parse(Bytes::from(Vec::from(text))).unwrap()).unwrap()
    }

    /// Else a stranger could fill one bucket of the index with keys that differ.
    #[test]
    fn all_that_a_key_compares_is_in_its_hash() {
        const OLD: &str = "INVITE sip:b@b SIP/2.0\r\nVia: SIP/2.0/UDP host\r\nFrom: <sip:a@a>;tag=a\r\nTo: <sip:b@b>\r\n\
            Call-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n";
        let new = OLD.replace("host", "host;branch=z9hG4bK1");
        let texts = [
            OLD.into(),
            OLD.replace("sip:b@b SIP", "sip:c@b SIP"),
            OLD.replace("INVITE", "OPTIONS"),
            OLD.replace("UDP", "TCP"),
            OLD.replace("host", "host2"),
            OLD.replace("host", "host:5060"),
            OLD.replace("host", "host;branch=1"),
            OLD.replace("tag=a", "tag=b"),
            OLD.replace(";tag=a", ""),
            OLD.replace("To: <sip:b@b>", "To: <sip:b@b>;tag=b"),
            OLD.replace("Call-ID: 1", "Call-ID: 2"),
            OLD.replace("CSeq: 1", "CSeq: 2"),
            new.clone(),
            new.replace("bK1", "bK2"),
            new.replace("bK1", "bK1;received=192.0.2.1").replace("host", "host2"),
            new.replace("host", "host:5060"),
            new.replace("INVITE", "OPTIONS"),
        ];
        let hash = KeyedHash::with_key(1, 2);
        let hashes: BTreeSet<u64> = texts.iter().map(|text| hash.hash_one(ServerKey::of(&request(text)))).collect();
        assert_eq!(hashes.len(), texts.len());
        for same in
            [new.replace("host", "HOST"), new.replace("z9hG4bK1", "Z9Hg4Bk1"), new.replace("Call-ID: 1", "Call-ID: 2")]
        {
            assert!(ServerKey::of(&request(&same)) == ServerKey::of(&request(&new)));
            assert_eq!(hash.hash_one(ServerKey::of(&request(&same))), hash.hash_one(ServerKey::of(&request(&new))));
        }
    }

    #[test]
    fn the_stateless_tag_depends_on_the_key_and_the_request() {
        let text = "INVITE sip:b@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@a>;tag=a\r\nTo: <sip:b@b>\r\n\
            Call-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n";
        let (one, other) = (KeyedHash::with_key(1, 2), KeyedHash::with_key(2, 2));
        let tag = stateless_tag(&one, &request(text));
        assert_eq!(tag.len(), 16);
        assert_eq!(tag, stateless_tag(&one, &request(text)));
        assert_ne!(tag, stateless_tag(&other, &request(text)));
        assert_ne!(tag, stateless_tag(&one, &request(&text.replace("bK1", "bK2"))));
    }
}
