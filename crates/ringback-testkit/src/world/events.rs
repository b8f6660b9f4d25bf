//! What happens in a world, one event after another.

use std::net::SocketAddr;

use ringback_base::{Hop, Micros, Random, TimerId, TimerQueue};
use ringback_stack::{Answer, Query, Stack, Token};

use super::{AgentId, Deed, Due, PhoneId, Place, World};
use crate::agents::{Agent, AgentAct, judge_media};
use crate::check::{Invariant, Verdict, violated};
use crate::net::{Fate, Packet};
use crate::phone::Phone;
use crate::streams::Pulse;
use crate::surroundings::Reaction;
use crate::trace::Sent;

impl World {
    pub(super) fn happens(&mut self, due: Due) -> Verdict {
        match due {
            Due::Deed(deed) => self.done(deed),
            Due::Arrival(packet) => self.arrives(&packet),
            Due::Stream(pulse) => self.beats(pulse),
            Due::Unreachable(hop) => self.is_told_unreachable(&hop),
            Due::WakeServer => {
                self.server.wake = None;
                self.server_timers()
            }
            Due::WakePhone(id) => {
                let now = self.now;
                if let Some((_, wake)) = self.phones.get_mut(id.0) {
                    *wake = None;
                }
                self.with_phone(id, |phone| phone.handle_timeout(now));
                Ok(())
            }
            Due::WakeAgent(id) => {
                let now = self.now;
                if let Some((_, wake)) = self.agents.get_mut(id.0) {
                    *wake = None;
                }
                self.with_agent(id, |agent| {
                    agent.handle_timeout(now);
                    Ok(())
                })
            }
            Due::Start => self.server_starts(),
            Due::Sync { incarnation, write, token, answer, answer_after } if incarnation == self.server.incarnation => {
                let synced = self.server.around.locations.sync(write);
                self.checker.durable(&synced);
                let at = self.now.mono.plus(answer_after);
                self.queue.set(at, Due::Answer { incarnation, token, answer });
                Ok(())
            }
            Due::Answer { incarnation, token, answer } if incarnation == self.server.incarnation => {
                self.checker.begin(self.now);
                self.give_answer(token, answer);
                self.settle()
            }
            Due::Sync { .. } | Due::Answer { .. } => Ok(()),
        }
    }

    fn done(&mut self, deed: Deed) -> Verdict {
        match deed {
            Deed::Phone(id, act) => {
                let now = self.now;
                self.with_phone(id, |phone| phone.handle_act(&act, now));
            }
            Deed::Agent(id, act) => {
                let now = self.now;
                if matches!(act, AgentAct::Restart) {
                    self.is_faithful = false;
                    self.trace.note("an agent restarts".to_owned(), now.mono);
                    let address = self.agents.get(id.0).map(|(agent, _)| agent.line().address);
                    address.into_iter().for_each(|address| self.connections_die(address));
                }
                self.with_agent(id, |agent| {
                    agent.handle_act(&act, now);
                    Ok(())
                })?;
            }
            Deed::Compare => {
                let compared = judge_media(self.agents.iter().map(|(agent, _)| agent))?;
                *self.compared.entry(Invariant::MediaAgrees).or_default() += compared;
            }
            Deed::Crash { down_for } => {
                self.is_faithful = false;
                if self.server.stack.take().is_some() {
                    self.trace.note("the server dies".to_owned(), self.now.mono);
                    self.server.incarnation = self.server.incarnation.wrapping_add(1);
                    self.server.questions.clear();
                    self.server.around.locations.crash();
                    self.checker.crashed(&self.server.around.locations, self.now)?;
                    self.queue.set(self.now.mono.plus(down_for), Due::Start);
                    let listeners: Vec<_> =
                        self.server.config.listeners.iter().map(|listener| listener.address).collect();
                    listeners.into_iter().for_each(|address| self.connections_die(address));
                }
            }
            Deed::Drain => {
                if let Some(stack) = &mut self.server.stack {
                    stack.drain();
                }
            }
            Deed::Cut(one, other) => {
                self.is_faithful = false;
                self.network.cut(one, other);
            }
            Deed::Heal(one, other) => self.network.heal(one, other),
            Deed::SetQuality(of, quality) => self.network.set_quality(of, quality),
            Deed::Inject { from, to, bytes } => _ = self.route(Packet::udp(from, to, bytes)),
        }
        Ok(())
    }

    fn server_starts(&mut self) -> Verdict {
        self.trace.note("the server starts".to_owned(), self.now.mono);
        let random = Random::from_seed(self.server.random.seed());
        match Stack::new(self.server.config.clone(), random) {
            Ok(stack) => {
                self.server.stack = Some(stack);
                Ok(())
            }
            Err(error) => violated(Invariant::NoPanic, None, format!("it started before, and now {error}")),
        }
    }

