//! What runs over a connection in one direction: SIP, a WebSocket with SIP in it, TLS, or something else.

use alloc::collections::VecDeque;

use bytes::{Buf as _, Bytes, BytesMut};
use ringback_message::{HeaderId, MESSAGE_BYTES_MAX, Method};

use crate::packet::{Carrier, Ends, Origin, Sink, What};
use crate::sip::{self, Start, Taken};
use crate::websocket::{self, Head, WebSocket};

/// The longest head of an HTTP upgrade.
const UPGRADE_BYTES_MAX: usize = 16_384;

/// One direction of a connection.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    state: State,
    /// Whether its first byte was or will be seen.
    has_begin: bool,
    buf: BytesMut,
    marks: Marks,
    /// How far the buffer was searched for the end of the head.
    searched: usize,
    /// Whether the buffer is known to begin with a start line.
    is_begun: bool,
    /// The length of the message in the buffer, once its head is whole.
    wanted: Option<usize>,
}

#[derive(Debug, Default)]
enum State {
    /// Nothing was seen yet.
    #[default]
    New,
    Sip,
    /// The head of an HTTP upgrade.
    Upgrade,
    WebSocket(WebSocket),
    Tls,
    /// The place in the stream is lost, or it isn't one of ours: only what begins a segment is looked at.
    Lost(Was),
    Ended,
}

/// What a stream was before its place was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Was {
    Sip,
    WebSocket,
    Other,
}

/// Which frame each byte of the buffer came with.
#[derive(Debug, Default)]
struct Marks {
    marks: VecDeque<(u64, Origin)>,
    begin: u64,
    end: u64,
}

impl Stream {
    /// One of which the first byte will be seen.
    pub(crate) fn from_begin() -> Stream {
        Stream { has_begin: true, ..Stream::default() }
    }

    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    pub(crate) fn is_tls(&self) -> bool {
        matches!(self.state, State::Tls)
    }

    /// Whether something is read of it, so that it matters what is missing.
    pub(crate) fn is_read(&self) -> bool {
        match self.state {
            State::Sip | State::WebSocket(_) | State::Lost(Was::Sip | Was::WebSocket) => true,
            State::New | State::Upgrade => !self.buf.is_empty(),
            State::Tls | State::Lost(Was::Other) | State::Ended => false,
        }
    }

    /// How many bytes wait for more.
    pub(crate) fn held(&self) -> usize {
        let message = if let State::WebSocket(websocket) = &self.state { websocket.held() } else { 0 };
        let marks = self.marks.marks.len().saturating_mul(size_of::<(u64, Origin)>());
        self.buf.len().saturating_add(message).saturating_add(marks)
    }

    pub(crate) fn data(&mut self, bytes: &[u8], ends: Ends, origin: Origin, sink: &mut Sink) {
        let bytes = match self.state {
            State::Tls | State::Ended => return,
            State::Lost(was) => match self.find_again(bytes, was) {
                Some(found) => {
                    self.note_passed(bytes.len().saturating_sub(found.len()), was, origin, sink);
                    found
                }
                None => return,
            },
            _ => bytes,
        };
        self.buf.extend_from_slice(bytes);
        self.marks.add(bytes.len(), origin);
        self.read(ends, sink);
        if self.buf.is_empty() {
            // Empty, it would still have the size of the largest message, for as long as the connection is open.
            self.buf = BytesMut::new();
        }
    }

    /// Bytes are missing here.
    pub(crate) fn gap(&mut self, bytes: u64, ends: Ends, origin: Origin, sink: &mut Sink) {
        if self.is_read() {
            sink.note(origin.frames.last, What::SegmentsMissing(bytes));
        }
        self.give_out_rest(ends, sink);
        let was = match self.state {
            State::Sip => Was::Sip,
            State::WebSocket(_) => Was::WebSocket,
            State::Lost(was) => was,
            State::New | State::Upgrade => Was::Other,
            State::Tls | State::Ended => return,
        };
        self.lose(was);
    }

    /// Nothing comes any more.
    pub(crate) fn end(&mut self, ends: Ends, sink: &mut Sink) {
        self.give_out_rest(ends, sink);
        self.drop_buf();
        if !self.is_tls() {
            self.state = State::Ended;
        }
    }

    /// The begin of a message whose end isn't there.
    fn give_out_rest(&mut self, ends: Ends, sink: &mut Sink) {
        let is_sip = matches!(self.state, State::Sip) && !sip::without_line_ends(&self.buf).is_empty();
        if let (true, Some(origin)) = (is_sip, self.marks.origin(self.buf.len())) {
            // What lacks its start line is no message that anybody could read.
            if sip::start(&self.buf, 0, Taken::Loosely) == Start::Yes {
                sink.packet(ends, Carrier::Tcp, origin, Bytes::copy_from_slice(&self.buf), true);
            }
        }
    }

    fn lose(&mut self, was: Was) {
        self.state = State::Lost(was);
        self.drop_buf();
    }

    fn drop_buf(&mut self) {
        self.buf = BytesMut::new();
        self.marks = Marks::default();
        self.searched = 0;
        self.wanted = None;
        self.is_begun = false;
    }

