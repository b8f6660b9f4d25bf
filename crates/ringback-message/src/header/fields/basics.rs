//! The header fields that every message carries, as typed header fields like the rest.

use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::field::own;
use crate::header::shapes::field;
use crate::header::{CSeq, Decode, Encode, OwnedText, ToOwnedText, Via};

field!(Via, BY_COMMA);

impl<'a> Decode<'a> for Via<&'a [u8]> {
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        Via::parse(cursor)
    }
}

impl<T: AsRef<[u8]>> Encode for Via<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.write(out);
    }
}

impl<T: AsRef<[u8]>> ToOwnedText for Via<T> {
    type Owned = Via<OwnedText>;

    fn to_owned_text(&self) -> Via<OwnedText> {
        Via::to_owned_text(self)
    }
}

field!(CSeq);

impl<'a> Decode<'a> for CSeq<&'a [u8]> {
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        let offset = cursor.offset();
        let value = cursor.take(usize::MAX);
        CSeq::parse(value, offset)
    }
}

impl<T: AsRef<[u8]>> Encode for CSeq<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(itoa::Buffer::new().format(self.number).as_bytes());
        out.push(b' ');
        out.extend_from_slice(self.method.as_ref());
    }
}

impl<T: AsRef<[u8]>> ToOwnedText for CSeq<T> {
    type Owned = CSeq<OwnedText>;

    fn to_owned_text(&self) -> CSeq<OwnedText> {
        CSeq { number: self.number, method: own(&self.method) }
    }
}