    fn arrives(&mut self, packet: &Packet) -> Verdict {
        let place = self.places.get(&packet.to).copied();
        self.trace.arrived(packet, self.now.mono);
        match place {
            Some(Place::Server) => self.reaches_server(packet),
            Some(Place::Phone(id)) => {
                let now = self.now;
                self.with_phone(id, |phone| phone.handle_packet(packet, now));
                Ok(())
            }
            Some(Place::Agent(id)) => {
                let now = self.now;
                self.current = ringback_transport::peek_call_id(&packet.bytes).map(<[u8]>::to_vec);
                self.with_agent(id, |agent| agent.handle_packet(packet, now))
            }
            Some(Place::Stranger) => Ok(()),
            None => {
                if self.unreachable_is_told && self.places.contains_key(&packet.from) {
                    self.queue.set(self.now.mono.plus(Micros(500)), Due::Unreachable(packet.hop_out()));
                }
                Ok(())
            }
        }
    }

    fn reaches_server(&mut self, packet: &Packet) -> Verdict {
        // As a shard does: what is due comes before what is new.
        let overdue =
            self.server.stack.as_ref().and_then(Stack::poll_timeout).is_some_and(|(at, _)| at <= self.now.mono);
        if overdue {
            self.server_timers()?;
        }
        let Some(stack) = &mut self.server.stack else { return Ok(()) };
        self.current = ringback_transport::peek_call_id(&packet.bytes).map(<[u8]>::to_vec);
        self.checker.received(packet, self.now)?;
        let hop = packet.hop_in();
        if hop.transport.is_reliable() {
            stack.handle_message(packet.bytes.clone(), hop, self.now);
        } else {
            stack.handle_datagram(packet.bytes.clone(), hop, self.now);
        }
        self.settle()
    }

    fn server_timers(&mut self) -> Verdict {
        let Some(stack) = &mut self.server.stack else { return Ok(()) };
        self.checker.begin(self.now);
        stack.handle_timeout(self.now);
        self.settle()
    }

    /// Bytes come out of a connection, or it has ended.
    fn beats(&mut self, pulse: Pulse) -> Verdict {
        match pulse {
            Pulse::Bytes { connection, side, count } => {
                let Some((hop, heard)) = self.streams.arrive(connection, side, count, self.now) else { return Ok(()) };
                for message in heard {
                    *self.compared.entry(Invariant::StreamsFramed).or_default() += 1;
                    match message {
                        Ok(bytes) => self.arrives(&Packet::arriving(&hop, bytes))?,
                        Err(what) => return violated(Invariant::StreamsFramed, None, format!("{hop}: {what}")),
                    }
                }
                Ok(())
            }
            Pulse::End { connection, side } => match self.streams.end(connection, side) {
                Some(hop) => self.is_told_unreachable(&hop),
                None => Ok(()),
            },
        }
    }

    fn connections_die(&mut self, of: SocketAddr) {
        for (at, pulse) in self.streams.place_dies(of, self.now.mono) {
            self.queue.set(at, Due::Stream(pulse));
        }
    }

    fn is_told_unreachable(&mut self, hop: &Hop) -> Verdict {
        let now = self.now;
        match self.places.get(&hop.local).copied() {
            Some(Place::Server) => {
                let Some(stack) = &mut self.server.stack else { return Ok(()) };
                self.checker.unreachable(hop.remote, now);
                stack.handle_send_failed(hop, now);
                self.settle()
            }
            Some(Place::Phone(id)) => {
                self.with_phone(id, |phone| phone.handle_send_failed(hop.remote, now));
                Ok(())
            }
            Some(Place::Agent(id)) => self.with_agent(id, |agent| {
                agent.handle_send_failed(hop, now);
                Ok(())
            }),
            Some(Place::Stranger) | None => Ok(()),
        }
    }

    /// Fetches all that the server wants to do, and lets the model judge it.
    fn settle(&mut self) -> Verdict {
        loop {
            while let Some(transmit) = self.server.stack.as_mut().and_then(Stack::poll_transmit) {
                let packet = Packet::leaving(&transmit.hop, transmit.bytes);
                self.checker.sent(&packet, self.now)?;
                if self.route(packet.clone()) {
                    self.checker.arrives_damaged(&packet);
                }
            }
            while self.server.stack.as_mut().and_then(Stack::poll_event).is_some() {}
            let Some(lookup) = self.server.stack.as_mut().and_then(Stack::poll_lookup) else { break };
            self.asked(lookup.token, lookup.query, lookup.deadline)?;
        }
        let present = self.now.mono;
        self.server.questions.retain(|_, (_, deadline)| *deadline > present);
        if let Some(stack) = &self.server.stack {
            self.checker.step_ends(stack, self.server.questions.len(), self.now)?;
        }
        let wanted = self.server.stack.as_ref().and_then(Stack::poll_timeout).map(|(at, _)| at);
        rearm(&mut self.queue, &mut self.server.wake, wanted, Due::WakeServer);
        Ok(())
    }

