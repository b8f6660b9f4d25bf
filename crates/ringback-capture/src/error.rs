//! Why a file can't be read any further.

use core::fmt;

/// A file that can't be read from some byte on. What stood before it has been given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadError {
    /// The byte of the file, counted from 0.
    pub offset: u64,
    /// What is wrong there.
    pub kind: ReadErrorKind,
}

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// It is compressed, by the named program.
    Compressed(&'static str),
    /// A version of the format that isn't known.
    Version,
    /// A record that claims more than [`RECORD_BYTES_MAX`](crate::RECORD_BYTES_MAX): the file is damaged, most likely.
    RecordTooLong,
    /// The length of a pcapng block is impossible, or the two that it gives differ.
    BlockLength,
    /// A pcapng block that is too short for what it must hold.
    BlockTooShort,
    /// A pcapng section that doesn't say the order of its bytes.
    ByteOrder,
    /// More interfaces than [`INTERFACES_MAX`](crate::INTERFACES_MAX).
    TooManyInterfaces,
    /// Text of more than [`TEXT_BYTES_MAX`](crate::TEXT_BYTES_MAX) bytes.
    TextTooLong,
    /// Text that tells what the fields of packets mean, as `tshark -V` prints it: their bytes are not in it.
    Dissection,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: ", self.offset)?;
        match self.kind {
            ReadErrorKind::Compressed(program) => write!(f, "compressed: unpack it with {program}"),
            ReadErrorKind::Version => f.write_str("a version of this capture format that isn't known"),
            ReadErrorKind::RecordTooLong => f.write_str("a record of impossible length: the file is damaged"),
            ReadErrorKind::BlockLength => f.write_str("a block of impossible length: the file is damaged"),
            ReadErrorKind::BlockTooShort => f.write_str("a block that is too short for its type: the file is damaged"),
            ReadErrorKind::ByteOrder => f.write_str("a section that doesn't say the order of its bytes"),
            ReadErrorKind::TooManyInterfaces => f.write_str("too many interfaces"),
            ReadErrorKind::Dissection => {
                f.write_str("a printed dissection: give the capture itself, or what \"tshark -x\" prints of it")
            }
            ReadErrorKind::TextTooLong => f.write_str("too much text; only captures may be of any length"),
        }
    }
}

impl core::error::Error for ReadError {}
