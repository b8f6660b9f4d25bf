//! What ours is held against: a look for line ends, and `httparse`.

use std::hint::black_box;

use bytes::Bytes;

use crate::answer::{Headers, LineEnds};
use crate::job::{Job, Sink};

/// As many header fields as the reference program gives room to.
const HEADERS_MAX: usize = 64;

/// The line ends and nothing else: what no parser can be faster than.
#[derive(Debug)]
pub(crate) struct LineScan(pub(crate) Bytes);

impl Job for LineScan {
    fn run(&self, sink: &mut impl Sink) -> Option<()> {
        let mut ends = LineEnds { count: 0, xor: 0 };
        for at in memchr::memchr_iter(b'\n', black_box(&self.0)) {
            ends.count += 1;
            ends.xor ^= at;
        }
        sink.take(&ends);
        Some(())
    }
}

/// `httparse` on the same header fields, which stand under the status line of an HTTP response.
#[derive(Debug)]
pub(crate) struct Httparse(Vec<u8>);

impl Httparse {
    pub(crate) fn new(message: &[u8]) -> Option<Httparse> {
        let (_, fields) = message.split_at_checked(memchr::memchr(b'\n', message)?)?;
        Some(Httparse([b"HTTP/1.1 200 OK\r", fields].concat()))
    }
}

impl Job for Httparse {
    fn run(&self, sink: &mut impl Sink) -> Option<()> {
        let bytes = black_box(&self.0);
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut response = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(head_end) = response.parse(bytes).ok()? else { return None };
        sink.take(&Headers { headers: response.headers, body: bytes.get(head_end..)? });
        Some(())
    }
}
