//! A description as text: what it is, exactly, in one buffer of the right size.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

use crate::description::SessionDescription;

pub(crate) fn to_bytes(description: &SessionDescription) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(byte_len(description));
    each_line(description, &mut |letter, value| {
        bytes.extend([letter, b'=']);
        bytes.extend(value);
        bytes.extend(b"\r\n");
        Ok(())
    })
    .unwrap_or_default();
    bytes
}

pub(crate) fn byte_len(description: &SessionDescription) -> usize {
    let mut length = 0_usize;
    each_line(description, &mut |_, value| {
        length = length.saturating_add(value.len()).saturating_add(4);
        Ok(())
    })
    .unwrap_or_default();
    length
}

pub(crate) fn display(description: &SessionDescription, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    each_line(description, &mut |letter, value| {
        write!(f, "{}={}\r\n", char::from(letter), alloc::string::String::from_utf8_lossy(value))
    })
}

type Sink<'a> = dyn FnMut(u8, &[u8]) -> fmt::Result + 'a;

/// Every line, in order.
fn each_line(description: &SessionDescription, sink: &mut Sink<'_>) -> fmt::Result {
    sink(b'v', b"0")?;
    sink(b'o', description.origin().to_string().as_bytes())?;
    for line in description.section().lines() {
        sink(line.byte(), line.value())?;
    }
    for media in description.media() {
        sink(b'm', media.line().to_string().as_bytes())?;
        for line in media.section().lines() {
            sink(line.byte(), line.value())?;
        }
    }
    Ok(())
}
