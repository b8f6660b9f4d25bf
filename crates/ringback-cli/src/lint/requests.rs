//! The requests that responses may come for.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use ringback_message::{CSeq, HeaderId, Message};

/// The most bytes of requests that are kept; the oldest are forgotten.
const KEPT_BYTES_MAX: usize = 32 << 20;

/// The latest requests, by what their responses have in common with them.
pub(super) struct Requests {
    by_key: HashMap<Key, Bytes>,
    /// Each key once, the oldest first.
    order: VecDeque<Key>,
    bytes: usize,
    bytes_max: usize,
}

impl Default for Requests {
    fn default() -> Requests {
        Requests::keeping(KEPT_BYTES_MAX)
    }
}

impl Requests {
    fn keeping(bytes_max: usize) -> Requests {
        Requests { by_key: HashMap::new(), order: VecDeque::new(), bytes: 0, bytes_max }
    }

    /// The request that responses with this key answer, if it is kept.
    pub(super) fn get(&self, key: &Key) -> Option<Message> {
        Message::parse(self.by_key.get(key)?.clone()).ok()
    }

    /// Keeps a request; of several with the same key the latest.
    pub(super) fn remember(&mut self, key: Key, request: &Message) {
        // A copy: the message may be a small part of a large piece of the file.
        let bytes = Bytes::copy_from_slice(request.as_bytes());
        self.bytes = self.bytes.saturating_add(bytes.len());
        match self.by_key.insert(key.clone(), bytes) {
            Some(before) => self.bytes = self.bytes.saturating_sub(before.len()),
            None => self.order.push_back(key),
        }
        while self.bytes > self.bytes_max
            && let Some(oldest) = self.order.pop_front()
        {
            let forgotten = self.by_key.remove(&oldest).map_or(0, |bytes| bytes.len());
            self.bytes = self.bytes.saturating_sub(forgotten);
        }
    }
}

/// What a response copies from its request and no other request of the same sender has: by the branch alone an element matches
/// them `[RFC 3261, Section 17.1.3]`, but one of RFC 2543 may use a branch again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    call_id: Vec<u8>,
    number: u32,
    method: Vec<u8>,
    branch: Option<Vec<u8>>,
}

impl Key {
    /// Nothing where one of them can't be read.
    pub(super) fn of(message: &Message) -> Option<Key> {
        let cseq = message.get::<CSeq<&[u8]>>().ok()??;
        let via = message.vias().next()?.ok()?;
        Some(Key {
            call_id: message.first(HeaderId::CallId)?.value().to_vec(),
            number: cseq.number,
            method: cseq.method.to_vec(),
            branch: via.branch().map(<[u8]>::to_ascii_lowercase),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn message(first_line: &str, call: u32, branch: &str) -> Message {
        let text = format!(
            "{first_line}\r\nVia: SIP/2.0/UDP a.example;branch={branch}\r\nCall-ID: {call:04}\r\nCSeq: 1 OPTIONS\r\n\r\n"
        );
        Message::parse(Bytes::from(text)).unwrap()
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let request = |call| message("OPTIONS sip:b.example SIP/2.0", call, "z9hG4bK1");
        let len = request(0).as_bytes().len();
        let mut requests = Requests::keeping(3 * len);
        for call in [1, 2, 2, 2, 3, 4] {
            requests.remember(Key::of(&request(call)).unwrap(), &request(call));
        }
        let is_answer = |call, branch| {
            let key = Key::of(&message("SIP/2.0 200 OK", call, branch)).unwrap();
            requests.get(&key).is_some()
        };
        let is_kept = |call| is_answer(call, "Z9hG4bK1");
        assert_eq!([1, 2, 3, 4].map(is_kept), [false, true, true, true]);
        assert_eq!((requests.bytes, requests.order.len(), requests.by_key.len()), (3 * len, 3, 3));
        assert!(!is_answer(2, "z9hG4bK2"));
    }
}
