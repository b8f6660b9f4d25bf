//! The server's side: challenge, claim, verdict. `[RFC 3261, Section 22]`

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use ringback_base::{Now, Random};
use ringback_message::{Header, HeaderId, Request, Uri};
use subtle::Choice;

use crate::algorithm::{Algorithm, Qop};
use crate::challenge::Challenge;
use crate::config::{AuthConfig, AuthConfigError, UriPolicy};
use crate::credentials::{Credentials, CredentialsError, SCHEME, parameters};
use crate::digest::{HexDigest, hash_a2, response};
use crate::ha1::{Ha1, Ha1Set};
use crate::nonce::{NonceSecret, NonceVerdict, Nonces, Spent};
use crate::parameter::text;

/// How many Authorization or Proxy-Authorization header fields of one request are looked at: one for each realm on the way.
pub const CREDENTIALS_MAX: usize = 16;

/// Verifies the users of one realm on one shard.
///
/// The look-up of the user's hash lies between [`Authenticator::begin`] and [`Authenticator::finish`] and is the caller's.
/// ACK and CANCEL must not come here: neither may be challenged, and an ACK repeats the credentials of its INVITE.
/// `[RFC 3261, Section 22.1]`
#[derive(Debug)]
pub struct Authenticator {
    config: AuthConfig,
    realm: Arc<str>,
    nonces: Nonces,
    /// Stands in for users that there are not, so that they cost the same time.
    nobody: Ha1Set,
    credentials_max_reached: u64,
}

/// How often limits were reached that refuse nobody, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Requests with more header fields of credentials than [`CREDENTIALS_MAX`]; those beyond it were not looked at.
    pub credentials_max_reached: u64,
    /// Used nonces that were forgotten before their time, because [`AuthConfig::nonces_max`] others were remembered.
    pub nonces_max_reached: u64,
}

/// What the credentials of a request come to before the user is looked up.
#[derive(Debug)]
#[must_use]
// Exhaustive on purpose, as Verdict is.
pub enum Begin {
    /// None that could count: none at all, of other realms or schemes only, blank ones, or by algorithms that are not offered. To be challenged.
    NoCredentials,
    /// There are some for this realm, or some of which that can't be told, and none can be read. To be refused with
    /// [`CredentialsError::status`].
    Malformed(CredentialsError),
    /// A user is named: look up the hash and [`finish`](Authenticator::finish).
    Claim(Claim),
}

/// A user's name and what is to prove it; no more than a claim.
///
/// It holds all that the verdict needs, so the request can't be exchanged behind it.
pub struct Claim(Box<ClaimParts>);

struct ClaimParts {
    credentials: Credentials,
    a2: HexDigest,
}

/// What came of a claim.
#[derive(Debug)]
#[must_use]
// Exhaustive on purpose: whoever asks has to decide for each outcome, and a new one must not pass unseen.
pub enum Verdict {
    /// The user has proved to know the secret.
    Verified(DigestVerified),
    /// The response is right, the nonce is not: challenge with `stale=true`.
    Stale(StaleReason),
    /// The response is wrong, or there is no such user; nothing tells which. Challenge anew, or refuse.
    Wrong,
}

/// Why a right response is not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StaleReason {
    /// The nonce is too old.
    Expired,
    /// The nonce is another shard's.
    ForeignOwner(u16),
    /// The nonce is nobody's: from before a restart, or from another server of the realm.
    Unknown,
    /// The nonce was used before with this count.
    Replayed,
}

/// The proof that a request came from this user, which only [`Authenticator::finish`] makes.
#[derive(Debug, PartialEq, Eq)]
pub struct DigestVerified {
    user: String,
    realm: Arc<str>,
    algorithm: Algorithm,
}

