//! Registrations: what their machine wants sent, and what comes of it. `[RFC 3261, Section 10.2]`

use alloc::boxed::Box;
use alloc::string::String;

use ringback_auth::{Account, DigestClient};
use ringback_base::{Hop, Now, TimerId, Transport};
use ringback_message::{HeaderId, Method, NameAddr, Response};

use super::flows::Flow;
use super::sending::Purpose;
use super::{Outbound, UserAgent};
use crate::event::{CommandError, Event, Failure, RegistrationId};
use crate::registration::{Registration, RegistrationConfig, RegistrationContact, RegistrationStep};

/// A registration, and what it has to do with the rest.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) registration: Registration,
    /// Where its user is another than that of the user agent.
    pub(crate) digest: Option<Box<DigestClient>>,
    timer: Option<TimerId>,
    /// The connection that the last REGISTER took.
    pub(crate) flow: Option<Box<Flow>>,
}

impl UserAgent {
    /// Takes in a registration, which does nothing yet. With an account of its own, its challenges are answered by that alone: several
    /// users may share a realm.
    ///
    /// # Errors
    /// Where it makes no sense, or there are [`Config::registrations_max`](crate::Config::registrations_max).
    pub fn add_registration(
        &mut self,
        config: &RegistrationConfig,
        account: Option<Account>,
    ) -> Result<RegistrationId, CommandError> {
        let registration = Registration::new(config, &mut self.random)?;
        let random = &mut self.random;
        let digest = account.map(|account| {
            let mut digest = DigestClient::new(random);
            digest.add(account);
            Box::new(digest)
        });
        let entry = Entry { registration, digest, timer: None, flow: None };
        let hash = self.random.next_u64();
        self.registrations.insert(hash, |_| entry).map(RegistrationId).ok_or(CommandError::Full)
    }

    /// Forgets a registration, whatever the registrar has of it; [`UserAgent::unregister`] comes before.
    pub fn remove_registration(&mut self, id: RegistrationId) {
        let Some(entry) = self.registrations.remove(id.0) else { return };
        if let Some(timer) = entry.timer {
            self.registration_timers.stop(timer);
        }
        self.flows.forget(id, &entry);
    }

    /// Registers, and refreshes from then on. Where a REGISTER is out, this waits for its end, as all of the following do.
    ///
    /// # Errors
    /// Where there is no such registration.
    pub fn register(&mut self, id: RegistrationId, now: Now) -> Result<(), CommandError> {
        self.ask_registration(id, now, |registration| Ok(registration.register()))
    }

    /// Takes our contacts back.
    ///
    /// # Errors
    /// Where there is no such registration.
    pub fn unregister(&mut self, id: RegistrationId, now: Now) -> Result<(), CommandError> {
        self.ask_registration(id, now, |registration| Ok(registration.unregister()))
    }

    /// Removes every binding of the address of record, whoever has made it.
    ///
    /// # Errors
    /// Where there is no such registration.
    pub fn unregister_all(&mut self, id: RegistrationId, now: Now) -> Result<(), CommandError> {
        self.ask_registration(id, now, |registration| Ok(registration.unregister_all()))
    }

    /// Asks which bindings there are.
    ///
    /// # Errors
    /// Where there is no such registration.
    pub fn fetch_bindings(&mut self, id: RegistrationId, now: Now) -> Result<(), CommandError> {
        self.ask_registration(id, now, |registration| Ok(registration.fetch()))
    }

    /// Binds other contacts, and removes those that are none of them.
    ///
    /// # Errors
    /// Where there is no such registration, or it can't have these.
    pub fn set_registration_contacts(
        &mut self,
        id: RegistrationId,
        contacts: &[RegistrationContact],
        now: Now,
    ) -> Result<(), CommandError> {
        self.ask_registration(id, now, |registration| Ok(registration.set_contacts(contacts)?))
    }

    /// Another registrar, as [`RegistrationEvent::Redirected`](crate::RegistrationEvent::Redirected) names it;
    /// [`UserAgent::register`] goes there.
    ///
    /// # Errors
    /// Where there is no such registration, or it is no URI of a registrar.
    pub fn set_registrar(&mut self, id: RegistrationId, registrar: &str) -> Result<(), CommandError> {
        let entry = self.registrations.get_mut(id.0).ok_or(CommandError::Unknown)?;
        Ok(entry.registration.set_registrar(registrar)?)
    }

    /// The flow of a registration is gone, as keep-alives or the network tell: its bindings are made anew. The loss of a connection that
    /// [`UserAgent::handle_transport_error`] tells of needs no second word. `[RFC 5626, Section 4.5]`
    ///
    /// # Errors
    /// Where there is no such registration.
    pub fn flow_failed(&mut self, id: RegistrationId, now: Now) -> Result<(), CommandError> {
        self.registrations.get(id.0).ok_or(CommandError::Unknown)?;
        self.flow_lost(id, now);
        self.settle(now);
        Ok(())
    }

    /// A keep-alive on the flow of a registration was answered. `[RFC 5626, Section 4.5]`
    ///
    /// # Errors
    /// Where there is no such registration.
    pub fn keep_alive_answered(&mut self, id: RegistrationId) -> Result<(), CommandError> {
        let entry = self.registrations.get_mut(id.0).ok_or(CommandError::Unknown)?;
        entry.registration.keep_alive_answered();
        Ok(())
    }

    /// A registration, to be looked at.
    #[must_use]
    pub fn registration(&self, id: RegistrationId) -> Option<&Registration> {
        self.registrations.get(id.0).map(|entry| &entry.registration)
    }

