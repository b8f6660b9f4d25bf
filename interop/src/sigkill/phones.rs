//! Phones that register with digest over UDP, and know exactly what was acknowledged.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ringback_auth::{AuthSession, Password};
use ringback_base::Random;
use ringback_message::{Edit, HeaderId, Message, Response, StatusCode, Uri};

use crate::server::Account;
use crate::sigkill::ledger::{Changes, Ledger, Stamp};
use crate::{Fault, doing};

/// How many contacts a phone's user has.
const CONTACTS: u64 = 3;
/// So many fetch at a time.
const FETCHES_AT_ONCE: usize = 32;
/// A request is sent again after this long, then after twice this long, and so on. `[RFC 3261, Section 17.1.2.2]`
const T1: Duration = Duration::from_millis(500);
/// The longest pause between two of these.
const T2: Duration = Duration::from_secs(4);
/// A server that lives answers within this.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// How often one request may be challenged: for want of credentials, and because a start made the nonce stale.
const CHALLENGES_MAX: u8 = 3;
/// All that a server sent before its end is in the socket when the system says that it is gone; this is for good measure.
const LAST_ANSWERS: Duration = Duration::from_millis(20);
/// No response is larger.
const RESPONSE_BYTES_MAX: usize = 8_192;

/// The URI of a user's contact with that number. Nobody is there, and nobody calls.
pub(super) fn contact_of(user: &str, number: u64) -> String {
    format!("sip:{user}@192.0.2.{}:5060", number.saturating_add(1))
}

/// All phones, at one socket.
#[derive(Debug)]
pub(super) struct Phones {
    socket: UdpSocket,
    local: SocketAddr,
    server: SocketAddr,
    phones: Vec<Phone>,
    /// The first so many do more than fetch.
    active: usize,
    random: Random,
    stamps: Stamp,
    retransmissions: u64,
}

#[derive(Debug)]
struct Phone {
    account: Account,
    call_id: String,
    cseq: u32,
    session: Option<AuthSession>,
    pending: Option<Pending>,
}

/// A request under way.
#[derive(Debug)]
struct Pending {
    ask: Ask,
    cseq: u32,
    bytes: Bytes,
    challenges: u8,
    began: Instant,
    again_at: Instant,
    pause: Duration,
}

#[derive(Debug, Clone)]
enum Ask {
    /// What is there?
    Fetch,
    Change(Changes),
    /// `Contact: *`, which removes these.
    Clear(Changes),
}

