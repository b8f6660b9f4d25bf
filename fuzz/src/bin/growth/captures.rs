//! Captures whose frames carry a shape: in small segments, in fragments, in options.

use std::hint::black_box;

use ringback_capture::Reader;

/// What a segment or a fragment carries of the shape.
const PIECE_BYTES: usize = 8;
const MAGIC: u32 = 0xa1b2_c3d4;
const RAW_IP: u32 = 101;

pub(crate) fn read(file: &[u8]) {
    let mut reader = Reader::new();
    reader.feed(file);
    reader.finish();
    while let Ok(Some(packet)) = reader.next_packet() {
        drop(black_box(packet));
    }
    let _ = black_box(std::iter::from_fn(|| reader.next_note()).count());
}

/// The same, a byte a piece.
pub(crate) fn read_by_bytes(file: &[u8]) {
    let mut reader = Reader::new();
    for byte in file.chunks(1) {
        reader.feed(byte);
        while let Ok(Some(packet)) = reader.next_packet() {
            drop(black_box(packet));
        }
    }
    reader.finish();
    while let Ok(Some(packet)) = reader.next_packet() {
        drop(black_box(packet));
    }
}

/// A connection in order: a message that never ends.
pub(crate) fn segments(shape: &str) -> Vec<u8> {
    pcap(cut(shape).map(|(at, piece)| segment(at, piece)))
}

/// The last byte first: all of it waits for the first.
pub(crate) fn segments_backwards(shape: &str) -> Vec<u8> {
    let all: Vec<_> = cut(shape).collect();
    let first = [segment(0, b"O")];
    pcap(first.into_iter().chain(all.into_iter().rev().map(|(at, piece)| segment(at.saturating_add(2), piece))))
}

/// Each segment repeats the half of the one before it.
pub(crate) fn segments_overlapping(shape: &str) -> Vec<u8> {
    let text = begun(shape);
    let starts = (0..text.len()).step_by(PIECE_BYTES / 2);
    pcap(starts.map(|at| segment(at, text.get(at..text.len().min(at + PIECE_BYTES)).unwrap_or_default())))
}

/// A datagram whose pieces come from behind, and whose first never comes.
pub(crate) fn fragments(shape: &str) -> Vec<u8> {
    let all: Vec<_> = cut(shape).collect();
    let pieces = all.into_iter().rev().map(|(at, piece)| {
        let place = u16::try_from(at / PIECE_BYTES).unwrap_or(0x1fff) + 1;
        packet(17, &whole_piece(piece), 0x2000 | place & 0x1fff)
    });
    pcap(pieces)
}

/// A datagram of its own for each piece, each the begin of one that never ends.
pub(crate) fn datagrams(shape: &str) -> Vec<u8> {
    pcap(cut(shape).zip(0_u16..).map(|((_, piece), number)| {
        let mut packet = packet(17, &whole_piece(piece), 0x2000);
        packet.splice(4..6, number.to_be_bytes());
        packet
    }))
}

/// A section, an interface and a packet in pcapng, with the shape in their options.
pub(crate) fn options(shape: &str) -> Vec<u8> {
    let options: Vec<u8> = shape
        .as_bytes()
        .chunks(4)
        .zip(1_u16..)
        .flat_map(|(value, code)| {
            let mut option = [code.to_le_bytes(), (value.len() as u16).to_le_bytes()].concat();
            option.extend(value);
            option.resize(option.len().next_multiple_of(4), 0);
            option
        })
        .collect();
    let section = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8], &options].concat();
    let interface = [&[101, 0, 0, 0, 0, 0, 4, 0][..], &options].concat();
    let frame = packet(17, b"", 0);
    let length = (frame.len() as u32).to_le_bytes();
    let enhanced = [&[0; 12][..], &length, &length, &frame, &options].concat();
    [(0x0a0d_0d0a, section), (1, interface), (6, enhanced)].iter().flat_map(|(kind, body)| block(*kind, body)).collect()
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(4), 0);
    let length = (body.len() as u32 + 12).to_le_bytes();
    [&kind.to_le_bytes()[..], &length, &body, &length].concat()
}

/// A request whose head goes on with the shape.
fn begun(shape: &str) -> Vec<u8> {
    format!("OPTIONS sip:a SIP/2.0\r\nX: {shape}").into_bytes()
}

fn cut(shape: &str) -> impl Iterator<Item = (usize, Vec<u8>)> {
    let pieces: Vec<Vec<u8>> = begun(shape).chunks(PIECE_BYTES).map(<[u8]>::to_vec).collect();
    pieces.into_iter().enumerate().map(|(number, piece)| (number * PIECE_BYTES, piece))
}

/// What isn't the last of its datagram has whole units.
fn whole_piece(piece: impl AsRef<[u8]>) -> Vec<u8> {
    let mut piece = piece.as_ref().to_vec();
    piece.resize(PIECE_BYTES, b'x');
    piece
}

fn segment(at: usize, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut segment = [40_000_u16, 5_060].map(u16::to_be_bytes).concat();
    segment.extend((at as u32 + 7).to_be_bytes());
    segment.extend([0, 0, 0, 0, 0x50, 0x10, 0, 0, 0, 0, 0, 0]);
    segment.extend(bytes.as_ref());
    packet(6, &segment, 0x4000)
}

/// `place` is the field of flags and offset.
fn packet(protocol: u8, payload: &[u8], place: u16) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    for field in [payload.len() as u16 + 20, 1, place] {
        packet.extend(field.to_be_bytes());
    }
    packet.extend([64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
    packet.extend(payload);
    packet
}

fn pcap(frames: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut file = [MAGIC, 0x0004_0002, 0, 0, 65_535, RAW_IP].map(u32::to_le_bytes).concat();
    for frame in frames {
        let length = frame.len() as u32;
        file.extend([1, 0, length, length].map(u32::to_le_bytes).concat());
        file.extend(frame);
    }
    file
}