impl Authenticator {
    /// An authenticator for one realm and owner.
    ///
    /// All owners of a server share the secret, so that they know each other's nonces; each draws on its own randomness.
    ///
    /// # Errors
    /// Where the settings contradict themselves.
    pub fn new(
        config: AuthConfig,
        secret: &NonceSecret,
        owner: u16,
        random: &mut Random,
    ) -> Result<Authenticator, AuthConfigError> {
        config.check()?;
        let nonces = Nonces::new(secret, owner, config.nonce_lifetime_secs, config.nonces_max, random);
        let realm = config.realm.as_str().into();
        Ok(Authenticator { config, realm, nonces, nobody: Ha1Set::dummy(random), credentials_max_reached: 0 })
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &AuthConfig {
        &self.config
    }

    /// The values of the WWW-Authenticate or Proxy-Authenticate header fields, one for each algorithm in the order of preference.
    ///
    /// They share one nonce: whichever the client takes, its counts are kept together. `[RFC 8760, Section 2.3]`
    pub fn challenge(&mut self, stale: bool, now: Now) -> Vec<String> {
        let mut challenge = Challenge {
            realm: self.config.realm.clone(),
            nonce: self.nonces.issue(now),
            opaque: None,
            algorithm: Algorithm::Md5,
            qop: self.config.qop.clone(),
            stale,
        };
        let value = |algorithm: &Algorithm| {
            challenge.algorithm = *algorithm;
            challenge.value()
        };
        self.config.algorithms.iter().map(value).collect()
    }

    /// Finds the credentials that are meant for this realm, in header fields of that name: Authorization or Proxy-Authorization.
    ///
    /// Those of other realms are another's to read. `[RFC 3261, Section 22.3]` Where several are for this realm, the one with the best nonce counts,
    /// then the one by the algorithm that we like best.
    pub fn begin(&mut self, request: &Request, header: HeaderId, now: Now) -> Begin {
        let mut best: Option<(usize, usize, Credentials)> = None;
        let mut error = None;
        for field in request.all(header).take(CREDENTIALS_MAX) {
            match self.read(&field) {
                Ok(Some(credentials)) => {
                    let rank = (self.nonce_rank(&credentials, now), self.preference(credentials.algorithm));
                    if best.as_ref().is_none_or(|(nonce, preference, _)| rank < (*nonce, *preference)) {
                        best = Some((rank.0, rank.1, credentials));
                    }
                }
                Ok(None) => {}
                Err(defect) => _ = error.get_or_insert(defect),
            }
        }
        if request.all(header).nth(CREDENTIALS_MAX).is_some() {
            self.credentials_max_reached = self.credentials_max_reached.saturating_add(1);
        }
        match (best, error) {
            (Some((_, _, credentials)), _) => self.claim(credentials, request),
            (None, Some(error)) => Begin::Malformed(error),
            (None, None) => Begin::NoCredentials,
        }
    }

    /// The verdict on a claim, given the hash of that user by [`Claim::algorithm`], or `None` where there is no such user or hash.
    ///
    /// A hash by another algorithm counts as none. Both answers to a wrong claim take the same computation.
    pub fn finish(&mut self, claim: Claim, ha1: Option<&Ha1>, now: Now) -> Verdict {
        let ClaimParts { credentials, a2 } = *claim.0;
        let algorithm = credentials.algorithm;
        let known = ha1.filter(|ha1| ha1.algorithm() == algorithm.base());
        let Some(ha1) = known.or_else(|| self.nobody.find(algorithm)) else { return Verdict::Wrong };
        let right = response(ha1, algorithm.is_session(), &credentials.nonce, credentials.protection(), &a2);
        let nonce = self.nonces.verify(&credentials.nonce, now);
        let right = right.is_text(&credentials.response) & Choice::from(u8::from(known.is_some()));
        if !bool::from(right) {
            return Verdict::Wrong;
        }
        match nonce {
            NonceVerdict::Fresh(fresh) => match self.nonces.spend(fresh, credentials.nc(), now) {
                Spent::First => Verdict::Verified(DigestVerified {
                    user: credentials.user,
                    realm: Arc::clone(&self.realm),
                    algorithm,
                }),
                Spent::Again => Verdict::Stale(StaleReason::Replayed),
            },
            NonceVerdict::Expired => Verdict::Stale(StaleReason::Expired),
            NonceVerdict::ForeignOwner(owner) => Verdict::Stale(StaleReason::ForeignOwner(owner)),
            NonceVerdict::Unknown => Verdict::Stale(StaleReason::Unknown),
        }
    }

    /// Drops the records of expired nonces. Verification does so bit by bit; this is for idle times.
    pub fn purge(&mut self, now: Now) {
        self.nonces.purge(now);
    }

    /// How many used nonces are remembered, at most [`AuthConfig::nonces_max`].
    #[must_use]
    pub fn nonces_used(&self) -> usize {
        self.nonces.used()
    }

    /// How often limits were reached.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {
            credentials_max_reached: self.credentials_max_reached,
            nonces_max_reached: self.nonces.forgotten_early(),
        }
    }

    /// Credentials that could count, `None` for such as are to be passed over.
    fn read(&self, field: &Header<'_>) -> Result<Option<Credentials>, CredentialsError> {
        // Other schemes need not have parameters, so the scheme is looked at first.
        let mut cursor = field.cursor();
        let scheme = cursor.token("a scheme such as Digest").map_err(CredentialsError::Syntax)?;
        if !matches!(cursor.peek(), None | Some(b' ' | b'\t' | b'\r' | b'\n')) {
            return Err(CredentialsError::Syntax(cursor.error("a blank behind the scheme")));
        }
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return Ok(None);
        }
        let params = parameters(field)?;
        let is_blank = |name: &[u8]| params.unquoted(name).is_some_and(<[u8]>::is_empty);
        if text(&params, "realm")?.is_some_and(|realm| realm != *self.realm) {
            return Ok(None);
        }
        // "A parameter with an empty value (empty string) is allowed when the UAC has not yet received a challenge."
        // `[RFC 8760, Section 2.7]`
        if is_blank(b"nonce") || is_blank(b"response") {
            return Ok(None);
        }
        let credentials = match Credentials::read(&params) {
            Err(CredentialsError::UnknownAlgorithm) => return Ok(None),
            credentials => credentials?,
        };
        if !self.config.algorithms.contains(&credentials.algorithm) {
            return Ok(None);
        }
        // A client of RFC 2069 protects what `auth` does.
        if self.config.qop.contains(&credentials.qop().unwrap_or(Qop::Auth)) {
            Ok(Some(credentials))
        } else {
            Err(CredentialsError::QopNotOffered)
        }
    }

    fn claim(&self, credentials: Credentials, request: &Request) -> Begin {
        if !uri_agrees(self.config.uri_policy, &credentials.uri, request) {
            return Begin::Malformed(CredentialsError::UriMismatch);
        }
        let method = request.method_text().unwrap_or_default();
        let a2 = hash_a2(credentials.algorithm, credentials.qop(), method, &credentials.uri, request.body());
        Begin::Claim(Claim(Box::new(ClaimParts { credentials, a2 })))
    }

    fn nonce_rank(&self, credentials: &Credentials, now: Now) -> usize {
        match self.nonces.verify(&credentials.nonce, now) {
            NonceVerdict::Fresh(_) => 0,
            NonceVerdict::Expired | NonceVerdict::ForeignOwner(_) => 1,
            NonceVerdict::Unknown => 2,
        }
    }

    fn preference(&self, algorithm: Algorithm) -> usize {
        self.config.algorithms.iter().position(|other| *other == algorithm).unwrap_or(usize::MAX)
    }
}