impl Phones {
    pub(super) fn new(
        server: SocketAddr,
        accounts: &[Account],
        active: usize,
        seed: [u8; 32],
    ) -> Result<Phones, Fault> {
        let socket = doing(|| "a socket for the phones".to_owned(), UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let local = doing(|| "the phones' address".to_owned(), socket.local_addr())?;
        let mut random = Random::from_seed(seed);
        let phone = |(index, account): (usize, &Account)| Phone {
            account: account.clone(),
            call_id: format!("{index}-{}", random.token()),
            cseq: 0,
            session: None,
            pending: None,
        };
        let phones = accounts.iter().enumerate().map(phone).collect();
        Ok(Phones { socket, local, server, phones, active, random, stamps: 0, retransmissions: 0 })
    }

    pub(super) fn retransmissions(&self) -> u64 {
        self.retransmissions
    }

    /// Registers, refreshes, removes, `rate` times a second, until it is over; then takes what answers there still are.
    pub(super) fn use_until(&mut self, is_over: &AtomicBool, rate: u32, ledger: &mut Ledger) -> Result<(), Fault> {
        let interval = Duration::from_secs(1) / rate.max(1);
        let mut next_at = Instant::now();
        while !is_over.load(Ordering::SeqCst) {
            if Instant::now() >= next_at {
                next_at += interval;
                self.act(ledger);
            }
            self.take_one(next_at.saturating_duration_since(Instant::now()), ledger)?;
            self.send_again(None)?;
        }
        while self.take_one(LAST_ANSWERS, ledger)? {}
        // What got no answer is in doubt, and is never asked for again.
        self.phones.iter_mut().for_each(|phone| phone.pending = None);
        Ok(())
    }

    /// Fetches everybody's bindings from a server that lives.
    pub(super) fn fetch_all(&mut self, ledger: &mut Ledger) -> Result<(), Fault> {
        let mut next = 0;
        loop {
            let under_way = self.phones.iter().filter(|phone| phone.pending.is_some()).count();
            if next < self.phones.len() && under_way < FETCHES_AT_ONCE {
                self.ask(next, Ask::Fetch);
                next += 1;
            } else if under_way > 0 {
                self.take_one(T1 / 10, ledger)?;
                self.send_again(Some(ANSWER_MAX))?;
            } else {
                return Ok(());
            }
        }
    }

    /// Lets one phone that waits for nothing do something.
    fn act(&mut self, ledger: &mut Ledger) {
        let index = usize::try_from(self.random.below(self.active as u64)).unwrap_or(0);
        let Some(phone) = self.phones.get(index).filter(|phone| phone.pending.is_none()) else { return };
        let user = phone.account.name.clone();
        let first = self.random.below(CONTACTS);
        let (one, other) = (contact_of(&user, first), contact_of(&user, (first + 1) % CONTACTS));
        self.stamps += 1;
        let set = Some(self.stamps);
        let ask = match self.random.below(10) {
            0 => Ask::Clear((0..CONTACTS).map(|number| (contact_of(&user, number), None)).collect()),
            1 => Ask::Change(vec![(one, set), (other, set)]),
            2 if ledger.has(&user, &other) => Ask::Change(vec![(one, set), (other, None)]),
            3..5 if ledger.has(&user, &one) => Ask::Change(vec![(one, None)]),
            _ => Ask::Change(vec![(one, set)]),
        };
        if let Ask::Change(changes) | Ask::Clear(changes) = &ask {
            ledger.asked(&user, changes);
        }
        self.ask(index, ask);
    }

    fn ask(&mut self, index: usize, ask: Ask) {
        let now = Instant::now();
        let pending =
            Pending { ask, cseq: 0, bytes: Bytes::new(), challenges: 0, began: now, again_at: now, pause: T1 };
        self.send(index, pending);
    }

    /// Sends what is asked for as a new transaction, with credentials as soon as there was a challenge.
    fn send(&mut self, index: usize, mut pending: Pending) {
        let branch = self.random.token();
        let (local, server) = (self.local, self.server);
        let Some(phone) = self.phones.get_mut(index) else { return };
        phone.cseq += 1;
        let text = phone.register(&pending.ask, &branch, local, server);
        // It can't be malformed; were it so, no answer would come, which is noticed.
        if let Some(request) = phone.with_credentials(text) {
            pending.cseq = phone.cseq;
            pending.bytes = request;
            pending.again_at = Instant::now() + pending.pause;
            // A server that is gone is noticed by its silence.
            _ = self.socket.send_to(&pending.bytes, server);
        }
        phone.pending = Some(pending);
    }

    /// Sends again what got no answer; `limit` is how long an answer may take.
    fn send_again(&mut self, limit: Option<Duration>) -> Result<(), Fault> {
        let now = Instant::now();
        for phone in &mut self.phones {
            let Some(pending) = phone.pending.as_mut().filter(|pending| pending.again_at <= now) else { continue };
            if limit.is_some_and(|limit| now > pending.began + limit) {
                return Err(format!("{}: no answer to {:?} within {limit:?}", phone.account.name, pending.ask));
            }
            pending.pause = (pending.pause * 2).min(T2);
            pending.again_at = now + pending.pause;
            self.retransmissions += 1;
            _ = self.socket.send_to(&pending.bytes, self.server);
        }
        Ok(())
    }

    /// Takes one datagram, if one comes in time.
    fn take_one(&mut self, wait: Duration, ledger: &mut Ledger) -> Result<bool, Fault> {
        // Zero would mean for ever.
        let wait = wait.clamp(Duration::from_micros(10), T1);
        doing(|| "the phones' time-out".to_owned(), self.socket.set_read_timeout(Some(wait)))?;
        let mut buffer = [0; RESPONSE_BYTES_MAX];
        match self.socket.recv_from(&mut buffer) {
            Ok((length, _)) => {
                let bytes = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
                self.take(bytes, ledger).map(|()| true)
            }
            // The port of a server that is gone refuses.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(true),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(false),
            Err(error) => Err(format!("the phones' socket: {error}")),
        }
    }

    fn take(&mut self, bytes: Bytes, ledger: &mut Ledger) -> Result<(), Fault> {
        let response = Message::parse(bytes).and_then(Response::check);
        let response = response.map_err(|rejected| format!("a phone got what it can't read: {}", rejected.error))?;
        let call_id = String::from_utf8_lossy(response.call_id()).into_owned();
        let index = call_id.split_once('-').and_then(|(index, _)| index.parse::<usize>().ok());
        let Some((index, phone)) = index.and_then(|index| Some((index, self.phones.get_mut(index)?))) else {
            return Err(format!("a phone got a response with the Call-ID {call_id}"));
        };
        // An answer that comes twice is for nobody.
        let is_for = |pending: &Pending| pending.cseq == response.cseq() && response.status().as_u16() >= 200;
        let Some(mut pending) = phone.pending.take_if(|pending| is_for(pending)) else { return Ok(()) };
        let user = phone.account.name.clone();
        match response.status() {
            StatusCode::Ok => {
                let is_fetch = matches!(pending.ask, Ask::Fetch);
                if let Ask::Change(changes) | Ask::Clear(changes) = &pending.ask {
                    ledger.acknowledged(&user, changes);
                }
                ledger.found(&user, &bindings(&response)?, is_fetch);
                Ok(())
            }
            StatusCode::Unauthorized if pending.challenges < CHALLENGES_MAX => {
                let session = AuthSession::pick(&response, HeaderId::WwwAuthenticate, None, &mut self.random);
                phone.session = Some(session.map_err(|error| format!("{user}: {error}"))?);
                pending.challenges += 1;
                self.send(index, pending);
                Ok(())
            }
            status => Err(format!("{user}: {status:?} to {:?}", pending.ask)),
        }
    }
}

impl Phone {
    fn register(&self, ask: &Ask, branch: &str, local: SocketAddr, server: SocketAddr) -> String {
        let (user, call_id, cseq) = (&self.account.name, &self.call_id, self.cseq);
        let contacts = match ask {
            Ask::Fetch => String::new(),
            Ask::Clear(_) => "Contact: *\r\nExpires: 0\r\n".to_owned(),
            Ask::Change(changes) => {
                let value = |(contact, stamp): &(String, Option<Stamp>)| match stamp {
                    Some(stamp) => format!("Contact: <{contact}>;x-stamp={stamp};expires=3600\r\n"),
                    None => format!("Contact: <{contact}>;expires=0\r\n"),
                };
                changes.iter().map(value).collect()
            }
        };
        format!(
            "REGISTER sip:{server} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {local};branch=z9hG4bK{branch};rport\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:{user}@{server}>;tag={call_id}\r\n\
             To: <sip:{user}@{server}>\r\n\
             Call-ID: {call_id}\r\n\
             CSeq: {cseq} REGISTER\r\n\
             {contacts}Content-Length: 0\r\n\r\n"
        )
    }

