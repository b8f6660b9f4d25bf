//! The client of a registrar. `[RFC 3261, Section 10.2]`

mod binding;
mod config;
mod event;
mod outcome;
mod request;
mod texts;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use ringback_base::{Micros, Now, Random};
use ringback_message::{Response, StatusCode};

use binding::Binding;
pub use binding::Gruu;
pub use config::{CONTACTS_MAX, RegistrationConfig, RegistrationContact, RegistrationError, RegistrationPolicy};
pub use event::{RegistrationEvent, RegistrationState, RegistrationStep};
use outcome::Outcome;
use texts::{Bindings, Further, Texts};

/// How many Contacts of a 200 are looked at for our own.
pub const BINDINGS_READ_MAX: usize = 256;

/// How often in a row a 423 is answered at once.
pub const TOO_BRIEF_MAX: u8 = 3;

/// The most bytes of Service-Route, Path and GRUUs that are kept, each.
pub const LEARNT_BYTES_MAX: usize = 2_048;

/// The registration of an address of record: it is kept alive until it is taken back or refused.
///
/// ```text
///            register()                     200 with our Contact
///   Idle ───────────────▶ Registering ─────────────────────────────▶ Registered ◀──┐
///    ▲                      │      ▲                                   │   │       │ 200
///    │                      │      │ its time                          │   └───────┤
///    │   408, 5xx, timeout, │      │ has come              time to     │ refresh:  │
///    │   200 without ours   ▼      │                       refresh     ▼           │
///    │                    Waiting ─┘◀── expired ───────────────── Registering ─────┘
///    │                      │                                          │
///    │ 200, or no answer    │ unregister()                             │ 3xx, 401, 403, 404 …
///   Removing ◀──────────────┴───── (from Registered, too)              ▼
///                                                                   Refused ──register()──▶ Registering
/// ```
///
/// A 423 and a 439 are answered at once, within Registering. A failure of a refresh leaves the state Registered, and is followed by
/// another try, until the time that was granted is over.
///
/// It is fed with what comes of its REGISTERs and with time. Each call returns what is to be sent and told; there is no queue. One
/// REGISTER is out at a time: "UAs MUST NOT send a new registration … until they have received a final response".
///
/// ```
/// use ringback_base::Random;
/// use ringback_ua::{Registration, RegistrationConfig, RegistrationState};
///
/// let mut random = Random::from_seed([1; 32]);
/// let config = RegistrationConfig::new("sip:alice@b.example", "sip:alice@192.0.2.1");
/// let mut registration = Registration::new(&config, &mut random)?;
/// let step = registration.register();
/// let register = step.send.expect("a REGISTER without Via").via("192.0.2.1", "UDP", Some("z9hG4bK1")).build()?;
/// assert_eq!(register.request_uri_text(), b"sip:b.example");
/// assert_eq!(registration.state(), RegistrationState::Registering);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Registration {
    policy: Arc<RegistrationPolicy>,
    texts: Texts,
    further: Option<Box<Further>>,
    bindings: Bindings,
    /// When to refresh, or to try again.
    due: Option<Micros>,
    cseq: u32,
    expires_secs: Option<u32>,
    /// What a 423 asked for.
    expires_min_secs: u32,
    /// 0 for none, and after a 439.
    reg_id: u32,
    phase: Phase,
    out: Option<Purpose>,
    /// What was asked for while another REGISTER was out.
    next: Option<Purpose>,
    /// How many tries failed, one after another.
    failures: u8,
    /// How many 423 came, one after another.
    too_brief: u8,
    other_flow_works: bool,
    is_outbound: bool,
    /// The next hop has said that it answers keep-alives.
    next_hop_keeps_alive: bool,
    /// The flow has worked, as far as can be told.
    is_proven: bool,
}

/// What a REGISTER is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// Adds and refreshes our contacts.
    Bind,
    /// Removes our contacts.
    Remove,
    /// Removes all, whoever has made them.
    RemoveAll,
    /// Asks for the list.
    Fetch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    /// To be bound, and not yet, or no longer.
    Wanted,
    Bound,
    Refused,
}