    /// A request from the address of record of a registration: through its Service-Route, if it has one. `[RFC 3608, Section 6.1]`
    #[must_use]
    pub fn outbound_from(&self, id: RegistrationId, to: &str) -> Option<Outbound> {
        let registration = self.registration(id)?;
        let uri = |value: &[u8]| {
            let address = NameAddr::parse_only(HeaderId::Route, value, 0).ok()?;
            let mut uri = alloc::vec::Vec::new();
            address.uri.write(&mut uri);
            String::from_utf8(uri).ok()
        };
        let routes = registration.service_route().iter().filter_map(|value| uri(value)).collect();
        Some(Outbound { routes, ..Outbound::new(registration.aor(), to) })
    }

    /// The URI that our Contact has on this transport: what is to be registered.
    #[must_use]
    pub fn contact_uri(&self, transport: Transport) -> Option<String> {
        let local = self.config.locals.iter().find(|local| local.transport == transport)?;
        let hop = Hop { transport, local: local.address, remote: local.address, flow: None };
        let contact = self.contact(&hop, false);
        contact.strip_prefix('<').and_then(|uri| uri.strip_suffix('>')).map(String::from)
    }

    /// A registration's REGISTER has its final response.
    pub(crate) fn register_answered(&mut self, id: RegistrationId, response: Response, hop: Option<Hop>, now: Now) {
        self.look_at_siblings(id);
        let Some(entry) = self.registrations.get_mut(id.0) else { return };
        self.flows.took(entry, hop);
        let step = entry.registration.handle_response(&response, now, &mut self.random);
        self.take_step(id, step, Some(response), now);
    }

    /// It has none.
    pub(crate) fn register_failed(&mut self, id: RegistrationId, failure: Failure, now: Now) {
        self.look_at_siblings(id);
        let Some(entry) = self.registrations.get_mut(id.0) else { return };
        let step = entry.registration.handle_failure(failure.status(), now, &mut self.random);
        self.tell_step(id, step, (None, Some(failure)), now);
    }

    /// Registrations whose connection is gone are made anew over another one. `[RFC 5626, Section 4.5]`
    pub(crate) fn hop_failed(&mut self, hop: &Hop, now: Now) {
        if !hop.transport.is_reliable() {
            return;
        }
        let is_it = |known: &Hop| known.transport == hop.transport && known.remote == hop.remote;
        let over_it =
            self.registrations.iter().filter(|(_, entry)| entry.flow.as_deref().is_some_and(|flow| is_it(&flow.hop)));
        let ids: alloc::vec::Vec<_> = over_it.map(|(id, _)| RegistrationId(id)).collect();
        for id in ids {
            self.flow_lost(id, now);
        }
    }

    pub(crate) fn flow_lost(&mut self, id: RegistrationId, now: Now) {
        self.look_at_siblings(id);
        let Some(entry) = self.registrations.get_mut(id.0) else { return };
        self.flows.took(entry, None);
        let step = entry.registration.flow_failed(now, &mut self.random);
        self.take_step(id, step, None, now);
    }

    /// A device that has another flow waits longer for this one. `[RFC 5626, Section 4.5]`
    fn look_at_siblings(&mut self, id: RegistrationId) {
        let Some(own) = self.registration(id) else { return };
        let is_other = |other: &Registration| other.is_bound() && own.is_sibling(other);
        let works = self.registrations.iter().any(|(_, entry)| is_other(&entry.registration));
        if let Some(entry) = self.registrations.get_mut(id.0) {
            entry.registration.set_other_flow_works(works);
        }
    }

    /// Those whose time has come.
    pub(crate) fn registrations_due(&mut self, now: Now) {
        while let Some((_, id)) = self.registration_timers.pop_due(now.mono) {
            let Some(entry) = self.registrations.get_mut(id.0) else { continue };
            entry.timer = None;
            let step = entry.registration.handle_timeout(now);
            self.take_step(id, step, None, now);
        }
    }

    fn ask_registration(
        &mut self,
        id: RegistrationId,
        now: Now,
        ask: impl FnOnce(&mut Registration) -> Result<RegistrationStep, CommandError>,
    ) -> Result<(), CommandError> {
        let entry = self.registrations.get_mut(id.0).ok_or(CommandError::Unknown)?;
        let step = ask(&mut entry.registration)?;
        self.take_step(id, step, None, now);
        self.settle(now);
        Ok(())
    }

    /// Sends and tells what came of a call, and sets the timer anew.
    fn take_step(&mut self, id: RegistrationId, step: RegistrationStep, response: Option<Response>, now: Now) {
        self.tell_step(id, step, (response, None), now);
    }

    fn tell_step(
        &mut self,
        id: RegistrationId,
        step: RegistrationStep,
        (response, failure): (Option<Response>, Option<Failure>),
        now: Now,
    ) {
        if let Some(event) = step.event {
            let (response, failure) = (response.map(Box::new), failure.map(Box::new));
            self.events.push_back(Event::Registration { registration: id, event, response, failure });
        }
        self.set_registration_timer(id);
        if let Some(entry) = self.registrations.get_mut(id.0) {
            self.flows.tend(id, entry, &mut self.random, now);
        }
        let Some(builder) = step.send else { return };
        let Some(entry) = self.registrations.get(id.0) else { return };
        let uri: Box<[u8]> = entry.registration.next_uri().as_bytes().into();
        let builder = self.introduced(builder, &Method::Register);
        self.send(Purpose::Register(id), builder, &uri, now);
    }

    fn set_registration_timer(&mut self, id: RegistrationId) {
        let Some(entry) = self.registrations.get_mut(id.0) else { return };
        let wanted = entry.registration.poll_timeout();
        if entry.timer.map(TimerId::at) == wanted {
            return;
        }
        if let Some(old) = entry.timer.take() {
            self.registration_timers.stop(old);
        }
        entry.timer = wanted.map(|at| self.registration_timers.set(at, id));
    }
}
