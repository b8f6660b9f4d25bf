//! Messages out of a byte stream. `[RFC 3261, Section 18.3]`

use alloc::boxed::Box;

use bytes::{Buf as _, Bytes, BytesMut};
use ringback_base::{Micros, Now};
use ringback_message::{MESSAGE_BYTES_MAX, Message, ParseError, ParseErrorKind, Rejected};

/// The limits of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// How long a message may take from its first byte to its last.
    pub message_timeout: Micros,
    /// How long a connection may stay silent.
    pub idle_timeout: Micros,
    /// The longest message, in bytes; never more than [`MESSAGE_BYTES_MAX`].
    pub message_bytes_max: usize,
}

impl Default for StreamLimits {
    fn default() -> StreamLimits {
        StreamLimits {
            message_timeout: Micros::from_secs(20),
            idle_timeout: Micros::from_secs(600),
            message_bytes_max: MESSAGE_BYTES_MAX,
        }
    }
}

/// What a stream yields.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame {
    /// The bytes of one message, for [`Message::parse_framed`].
    Message(Bytes),
    /// A keep-alive that wants [`PONG`] for an answer. `[RFC 5626, Section 3.5.1]`
    Ping,
}

/// The answer to a keep-alive.
pub const PONG: &[u8] = b"\r\n";

/// The receiving side of one connection, without the connection.
///
/// It holds at most one message and what came with it. Bytes are looked at once, however they are cut.
///
/// ```
/// use ringback_base::Now;
/// use ringback_transport::{Frame, Stream, StreamLimits};
///
/// let mut stream = Stream::new(StreamLimits::default(), Now::default());
/// stream.handle_data(b"\r\n\r\nOPTIONS sip:a SIP/2.0\r\nl: 2\r\n\r\nab", Now::default());
/// assert_eq!(stream.poll_frame()?, Some(Frame::Ping));
/// assert_eq!(stream.poll_frame()?, Some(Frame::Message((&b"OPTIONS sip:a SIP/2.0\r\nl: 2\r\n\r\nab"[..]).into())));
/// assert_eq!(stream.poll_frame()?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Stream {
    limits: StreamLimits,
    buf: BytesMut,
    /// How far the buffer was searched for the end of the head.
    searched: usize,
    /// The length of the message in the buffer, once its head is whole.
    wanted: Option<usize>,
    /// CR and LF passed over since the last message, of a keep-alive perhaps.
    line_ends: u8,
    is_kept_alive: bool,
    last_data: Micros,
    /// When the first byte of the message in the buffer came.
    message_since: Option<Micros>,
    now: Micros,
}

impl Stream {
    /// A connection that has just been opened.
    #[must_use]
    pub fn new(limits: StreamLimits, now: Now) -> Stream {
        Stream {
            limits,
            buf: BytesMut::new(),
            searched: 0,
            wanted: None,
            line_ends: 0,
            is_kept_alive: false,
            last_data: now.mono,
            message_since: None,
            now: now.mono,
        }
    }

    /// Bytes came. [`Stream::poll_frame`] is to be called until it yields nothing.
    pub fn handle_data(&mut self, bytes: &[u8], now: Now) {
        self.now = now.mono;
        self.last_data = now.mono;
        self.buf.extend_from_slice(bytes);
    }

    /// The next message or keep-alive.
    ///
    /// # Errors
    /// Where the stream can't be followed any further: no Content-Length or no usable one, or a message that is too long.
    /// What could be read is there for an answer; then the connection must be closed, because where the next message starts is
    /// unknown, and to guess would let one peer's body pose as another's request.
    pub fn poll_frame(&mut self) -> Result<Option<Frame>, Box<Rejected>> {
        if self.wanted.is_none() {
            if self.skip_line_ends() {
                return Ok(Some(Frame::Ping));
            }
            if self.buf.is_empty() {
                // Empty, it would still have the size of the largest message, for as long as the connection is open.
                self.buf = BytesMut::new();
                return Ok(None);
            }
            // Whoever speaks TLS here would wait for an answer to its first flight for as long as a message may take.
            if self.buf.first().is_some_and(u8::is_ascii_control) {
                return Err(no_message());
            }
            self.message_since.get_or_insert(self.now);
            let Some(head) = self.head_end()? else { return Ok(None) };
            let body = self.body_length(head)?;
            self.wanted = Some(head.saturating_add(body));
        }
        let Some(length) = self.wanted.filter(|length| self.buf.len() >= *length) else { return Ok(None) };
        self.wanted = None;
        self.searched = 0;
        self.message_since = None;
        Ok(Some(Frame::Message(self.buf.split_to(length).freeze())))
    }

