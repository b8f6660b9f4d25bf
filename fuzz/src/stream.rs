//! A stream: however its bytes are cut, the same messages come out of it.

use ringback_base::Now;
use ringback_message::Message;
use ringback_transport::{Frame, Stream, StreamLimits};

/// Longer messages are refused, so that the limit is met.
const LIMIT: usize = 2_048;

/// The first byte says how the rest is cut: in pieces of so many bytes, or whole.
pub(crate) fn check(data: &[u8]) {
    let Some((&size, stream)) = data.split_first() else { return };
    let whole = frames(std::iter::once(stream));
    let cut = frames(stream.chunks(usize::from(size).max(1)));
    assert_eq!(whole, cut);
    for frame in &whole.0 {
        let Frame::Message(bytes) = frame else { continue };
        assert!(bytes.len() <= LIMIT);
        if let Ok(message) = Message::parse_framed(bytes.clone()) {
            assert_eq!(message.as_bytes(), bytes, "a frame is one message, whole");
        }
    }
}

/// All that comes out, and whether the stream could be followed to its end. Why it couldn't depends on how much of it was there.
fn frames<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Frame>, bool) {
    let limits = StreamLimits { message_bytes_max: LIMIT, ..StreamLimits::default() };
    let mut stream = Stream::new(limits, Now::default());
    let mut frames = Vec::new();
    for piece in pieces {
        stream.handle_data(piece, Now::default());
        loop {
            match stream.poll_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(_) => return (frames, false),
            }
        }
    }
    (frames, true)
}
