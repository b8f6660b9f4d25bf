//! A capture, a dump or a log: however its bytes are cut, the same messages come out of it, and no more is kept than was fed.

use ringback_capture::{Carrier, Note, Packet, PcapWriter, ReadError, Reader};

/// What keeps a byte in its order may be larger than the byte, and there are a few bytes of it for each frame.
const HELD_TIMES_MAX: usize = 8;
/// Text gains line ends where a log has lost them.
const GIVEN_TIMES_MAX: usize = 2;

/// The first byte says how the rest is cut: in pieces of so many bytes, or whole.
pub(crate) fn check(data: &[u8]) {
    let Some((&size, file)) = data.split_first() else { return };
    let whole = Reading::of(std::iter::once(file));
    let cut = Reading::of(file.chunks(usize::from(size).max(1)));
    assert_eq!(whole, cut);
    let given: usize = whole.packets.iter().map(|packet| packet.bytes.len()).sum();
    assert!(given <= GIVEN_TIMES_MAX * file.len(), "{given} bytes out of {}", file.len());
    for packet in &whole.packets {
        assert!(packet.frames.first <= packet.frames.last && packet.frames.count > 0);
    }
    whole.packets.iter().filter(|packet| packet.carrier == Some(Carrier::Udp)).take(4).for_each(written_and_read);
}

/// All that comes out.
#[derive(Debug, PartialEq, Eq)]
struct Reading {
    packets: Vec<Packet>,
    notes: Vec<Note>,
    error: Option<ReadError>,
    frames: u64,
}

impl Reading {
    fn of<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Reading {
        let mut reader = Reader::new();
        let mut reading = Reading { packets: Vec::new(), notes: Vec::new(), error: None, frames: 0 };
        let mut fed = 0;
        for piece in pieces {
            reader.feed(piece);
            fed += piece.len();
            reading.take(&mut reader);
            assert!(reader.held_bytes() <= HELD_TIMES_MAX * fed, "{} held of {fed}", reader.held_bytes());
        }
        reader.finish();
        reading.take(&mut reader);
        assert_eq!(reader.held_bytes(), 0, "nothing waits behind the end");
        reading.notes.extend(std::iter::from_fn(|| reader.next_note()));
        reading.frames = reader.frames();
        reading
    }

    fn take(&mut self, reader: &mut Reader) {
        loop {
            match reader.next_packet() {
                Ok(Some(packet)) => self.packets.push(packet),
                Ok(None) => return,
                Err(error) => {
                    self.error = Some(error);
                    return;
                }
            }
        }
    }
}

/// A datagram that we write is read as it was.
fn written_and_read(packet: &Packet) {
    let (Some(source), Some(destination)) = (packet.source, packet.destination) else { return };
    let mut writer = PcapWriter::new();
    let time_us = packet.time_us.unwrap_or(0);
    if packet.is_cut || writer.datagram(time_us, source, destination, &packet.bytes).is_err() {
        return;
    }
    let again = Reading::of(std::iter::once(&writer.take()[..]));
    let Some(read) = again.packets.first() else { panic!("{packet:?} is read as nothing") };
    assert_eq!((read.source, read.destination, &read.bytes), (packet.source, packet.destination, &packet.bytes));
}