fn uri_agrees(policy: UriPolicy, digest_uri: &str, request: &Request) -> bool {
    if policy == UriPolicy::Ignore || digest_uri.as_bytes() == request.request_uri_text() {
        return true;
    }
    let Ok(of_request) = request.request_uri() else { return false };
    let Ok(of_digest) = Uri::parse(digest_uri.as_bytes(), HeaderId::Authorization, 0) else { return false };
    let same_user = || match (of_digest.as_sip(), of_request.as_sip()) {
        (Some(digest), Some(request)) => {
            digest.user.is_none() || request.user.is_none() || digest.user_unescaped() == request.user_unescaped()
        }
        // A server's own URI in the credentials of a call to a telephone number.
        (Some(digest), None) => digest.user.is_none(),
        _ => false,
    };
    of_digest.equivalent(&of_request) || (policy == UriPolicy::SameUser && same_user())
}

impl Claim {
    /// The user that the request claims to come from.
    #[must_use]
    pub fn user(&self) -> &str {
        self.0.credentials.user()
    }

    /// The algorithm; the hash that is looked up is by its base.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.0.credentials.algorithm()
    }

    /// The credentials.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.0.credentials
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Claim").field(&self.0.credentials).finish()
    }
}

impl DigestVerified {
    /// The user's name in the realm.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The realm.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// The algorithm that the proof rests on.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