    fn with_credentials(&mut self, text: String) -> Option<Bytes> {
        let request = Message::parse(Bytes::from(text)).ok()?;
        let Some(session) = &mut self.session else { return Some(request.as_bytes().clone()) };
        let ha1 = session.ha1(&self.account.name, &Password::new(self.account.password.as_str()));
        let value = session.answer(&self.account.name, &ha1, &request).ok()?;
        let request = Edit::new(&request).append(HeaderId::Authorization, value.as_bytes()).finish().ok()?;
        Some(request.as_bytes().clone())
    }
}

/// The contacts that a 200 lists, and their stamps.
fn bindings(response: &Response) -> Result<BTreeMap<String, Stamp>, Fault> {
    let mut bindings = BTreeMap::new();
    for contact in response.addresses(HeaderId::Contact) {
        let contact = contact.map_err(|error| format!("a 200 with a Contact that can't be read: {error}"))?;
        let mut uri = Vec::new();
        match &contact.uri {
            Uri::Sip(_) => contact.uri.write(&mut uri),
            other => return Err(format!("a 200 with the Contact {other:?}")),
        }
        let stamp = contact.params.value(b"x-stamp").and_then(|stamp| std::str::from_utf8(stamp).ok()?.parse().ok());
        let uri = String::from_utf8_lossy(&uri).into_owned();
        let stamp = stamp.ok_or_else(|| format!("a 200 with the Contact {uri}, which has lost its parameter"))?;
        bindings.insert(uri, stamp);
    }
    Ok(bindings)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn phones(server: SocketAddr) -> Phones {
        let account = Account { name: "ann".to_owned(), password: "secret".to_owned() };
        Phones::new(server, &[account], 1, [1; 32]).unwrap()
    }

    /// A server that answers each request with the next of these, and gives what it was sent.
    fn serve(answers: &'static [&'static str]) -> (SocketAddr, std::thread::JoinHandle<Vec<String>>) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let mut requests = Vec::new();
            for answer in answers {
                let mut buffer = [0; 2_048];
                let (length, from) = socket.recv_from(&mut buffer).unwrap();
                let text = String::from_utf8(buffer.get(..length).unwrap().to_vec()).unwrap();
                let is_copied = |line: &&str| {
                    ["Via", "From", "To", "Call-ID", "CSeq"].contains(&line.split(':').next().unwrap_or_default())
                };
                let copied: String = text.lines().filter(is_copied).map(|line| format!("{line}\r\n")).collect();
                socket
                    .send_to(format!("SIP/2.0 {answer}\r\n{copied}Content-Length: 0\r\n\r\n").as_bytes(), from)
                    .unwrap();
                requests.push(text);
            }
            requests
        });
        (address, server)
    }

    #[test]
    fn a_challenge_is_answered_and_bindings_are_read() {
        let (address, server) = serve(&[
            "401 Who\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"",
            "200 OK\r\nContact: <sip:ann@192.0.2.1:5060>;expires=7;x-stamp=3, <sip:ann@192.0.2.3:5060>;x-stamp=4",
        ]);
        let mut ledger = Ledger::default();
        ledger.asked("ann", &vec![(contact_of("ann", 0), Some(3)), (contact_of("ann", 2), Some(4))]);
        phones(address).fetch_all(&mut ledger).unwrap();
        assert!(ledger.has("ann", &contact_of("ann", 0)) && ledger.has("ann", &contact_of("ann", 2)));
        assert!(ledger.tally().is_good(), "{:?}", ledger.tally());
        assert_eq!(ledger.tally().open, 2);
        let requests = server.join().unwrap();
        let [first, second] = requests.as_slice() else { unreachable!("two requests") };
        assert!(first.contains("CSeq: 1 REGISTER") && !first.contains("Authorization"), "{first}");
        assert!(second.contains("CSeq: 2 REGISTER") && second.contains("Authorization: Digest username=\"ann\""));
        assert!(!second.contains("Contact"), "{second}");
    }

    #[test]
    fn only_an_answer_acknowledges() {
        let (address, server) = serve(&["100 Trying", "200 OK\r\nContact: <sip:ann@192.0.2.2:5060>;x-stamp=1"]);
        let mut phones = phones(address);
        let mut ledger = Ledger::default();
        let changes = vec![(contact_of("ann", 1), Some(1))];
        ledger.asked("ann", &changes);
        phones.ask(0, Ask::Change(changes));
        assert!(phones.take_one(T1, &mut ledger).unwrap());
        assert_eq!(ledger.tally().acknowledged, 0);
        while ledger.tally().acknowledged == 0 {
            phones.send_again(Some(ANSWER_MAX)).unwrap();
            phones.take_one(T1, &mut ledger).unwrap();
        }
        assert_eq!((phones.retransmissions(), ledger.tally().is_good()), (1, true));
        assert!(
            server.join().unwrap().iter().all(|text| text.contains("<sip:ann@192.0.2.2:5060>;x-stamp=1;expires=3600"))
        );
    }

    #[test]
    fn a_refusal_is_a_fault() {
        let (address, _server) = serve(&["500 No"]);
        let fault = phones(address).fetch_all(&mut Ledger::default()).unwrap_err();
        assert!(fault.contains("ann") && fault.contains("Fetch"), "{fault}");
    }
}
