//! A description as text: what it is, exactly, in one buffer of the right size.

use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use crate::description::SessionDescription;

/// Room for an `o=` or `m=` line, whose length is known when it is written.
const SHOWN_BYTES: usize = 64;

pub(crate) fn to_bytes(description: &SessionDescription) -> Vec<u8> {
    let mut room = 0_usize;
    each_line(description, &mut |_, value| {
        let length = match value {
            Value::Read(value) => value.len(),
            Value::Shown(_) => SHOWN_BYTES,
        };
        room = room.saturating_add(length).saturating_add(4);
        Ok(())
    })
    .unwrap_or_default();
    let mut text = Text(Vec::with_capacity(room));
    each_line(description, &mut |letter, value| {
        text.0.extend([letter, b'=']);
        match value {
            Value::Read(value) => text.0.extend(value),
            Value::Shown(value) => write!(text, "{value}")?,
        }
        text.0.extend(b"\r\n");
        Ok(())
    })
    .unwrap_or_default();
    text.0.shrink_to_fit();
    text.0
}

pub(crate) fn byte_len(description: &SessionDescription) -> usize {
    let mut length = Length(0);
    each_line(description, &mut |_, value| {
        match value {
            Value::Read(value) => length.0 = length.0.saturating_add(value.len()),
            Value::Shown(value) => write!(length, "{value}")?,
        }
        length.0 = length.0.saturating_add(4);
        Ok(())
    })
    .unwrap_or_default();
    length.0
}

pub(crate) fn display(description: &SessionDescription, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    each_line(description, &mut |letter, value| {
        write!(f, "{}=", char::from(letter))?;
        match value {
            Value::Read(value) => write!(f, "{}\r\n", alloc::string::String::from_utf8_lossy(value)),
            Value::Shown(value) => write!(f, "{value}\r\n"),
        }
    })
}

/// What stands behind the letter.
enum Value<'a> {
    /// As it was read or given.
    Read(&'a [u8]),
    /// Made of its parts.
    Shown(&'a dyn fmt::Display),
}

struct Text(Vec<u8>);

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend(text.as_bytes());
        Ok(())
    }
}

struct Length(usize);

impl fmt::Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.saturating_add(text.len());
        Ok(())
    }
}

type Sink<'a> = dyn FnMut(u8, Value<'_>) -> fmt::Result + 'a;

/// Every line, in order.
fn each_line(description: &SessionDescription, sink: &mut Sink<'_>) -> fmt::Result {
    sink(b'v', Value::Read(b"0"))?;
    sink(b'o', Value::Shown(description.origin()))?;
    for line in description.section().lines() {
        sink(line.byte(), Value::Read(line.value()))?;
    }
    for media in description.media() {
        sink(b'm', Value::Shown(media.line()))?;
        for line in media.section().lines() {
            sink(line.byte(), Value::Read(line.value()))?;
        }
    }
    Ok(())
}
