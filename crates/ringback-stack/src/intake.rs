//! From a datagram to a transaction, and what is answered without one.

use alloc::boxed::Box;
use alloc::format;

use bytes::Bytes;
use ringback_base::{Hop, KeyedHash, Now, Transport};
use ringback_message::{HeaderId, Message, Method, Rejected, Request, Response};
use ringback_proxy::Reply;
use ringback_transport::stun::Stun;
use ringback_transport::{Datagram, reply_hop, salvage_reply_hop, stamp, stamp_message};

use crate::Stack;
use crate::event::Event;

impl Stack {
    pub(crate) fn receive(&mut self, bytes: Bytes, from: Hop, now: Now) {
        match Datagram::classify(&bytes) {
            Datagram::KeepAlive => self.counters.keep_alives += 1,
            Datagram::Stun => self.answer_stun(&bytes, from),
            _ => self.read(Message::parse(bytes), from, now),
        }
    }

    /// "If a server compliant to this section receives SIP requests on a given interface and UDP port, it MUST also provide a limited
    /// version of a STUN server". `[RFC 5626, Section 8]`
    fn answer_stun(&mut self, bytes: &[u8], from: Hop) {
        match Stun::read(bytes) {
            Some(Stun::Request(request)) => {
                self.counters.stun_requests += 1;
                self.transactions.send(request.answer(from.remote).into(), from);
            }
            Some(_) => self.counters.keep_alives += 1,
            None => self.counters.stun_dropped += 1,
        }
    }

    /// A message as the parser leaves it.
    pub(crate) fn read(&mut self, parsed: Result<Message, Box<Rejected>>, from: Hop, now: Now) {
        match parsed {
            Ok(message) if message.is_request() => self.receive_request(message, from, now),
            Ok(message) => self.receive_response(message, from, now),
            Err(rejected) => self.malformed(*rejected, from),
        }
    }

    fn receive_request(&mut self, message: Message, from: Hop, now: Now) {
        match Request::check(message) {
            Err(rejected) => self.malformed(*rejected, from),
            Ok(request) => {
                let Ok(request) = stamp(request, &from) else { return };
                self.counters.requests += 1;
                let reply = reply_hop(&request.top_via(), from);
                self.transactions.handle_request(request, reply, now);
                self.pump(Some(from), now);
            }
        }
    }

    fn receive_response(&mut self, message: Message, from: Hop, now: Now) {
        match Response::check(message) {
            Err(rejected) => self.malformed(*rejected, from),
            Ok(response) => {
                self.counters.responses += 1;
                self.transactions.handle_response(response, from, now);
                self.pump(Some(from), now);
            }
        }
    }

    /// A request that can be answered is, without a transaction; ACKs, responses and noise are dropped. `[RFC 3261, Section 8.2.7]`
    fn malformed(&mut self, rejected: Rejected, from: Hop) {
        self.counters.malformed(&rejected, from.transport.is_reliable());
        let reply = self.reply(Reply::malformed(&rejected.error));
        let refusal = rejected.salvage.as_ref().and_then(|message| refusal(message, &reply, &self.stateless, from));
        let answered = refusal.is_some();
        if let Some((bytes, hop)) = refusal {
            self.transactions.send(bytes, hop);
        }
        self.events.push_back(Event::Malformed { error: rejected.error, from, answered });
    }

    /// Ends a server transaction with a response of our own. Whatever limit is the reason for it is counted here and nowhere else.
    pub(crate) fn answer(&mut self, server: ringback_transaction::ServerId, reply: Reply, now: Now) {
        let Some(request) = self.transactions.server_request(server) else { return };
        if let Some(limit) = reply.limit {
            self.counters.reached(limit);
        }
        let tag = self.random.token();
        let refused = reply.status.as_u16() >= 300 && !is_challenge(&reply);
        if refused {
            self.events.push_back(Event::Refused {
                method: text(request.method_text().unwrap_or_default()),
                call_id: text(request.call_id()),
                status: reply.status,
                reason: reply.reason.clone().unwrap_or_else(|| reply.status.default_phrase().into()),
                from: self.transactions.server_reply_hop(server).unwrap_or(self.nowhere()),
            });
        }
        let named = self.reply(reply);
        let Some(request) = self.transactions.server_request(server) else { return };
        if let Ok(response) = named.to(request, &tag) {
            let response = self.with_keep_alives(server, response);
            // It fails only where the transaction has ended, and then nobody waits for it.
            let _ = self.transactions.respond(server, response, now);
        }
    }

    /// The reply with Server, where the configuration wants one.
    fn reply(&self, reply: Reply) -> Reply {
        match &self.config.server {
            Some(server) => reply.with(HeaderId::Server, server.clone()),
            None => reply,
        }
    }
}

/// Reads what came on a connection. A WebSocket keeps the bounds of messages itself. `[RFC 7118, Section 5]`
pub(crate) fn parse_carried(bytes: Bytes, transport: Transport) -> Result<Message, Box<Rejected>> {
    match transport {
        Transport::Udp | Transport::Ws | Transport::Wss => Message::parse(bytes),
        Transport::Tcp | Transport::Tls => Message::parse_framed(bytes),
    }
}

/// The response to a request that can't be read whole, and where it goes; `None` for what nobody may answer.
pub(crate) fn refusal(message: &Message, reply: &Reply, hash: &KeyedHash, from: Hop) -> Option<(Bytes, Hop)> {
    let is_ack = message.method_text() == Some(Method::Ack.as_str().as_bytes());
    if !message.is_request() || is_ack {
        return None;
    }
    let hop = salvage_reply_hop(message, from)?;
    // The same for each retransmission, for want of a transaction that would remember it.
    let identity = |id| message.first(id).map_or(&b""[..], |h| h.value());
    let tag = format!("{:016x}", hash.of(&[identity(HeaderId::CallId), identity(HeaderId::Via)]));
    let response = reply.to_salvage(message, &tag).ok()?;
    let stamped = stamp_message(&response, &from).ok().flatten().unwrap_or(response);
    Some((stamped.as_bytes().clone(), hop))
}

/// Text of a message for the log, which escapes it.
pub(crate) fn text(bytes: &[u8]) -> Box<str> {
    alloc::string::String::from_utf8_lossy(bytes).into()
}

fn is_challenge(reply: &Reply) -> bool {
    reply.headers.iter().any(|(id, _)| matches!(id, HeaderId::WwwAuthenticate | HeaderId::ProxyAuthenticate))
}
