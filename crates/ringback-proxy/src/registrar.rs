//! The registrar element: one REGISTER from its arrival to its answer. `[RFC 3261, Section 10.3]`

use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use ringback_auth::{Authenticator, Claim, DigestVerified};
use ringback_base::{Hop, Now};
use ringback_location::{Aor, Binding, Policy, Refusal, Registration, Update, contact_values};
use ringback_message::{Date, HeaderId, Host, Request, StatusCode, status_for};

use crate::authenticate::{self, First, Role, Second};
use crate::limit::Limit;
use crate::lookup::{Answer, Query};
use crate::names::Names;
use crate::reply::Reply;
use crate::validate::require;

/// Option tags that this registrar acts on when Require names them. `[RFC 3327, Section 5.3]` `[RFC 5626, Section 6]`
pub const REGISTRAR_OPTION_TAGS: &[&str] = &["path", "outbound"];

/// How often a REGISTER is applied anew because another one came between: then it is answered with 500.
pub const CONFLICTS_MAX: u8 = 8;

/// After how long whoever found the location table full may try again: by then bindings have run out, if any do.
const FULL_RETRY_AFTER_SECS: u32 = 300;

/// What the registrar is told besides the request.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// Checks credentials.
    pub auth: &'a mut Authenticator,
    /// Knows our domain.
    pub names: &'a Names,
    /// The limits of bindings.
    pub policy: &'a Policy,
    /// Nobody is asked for credentials, and every user exists: for closed test networks.
    pub open: bool,
    /// Whoever has an account may register every address of record: for closed networks.
    pub any_aor: bool,
    /// The present.
    pub now: Now,
}

/// One REGISTER that waits for an answer.
#[derive(Debug)]
pub struct Registering {
    aor: Aor,
    /// Where the request came from, if not from where its Via says: behind a NAT.
    received: Option<Hop>,
    any_aor: bool,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Credentials(Claim),
    /// The sender is known, but not as the user in To: is that anybody at all?
    Stranger,
    Load {
        registration: Box<Registration>,
        conflicts: u8,
    },
    Confirm {
        registration: Box<Registration>,
        rows: Vec<Binding>,
    },
    Store {
        registration: Box<Registration>,
        conflicts: u8,
        rows: Vec<Binding>,
    },
}

/// What comes next.
#[derive(Debug)]
pub enum Step {
    /// Ask this, and give the answer to [`Registering::answer`].
    Ask(Box<Registering>, Query),
    /// Answer the request.
    Done {
        /// With this.
        reply: Reply,
        /// The user whose credentials were wrong.
        wrong_user: Option<Box<str>>,
        /// Bindings changed: whose, and how many there are now.
        changed: Option<(Aor, usize)>,
    },
}

impl Right {
    fn covers(&self, aor: &Aor) -> bool {
        match self {
            Right::Owner(proof) => proof.user() == aor.user(),
            Right::Open => true,
        }
    }
}

impl Step {
    fn reply(reply: Reply) -> Step {
        Step::Done { reply, wrong_user: None, changed: None }
    }
}

/// Takes up a REGISTER for our domain.
pub fn begin(request: &Request, from: Hop, around: &mut Surroundings<'_>) -> Step {
    if let Err(reply) = require(request, HeaderId::Require, REGISTRAR_OPTION_TAGS) {
        return Step::reply(reply);
    }
    let aor = match address_of_record(request, around.names) {
        Ok(aor) => aor,
        Err(reply) => return Step::reply(reply),
    };
    let received = known_hop(request, from);
    if around.open {
        return Registering { aor, received, any_aor: true, stage: Stage::Stranger }.read(request, &Right::Open);
    }
    match authenticate::first(around.auth, Role::Uas, request, around.now) {
        First::Refuse(reply) => Step::reply(reply),
        First::Ask(claim, query) => Step::Ask(
            Box::new(Registering { aor, received, any_aor: around.any_aor, stage: Stage::Credentials(claim) }),
            query,
        ),
    }
}

/// The hop to keep with the bindings, where the Contact does not lead there: a connection of the phone's own, or the source of a
/// datagram that is not what its Via says, because a NAT lies between. Of a flow it is kept always. `[RFC 5626, Section 6]`
fn known_hop(request: &Request, from: Hop) -> Option<Hop> {
    let via = request.top_via();
    let behind_nat = via.received().is_some_and(|ip| via.sent_by_host() != Host::Address(ip));
    let is_flow = || request.addresses(HeaderId::Contact).flatten().any(|contact| contact.params.has(b"reg-id"));
    (from.transport.is_reliable() || behind_nat || is_flow()).then_some(from)
}

/// Why bindings may be changed.
#[derive(Debug)]
enum Right {
    /// Their owner asks.
    Owner(DigestVerified),
    /// The domain is open to all.
    Open,
}

fn address_of_record(request: &Request, names: &Names) -> Result<Aor, Reply> {
    let to = request.to_header().map_err(|error| Reply::malformed(&error))?;
    let Some(uri) = to.uri.as_sip() else {
        return Err(Reply::because(StatusCode::BadRequest, "To: expected a SIP URI [RFC 3261, Section 10.3]"));
    };
    if !names.is_domain(uri) {
        return Err(Reply::because(StatusCode::NotFound, "To names a domain that is not served here"));
    }
    names.aor(uri).map_err(|error| match Refusal::from(error) {
        refusal @ Refusal::AorTooLong => refused(&refusal),
        _ => Reply::because(StatusCode::NotFound, "To names no user"),
    })
}