    /// Where, in a segment, something begins that can be read.
    fn find_again<'a>(&mut self, segment: &'a [u8], was: Was) -> Option<&'a [u8]> {
        if was == Was::WebSocket && websocket::begins_with_sip(segment) {
            self.state = State::WebSocket(WebSocket::default());
            return Some(segment);
        }
        let begin = sip::without_line_ends(segment);
        if sip::start(begin, 0, Taken::Strictly) == Start::Yes || is_upgrade(begin) {
            self.state = State::New;
            return Some(begin);
        }
        let found = match was {
            // A message may begin on any line, or behind a body that ends within one.
            Was::Sip => segment.get(next_start(segment)?..)?,
            // It may be the rest of a message whose begin was not captured.
            Was::Other if !self.has_begin => segment.get(next_head(segment)?..)?,
            Was::Other | Was::WebSocket => return None,
        };
        self.state = State::Sip;
        Some(found)
    }

    /// Tells of the rest of a message in front of the first one that was captured whole; behind a gap, that was told.
    fn note_passed(&self, bytes: usize, was: Was, origin: Origin, sink: &mut Sink) {
        if bytes > 0 && was == Was::Other {
            sink.note(origin.frames.last, What::Stray(bytes));
        }
    }

    /// Reads as much of the buffer as can be.
    fn read(&mut self, ends: Ends, sink: &mut Sink) {
        loop {
            let goes_on = match self.state {
                State::New => self.read_begin(sink),
                State::Sip => self.read_message(ends, sink),
                State::Upgrade => self.read_upgrade(),
                State::WebSocket(_) => self.read_websocket(ends, sink),
                State::Tls | State::Lost(_) | State::Ended => return self.drop_buf(),
            };
            if !goes_on {
                return;
            }
        }
    }

    /// Says what runs here, as soon as that can be said.
    fn read_begin(&mut self, sink: &mut Sink) -> bool {
        self.skip_line_ends();
        // A record of TLS 1.0 to 1.3: change, alert, handshake, data.
        if let [0x14..=0x17, 3, 0..=4, ..] = *self.buf {
            self.state = State::Tls;
            return true;
        }
        let taken = if self.has_begin { Taken::Loosely } else { Taken::Strictly };
        match (self.buf.as_ref(), sip::start(&self.buf, self.searched, taken)) {
            ([], _) => return false,
            _ if is_upgrade(&self.buf) => self.state = State::Upgrade,
            (_, Start::Yes) => self.state = State::Sip,
            ([0x14..=0x17] | [0x14..=0x17, 3], _) => return false,
            (_, Start::No) => match next_head(&self.buf).filter(|_| !self.has_begin) {
                Some(begin) => {
                    if let Some(origin) = self.marks.origin(begin) {
                        self.note_passed(begin, Was::Other, origin, sink);
                    }
                    self.skip(begin);
                    self.state = State::Sip;
                }
                None => self.state = State::Lost(Was::Other),
            },
            (_, Start::More) => {
                self.searched = self.buf.len();
                return false;
            }
        }
        self.searched = 0;
        true
    }

    /// Takes one message, if it is there.
    fn read_message(&mut self, ends: Ends, sink: &mut Sink) -> bool {
        if !self.is_begun {
            self.skip_line_ends();
            match sip::start(&self.buf, self.searched, Taken::Loosely) {
                Start::Yes => self.is_begun = true,
                Start::No => return self.skip_stray(sink),
                Start::More => {
                    self.searched = self.buf.len();
                    return false;
                }
            }
        }
        if self.wanted.is_none() {
            let head = sip::head_end(&self.buf, self.searched);
            if head.is_none() && self.buf.len() <= MESSAGE_BYTES_MAX {
                self.searched = self.buf.len();
                return false;
            }
            self.wanted = head.and_then(|head| self.length(head, sink));
        }
        match self.wanted {
            Some(length) if self.buf.len() >= length => {
                if let Some(origin) = self.marks.origin(length) {
                    let message = self.buf.get(..length).unwrap_or_default();
                    sink.packet(ends, Carrier::Tcp, origin, Bytes::copy_from_slice(message), false);
                }
                self.skip(length);
                self.wanted = None;
                self.searched = 0;
                self.is_begun = false;
                true
            }
            Some(_) => false,
            None => {
                if let Some(origin) = self.marks.origin(self.buf.len()) {
                    sink.note(origin.frames.last, What::Limit("MESSAGE_BYTES_MAX"));
                }
                self.give_out_rest(ends, sink);
                self.lose(Was::Sip);
                false
            }
        }
    }

    /// The length of the message with a head of this length, or `None` where it is too long.
    fn length(&self, head: usize, sink: &mut Sink) -> Option<usize> {
        let body = sip::body_length(self.buf.get(..head)?).unwrap_or_else(|| {
            let frame = self.marks.origin(head).map_or(0, |origin| origin.frames.last);
            sink.note(frame, What::LengthMissing);
            0
        });
        head.checked_add(body).filter(|length| *length <= MESSAGE_BYTES_MAX)
    }

    /// Passes what belongs to no message; false where no other message begins behind it.
    fn skip_stray(&mut self, sink: &mut Sink) -> bool {
        let found = next_start(&self.buf);
        let stray = found.unwrap_or(self.buf.len());
        let frame = self.marks.origin(stray).map_or(0, |origin| origin.frames.last);
        sink.note(frame, What::Stray(stray));
        match found {
            Some(_) => self.skip(stray),
            None => self.lose(Was::Sip),
        }
        self.searched = 0;
        found.is_some()
    }

    fn read_websocket(&mut self, ends: Ends, sink: &mut Sink) -> bool {
        let State::WebSocket(websocket) = &mut self.state else { return false };
        if websocket.skip > 0 {
            let skipped = usize::try_from(websocket.skip).unwrap_or(usize::MAX).min(self.buf.len());
            websocket.skip = websocket.skip.saturating_sub(u64::try_from(skipped).unwrap_or(u64::MAX));
            self.skip(skipped);
            return skipped > 0;
        }
        let Some(head) = Head::read(&self.buf) else { return false };
        let Some(length) = head.length() else {
            let frame = self.marks.origin(head.head_bytes).map_or(0, |origin| origin.frames.last);
            websocket.pass(&head, frame, sink);
            self.skip(head.head_bytes);
            return true;
        };
        let Some(payload) = self.buf.get(head.head_bytes..length) else { return false };
        if let Some(origin) = self.marks.origin(length) {
            websocket.frame(&head, payload, origin, ends, sink);
        }
        self.skip(length);
        true
    }

    fn read_upgrade(&mut self) -> bool {
        match sip::head_end(&self.buf, self.searched) {
            Some(head) => {
                let is_websocket = self.buf.get(..head).is_some_and(websocket::is_upgrade_head);
                self.skip(head);
                self.searched = 0;
                self.state =
                    if is_websocket { State::WebSocket(WebSocket::default()) } else { State::Lost(Was::Other) };
                true
            }
            None if self.buf.len() > UPGRADE_BYTES_MAX => {
                self.lose(Was::Other);
                false
            }
            None => {
                self.searched = self.buf.len();
                false
            }
        }
    }

    fn skip_line_ends(&mut self) {
        let ends = self.buf.len().saturating_sub(sip::without_line_ends(&self.buf).len());
        self.skip(ends);
    }

    fn skip(&mut self, bytes: usize) {
        let bytes = bytes.min(self.buf.len());
        self.buf.advance(bytes);
        self.marks.advance(bytes);
    }
}