impl Registration {
    /// A registration that does nothing yet. The Call-ID and the tag come from the random source.
    ///
    /// # Errors
    /// Where the configuration makes no sense.
    pub fn new(config: &RegistrationConfig, random: &mut Random) -> Result<Registration, RegistrationError> {
        let registrar = config.check()?;
        Ok(Registration {
            policy: Arc::clone(&config.policy),
            texts: Texts::new(&config.aor, &random.token(), &random.token(), &registrar),
            further: Further::of(config),
            bindings: config.contacts.iter().map(Binding::new).collect(),
            due: None,
            cseq: 0,
            expires_secs: config.expires_secs,
            expires_min_secs: 0,
            reg_id: config.reg_id.unwrap_or(0),
            phase: Phase::Idle,
            out: None,
            next: None,
            failures: 0,
            too_brief: 0,
            other_flow_works: false,
            is_outbound: false,
            next_hop_keeps_alive: false,
            is_proven: false,
        })
    }

    /// Registers, or refreshes before its time.
    pub fn register(&mut self) -> RegistrationStep {
        if self.phase != Phase::Bound {
            self.phase = Phase::Wanted;
        }
        self.ask(Purpose::Bind)
    }

    /// Takes our contacts back. `[RFC 3261, Section 10.2.2]`
    pub fn unregister(&mut self) -> RegistrationStep {
        match self.phase {
            Phase::Idle | Phase::Refused if self.out.is_none() => RegistrationStep::default(),
            _ => self.ask(Purpose::Remove),
        }
    }

    /// Removes every binding of the address of record, whoever has made it. `[RFC 3261, Section 10.2.2]`
    pub fn unregister_all(&mut self) -> RegistrationStep {
        self.ask(Purpose::RemoveAll)
    }

    /// Asks which bindings there are. `[RFC 3261, Section 10.2.3]`
    pub fn fetch(&mut self) -> RegistrationStep {
        self.ask(Purpose::Fetch)
    }

    /// Other contacts: those that are new are added, those that are no more are removed, all by one REGISTER.
    ///
    /// # Errors
    /// Where one is no URI, there are too many, or there is a reg-id and not one. Nothing has changed then.
    pub fn set_contacts(&mut self, contacts: &[RegistrationContact]) -> Result<RegistrationStep, RegistrationError> {
        config::check_contacts(self.aor(), contacts)?;
        if self.reg_id != 0 && contacts.len() != 1 {
            return Err(RegistrationError::RegId);
        }
        let mut fresh: Vec<Binding> = contacts.iter().map(Binding::new).collect();
        for mut binding in self.bindings.take() {
            let has_room = fresh.len() < CONTACTS_MAX.saturating_mul(2);
            match fresh.iter_mut().find(|fresh| fresh.is_same(&binding)) {
                Some(fresh) => fresh.inherit(binding),
                None if binding.is_bound() && has_room => {
                    binding.is_going = true;
                    fresh.push(binding);
                }
                None => {}
            }
        }
        self.bindings = fresh.into_iter().collect();
        Ok(match self.phase {
            Phase::Wanted | Phase::Bound => self.ask(Purpose::Bind),
            Phase::Idle | Phase::Refused => RegistrationStep::default(),
        })
    }

    /// Another registrar, as a redirection names it; [`Registration::register`] goes there. `[RFC 3261, Section 10.2.6]`
    ///
    /// # Errors
    /// Where it is no SIP URI, or names a user.
    pub fn set_registrar(&mut self, registrar: &str) -> Result<(), RegistrationError> {
        self.texts.set_registrar(&config::checked_registrar(registrar)?);
        Ok(())
    }

    /// Whether another registration is another flow of the same device. `[RFC 5626, Section 4.2.1]`
    #[must_use]
    pub fn is_sibling(&self, other: &Registration) -> bool {
        self.reg_id != 0
            && other.reg_id != 0
            && self.reg_id != other.reg_id
            && (self.instance(), self.aor()) == (other.instance(), other.aor())
    }

    /// Whether another flow of this device works: failures are then waited out longer. `[RFC 5626, Section 4.5]`
    pub fn set_other_flow_works(&mut self, works: bool) {
        self.other_flow_works = works;
    }

    /// The REGISTER that is out was sent again, with other credentials, and took this CSeq.
    pub fn sent(&mut self, cseq: u32) {
        self.cseq = self.cseq.max(cseq);
    }

