//! A client's accounts and what it was challenged with. `[RFC 3261, Section 22]`

use alloc::string::String;
use alloc::vec::Vec;

use ringback_base::{KeyedHash, Random};
use ringback_message::{AuthParams, BuildError, Edit, Header, HeaderId, Message, StatusCode};

use crate::account::Account;
use crate::challenge::{Challenge, ChallengeError};
use crate::client::{AuthSession, CHALLENGES_MAX, ServerProof, is_user};
use crate::credentials::{Credentials, SCHEME};
use crate::give_up::GiveUp;
use crate::next_hop::NextHop;

/// How many realms a client keeps the nonces of; the one that has not challenged for longest is forgotten.
pub const SESSIONS_MAX: usize = 16;

/// How often one request is sent again because of challenges. Each proxy on the way may ask once, and once more where its nonce is stale.
pub const ROUNDS_MAX: usize = 8;

/// How many Call-IDs are remembered for each realm; requests of older ones are challenged once more.
pub const CALL_IDS_MAX: usize = 64;

/// Answers the challenges of one user: which realm is told whose secret, and which nonce is in use there.
///
/// ```text
///   request ──sign──▶ credentials for what its Call-ID was challenged with before, nc counted
///      │
///      ▼ 401, 407 ──challenged──▶ Retry    send it again: CSeq one higher, a new branch, sign again
///      │                    └──▶ GiveUp   the response is final
///      ▼ 2xx ──succeeded──▶ ServerProof    the next nonce is taken over
/// ```
///
/// Which challenge is answered:
/// * of those of one realm, the topmost whose algorithm and protection we know and have a hash for; `[RFC 8760, Section 2.4]`
/// * each realm of a response, and with each retry those that were answered before; `[RFC 3261, Section 22.3]`
/// * only where an [`Account`] is for the realm and for whoever speaks there;
/// * once for each request, and again only where the server says that nothing but the nonce was wrong. `[RFC 3261, Section 22.1]`
///
/// Requests that follow carry credentials without being asked, if they have the Call-ID of one that was. Those for the proxy go with
/// requests of other Call-IDs, too, where the account is bound to that proxy. `[RFC 3261, Section 22.3]`
///
/// ```
/// use bytes::Bytes;
/// use ringback_auth::{Account, AuthAttempts, DigestClient, Password};
/// use ringback_base::Random;
/// use ringback_message::{HeaderId, Message};
///
/// let mut random = Random::from_seed([1; 32]);
/// let mut client = DigestClient::new(&mut random);
/// client.add(Account::new("b.example", "alice", Password::new("wonderland")).at("b.example"));
///
/// let register = Message::parse(Bytes::from_static(b"REGISTER sip:b.example SIP/2.0\r\nCall-ID: 1\r\n\r\n"))?;
/// let unauthorized = Message::parse(Bytes::from_static(
///     b"SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"b.example\", nonce=\"n\", qop=\"auth\"\r\n\r\n",
/// ))?;
/// let mut attempts = AuthAttempts::default();
/// client.challenged(&mut attempts, &register, &unauthorized, &mut random)?;
/// let again = client.signed(&register)?;
/// assert!(again.first(HeaderId::Authorization).is_some());
///
/// // The password was wrong: it isn't sent once more.
/// assert!(client.challenged(&mut attempts, &again, &unauthorized, &mut random).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct DigestClient {
    accounts: Vec<Account>,
    /// So many of them, the first, go before the others.
    preferred: usize,
    sessions: Vec<RealmSession>,
    hash: KeyedHash,
}

/// What one request and its retries were challenged with so far: kept by whoever sends it again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthAttempts {
    rounds: usize,
    /// The hashes of the realms that were answered.
    answered: Vec<u64>,
}

/// The request is to be sent again: with a CSeq one higher, another branch, and signed anew. `[RFC 3261, Section 22.2]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Retry {
    /// True where only nonces were wrong.
    pub is_stale: bool,
}

#[derive(Debug)]
struct RealmSession {
    /// The hash of realm and kind.
    id: u64,
    who: NextHop,
    /// Its place among the accounts.
    account: usize,
    session: AuthSession,
    /// The hashes of the Call-IDs that it was asked for.
    call_ids: Vec<u64>,
}

