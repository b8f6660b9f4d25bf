//! Captures and texts built by hand, read by the crate.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod build;
mod files;
mod fragments;
mod hostile;
mod links;
mod tcp;
mod text;
mod websocket;

use ringback_capture::{Note, Packet, Reader, What};

/// Reads all of it, in one piece.
fn read(file: &[u8]) -> (Vec<Packet>, Vec<Note>) {
    read_in(file, file.len().max(1))
}

/// What is noted of which frame.
fn told(notes: Vec<Note>) -> Vec<(u64, What)> {
    notes.into_iter().map(|note| (note.frame, note.what)).collect()
}

/// Reads all of it, in pieces of a length.
fn read_in(file: &[u8], piece: usize) -> (Vec<Packet>, Vec<Note>) {
    let mut reader = Reader::new();
    let (mut packets, mut notes) = (Vec::new(), Vec::new());
    let drain = |reader: &mut Reader, packets: &mut Vec<Packet>| {
        while let Some(packet) = reader.next_packet().unwrap() {
            packets.push(packet);
        }
    };
    for piece in file.chunks(piece) {
        reader.feed(piece);
        drain(&mut reader, &mut packets);
    }
    reader.finish();
    drain(&mut reader, &mut packets);
    while let Some(note) = reader.next_note() {
        notes.push(note);
    }
    (packets, notes)
}

/// The texts of messages.
fn texts(packets: &[Packet]) -> Vec<&str> {
    packets.iter().map(|packet| std::str::from_utf8(&packet.bytes).unwrap()).collect()
}
