//! A header field of each type: what can be read can be kept, written and read again as the same.

use bytes::Bytes;
use ringback_message::header::{ToOwnedText, TypedHeader, check_value};
use ringback_message::{HeaderId, Message};

/// Header fields as they stand in a message, a line each.
pub(crate) fn check(data: &[u8]) {
    let Ok(message) = Message::parse(Bytes::from([b"OPTIONS sip:a SIP/2.0\r\n", data, b"\r\n\r\n"].concat())) else {
        return;
    };
    for header in message.headers() {
        let end = header.offset() as usize + header.value().len();
        let passes = check_value(header.id(), header.value(), header.offset());
        match header.typed() {
            Ok(values) => {
                assert_eq!(passes, Ok(()));
                values.iter().for_each(|value| rewritten(header.id(), value));
            }
            Err(error) => {
                assert_eq!(passes, Err(error));
                assert!((header.offset() as usize..=end).contains(&(error.offset as usize)), "{error}");
            }
        }
    }
}

fn rewritten(id: HeaderId, value: &TypedHeader<&[u8]>) {
    let owned = value.to_owned_text();
    assert_eq!(owned.id(), id);
    // A name that the table lacks, and a length of a body that isn't there.
    if matches!(id, HeaderId::Other | HeaderId::ContentLength) {
        return;
    }
    // What can't be written as it is, such as an escaped NUL.
    let Ok(text) = owned.value() else { return };
    let line = [id.as_str().as_bytes(), b": ", &text].concat();
    let again = Message::parse(Bytes::from([b"OPTIONS sip:a SIP/2.0\r\n", &line[..], b"\r\n\r\n"].concat()));
    let again = again.unwrap_or_else(|rejected| panic!("{rejected}: {}", line.escape_ascii()));
    let Some(header) = again.first(id) else { return };
    let values = header.typed().unwrap_or_else(|error| panic!("{error}: {}", line.escape_ascii()));
    let values: Vec<TypedHeader> = values.iter().map(ToOwnedText::to_owned_text).collect();
    assert_eq!(values, [owned], "{}", line.escape_ascii());
}