impl DigestClient {
    /// Without accounts.
    #[must_use]
    pub fn new(random: &mut Random) -> DigestClient {
        DigestClient { accounts: Vec::new(), preferred: 0, sessions: Vec::new(), hash: random.hasher() }
    }

    /// A client for one call of somebody who has accounts for all: its own go before those of the other, whatever they are for, and
    /// what it is challenged with is nobody else's. Accounts that the other gets later are not known to it.
    ///
    /// ```
    /// use ringback_auth::{Account, DigestClient, Password};
    /// use ringback_base::Random;
    ///
    /// let mut random = Random::from_seed([1; 32]);
    /// let mut agent = DigestClient::new(&mut random);
    /// agent.add(Account::new("b.example", "alice", Password::new("wonderland")));
    /// let of_call = DigestClient::for_call([Account::for_any_realm("carol", Password::new("oyster"))], &agent, &mut random);
    /// assert_eq!(of_call.accounts().len(), 2);
    /// assert_eq!(agent.accounts().len(), 1);
    /// ```
    #[must_use]
    pub fn for_call(
        own: impl IntoIterator<Item = Account>,
        others: &DigestClient,
        random: &mut Random,
    ) -> DigestClient {
        let mut client = DigestClient::new(random);
        own.into_iter().for_each(|account| client.add(account));
        client.preferred = client.accounts.len();
        client.accounts.extend(others.accounts.iter().cloned());
        client
    }

    /// Adds an account, or puts it in the place of the one of the same realm and hosts. One that is known already changes nothing.
    pub fn add(&mut self, account: Account) {
        match self.accounts.iter_mut().enumerate().find(|(_, known)| known.is_in_place_of(&account)) {
            Some((_, known)) if *known == account => {}
            Some((place, known)) => {
                *known = account;
                self.sessions.retain(|session| session.account != place);
            }
            None => self.accounts.push(account),
        }
    }

    /// The accounts.
    #[must_use]
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// How many realms have challenged and not been forgotten.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// A request was challenged: whether it is to be sent again.
    ///
    /// # Errors
    /// Why it is not.
    pub fn challenged(
        &mut self,
        attempts: &mut AuthAttempts,
        request: &Message,
        response: &Message,
        random: &mut Random,
    ) -> Result<Retry, GiveUp> {
        if is_never_challenged(request) {
            return Err(GiveUp::NeverChallenged);
        }
        if attempts.rounds >= ROUNDS_MAX {
            return Err(GiveUp::TooOften);
        }
        attempts.rounds = attempts.rounds.saturating_add(1);
        let mut is_stale = true;
        let mut settled: Vec<u64> = Vec::new();
        let mut answered = false;
        let mut why = GiveUp::NoChallenge;
        for (who, challenge) in challenges(response) {
            let challenge = match challenge {
                Ok(challenge) => challenge,
                Err(ChallengeError::NotDigest) => continue,
                Err(defect) => {
                    why = why.or(GiveUp::Challenge(defect));
                    continue;
                }
            };
            let id = self.id(who, &challenge.realm);
            if settled.contains(&id) {
                continue;
            }
            let (nonce_was_wrong, before) = (challenge.stale, attempts.answered.contains(&id));
            match self.answer(who, id, challenge, before, request, random) {
                Ok(()) => {
                    settled.push(id);
                    attempts.answered.push(id);
                    (answered, is_stale) = (true, is_stale && nonce_was_wrong);
                }
                // What comes next of the same realm may be by an algorithm that we have a hash for.
                Err(GiveUp::NoHash { realm, algorithm }) => why = why.or(GiveUp::NoHash { realm, algorithm }),
                Err(reason) => {
                    settled.push(id);
                    why = why.or(reason);
                }
            }
        }
        if answered { Ok(Retry { is_stale }) } else { Err(why) }
    }

    /// The header fields that a request carries: Authorization and Proxy-Authorization with their values, none for ACK and CANCEL.
    ///
    /// Each call counts the nonces once more, so it is for requests that are sent. An ACK for a 2xx repeats the credentials of its
    /// INVITE. `[RFC 3261, Section 22.1]`
    pub fn sign(&mut self, request: &Message) -> Vec<(HeaderId, String)> {
        let mut fields = Vec::new();
        if is_never_challenged(request) {
            return fields;
        }
        let call_id = self.call_id(request);
        let accounts = &self.accounts;
        self.sessions.retain_mut(|known| {
            let Some(account) = accounts.get(known.account) else { return false };
            if !known.is_for(account, call_id, request) {
                return true;
            }
            let algorithm = known.session.challenge().algorithm;
            let ha1 = account.ha1(algorithm, &known.session.challenge().realm);
            match ha1.and_then(|ha1| known.session.answer(account.user(), &ha1, request).ok()) {
                Some(value) => {
                    fields.push((known.who.credentials(), value));
                    true
                }
                // The nonce has no count left, or the account has changed.
                None => false,
            }
        });
        fields
    }

