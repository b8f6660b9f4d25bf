//! A user agent on the wire: messages come in as bytes, and go out as bytes.

mod names;

use alloc::boxed::Box;

use bytes::Bytes;
use ringback_base::{Hop, KeyedHash, Micros, Now, Random};
use ringback_message::{Message, ParseError, Rejected, Request, Response};
use ringback_proxy::Reply;
use ringback_transaction::Transmit;
use ringback_transport::resolve::{DnsAnswer, Preferences};
use ringback_transport::stun::Stun;
use ringback_transport::{Datagram, peek_branch, reply_hop, stamp};
use ringback_ua::{Config, UserAgent};

use crate::intake::{parse_carried, refusal};
use names::{MaybeNames, Names};
pub use names::{NameQuestion, QuestionToken};

/// A [`UserAgent`] with what stands between it and its sockets: reading, `received` and `rport`, keep-alives, and an answer to what
/// can't be read. The same object runs in a simulation and behind sockets.
///
/// After each call fetch what is to be sent ([`Endpoint::poll_transmit`]), and from the [agent](Endpoint::agent) what is to be
/// looked up and told. An endpoint that [looks names up](Endpoint::looks_names_up) itself asks for their records instead
/// ([`Endpoint::poll_question`]): of what the agent asks it answers everything.
#[derive(Debug)]
pub struct Endpoint {
    agent: UserAgent,
    /// Identifies, for as long as the process lives, what is answered without a transaction.
    stateless: KeyedHash,
    counters: EndpointCounters,
    names: MaybeNames,
}

/// How often things happened at an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointCounters {
    /// Requests that could be read.
    pub requests: u64,
    /// Responses that could be read.
    pub responses: u64,
    /// Datagrams that only keep a way open, and answers to keep-alives of ours.
    pub keep_alives: u64,
    /// Messages that could not be read.
    pub malformed: u64,
}

impl Endpoint {
    /// An endpoint; all that it draws by chance comes from `random`, which must be seeded with secret entropy.
    #[must_use]
    pub fn new(config: Config, mut random: Random) -> Endpoint {
        let stateless = random.hasher();
        let agent = UserAgent::new(config, random);
        Endpoint { agent, stateless, counters: EndpointCounters::default(), names: None }
    }

    /// An endpoint that finds by itself where URIs lead, by the records of their names. `[RFC 3263, Section 4]`
    ///
    /// What of its preferences no local address of the configuration can reach is not tried.
    #[must_use]
    pub fn looks_names_up(config: Config, preferences: Preferences, mut random: Random) -> Endpoint {
        let names = Names::new(preferences, config.locals.clone(), Random::from_seed(random.seed()));
        Endpoint { names: Some(Box::new(names)), ..Endpoint::new(config, random) }
    }

    /// The user agent.
    #[must_use]
    pub fn agent(&self) -> &UserAgent {
        &self.agent
    }

    /// The user agent, to be told what to do.
    pub fn agent_mut(&mut self) -> &mut UserAgent {
        &mut self.agent
    }

    /// A datagram came in at `hop.local` from `hop.remote`. What could not be read is told.
    ///
    /// # Errors
    /// Where it is no message; a request is answered with 400 all the same, where that can be done.
    pub fn handle_datagram(&mut self, bytes: Bytes, hop: Hop, now: Now) -> Result<(), ParseError> {
        match Datagram::classify(&bytes) {
            Datagram::KeepAlive => {
                self.counters.keep_alives += 1;
                Ok(())
            }
            Datagram::Stun => {
                self.counters.keep_alives += 1;
                match Stun::read(&bytes) {
                    // Whoever calls us directly may keep its way to us open. [RFC 5626, Section 8]
                    Some(Stun::Request(request)) => self.agent.send_stateless(request.answer(hop.remote).into(), hop),
                    Some(answer) => self.agent.handle_binding(&hop, &answer, now),
                    None => {}
                }
                Ok(())
            }
            _ => self.read(Message::parse(bytes), hop, now),
        }
    }

