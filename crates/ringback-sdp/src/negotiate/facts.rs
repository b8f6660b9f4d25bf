//! What an exchange has settled, stream by stream.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::attribute::{BundleOnly, MediaDirection, Ptime, Rtcp, RtcpMux, Strength};
use crate::description::{MediaDescription, SessionDescription};
use crate::line::{Connection, MediaType};
use crate::negotiate::agreement;
use crate::negotiate::bundle::Names;
use crate::negotiate::format::Format;
use crate::negotiate::precondition::{self, Precondition};
use crate::negotiate::rules::bundles;
use crate::negotiate::session::HoldForm;

/// One stream as it was agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stream {
    /// What it carries.
    pub media: MediaType,
    /// How it is carried.
    pub protocol: Box<str>,
    /// Whether it is there.
    pub state: StreamState,
    /// Which ways it goes, as one sees it oneself.
    pub direction: MediaDirection,
    /// Where to send, and whether there is anywhere: `None` where the stream is gone, or the address is of zeros and there is
    /// no ICE. With ICE it is the address of the line, be it of zeros: where to send is found among the candidates.
    pub remote: Option<Target>,
    /// Where to send RTCP, for a stream of RTP.
    pub remote_rtcp: Option<Target>,
    /// What may be sent, with the payload types of the other side, the best first.
    pub send: Vec<Format>,
    /// What may arrive, with one's own payload types.
    pub receive: Vec<Format>,
    /// Microseconds that the other side would have in a packet.
    pub send_ptime_us: Option<u64>,
    /// RTP and RTCP are on one port.
    pub rtcp_mux: bool,
    /// The stream whose address it shares.
    pub bundled_with: Option<usize>,
    /// How the other side keeps one on hold, if it does: it receives nothing.
    pub held_by_peer: Option<HoldForm>,
    /// What must be there before the session begins, as one sees it oneself.
    pub preconditions: Vec<Precondition>,
}

/// Whether a stream is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamState {
    /// It is.
    Active,
    /// Offered and turned down, or taken away.
    Gone,
}

/// An address and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// An address or a name.
    pub address: Box<str>,
    /// The port.
    pub port: u16,
}

impl Stream {
    /// True where one may send: the direction says so, and there is somewhere to send to.
    #[must_use]
    pub fn may_send(&self) -> bool {
        self.direction.sends() && self.remote.is_some() && self.state == StreamState::Active
    }

    /// True where no mandatory condition is left open. `[RFC 3312, Section 6]`
    #[must_use]
    pub fn are_preconditions_met(&self) -> bool {
        let mut mandatory = self.preconditions.iter().filter(|row| row.strength == Strength::Mandatory);
        mandatory.all(Precondition::is_met)
    }
}

/// An exchange, by who is who.
#[derive(Clone, Copy)]
pub(crate) struct Exchange<'a> {
    pub(crate) local: &'a SessionDescription,
    pub(crate) remote: &'a SessionDescription,
    /// Whether one has offered oneself.
    pub(crate) is_offerer: bool,
}