    /// The request with its credentials; those of an earlier try are gone. ACK and CANCEL stay as they are.
    ///
    /// # Errors
    /// Where the message becomes too large.
    pub fn signed(&mut self, request: &Message) -> Result<Message, BuildError> {
        if is_never_challenged(request) {
            return Ok(request.clone());
        }
        let fields = self.sign(request);
        let old = |header: HeaderId| request.all(header).filter(|field| self.is_ours(field.value(), field.id()));
        let stale =
            [HeaderId::Authorization, HeaderId::ProxyAuthorization].map(|header| old(header).collect::<Vec<_>>());
        let edit = stale.iter().flatten().fold(Edit::new(request), |edit, field| edit.remove_line(field.index()));
        fields.iter().fold(edit, |edit, (header, value)| edit.append(*header, value.as_bytes())).finish()
    }

    /// The call with this Call-ID goes elsewhere, as after a 3xx: who is there has not asked for our credentials, and gets none before
    /// it does. `[RFC 3261, Section 8.1.3.4]`
    pub fn forget_call(&mut self, call_id: &[u8]) {
        let call_id = self.hash.of(&[call_id]);
        self.sessions.iter_mut().for_each(|known| known.call_ids.retain(|of| *of != call_id));
    }

    /// A request with our credentials was answered by other than a challenge: what the server says of itself.
    ///
    /// [`ServerProof::Wrong`] is of a server that doesn't know the secret: its response is not to be trusted.
    pub fn succeeded(&mut self, request: &Message, response: &Message) -> ServerProof {
        if response.first(HeaderId::AuthenticationInfo).is_none() {
            return ServerProof::None;
        }
        let sent: Vec<Credentials> = request.all(HeaderId::Authorization).take(SESSIONS_MAX).filter_map(read).collect();
        let mut best = ServerProof::None;
        for sent in &sent {
            let id = self.id(NextHop::Server, sent.realm());
            let Some(known) = self.sessions.iter_mut().find(|known| known.id == id) else { continue };
            let account = self.accounts.get(known.account);
            let Some(ha1) = account.and_then(|account| account.ha1(sent.algorithm(), sent.realm())) else { continue };
            // Of several servers on the way, one has written it, and it doesn't say for which realm.
            match known.session.answered(sent, &ha1, response) {
                ServerProof::Given => return ServerProof::Given,
                ServerProof::Wrong => best = ServerProof::Wrong,
                ServerProof::None => {}
            }
        }
        best
    }

    /// Takes up a challenge, if it is one to be answered.
    fn answer(
        &mut self,
        who: NextHop,
        id: u64,
        challenge: Challenge,
        answered_before: bool,
        request: &Message,
        random: &mut Random,
    ) -> Result<(), GiveUp> {
        let realm = challenge.realm.clone();
        if answered_before && !challenge.stale {
            // "A UAC MUST NOT re-attempt requests with the credentials that have just been rejected" `[RFC 3261, Section 22.1]`
            self.sessions.retain(|known| known.id != id);
            return Err(GiveUp::Rejected { realm });
        }
        let call_id = self.call_id(request);
        let known = self.sessions.iter().position(|known| known.id == id);
        let trusted = |account: &Account| account.trusts(request, who);
        let place = self.account_for(&realm, trusted).or_else(|| self.account_for(&realm, |_| true));
        let Some(place) = place else { return Err(GiveUp::NoAccount { realm }) };
        let Some(account) = self.accounts.get(place) else { return Err(GiveUp::NoAccount { realm }) };
        // The one whom a call led to, with our name proved to it, may ask again within that call.
        let is_known =
            who == NextHop::Server && self.sessions.iter().any(|k| k.id == id && k.call_ids.contains(&call_id));
        if !is_known && !account.trusts(request, who) {
            return Err(GiveUp::Stranger { realm });
        }
        if !is_user(account.user()) {
            return Err(GiveUp::User);
        }
        let algorithm = challenge.algorithm;
        if account.ha1(algorithm, &realm).is_none() {
            return Err(GiveUp::NoHash { realm, algorithm });
        }
        let mut call_ids = known.map(|place| self.sessions.remove(place).call_ids).unwrap_or_default();
        if !call_ids.contains(&call_id) {
            if call_ids.len() >= CALL_IDS_MAX {
                call_ids.remove(0);
            }
            call_ids.push(call_id);
        }
        if self.sessions.len() >= SESSIONS_MAX {
            self.sessions.remove(0);
        }
        let session = AuthSession::new(challenge, random);
        self.sessions.push(RealmSession { id, who, account: place, session, call_ids });
        Ok(())
    }