    /// A message came in on the connection `hop.flow`, cut from its stream by [`ringback_transport::Stream`] or
    /// [`ringback_transport::websocket::WebSocket`].
    ///
    /// # Errors
    /// As [`Endpoint::handle_datagram`].
    pub fn handle_message(&mut self, bytes: Bytes, hop: Hop, now: Now) -> Result<(), ParseError> {
        self.read(parse_carried(bytes, hop.transport), hop, now)
    }

    /// The stream of a connection can't be followed any further: what can be answered is. The connection is to be closed after that.
    ///
    /// # Errors
    /// Always: what was wrong.
    pub fn handle_rejected(&mut self, rejected: Box<Rejected>, hop: Hop, now: Now) -> Result<(), ParseError> {
        self.read(Err(rejected), hop, now)
    }

    /// A keep-alive of ours was answered on the connection of this hop: [`ringback_transport::Stream::take_pong`].
    pub fn handle_pong(&mut self, hop: &Hop, now: Now) {
        self.counters.keep_alives += 1;
        self.agent.handle_pong(hop, now);
    }

    /// The next record that must be known, of what the agent wants to send. A name whose way is known takes no question: so look here
    /// before [`Endpoint::poll_transmit`].
    #[must_use]
    pub fn poll_question(&mut self, now: Now) -> Option<NameQuestion> {
        let names = self.names.as_mut()?;
        while let Some(lookup) = self.agent.poll_lookup() {
            if let Some((id, hops)) = names.look_up(lookup, now) {
                self.agent.handle_hops(id, &hops, now);
            }
        }
        names.poll_question()
    }

    /// A question is answered. An answer to one that is no longer waited for does nothing.
    pub fn handle_answer(&mut self, token: QuestionToken, answer: DnsAnswer, now: Now) {
        let found = self.names.as_mut().and_then(|names| names.handle_answer(token, answer, now));
        if let Some((id, hops)) = found {
            self.agent.handle_hops(id, &hops, now);
        }
    }

    /// Nothing can be sent by this hop: refused, unreachable, too large.
    pub fn handle_send_failed(&mut self, hop: &Hop, now: Now) {
        if let Some(names) = &mut self.names {
            names.note_failed(hop, now);
        }
        self.agent.handle_transport_error(hop, now);
    }

    /// The connection of this hop can't be had, and why: what waits for it is told so.
    pub fn handle_connection_failed(&mut self, hop: &Hop, why: &str, now: Now) {
        if let Some(names) = &mut self.names {
            names.note_failed(hop, now);
        }
        self.agent.handle_connection_failed(hop, why, now);
    }

    /// An ICMP error says that a datagram of ours, of which this is the start, did not arrive by this hop; true where it is a
    /// request that is still waited for. `[RFC 3261, Section 18.4]`
    pub fn handle_unreachable(&mut self, start: &[u8], hop: &Hop, now: Now) -> bool {
        let Some((method, branch)) = peek_branch(start) else { return false };
        let is_ours = self.agent.handle_unreachable(method, branch, hop, now);
        if let Some(names) = self.names.as_mut().filter(|_| is_ours) {
            names.note_failed(hop, now);
        }
        is_ours
    }