    /// The final response to the REGISTER that is out, after its challenges were answered and its hops tried.
    pub fn handle_response(&mut self, response: &Response, now: Now, random: &mut Random) -> RegistrationStep {
        self.sent(response.cseq());
        let Some(purpose) = self.out.take() else { return RegistrationStep::default() };
        let step = match Outcome::of(response) {
            Outcome::Success => self.succeeded(purpose, response, now, random),
            Outcome::TooBrief(min) => self.too_brief(purpose, min, now, random),
            Outcome::NoOutbound => self.no_outbound(purpose),
            Outcome::Redirection(status) if purpose == Purpose::Bind => {
                self.refuse(RegistrationEvent::Redirected { status })
            }
            Outcome::Redirection(status) | Outcome::Refusal(status) => self.refused(purpose, status),
            Outcome::Later(status, after) => self.failed(purpose, status, after, now, random),
        };
        self.then_next(step)
    }

    /// The REGISTER that is out was not answered (408), or could not be sent (503). `[RFC 3261, Section 8.1.3.1]`
    pub fn handle_failure(&mut self, status: StatusCode, now: Now, random: &mut Random) -> RegistrationStep {
        let Some(purpose) = self.out.take() else { return RegistrationStep::default() };
        let step = self.failed(purpose, status, None, now, random);
        self.then_next(step)
    }

    /// The flow to the registrar is gone: its bindings are to be made anew over another. At once, if it had worked before.
    /// `[RFC 5626, Section 4.5]`
    pub fn flow_failed(&mut self, now: Now, random: &mut Random) -> RegistrationStep {
        if self.out.is_some() || self.phase != Phase::Bound {
            return RegistrationStep::default();
        }
        if self.is_proven {
            self.is_proven = false;
            return self.ask(Purpose::Bind);
        }
        self.failed(Purpose::Bind, StatusCode::ServiceUnavailable, None, now, random)
    }

    /// A keep-alive was answered: the flow works. `[RFC 5626, Section 4.5]`
    pub fn keep_alive_answered(&mut self) {
        if self.phase == Phase::Bound {
            self.is_proven = true;
            self.failures = 0;
        }
    }

