//! Bytes of a file in, messages out.

use alloc::boxed::Box;

use crate::cursor::Order;
use crate::error::{ReadError, ReadErrorKind};
use crate::file::pcap::{self, Pcap};
use crate::file::pcapng::{self, PcapNg};
use crate::file::{Input, Step, Tap};
use crate::packet::{Note, Packet, What};
use crate::text::{TEXT_BYTES_MAX, Text};

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// A capture in the classic format.
    Pcap,
    /// A capture in the format of Wireshark.
    PcapNg,
    /// One message, or several one after the other, as on the wire.
    Messages,
    /// Hexadecimal digits, of messages or of frames.
    Hex,
    /// Text with messages in it.
    Log,
}

/// Reads whatever holds SIP messages: what it is, its content says.
///
/// Captures are read as they come: between two calls of [`Reader::feed`] only what isn't complete is kept, and bounded. Text is kept
/// until [`Reader::finish`]. Take everything that [`Reader::next_packet`] gives before more is fed.
#[derive(Debug, Default)]
pub struct Reader {
    input: Input,
    source: Source,
    tap: Tap,
    failed: Option<ReadError>,
    has_ended: bool,
}

#[derive(Debug, Default)]
enum Source {
    #[default]
    Unknown,
    PcapHeader(Order, u32),
    Pcap(Pcap),
    PcapNg(PcapNg),
    /// Text, which is waited for.
    Gathering,
    Text(Box<Text>),
}

impl Reader {
    /// A reader of a new file.
    #[must_use]
    pub fn new() -> Reader {
        Reader::default()
    }

    /// Takes the next bytes of the file, however they are cut.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.failed.is_none() && !self.input.is_finished {
            self.input.add(bytes);
        }
    }

    /// Says that the file ends here. What is incomplete is given out as it is.
    pub fn finish(&mut self) {
        self.input.is_finished = true;
    }

    /// The next message, in the order in which they are complete.
    ///
    /// `None` means that more must be fed or, after [`Reader::finish`], that there is no more.
    ///
    /// # Errors
    /// Where the file can't be read any further, again and again. What stood before that place has been given out.
    pub fn next_packet(&mut self) -> Result<Option<Packet>, ReadError> {
        loop {
            if let Some(packet) = self.tap.sink.packets.pop_front() {
                return Ok(Some(packet));
            }
            if self.has_ended {
                return self.failed.map_or(Ok(None), Err);
            }
            match self.step() {
                Ok(Step::Read) => {}
                Ok(Step::Wanting) if !self.input.is_finished => return Ok(None),
                Ok(Step::Wanting) => self.end(),
                Err(error) => {
                    self.failed = Some(error);
                    self.input = Input::ended();
                    self.end();
                }
            }
        }
    }

    /// The next thing that is wrong with what was read so far.
    #[must_use]
    pub fn next_note(&mut self) -> Option<Note> {
        self.tap.sink.notes.pop_front()
    }

    /// How many notes there were beyond [`NOTES_MAX`](crate::NOTES_MAX) that nobody had taken.
    #[must_use]
    pub fn notes_lost(&self) -> u64 {
        self.tap.sink.notes_lost
    }

    /// How many frames were read, of whatever content; 0 for text.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.tap.frames
    }

    /// How many bytes of a capture are kept because something before or behind them hasn't come: of a record, of fragments, of
    /// connections. Of text it is all that was fed, until it is read.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.input.rest().len().saturating_add(self.tap.layers.held())
    }

    /// What the file is; `None` until that can be said.
    #[must_use]
    pub fn form(&self) -> Option<Form> {
        match &self.source {
            Source::Unknown | Source::Gathering => None,
            Source::PcapHeader(..) | Source::Pcap(_) => Some(Form::Pcap),
            Source::PcapNg(_) => Some(Form::PcapNg),
            Source::Text(text) => Some(text.form()),
        }
    }

    /// Whether bytes begin a capture.
    pub(crate) fn is_capture(bytes: &[u8]) -> bool {
        bytes.first_chunk().is_some_and(|first| *first == pcapng::MAGIC || pcap::magic(*first).is_some())
    }

    fn step(&mut self) -> Result<Step, ReadError> {
        match &mut self.source {
            Source::Unknown => {
                let Some(source) = recognise(&self.input)? else { return Ok(Step::Wanting) };
                self.source = source;
                Ok(Step::Read)
            }
            Source::PcapHeader(order, units) => {
                let Some(pcap) = Pcap::open(*order, *units, &mut self.input)? else { return Ok(Step::Wanting) };
                self.source = Source::Pcap(pcap);
                Ok(Step::Read)
            }
            Source::Pcap(pcap) => pcap.step(&mut self.input, &mut self.tap),
            Source::PcapNg(pcapng) => pcapng.step(&mut self.input, &mut self.tap),
            Source::Gathering => {
                if self.input.rest().len() > TEXT_BYTES_MAX {
                    return Err(self.input.error(0, ReadErrorKind::TextTooLong));
                }
                if !self.input.is_finished {
                    return Ok(Step::Wanting);
                }
                let dissection = self.input.error(0, ReadErrorKind::Dissection);
                self.source = Source::Text(Box::new(Text::new(self.input.take()).ok_or(dissection)?));
                Ok(Step::Read)
            }
            Source::Text(text) => Ok(if text.step(&mut self.tap) { Step::Read } else { Step::Wanting }),
        }
    }

    fn end(&mut self) {
        self.has_ended = true;
        let is_inside = matches!(&self.source, Source::PcapNg(pcapng) if pcapng.is_inside());
        if self.failed.is_none() && (is_inside || !self.input.rest().is_empty()) {
            let offset = self.input.offset;
            self.tap.sink.note(0, What::RecordCut { offset });
        }
        self.tap.layers.end(&mut self.tap.sink);
        self.input = Input::ended();
    }
}

/// By the first four bytes; `None` where they haven't come.
fn recognise(input: &Input) -> Result<Option<Source>, ReadError> {
    let Some(first) = input.rest().first_chunk() else {
        return Ok(input.is_finished.then_some(Source::Gathering));
    };
    if *first == pcapng::MAGIC {
        return Ok(Some(Source::PcapNg(PcapNg::new())));
    }
    let program = match *first {
        [0x1f, 0x8b, ..] => Some("gzip"),
        [b'B', b'Z', b'h', _] => Some("bzip2"),
        [0xfd, b'7', b'z', b'X'] => Some("xz"),
        [0x28, 0xb5, 0x2f, 0xfd] => Some("zstd"),
        _ => None,
    };
    if let Some(program) = program {
        return Err(input.error(0, ReadErrorKind::Compressed(program)));
    }
    Ok(Some(match pcap::magic(*first) {
        Some((order, units)) => Source::PcapHeader(order, units),
        None => Source::Gathering,
    }))
}