    /// Time has passed; what is due is done.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some(token) = self.names.as_mut().and_then(|names| names.take_due(now)) {
            self.handle_answer(token, DnsAnswer::TimedOut, now);
        }
        self.agent.handle_timeout(now);
        // The call after this one does not wait for what is known to be dead. [RFC 3263, Section 4.3]
        while let Some(hop) = self.agent.poll_silent() {
            if let Some(names) = &mut self.names {
                names.note_failed(&hop, now);
            }
        }
    }

    /// The next message to send.
    #[must_use]
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.agent.poll_transmit()
    }

    /// When [`Endpoint::handle_timeout`] is next wanted.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        let of_names = self.names.as_ref().and_then(|names| names.poll_timeout());
        self.agent.poll_timeout().into_iter().chain(of_names).min()
    }

    /// How often things happened.
    #[must_use]
    pub fn counters(&self) -> EndpointCounters {
        self.counters
    }

    fn read(&mut self, parsed: Result<Message, Box<Rejected>>, from: Hop, now: Now) -> Result<(), ParseError> {
        let checked = parsed.and_then(|message| {
            if message.is_request() {
                Request::check(message).map(Checked::Request)
            } else {
                Response::check(message).map(Checked::Response)
            }
        });
        match checked {
            Ok(Checked::Request(request)) => {
                let Ok(request) = stamp(request, &from) else { return Ok(()) };
                self.counters.requests += 1;
                let reply = reply_hop(&request.top_via(), from);
                self.agent.handle_request(request, reply, now);
                Ok(())
            }
            Ok(Checked::Response(response)) => {
                self.counters.responses += 1;
                if let Some(names) = &mut self.names {
                    names.note_answered(&from);
                }
                self.agent.handle_response(response, from, now);
                Ok(())
            }
            Err(rejected) => {
                self.counters.malformed += 1;
                let reply = Reply::malformed(&rejected.error);
                let answer =
                    rejected.salvage.as_ref().and_then(|message| refusal(message, &reply, &self.stateless, from));
                if let Some((bytes, hop)) = answer {
                    self.agent.send_stateless(bytes, hop);
                }
                Err(rejected.error)
            }
        }
    }
}

#[allow(clippy::large_enum_variant)]
enum Checked {
    Request(Request),
    Response(Response),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use alloc::vec::Vec;
    use ringback_base::Transport;
    use ringback_ua::{Event, Local};

    fn endpoint() -> Endpoint {
        let local = Local::new(Transport::Udp, "192.0.2.2:5060".parse().unwrap());
        Endpoint::new(Config::new("bob", Vec::from([local])), Random::from_seed([3; 32]))
    }

    fn hop() -> Hop {
        Hop::udp("192.0.2.2:5060".parse().unwrap(), "192.0.2.1:7000".parse().unwrap())
    }

    fn sent(endpoint: &mut Endpoint) -> Vec<(u16, Hop)> {
        core::iter::from_fn(|| endpoint.poll_transmit())
            .map(|transmit| (Message::parse(transmit.bytes).unwrap().status().unwrap().as_u16(), transmit.hop))
            .collect()
    }

    const INVITE: &str = "INVITE sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bK1\r\n\
        From: <sip:a@a.example>;tag=1\r\nTo: <sip:bob@192.0.2.2>\r\nCall-ID: 7\r\nCSeq: 1 INVITE\r\n\
        Contact: <sip:a@10.0.0.1>\r\n\r\n";

    #[test]
    fn a_call_comes_in_from_behind_a_nat() {
        let mut endpoint = endpoint();
        endpoint.handle_datagram(Bytes::from(INVITE), hop(), Now::default()).unwrap();
        assert_eq!(sent(&mut endpoint), [(100, hop())]);
        assert!(matches!(endpoint.agent_mut().poll_event(), Some(Event::Incoming { .. })));
        assert_eq!(endpoint.counters().requests, 1);
    }

    #[test]
    fn what_can_not_be_read_is_answered_and_told() {
        let mut endpoint = endpoint();
        let broken = INVITE.replace("CSeq: 1 INVITE", "CSeq: x INVITE");
        let error = endpoint.handle_datagram(Bytes::from(broken), hop(), Now::default()).unwrap_err();
        assert_eq!(error.header, Some(ringback_message::HeaderId::CSeq));
        assert_eq!(sent(&mut endpoint), [(400, hop())]);
        assert!(endpoint.handle_datagram(Bytes::from_static(b"noise"), hop(), Now::default()).is_err());
        assert!(sent(&mut endpoint).is_empty());
        assert_eq!(endpoint.counters().malformed, 2);
    }

    #[test]
    fn keep_alives_are_no_messages() {
        let mut endpoint = endpoint();
        endpoint.handle_datagram(Bytes::from_static(b"\r\n\r\n"), hop(), Now::default()).unwrap();
        assert_eq!((endpoint.counters().keep_alives, endpoint.agent().is_idle()), (1, true));
    }
}