    fn account_for(&self, realm: &str, is_it: impl Fn(&Account) -> bool) -> Option<usize> {
        let of = |is_preferred: bool, wanted: Option<&str>| {
            let all = self.accounts.iter().enumerate().filter(|(place, _)| (*place < self.preferred) == is_preferred);
            let mut fits = all.filter(|(_, it)| it.realm() == wanted && is_it(it)).fuse();
            let first = fits.next()?;
            // One that names the host is meant for it, and goes before one for any.
            let best = if first.1.is_bound() { Some(first) } else { fits.find(|(_, it)| it.is_bound()) };
            Some(best.unwrap_or(first).0)
        };
        let best = |is_preferred| of(is_preferred, Some(realm)).or_else(|| of(is_preferred, None));
        best(true).or_else(|| best(false))
    }

    fn id(&self, who: NextHop, realm: &str) -> u64 {
        self.hash.of(&[who.credentials().as_str().as_bytes(), realm.as_bytes()])
    }

    fn call_id(&self, request: &Message) -> u64 {
        self.hash.of(&[request.first(HeaderId::CallId).map(|field| field.value()).unwrap_or_default()])
    }

    /// Whether these credentials are for a realm that we have an account for: others are the application's own.
    fn is_ours(&self, value: &[u8], header: HeaderId) -> bool {
        let Ok(params) = AuthParams::parse(header, value, 0) else { return false };
        let realm = crate::parameter::text(&params, "realm").ok().flatten();
        params.scheme.eq_ignore_ascii_case(SCHEME)
            && realm.is_some_and(|realm| self.account_for(&realm, |_| true).is_some())
    }
}

impl RealmSession {
    /// Whether a request carries credentials for it without being asked.
    fn is_for(&self, account: &Account, call_id: u64, request: &Message) -> bool {
        let of_this_call = self.call_ids.contains(&call_id);
        match self.who {
            NextHop::Server => of_this_call,
            NextHop::Proxy if account.is_bound() => account.trusts(request, NextHop::Proxy),
            NextHop::Proxy => of_this_call,
        }
    }
}

impl NextHop {
    fn credentials(self) -> HeaderId {
        match self {
            NextHop::Server => HeaderId::Authorization,
            NextHop::Proxy => HeaderId::ProxyAuthorization,
        }
    }
}

/// The challenges of both kinds in their order: a proxy that forks puts those of its branches together.
/// `[RFC 8760, Section 2.5]`
fn challenges(response: &Message) -> impl Iterator<Item = (NextHop, Result<Challenge, ChallengeError>)> {
    let of = |who: NextHop, header: HeaderId| {
        let fields = response.all(header).take(CHALLENGES_MAX);
        fields.filter_map(move |field| {
            let params = AuthParams::parse(header, field.value(), field.offset()).ok()?;
            Some((who, Challenge::read(&params)))
        })
    };
    let is_one = response
        .status()
        .is_some_and(|status| matches!(status, StatusCode::Unauthorized | StatusCode::ProxyAuthenticationRequired));
    let all = of(NextHop::Server, HeaderId::WwwAuthenticate).chain(of(NextHop::Proxy, HeaderId::ProxyAuthenticate));
    all.filter(move |_| is_one)
}

fn read(field: Header<'_>) -> Option<Credentials> {
    let params = AuthParams::parse(field.id(), field.value(), field.offset()).ok()?;
    Credentials::read(&params).ok()
}

fn is_never_challenged(request: &Message) -> bool {
    matches!(request.method_text(), Some(b"ACK" | b"CANCEL"))
}
