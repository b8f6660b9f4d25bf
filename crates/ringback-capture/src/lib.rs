//! SIP messages out of what people have: captures, hexadecimal dumps, pasted logs; and captures out of messages.
//!
//! ```text
//!   Reader::feed ─▶ pcap, pcapng ─▶ link ─▶ IP ─▶ fragments ─▶ UDP ───────────────────────────┬─▶ Reader::next_packet
//!                │                                           └▶ TCP ─▶ SIP, or a WebSocket ─┤
//!                └▶ text: messages, digits, logs ───────────────────────────────────────────┘─▶ Reader::next_note
//!   PcapWriter::datagram ─▶ PcapWriter::take
//! ```
//!
//! No file is opened here: bytes come in, in pieces of any size, and messages go out with the time, the ends and the frames that
//! they were seen with. Whatever the input is, memory is bounded by constants with names and time by its length.
//!
//! ```
//! use ringback_capture::{Carrier, Form, PcapWriter, Reader};
//!
//! let (phone, server) = ("192.0.2.1:5060".parse()?, "192.0.2.2:5060".parse()?);
//! let mut writer = PcapWriter::new();
//! writer.datagram(1_700_000_000_000_000, phone, server, b"OPTIONS sip:b.example SIP/2.0\r\n\r\n")?;
//!
//! let mut reader = Reader::new();
//! reader.feed(&writer.take());
//! reader.finish();
//! let packet = reader.next_packet()?.ok_or("no message")?;
//! assert_eq!((packet.source, packet.carrier), (Some(phone), Some(Carrier::Udp)));
//! assert!(packet.bytes.starts_with(b"OPTIONS "));
//! assert_eq!((reader.next_packet()?, reader.next_note(), reader.form()), (None, None, Some(Form::Pcap)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is read
//!
//! | layer | what |
//! |---|---|
//! | file | pcap of both byte orders, with microseconds or nanoseconds; pcapng; text |
//! | link | Ethernet with VLAN tags, MPLS and PPPoE; Linux cooked, versions 1 and 2; raw IP; loopback |
//! | network | IPv4 and IPv6, with options, extension headers and fragments |
//! | transport | UDP; TCP, in whatever order; WebSocket |
//!
//! **Not read**: what is encrypted (TLS is told, DTLS and ESP are passed over), WebSockets with compression, SCTP, tunnels (GRE,
//! VXLAN, IP in IP). Checksums aren't verified: where the sender's card computes them, a capture has wrong ones.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod cursor;
mod error;
mod file;
mod fragments;
mod frame;
mod ip;
mod link;
mod packet;
mod reader;
mod sip;
mod stream;
mod tcp;
mod text;
mod websocket;
mod writer;

pub use error::{ReadError, ReadErrorKind};
pub use file::RECORD_BYTES_MAX;
pub use file::pcapng::INTERFACES_MAX;
pub use packet::{Carrier, Frames, NOTES_MAX, Note, Packet, What};
pub use reader::{Form, Reader};
pub use tcp::{CONNECTIONS_MAX, HELD_BYTES_MAX, SEGMENTS_MAX, WAITING_BYTES_MAX};
pub use text::TEXT_BYTES_MAX;
pub use writer::{PcapWriter, WriteError};
