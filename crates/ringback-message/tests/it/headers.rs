//! What the tables of typed header fields are tried for, the same in each group of fields.

use bytes::Bytes;
use ringback_message::header::{ToOwnedText, check_strict, check_value};
use ringback_message::{HeaderId, Message, ParseError};

/// A name, and a value with what it is written as again: each element by itself.
pub(crate) type Good = (&'static str, &'static str, &'static [&'static str]);
/// A name, a value that is none, and at which of its bytes the error is.
pub(crate) type Bad = (&'static str, &'static str, u32);

/// A message with this header field and no other.
pub(crate) fn message(name: &str, value: &str) -> Message {
    Message::parse(datagram(name, value)).unwrap()
}

fn datagram(name: &str, value: &str) -> Bytes {
    Bytes::from(format!("SIP/2.0 200 OK\r\n{name}: {value}\r\n\r\n"))
}

/// Each is read, says what the table says once it is written again, and is the same when read from that.
pub(crate) fn good_values_are_read_kept_and_written_again(good: &[Good]) {
    for (name, value, written) in good {
        let message = message(name, value);
        let header = message.headers().next().unwrap();
        let values = header.typed().unwrap_or_else(|error| panic!("{name}: {value}: {error}"));
        assert_eq!(values.len(), written.len(), "{name}: {value}");
        for (typed, written) in values.iter().zip(*written) {
            let owned = typed.to_owned_text();
            assert_eq!(owned.id(), header.id());
            assert_eq!(String::from_utf8(owned.value().unwrap()).unwrap(), *written, "{name}: {value}");
            // People see text, not numbers of bytes.
            let without_text = [HeaderId::Date, HeaderId::MimeVersion, HeaderId::RequestDisposition];
            if !without_text.contains(&owned.id()) {
                let shown = format!("{owned:?}");
                assert!(shown.contains(&written.as_bytes().escape_ascii().to_string()), "{name}: {written}: {shown}");
            }
            let again = self::message(name, written);
            let again = again.headers().next().unwrap().typed().unwrap();
            assert_eq!(again.first().map(ToOwnedText::to_owned_text), Some(owned), "{name}: {written}");
        }
    }
}

/// Each is refused at its byte, by itself as well as in a message, where blanks around it are none of it.
pub(crate) fn bad_values_are_refused_at_the_byte(bad: &[Bad]) {
    const OFFSET: u32 = 100;
    let mut wrong = Vec::new();
    for (name, value, at) in bad {
        // Content-Length is read with the framing, which it breaks.
        let parsed = Message::parse(datagram(name, value)).or_else(|rejected| rejected.salvage.ok_or(rejected.error));
        let message = parsed.unwrap();
        let header = message.headers().next().unwrap();
        let is = |error: &ParseError, offset| (error.offset, error.header) == (offset + at, Some(header.id()));
        let alone = check_value(header.id(), value.as_bytes(), OFFSET).err();
        let inside = header.typed().err();
        let is_inside = |error| header.value() != value.as_bytes() || is(error, header.offset());
        if !alone.as_ref().is_some_and(|error| is(error, OFFSET)) || !inside.as_ref().is_some_and(is_inside) {
            wrong.push(format!("{name} at {at}: {value}: {alone:?} alone, {inside:?} in a message"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Cut off at every byte, and with every byte replaced: reading ends, and what was read is written as the same value,
/// but for what is read and not sent.
pub(crate) fn what_is_read_is_what_is_written(good: &[Good]) {
    let mut read = 0;
    for (name, value, _) in good {
        let cut = (0..value.len()).map(|end| value.as_bytes()[..end].to_vec());
        let replaced = (0..value.len()).flat_map(|at| {
            b" \t\"\\;,=<>()/*@:.!?&%0Aa\x80\x01".iter().map(move |replacement| {
                let mut bytes = value.as_bytes().to_vec();
                bytes[at] = *replacement;
                bytes
            })
        });
        for mutated in cut.chain(replaced).filter(|bytes| !bytes.iter().any(|b| matches!(b, b'\r' | b'\n'))) {
            let datagram = [format!("SIP/2.0 200 OK\r\n{name}: ").as_bytes(), &mutated, b"\r\n\r\n"].concat();
            let Ok(message) = Message::parse(Bytes::from(datagram)) else { continue };
            let Ok(values) = message.headers().next().unwrap().typed() else { continue };
            for value in values {
                let written = value.to_owned_text().value();
                let is_unsent = || check_strict(value.to_owned_text().id(), &mutated, 0).is_err();
                assert!(written.is_ok() || is_unsent(), "{name}: {}: {value:?}: {written:?}", mutated.escape_ascii());
                read += 1;
            }
        }
    }
    assert!(read > 10_000, "only {read} were read");
}

/// Whether the table has a row for this header field, under any of its names.
pub(crate) fn is_tried<'a>(id: HeaderId, names: impl IntoIterator<Item = &'a str>) -> bool {
    names.into_iter().any(|name| HeaderId::from_name(name.as_bytes()) == id)
}