    /// True, once for each, where [`PONG`] has come: for whoever has sent a keep-alive. It is asked after [`Stream::poll_frame`]
    /// has yielded nothing; without that question two of them would look like a keep-alive. `[RFC 5626, Section 3.5.1]`
    pub fn take_pong(&mut self) -> bool {
        let is_pong = self.line_ends >= 2;
        self.line_ends = if is_pong { self.line_ends.saturating_sub(2) } else { self.line_ends };
        is_pong
    }

    /// The peer was told to send keep-alives: from now on nothing may come for so long only. `[RFC 5626, Section 4.4]`
    pub fn expect_keep_alives(&mut self, silence_max: Micros) {
        self.limits.idle_timeout = silence_max;
        self.is_kept_alive = true;
    }

    /// True where the peer was told to send keep-alives, so that its silence means that it is gone, whatever we have sent meanwhile.
    #[must_use]
    pub fn is_kept_alive(&self) -> bool {
        self.is_kept_alive
    }

    /// When [`Stream::is_overdue`] is next worth asking.
    #[must_use]
    pub fn poll_timeout(&self) -> Micros {
        let idle = self.last_data.plus(self.limits.idle_timeout);
        self.message_since.map_or(idle, |since| since.plus(self.limits.message_timeout).min(idle))
    }

    /// True where the peer has been silent, or in the middle of a message, for too long: the connection is to be closed.
    #[must_use]
    pub fn is_overdue(&self, now: Now) -> bool {
        self.poll_timeout() <= now.mono
    }

    /// True where the peer stopped in the middle of a message.
    #[must_use]
    pub fn is_mid_message(&self) -> bool {
        !self.buf.is_empty()
    }

    /// Passes the line ends between messages; true where they were a keep-alive: CR LF CR LF.
    fn skip_line_ends(&mut self) -> bool {
        while let Some(b'\r' | b'\n') = self.buf.first() {
            self.buf.advance(1);
            self.line_ends = self.line_ends.saturating_add(1);
            if self.line_ends == 4 {
                self.line_ends = 0;
                return true;
            }
        }
        if !self.buf.is_empty() {
            self.line_ends = 0;
        }
        false
    }

    /// Where the head ends: behind the empty line, whichever way its line ends are written.
    fn head_end(&mut self) -> Result<Option<usize>, Box<Rejected>> {
        // An empty line may have been cut anywhere: two bytes of it were perhaps searched before.
        let from = self.searched.saturating_sub(2);
        let unseen = self.buf.get(from..).unwrap_or_default();
        for (i, _) in unseen.iter().enumerate().filter(|(_, b)| **b == b'\n') {
            let after = unseen.get(i.saturating_add(1)..).unwrap_or_default();
            let empty_line = match after {
                [b'\n', ..] => Some(1),
                [b'\r', b'\n', ..] => Some(2),
                _ => None,
            };
            if let Some(empty_line) = empty_line {
                return Ok(Some(from.saturating_add(i).saturating_add(1).saturating_add(empty_line)));
            }
        }
        self.searched = self.buf.len();
        if self.buf.len() > self.limits.message_bytes_max { Err(too_long(None)) } else { Ok(None) }
    }

    /// The length that the head gives its body, read by the very parser that will read the message.
    fn body_length(&self, head: usize) -> Result<usize, Box<Rejected>> {
        let head_bytes = Bytes::copy_from_slice(self.buf.get(..head).unwrap_or_default());
        let (message, length) = Message::parse_head(head_bytes)?;
        if head.saturating_add(length) > self.limits.message_bytes_max {
            return Err(too_long(Some(message)));
        }
        Ok(length)
    }
}

fn no_message() -> Box<Rejected> {
    let expected = "a method or a version (TLS has a port of its own)";
    Box::new(Rejected::new(ParseError::new(ParseErrorKind::StartLine, None, 0, expected, "RFC 3261, Section 7"), None))
}

fn too_long(salvage: Option<Message>) -> Box<Rejected> {
    let expected = "a message within the limit of this connection";
    let error = ParseError::new(ParseErrorKind::TooLarge, None, 0, expected, "RFC 3261, Section 18.3");
    Box::new(Rejected::new(error, salvage))
}

#[cfg(test)]
mod tests;