impl Exchange<'_> {
    /// All streams.
    pub(crate) fn streams(&self) -> Vec<Stream> {
        let bundle: Vec<usize> = self.bundle();
        let pairs = self.local.media().iter().zip(self.remote.media()).enumerate();
        let bundle_of = |index| bundle.contains(&index).then_some(&*bundle);
        pairs.map(|(index, (own, theirs))| self.stream(own, theirs, bundle_of(index))).collect()
    }

    /// The members of the bundle that the answer has; the first is the one whose address counts.
    fn bundle(&self) -> Vec<usize> {
        let answer = if self.is_offerer { self.remote } else { self.local };
        let Some(group) = bundles(answer).next() else { return Vec::new() };
        let mut places = Names::of(answer).places;
        group.tags.iter().filter_map(|tag| places.remove(tag)).collect()
    }

    fn stream(&self, own: &MediaDescription, theirs: &MediaDescription, bundle: Option<&[usize]>) -> Stream {
        let (offer, answer) = if self.is_offerer { (own, theirs) } else { (theirs, own) };
        let is_gone = |media: &MediaDescription| {
            media.port() == 0 && !(bundle.is_some() && media.section().attribute::<BundleOnly>().is_some())
        };
        let state = if is_gone(answer) || (is_gone(offer) && bundle.is_none()) {
            StreamState::Gone
        } else {
            StreamState::Active
        };
        let mut stream = Stream {
            media: own.media().clone(),
            protocol: own.protocol().into(),
            state,
            direction: MediaDirection::Inactive,
            remote: None,
            remote_rtcp: None,
            send: Vec::new(),
            receive: Vec::new(),
            send_ptime_us: None,
            rtcp_mux: false,
            bundled_with: None,
            held_by_peer: None,
            preconditions: Vec::new(),
        };
        if state == StreamState::Active {
            let first = bundle.and_then(|bundle| bundle.first().copied());
            self.settle(&mut stream, own, theirs, first);
        }
        stream
    }

    fn settle(&self, stream: &mut Stream, own: &MediaDescription, theirs: &MediaDescription, first: Option<usize>) {
        let is_muxed = |side: &SessionDescription, media: &MediaDescription| {
            let carrier = first.and_then(|first| side.media().get(first));
            let has = |media: &MediaDescription| media.section().attribute::<RtcpMux>().is_some();
            has(media) || carrier.is_some_and(has)
        };
        let their_direction = self.remote.direction_of(theirs);
        stream.bundled_with = first;
        stream.rtcp_mux = is_muxed(self.local, own) && is_muxed(self.remote, theirs);
        // Where a group is spoken to, both sides say the same. [RFC 3264, Section 6.2]
        let carrier = first.and_then(|first| self.remote.media().get(first)).unwrap_or(theirs);
        let connection = self.remote.connection_of(carrier);
        let is_multicast = connection.is_some_and(|connection| connection.is_multicast());
        let mirrored = if is_multicast { their_direction } else { their_direction.reversed() };
        stream.direction = self.local.direction_of(own).and(mirrored);
        stream.held_by_peer = match connection {
            Some(connection) if connection.is_unspecified() && !has_ice(self.remote, carrier) => {
                Some(HoldForm::ZeroAddress)
            }
            _ if !their_direction.receives() => Some(HoldForm::Direction),
            _ => None,
        };
        self.targets(stream, carrier);
        stream.send_ptime_us = theirs.section().attribute::<Ptime>().map(|ptime| ptime.time_us);
        self.formats(stream, own, theirs);
        stream.preconditions = precondition::table(own.section(), theirs.section());
    }

    fn targets(&self, stream: &mut Stream, carrier: &MediaDescription) {
        let Some(connection) = self.remote.connection_of(carrier) else { return };
        if connection.is_unspecified() && !has_ice(self.remote, carrier) {
            return;
        }
        let target = |connection: Connection<'_>, port| Target { address: connection.address.into(), port };
        stream.remote = Some(target(connection, carrier.port()));
        if !carrier.line().is_rtp() {
            return;
        }
        let stated = carrier.section().attribute::<Rtcp<'_>>().filter(|_| !stream.rtcp_mux);
        stream.remote_rtcp = match stated {
            Some(rtcp) => Some(target(rtcp.address.unwrap_or(connection), rtcp.port)),
            None if stream.rtcp_mux => stream.remote.clone(),
            // "Unless there is an explicit indication otherwise, reports are sent to the port number one higher"
            // [RFC 3264, Section 5.1]
            None => carrier.port().checked_add(1).map(|port| target(connection, port)),
        };
    }

    /// Payload types are kept for each direction: one sends with those of the other side. `[RFC 3264, Section 6.1]`
    fn formats(&self, stream: &mut Stream, own: &MediaDescription, theirs: &MediaDescription) {
        let (offer, answer) = if self.is_offerer { (own, theirs) } else { (theirs, own) };
        let mut pairs = agreement::pairs(offer, answer);
        if !self.is_offerer {
            // The answerer goes by the order of the offer.
            let place = |format: &Format| offer.line().payload_types().position(|number| number == format.payload_type);
            pairs.sort_by_key(|pair| place(&pair.offered));
        }
        for pair in pairs {
            let (own, theirs) =
                if self.is_offerer { (pair.offered, pair.answered) } else { (pair.answered, pair.offered) };
            stream.send.push(theirs);
            stream.receive.push(own);
        }
    }
}

fn has_ice(description: &SessionDescription, media: &MediaDescription) -> bool {
    media.section().has("ice-ufrag") || description.section().has("ice-ufrag")
}