/// Where something begins with a whole start line, behind the first byte. A body needn't end with a line.
fn next_start(bytes: &[u8]) -> Option<usize> {
    let mut at = 0_usize;
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let column = line.strip_suffix(b"\n").and_then(sip::start_in).map(|column| at.saturating_add(column));
        if let Some(found) = column.filter(|found| *found > 0) {
            return Some(found);
        }
        at = at.saturating_add(line.len());
    }
    None
}

/// Where a message begins in what may be something else: a whole start line, and below it a header field that SIP has.
fn next_head(bytes: &[u8]) -> Option<usize> {
    let mut at = 0_usize;
    let mut lines = bytes.split_inclusive(|&byte| byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        let name = lines.peek().and_then(|next| next.split(|&byte| byte == b':').next()).unwrap_or_default();
        let is_start = line.strip_suffix(b"\r\n").is_some_and(|line| sip::start_in(line) == Some(0));
        if at > 0 && is_start && HeaderId::from_name(name.trim_ascii_end()) != HeaderId::Other {
            return Some(at.saturating_add(rest_of_body(line)));
        }
        at = at.saturating_add(line.len());
    }
    None
}

/// How many bytes of a start line are the end of a body, which needn't be one of a line: what stands before a method that is known.
fn rest_of_body(line: &[u8]) -> usize {
    let word = line.split(|&byte| byte == b' ').next().unwrap_or_default();
    let methods = Method::REGISTERED.iter().map(|method| method.as_str().as_bytes());
    let known = methods.filter(|method| word.ends_with(method)).map(<[u8]>::len).max();
    known.map_or(0, |known| word.len().saturating_sub(known))
}

fn is_upgrade(bytes: &[u8]) -> bool {
    bytes.starts_with(b"GET ") || bytes.starts_with(b"HTTP/1.1 101")
}

impl Marks {
    fn add(&mut self, bytes: usize, origin: Origin) {
        self.end = self.end.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        self.marks.push_back((self.end, origin));
    }

    /// Where the next `bytes` came from.
    fn origin(&self, bytes: usize) -> Option<Origin> {
        let end = self.begin.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        let last = self.marks.partition_point(|(mark, _)| *mark < end).saturating_add(1);
        let origins = self.marks.iter().take(last).map(|(_, origin)| *origin);
        origins.reduce(Origin::join)
    }

    fn advance(&mut self, bytes: usize) {
        self.begin = self.begin.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        while self.marks.front().is_some_and(|(mark, _)| *mark <= self.begin) {
            self.marks.pop_front();
        }
    }
}
