//! Who sends a request: challenge, look-up, verdict. `[RFC 3261, Section 22]`

use alloc::string::{String, ToString};

use ringback_auth::{Authenticator, Begin, Claim, DigestVerified, Verdict};
use ringback_base::Now;
use ringback_message::{HeaderId, Request, StatusCode, status_for};

use crate::lookup::{Account, Query};
use crate::reply::Reply;

/// As whom we ask for credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// As the one a request is addressed to: 401, Authorization. `[RFC 3261, Section 22.2]`
    Uas,
    /// As a proxy on its way: 407, Proxy-Authorization. `[RFC 3261, Section 22.3]`
    Proxy,
}

impl Role {
    fn credentials(self) -> HeaderId {
        match self {
            Role::Uas => HeaderId::Authorization,
            Role::Proxy => HeaderId::ProxyAuthorization,
        }
    }

    fn challenge(self) -> (StatusCode, HeaderId) {
        match self {
            Role::Uas => (StatusCode::Unauthorized, HeaderId::WwwAuthenticate),
            Role::Proxy => (StatusCode::ProxyAuthenticationRequired, HeaderId::ProxyAuthenticate),
        }
    }
}

/// What the credentials of a request come to, before the account is known.
#[derive(Debug)]
pub enum First {
    /// Ask for the account, then judge the claim.
    Ask(Claim, Query),
    /// Answer this.
    Refuse(Reply),
}

/// What they come to with the account.
#[derive(Debug)]
pub enum Second {
    /// The proof that the sender knows the password.
    Verified(DigestVerified),
    /// Answer this: a challenge again.
    Refuse {
        /// The challenge.
        reply: Reply,
        /// True where the password was wrong or the user unknown, false where only the nonce was too old.
        wrong: bool,
    },
}

/// Reads the credentials of a request.
pub fn first(auth: &mut Authenticator, role: Role, request: &Request, now: Now) -> First {
    match auth.begin(request, role.credentials(), now) {
        Begin::Claim(claim) => {
            let user = String::from(claim.user());
            First::Ask(claim, Query::Account { user: user.into() })
        }
        Begin::NoCredentials => First::Refuse(challenge(auth, role, false, now)),
        Begin::Malformed(error) => {
            let reply = Reply::because(status_for(&error), error.to_string());
            First::Refuse(match error.limit() {
                Some(limit) => reply.beyond(limit),
                None => reply,
            })
        }
    }
}

/// Judges them. An unknown user takes as long and gets the same answer as a wrong password.
pub fn second(auth: &mut Authenticator, role: Role, claim: Claim, account: Option<&Account>, now: Now) -> Second {
    let ha1 = account.and_then(|account| account.ha1s.find(claim.algorithm()));
    match auth.finish(claim, ha1, now) {
        Verdict::Verified(proof) => Second::Verified(proof),
        Verdict::Stale(_) => Second::Refuse { reply: challenge(auth, role, true, now), wrong: false },
        Verdict::Wrong => Second::Refuse { reply: challenge(auth, role, false, now), wrong: true },
    }
}

fn challenge(auth: &mut Authenticator, role: Role, stale: bool, now: Now) -> Reply {
    let (status, header) = role.challenge();
    auth.challenge(stale, now).into_iter().fold(Reply::new(status), |reply, value| reply.with(header, value))
}