    fn asked(&mut self, token: Token, query: Query, deadline: Micros) -> Verdict {
        self.trace.note(format!("asked {query:?}"), self.now.mono);
        let stores = match &query {
            Query::StoreBindings { aor, .. } => Some(aor.clone()),
            _ => None,
        };
        self.server.questions.insert(token, (query.clone(), deadline));
        let incarnation = self.server.incarnation;
        let reaction = self.server.around.ask(query);
        if let (Some(aor), Reaction::Store { .. }) = (stores, &reaction) {
            self.checker.stored(&aor, &self.server.around.locations, self.now)?;
        }
        match reaction {
            Reaction::Answer { after: Micros(0), answer } => self.give_answer(token, answer),
            Reaction::Answer { after, answer } => {
                self.queue.set(self.now.mono.plus(after), Due::Answer { incarnation, token, answer });
            }
            Reaction::Store { write, durable_after: Micros(0), answer_after: Micros(0), answer } => {
                let synced = self.server.around.locations.sync(write);
                self.checker.durable(&synced);
                self.give_answer(token, answer);
            }
            Reaction::Store { write, durable_after, answer_after, answer } => {
                let due = Due::Sync { incarnation, write, token, answer, answer_after };
                self.queue.set(self.now.mono.plus(durable_after), due);
            }
            Reaction::Silence => {}
        }
        Ok(())
    }

    fn give_answer(&mut self, token: Token, answer: Answer) {
        let Some(stack) = &mut self.server.stack else { return };
        if let Some((query, _)) = self.server.questions.remove(&token) {
            self.checker.answered(&query, &answer, self.now);
        }
        self.trace.note(format!("answered {answer:?}"), self.now.mono);
        stack.handle_answer(token, answer, self.now);
    }

    fn with_phone(&mut self, id: PhoneId, act: impl FnOnce(&mut Phone)) {
        let Some((phone, _)) = self.phones.get_mut(id.0) else { return };
        act(phone);
        let packets: Vec<Packet> = std::iter::from_fn(|| phone.poll_packet()).collect();
        packets.into_iter().for_each(|packet| _ = self.route(packet));
        if let Some((phone, wake)) = self.phones.get_mut(id.0) {
            rearm(&mut self.queue, wake, phone.poll_timeout(), Due::WakePhone(id));
        }
    }

    fn with_agent(&mut self, id: AgentId, act: impl FnOnce(&mut Agent) -> Verdict) -> Verdict {
        let now = self.now;
        let Some((agent, _)) = self.agents.get_mut(id.0) else { return Ok(()) };
        act(agent)?;
        let packets = agent.poll(now)?;
        packets.into_iter().for_each(|packet| _ = self.route(packet));
        if let Some((agent, wake)) = self.agents.get_mut(id.0) {
            rearm(&mut self.queue, wake, agent.poll_timeout(), Due::WakeAgent(id));
        }
        Ok(())
    }

    /// Hands a packet to the network; true where it does not arrive as it is.
    fn route(&mut self, packet: Packet) -> bool {
        if packet.transport.is_reliable() {
            self.writes(&packet);
            return false;
        }
        let fates = self.network.send(packet.clone(), self.now.mono);
        self.trace.sent(&packet, &fates, self.now.mono);
        let damaged = Sent::of(&fates).damaged;
        for fate in fates {
            match fate {
                Fate::Arrives { at, packet } => _ = self.queue.set(at, Due::Arrival(packet)),
                Fate::TooLarge => _ = self.queue.set(self.now.mono, Due::Unreachable(packet.hop_out())),
                Fate::Lost | Fate::CutOff => {}
            }
        }
        damaged
    }

    /// Writes a packet into the connection that it belongs to.
    fn writes(&mut self, packet: &Packet) {
        let listens = match self.places.get(&packet.to) {
            Some(Place::Server) => self.server.stack.is_some(),
            Some(Place::Agent(_)) => true,
            _ => false,
        };
        let written = self.streams.write(packet, listens, &mut self.network, self.now);
        if let (Some(address), Some(name)) = (written.opened, self.names.get(&packet.from).cloned()) {
            self.names.insert(address, name);
        }
        let arrives = written.arrives.map(|at| Fate::Arrives { at, packet: packet.clone() });
        self.trace.sent(packet, &[arrives.unwrap_or(Fate::Lost)], self.now.mono);
        for (at, pulse) in written.pulses {
            self.queue.set(at, Due::Stream(pulse));
        }
        if let Some(at) = written.fails {
            self.queue.set(at, Due::Unreachable(packet.hop_out()));
        }
    }
}

fn rearm(queue: &mut TimerQueue<Due>, wake: &mut Option<TimerId>, wanted: Option<Micros>, due: Due) {
    if wake.map(TimerId::at) == wanted {
        return;
    }
    wake.take().and_then(|timer| queue.stop(timer));
    *wake = wanted.map(|at| queue.set(at, due));
}
