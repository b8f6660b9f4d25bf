//! A frame's way through the layers.

use alloc::collections::BTreeSet;
use core::net::SocketAddr;

use bytes::Bytes;

use crate::cursor::Cursor;
use crate::fragments::{Datagram, Fragments};
use crate::packet::{Carrier, Ends, Origin, Sink, What};
use crate::tcp::{Connections, Segment};
use crate::{ip, link, sip};

/// What is remembered from frame to frame.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    fragments: Fragments,
    connections: Connections,
    /// Link types that were told to be unsupported; a set of numbers of 16 bits has its own bound.
    unsupported: BTreeSet<u16>,
}

/// The payload of an IP packet.
#[derive(Clone, Copy, Debug)]
struct Payload<'a> {
    ends: (core::net::IpAddr, core::net::IpAddr),
    protocol: u8,
    bytes: &'a [u8],
    /// How many bytes the capture lacks.
    missing: usize,
    origin: Origin,
}

impl Layers {
    /// A frame of a link type.
    pub(crate) fn frame(&mut self, link_type: u16, frame: &[u8], origin: Origin, sink: &mut Sink) {
        let number = origin.frames.last;
        match link::open(link_type, frame) {
            link::Inside::Ip(packet) => self.packet(packet, origin, sink),
            link::Inside::Other => {}
            link::Inside::Malformed => sink.note(number, What::Malformed("link header")),
            link::Inside::Unsupported => {
                if self.unsupported.insert(link_type) {
                    sink.note(number, What::LinkUnsupported(link_type));
                }
            }
        }
    }

    /// How many bytes wait for others.
    pub(crate) fn held(&self) -> usize {
        self.fragments.held().saturating_add(self.connections.held())
    }

    /// Nothing comes any more: what waits for something is given out as it is.
    pub(crate) fn end(&mut self, sink: &mut Sink) {
        while let Some(datagram) = self.fragments.end() {
            self.datagram(&datagram, sink);
        }
        self.connections.end(sink);
    }

    fn packet(&mut self, packet: &[u8], origin: Origin, sink: &mut Sink) {
        let packet = match ip::open(packet) {
            Ok(packet) => packet,
            Err(header) => return sink.note(origin.frames.last, What::Malformed(header)),
        };
        if let Some(fragment) = packet.fragment {
            let (whole, given_up) = self.fragments.add(&packet, fragment, origin);
            for datagram in [given_up, whole].into_iter().flatten() {
                self.datagram(&datagram, sink);
            }
            return;
        }
        let ends = (packet.source, packet.destination);
        let (protocol, bytes, missing) = (packet.protocol, packet.payload, packet.missing);
        self.payload(Payload { ends, protocol, bytes, missing, origin }, sink);
    }

    fn datagram(&mut self, datagram: &Datagram, sink: &mut Sink) {
        let Datagram { source, destination, origin, .. } = *datagram;
        if !datagram.is_whole {
            sink.note(origin.frames.first, What::FragmentsMissing);
        }
        // Extension headers may stand behind the fragment's own.
        let opened = if source.is_ipv6() {
            ip::extensions(datagram.protocol, &datagram.payload)
        } else {
            Some((datagram.protocol, datagram.payload.as_slice(), None))
        };
        let Some((protocol, bytes, None)) = opened else {
            return sink.note(origin.frames.last, What::Malformed("IPv6 header"));
        };
        let missing = usize::from(!datagram.is_whole);
        self.payload(Payload { ends: (source, destination), protocol, bytes, missing, origin }, sink);
    }

    fn payload(&mut self, payload: Payload<'_>, sink: &mut Sink) {
        let read = match payload.protocol {
            ip::UDP => udp(payload, sink).ok_or("UDP header"),
            ip::TCP => self.tcp(payload, sink).ok_or("TCP header"),
            _ => Ok(()),
        };
        if let Err(header) = read {
            sink.note(payload.origin.frames.last, What::Malformed(header));
        }
    }

    fn tcp(&mut self, payload: Payload<'_>, sink: &mut Sink) -> Option<()> {
        let mut cursor = Cursor::new(payload.bytes);
        let ends = ports(payload, &mut cursor)?;
        let sequence = cursor.u32()?;
        let acknowledged = cursor.u32()?;
        let [length, flags] = cursor.array()?;
        let header = usize::from(length >> 4).checked_mul(4).filter(|length| *length >= 20)?;
        let bytes = payload.bytes.get(header..)?;
        let flag = |mask: u8| flags & mask != 0;
        self.connections.segment(
            &Segment {
                ends,
                sequence,
                acknowledged: flag(0x10).then_some(acknowledged),
                is_fin: flag(0x01),
                is_syn: flag(0x02),
                is_rst: flag(0x04),
                bytes,
                missing: payload.missing,
                origin: payload.origin,
            },
            sink,
        );
        Some(())
    }
}

fn udp(payload: Payload<'_>, sink: &mut Sink) -> Option<()> {
    let mut cursor = Cursor::new(payload.bytes);
    let ends = ports(payload, &mut cursor)?;
    let length = usize::from(cursor.u16()?);
    cursor.take(2)?;
    let (bytes, is_cut) = match length {
        // What is longer than the field can tell.
        0 => (cursor.rest, payload.missing > 0),
        _ => match cursor.rest.get(..length.checked_sub(8)?) {
            Some(bytes) => (bytes, false),
            None if payload.missing > 0 => (cursor.rest, true),
            None => {
                sink.note(payload.origin.frames.last, What::Malformed("UDP length"));
                (cursor.rest, true)
            }
        },
    };
    if sip::is_message(bytes) {
        if is_cut && payload.missing > 0 {
            sink.note(payload.origin.frames.last, What::FrameCut);
        }
        sink.packet(ends, Carrier::Udp, payload.origin, Bytes::copy_from_slice(bytes), is_cut);
    }
    Some(())
}

fn ports(payload: Payload<'_>, cursor: &mut Cursor<'_>) -> Option<Ends> {
    let source = SocketAddr::new(payload.ends.0, cursor.u16()?);
    Some(Ends { source, destination: SocketAddr::new(payload.ends.1, cursor.u16()?) })
}