impl Registering {
    /// Goes on with the answer to what was asked last.
    #[must_use]
    pub fn answer(mut self, request: &Request, answer: Answer, around: &mut Surroundings<'_>) -> Step {
        let stage = core::mem::replace(&mut self.stage, Stage::Stranger);
        match (stage, answer) {
            (Stage::Credentials(claim), Answer::Account(account)) => {
                let user: Box<str> = claim.user().into();
                match authenticate::second(around.auth, Role::Uas, claim, account.as_ref(), around.now) {
                    Second::Refuse { reply, wrong } => {
                        Step::Done { reply, wrong_user: wrong.then_some(user), changed: None }
                    }
                    Second::Verified(proof) => self.proven(request, &Right::Owner(proof)),
                }
            }
            (Stage::Stranger, Answer::Account(Some(_))) => {
                Step::reply(Reply::because(StatusCode::Forbidden, "These credentials are not those of the user in To"))
            }
            (Stage::Stranger, Answer::Account(None)) => Step::reply(Reply::new(StatusCode::NotFound)),
            (Stage::Load { registration, conflicts }, Answer::Bindings { rows, version }) => {
                let applied = registration.apply(&rows, around.now, self.received, around.policy);
                match applied {
                    Err(refusal) => Step::reply(refused(&refusal)),
                    // What the 200 lists must not be lost by a crash either.
                    Ok(Update::Unchanged(rows)) => {
                        let query = Query::ConfirmBindings { aor: self.aor.clone(), version };
                        self.stage = Stage::Confirm { registration, rows };
                        Step::Ask(Box::new(self), query)
                    }
                    Ok(Update::Changed(rows)) => {
                        let query = Query::StoreBindings { aor: self.aor.clone(), version, rows: rows.clone() };
                        self.stage = Stage::Store { registration, conflicts, rows };
                        Step::Ask(Box::new(self), query)
                    }
                }
            }
            (Stage::Confirm { registration, rows }, Answer::Stored) => {
                Step::reply(listing(&registration, &rows, around.now))
            }
            (Stage::Store { registration, rows, .. }, Answer::Stored) => {
                let reply = listing(&registration, &rows, around.now);
                Step::Done { reply, wrong_user: None, changed: Some((self.aor, rows.len())) }
            }
            (Stage::Store { registration, conflicts, .. }, Answer::Conflict) if conflicts < CONFLICTS_MAX => {
                let query = Query::LoadBindings { aor: self.aor.clone() };
                self.stage = Stage::Load { registration, conflicts: conflicts.saturating_add(1) };
                Step::Ask(Box::new(self), query)
            }
            (Stage::Store { .. }, Answer::Conflict) => {
                let reply = Reply::because(StatusCode::ServerInternalError, "Too many changes to this user at once");
                Step::reply(reply.beyond(Limit::Conflicts))
            }
            (Stage::Store { .. }, Answer::Full) => Step::reply(full()),
            _ => Step::reply(Reply::because(StatusCode::ServiceUnavailable, "The data base does not answer")),
        }
    }

    /// The sender is known. Where it is not the user in To, whether that is anybody decides between 403 and 404.
    fn proven(self, request: &Request, right: &Right) -> Step {
        if self.any_aor || right.covers(&self.aor) {
            return self.read(request, right);
        }
        let query = Query::Account { user: self.aor.user().into() };
        Step::Ask(Box::new(self), query)
    }

    /// Reads what is to be registered and asks for what is.
    fn read(mut self, request: &Request, _right: &Right) -> Step {
        match Registration::read(request) {
            Err(refusal) => Step::reply(refused(&refusal)),
            Ok(registration) => {
                let query = Query::LoadBindings { aor: self.aor.clone() };
                self.stage = Stage::Load { registration: Box::new(registration), conflicts: 0 };
                Step::Ask(Box::new(self), query)
            }
        }
    }
}

fn refused(refusal: &Refusal) -> Reply {
    if let Refusal::Malformed(error) = refusal {
        return Reply::malformed(error);
    }
    let reply = Reply::because(status_for(refusal), refusal.reason());
    let reply = match refusal.header() {
        Some((id, value)) => reply.with(id, value),
        None => reply,
    };
    match refusal.limit() {
        Some(limit) => reply.beyond(limit),
        None => reply,
    }
}

/// There is no room for one more address of record.
///
/// Not 503: whoever gets that is to leave the whole server alone, and a proxy would, with the requests of all those who have their
/// place. `[RFC 3261, Section 21.5.4]` A 500 is about this request alone, and may say when to try again. `[RFC 3261, Section 21.5.1]`
fn full() -> Reply {
    Reply::because(StatusCode::ServerInternalError, "No Room For Another User")
        .with(HeaderId::RetryAfter, FULL_RETRY_AFTER_SECS.to_string())
}

/// The 200: every binding that there is now. `[RFC 3261, Section 10.3]`
///
/// Of a flow it says that outbound was done `[RFC 5626, Section 6]`, and which proxies lead there. `[RFC 3327, Section 5.3]`
fn listing(registration: &Registration, rows: &[Binding], now: Now) -> Reply {
    let date = Date { unix_secs: now.unix.as_secs() };
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let ok = Reply::new(StatusCode::Ok).with(HeaderId::Date, date.to_string());
    let ok = if registration.is_outbound() { ok.with(HeaderId::Require, "outbound") } else { ok };
    let ok = registration.path().fold(ok, |reply, value| reply.with(HeaderId::Path, text(value)));
    contact_values(rows, now).fold(ok, |reply, value| reply.with(HeaderId::Contact, text(&value)))
}