    /// When [`Registration::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        let due = self.due.filter(|_| self.out.is_none());
        due.into_iter().chain(self.expires_at()).min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Now) -> RegistrationStep {
        let mut step = RegistrationStep::default();
        if self.expires_at().is_some_and(|at| at <= now.mono) {
            self.bindings.iter_mut().for_each(|binding| binding.expire(now.mono));
            if self.phase == Phase::Bound && self.expires_at().is_none() {
                self.phase = Phase::Wanted;
                self.forget_learnt();
                step.event = Some(RegistrationEvent::Expired);
            }
        }
        if self.out.is_none() && self.due.is_some_and(|due| due <= now.mono) {
            step.send = self.ask(Purpose::Bind).send;
        }
        step
    }

    /// How far it has come.
    #[must_use]
    pub fn state(&self) -> RegistrationState {
        match (self.out, self.phase) {
            (Some(Purpose::Bind), _) => RegistrationState::Registering,
            (Some(Purpose::Remove | Purpose::RemoveAll), _) => RegistrationState::Removing,
            (_, Phase::Idle) => RegistrationState::Idle,
            (_, Phase::Wanted) => RegistrationState::Waiting,
            (_, Phase::Bound) => RegistrationState::Registered,
            (_, Phase::Refused) => RegistrationState::Refused,
        }
    }

    /// True while the registrar has contacts of ours, also while they are being refreshed.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.phase == Phase::Bound
    }

    /// True while a REGISTER is out.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        self.out.is_some()
    }

    /// The address of record.
    #[must_use]
    pub fn aor(&self) -> &str {
        self.texts.aor()
    }

    /// The Call-ID of all its REGISTERs.
    #[must_use]
    pub fn call_id(&self) -> &str {
        self.texts.call_id()
    }

    /// The URI that says where a REGISTER is sent: that of the first route, or the registrar's.
    #[must_use]
    pub fn next_uri(&self) -> &str {
        self.routes().first().map_or(self.texts.registrar(), |route| route)
    }

    /// The Routes that requests of this address of record are to carry, in this order, as they came. `[RFC 3608, Section 6.1]`
    #[must_use]
    pub fn service_route(&self) -> &[Box<[u8]>] {
        self.further.as_deref().map_or(&[], |further| &further.service_route)
    }

    /// The proxies that a request to us comes through, as the registrar knows them. `[RFC 3327, Section 5.1]`
    #[must_use]
    pub fn path(&self) -> &[Box<[u8]>] {
        self.further.as_deref().map_or(&[], |further| &further.path)
    }

    /// The URIs that lead to this device from anywhere, of the contact at this place. `[RFC 5627, Section 4.2]`
    #[must_use]
    pub fn gruu(&self, contact: usize) -> Option<&Gruu> {
        self.bindings.get(contact).and_then(Binding::gruu)
    }

    /// The public GRUU of the first contact that has one. `[RFC 5627, Section 4.2]`
    #[must_use]
    pub fn public_gruu(&self) -> Option<&str> {
        self.bindings.iter().find_map(|binding| binding.gruu()?.public.as_deref())
    }

    /// True while its flow is to be kept alive: it is bound, and that is wanted. `[RFC 5626, Section 4.4]`
    #[must_use]
    pub fn keeps_alive(&self) -> bool {
        self.policy.keeps_alive && self.phase == Phase::Bound
    }

    /// True where its flow is to be kept alive while it is bound.
    #[must_use]
    pub fn wants_keep_alives(&self) -> bool {
        self.policy.keeps_alive
    }

    /// True where the last 200 says that the next hop answers keep-alives, also those by STUN: because it does outbound
    /// `[RFC 5626, Section 8]`, or gives `keep` a value. `[RFC 6223, Section 4.3]`
    #[must_use]
    pub fn next_hop_keeps_alive(&self) -> bool {
        self.next_hop_keeps_alive
    }

    /// How long the edge waits for a keep-alive, in seconds. `[RFC 5626, Section 4.4]`
    #[must_use]
    pub fn flow_timer_secs(&self) -> Option<u32> {
        self.further.as_deref()?.flow_timer_secs
    }

    /// How many bytes it keeps beside itself.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let further = self.further.as_deref().map_or(0, Further::heap_bytes);
        self.texts.heap_bytes().saturating_add(further).saturating_add(self.bindings.heap_bytes())
    }

    fn routes(&self) -> &[Box<str>] {
        self.further.as_deref().map_or(&[], |further| &further.routes)
    }

    fn instance(&self) -> Option<&str> {
        self.further.as_deref()?.instance.as_deref()
    }

    /// Who registers, where it is somebody else.
    fn from(&self) -> Option<&str> {
        self.further.as_deref()?.from.as_deref()
    }

    /// Sends it now, or when the REGISTER that is out has its response.
    fn ask(&mut self, purpose: Purpose) -> RegistrationStep {
        if self.out.is_some() {
            self.next = Some(purpose);
            return RegistrationStep::default();
        }
        if purpose != Purpose::Fetch {
            self.due = None;
        }
        self.out = Some(purpose);
        RegistrationStep { send: Some(self.build(purpose)), event: None }
    }

    /// What was asked for meanwhile follows, unless the REGISTER itself is sent again.
    fn then_next(&mut self, mut step: RegistrationStep) -> RegistrationStep {
        if step.send.is_some() {
            return step;
        }
        if let Some(next) = self.next.take() {
            if next == Purpose::Bind && self.phase != Phase::Bound {
                self.phase = Phase::Wanted;
            }
            step.send = self.ask(next).send;
        }
        step
    }

    /// When the last of our contacts is no longer bound.
    fn expires_at(&self) -> Option<Micros> {
        self.bindings.iter().filter(|binding| !binding.is_going).filter_map(|binding| binding.until).max()
    }

    /// "If the re-registration request is refused or if an existing registration expires …, the UA SHOULD discard any stored
    /// service route" `[RFC 3608, Section 6.1]`; a GRUU lasts as long as the registration. `[RFC 5627, Section 4.4]`
    fn forget_learnt(&mut self) {
        self.further = self.further.take().and_then(|further| further.without_learnt());
        self.is_outbound = false;
        self.next_hop_keeps_alive = false;
        self.is_proven = false;
        self.bindings.iter_mut().for_each(Binding::forget);
    }
}
