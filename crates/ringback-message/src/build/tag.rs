//! To tags that nobody has to give: the only place in this crate that knows a secret, and only with the feature `tags`.

use alloc::format;
use alloc::string::String;
use core::hash::Hasher;
use std::sync::OnceLock;

use siphasher::sip128::{Hasher128, SipHasher24};

use crate::header::HeaderId;
use crate::message::Message;

/// A tag for the responses to this request: the same for each of them and for its retransmissions, and for nobody else to guess.
/// `[RFC 3261, Section 19.3]`
///
/// It is a keyed hash of what tells transactions apart. `[RFC 3261, Section 17.2.3]` `None` where the system has no random numbers.
pub(crate) fn of_transaction(request: &Message) -> Option<String> {
    static SECRET: OnceLock<Option<[u8; 16]>> = OnceLock::new();
    let secret = SECRET.get_or_init(|| {
        let mut key = [0; 16];
        getrandom::fill(&mut key).is_ok().then_some(key)
    });
    let mut hasher = SipHasher24::new_with_key(secret.as_ref()?);
    for id in [HeaderId::Via, HeaderId::CallId, HeaderId::From] {
        let value = request.first(id).map_or(&[][..], |header| header.value());
        hasher.write_usize(value.len());
        hasher.write(value);
    }
    // A CANCEL, and the ACK of a failure, are answered with the tag of their INVITE.
    let number = request.first(HeaderId::CSeq).map_or(&[][..], |header| header.value());
    hasher.write(number.split(|b| !b.is_ascii_digit()).next().unwrap_or_default());
    let hash = hasher.finish128();
    Some(format!("{:016x}{:016x}", hash.h1, hash.h2))
}
