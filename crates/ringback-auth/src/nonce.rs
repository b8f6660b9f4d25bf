//! Nonces that name their owner, and the record of those that were used. `[RFC 7616, Section 3.3]`

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use ringback_base::{Millis, Now, Random};
use subtle::ConstantTimeEq as _;

use crate::base64;
use crate::hmac::HmacSha256;

/// How many earlier counts than the highest are told apart: requests that overtake each other by more are stale.
///
/// UDP reorders requests that a client sends side by side, so counts need not rise strictly.
pub const NC_WINDOW: u32 = 64;

/// The bytes of a nonce before they become text: whose it is, and what proves it.
const NONCE_BYTES: usize = BODY_BYTES + MAC_BYTES;
const BODY_BYTES: usize = 20;
/// HMAC-SHA-256, cut off at 128 bits.
const MAC_BYTES: usize = 16;

/// The key that a server's nonces are made with: one for all owners, so that they know each other's.
#[derive(Clone)]
pub struct NonceSecret([u8; 32]);

impl NonceSecret {
    /// The key of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> NonceSecret {
        NonceSecret(bytes)
    }

    /// A new key.
    #[must_use]
    pub fn random(random: &mut Random) -> NonceSecret {
        NonceSecret(random.seed())
    }
}

impl fmt::Debug for NonceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NonceSecret")
    }
}

/// What a nonce turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NonceVerdict {
    /// Ours, and young enough. Which counts were used is another matter: see [`Nonces::spend`].
    Fresh(FreshNonce),
    /// Ours, and too old; or so much older than others in use that its record was given up.
    Expired,
    /// Another owner's, which alone knows the counts.
    ForeignOwner(u16),
    /// Not made with our secret, or by an earlier life of this owner.
    Unknown,
}

/// A nonce that [`Nonces::verify`] found fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreshNonce {
    serial: u64,
    issued: Millis,
}

/// Whether a use of a nonce was its first with this count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// It was, and from now on is not.
    First,
    /// It was used before, or can't be told from one that was.
    Again,
}

/// The nonces of one owner, a shard as a rule.
///
/// Issuing keeps no state, so challenges can be asked for without end. Only a nonce that came back with a right response
/// is remembered, which takes an account. Where the table is full, the oldest goes, and it and all that
/// were issued before it are expired from then on: what is forgotten can't be replayed.
///
/// ```text
/// nonce = base64( owner:16 epoch:32 serial:64 unix-ms:48 HMAC-SHA-256(secret, …):128 )
/// ```
///
/// The epoch is drawn anew for each life of an owner: what an earlier one issued is unknown even where the secret is the same,
/// because its counts are lost.
#[derive(Debug)]
pub struct Nonces {
    mac: HmacSha256,
    owner: u16,
    epoch: u32,
    next_serial: u64,
    lifetime_secs: u32,
    used_max: usize,
    used: BTreeMap<u64, Used>,
    /// Serials below it are expired, whatever the clock says.
    low_water: u64,
    forgotten_early: u64,
}

/// What was used of a nonce.
#[derive(Clone, Copy, Debug)]
struct Used {
    issued: Millis,
    /// The highest count.
    top: u32,
    /// Bit `i` is set where the count `top - i` was used.
    window: u64,
}

/// How many expired records are dropped with each new one: more than one, so that the table shrinks.
const PURGED_PER_USE: usize = 2;

impl Nonces {
    /// No nonce yet. A nonce lives so many seconds; so many used ones are remembered, at least one.
    #[must_use]
    pub fn new(secret: &NonceSecret, owner: u16, lifetime_secs: u32, used_max: usize, random: &mut Random) -> Nonces {
        let [a, b, c, d, ..] = random.next_u64().to_be_bytes();
        Nonces {
            mac: HmacSha256::new(&secret.0),
            owner,
            epoch: u32::from_be_bytes([a, b, c, d]),
            next_serial: 0,
            lifetime_secs,
            used_max: used_max.max(1),
            used: BTreeMap::new(),
            low_water: 0,
            forgotten_early: 0,
        }
    }

    /// A new nonce, 48 letters long.
    pub fn issue(&mut self, now: Now) -> String {
        let body = Body { owner: self.owner, epoch: self.epoch, serial: self.next_serial, issued: now.unix };
        self.next_serial = self.next_serial.saturating_add(1);
        let mut bytes = Vec::with_capacity(NONCE_BYTES);
        body.write(&mut bytes);
        bytes.extend_from_slice(&self.mac_of(&bytes));
        base64::encode(&bytes)
    }

    /// Whose nonce this is, and whether it still counts. The order of the checks tells a stranger nothing but that its own guess failed.
    #[must_use]
    pub fn verify(&self, nonce: &str, now: Now) -> NonceVerdict {
        let Some(body) = self.open(nonce) else { return NonceVerdict::Unknown };
        if body.owner != self.owner {
            return NonceVerdict::ForeignOwner(body.owner);
        }
        if body.epoch != self.epoch {
            return NonceVerdict::Unknown;
        }
        // Issued later than now: the clock was set back, and how old the nonce is can't be said.
        if body.serial < self.low_water || body.issued > now.unix || self.is_expired(body.issued, now) {
            return NonceVerdict::Expired;
        }
        NonceVerdict::Fresh(FreshNonce { serial: body.serial, issued: body.issued })
    }

    /// Records that a nonce was used with this count: once for each count; once at all where a client of RFC 2069 has none.
    pub fn spend(&mut self, nonce: FreshNonce, nc: Option<u32>, now: Now) -> Spent {
        if nonce.serial < self.low_water {
            return Spent::Again;
        }
        if let Some(used) = self.used.get_mut(&nonce.serial) {
            return used.again(nc);
        }
        self.purge_some(now, PURGED_PER_USE);
        self.used.insert(nonce.serial, Used::first(nonce.issued, nc));
        while self.used.len() > self.used_max {
            self.forget_oldest();
            self.forgotten_early = self.forgotten_early.saturating_add(1);
        }
        Spent::First
    }

    /// Drops the records of nonces that have expired. [`Nonces::spend`] does so bit by bit; this is for idle times.
    pub fn purge(&mut self, now: Now) {
        self.purge_some(now, usize::MAX);
    }

    /// How many used nonces are remembered.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used.len()
    }

    /// How many used nonces were forgotten before they expired, because others needed their place.
    #[must_use]
    pub fn forgotten_early(&self) -> u64 {
        self.forgotten_early
    }

    fn purge_some(&mut self, now: Now, count: usize) {
        for _ in 0..count {
            match self.used.first_key_value() {
                Some((_, oldest)) if self.is_expired(oldest.issued, now) => self.forget_oldest(),
                _ => return,
            }
        }
    }

    /// Drops the record with the lowest serial, and with it all hope for that nonce and those before it.
    fn forget_oldest(&mut self) {
        if let Some((serial, _)) = self.used.pop_first() {
            self.low_water = self.low_water.max(serial.saturating_add(1));
        }
    }

    fn is_expired(&self, issued: Millis, now: Now) -> bool {
        issued.plus_secs(self.lifetime_secs.into()) <= now.unix
    }

    fn open(&self, nonce: &str) -> Option<Body> {
        let bytes = base64::decode::<NONCE_BYTES>(nonce.as_bytes())?;
        let (body, mac) = bytes.split_first_chunk::<BODY_BYTES>()?;
        bool::from(self.mac_of(body).ct_eq(mac)).then(|| Body::read(body))?
    }

    fn mac_of(&self, body: &[u8]) -> [u8; MAC_BYTES] {
        let mut mac = [0; MAC_BYTES];
        mac.iter_mut().zip(self.mac.of(body)).for_each(|(to, from)| *to = from);
        mac
    }
}

/// What a nonce says.
struct Body {
    owner: u16,
    epoch: u32,
    serial: u64,
    issued: Millis,
}

impl Body {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.owner.to_be_bytes());
        out.extend_from_slice(&self.epoch.to_be_bytes());
        out.extend_from_slice(&self.serial.to_be_bytes());
        let [_, _, ms @ ..] = self.issued.0.to_be_bytes();
        out.extend_from_slice(&ms);
    }

    fn read(bytes: &[u8]) -> Option<Body> {
        let (owner, bytes) = bytes.split_first_chunk()?;
        let (epoch, bytes) = bytes.split_first_chunk()?;
        let (serial, bytes) = bytes.split_first_chunk()?;
        let [a, b, c, d, e, f] = *bytes.first_chunk()?;
        Some(Body {
            owner: u16::from_be_bytes(*owner),
            epoch: u32::from_be_bytes(*epoch),
            serial: u64::from_be_bytes(*serial),
            issued: Millis(u64::from_be_bytes([0, 0, a, b, c, d, e, f])),
        })
    }
}

impl Used {
    fn first(issued: Millis, nc: Option<u32>) -> Used {
        match nc {
            Some(top) => Used { issued, top, window: 1 },
            // No count: all of them are used up.
            None => Used { issued, top: u32::MAX, window: u64::MAX },
        }
    }

    fn again(&mut self, nc: Option<u32>) -> Spent {
        let Some(nc) = nc else { return Spent::Again };
        if nc > self.top {
            self.window = self.window.checked_shl(nc - self.top).unwrap_or(0) | 1;
            self.top = nc;
            return Spent::First;
        }
        let behind = self.top - nc;
        let bit = if behind < NC_WINDOW { 1_u64 << behind } else { return Spent::Again };
        if self.window & bit != 0 {
            return Spent::Again;
        }
        self.window |= bit;
        Spent::First
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use alloc::format;
    use ringback_base::Micros;

    const SECRET: NonceSecret = NonceSecret([7; 32]);

    fn nonces(owner: u16, used_max: usize) -> Nonces {
        Nonces::new(&SECRET, owner, 300, used_max, &mut Random::from_seed([3; 32]))
    }

    fn at(secs: u64) -> Now {
        Now { mono: Micros::from_secs(secs), unix: Millis::from_secs(1_800_000_000 + secs) }
    }

    fn fresh(nonces: &Nonces, nonce: &str, now: Now) -> FreshNonce {
        match nonces.verify(nonce, now) {
            NonceVerdict::Fresh(fresh) => fresh,
            other => panic!("{other:?}"),
        }
    }

    fn spend(nonces: &mut Nonces, nonce: &str, nc: u32, now: Now) -> Spent {
        let fresh = fresh(nonces, nonce, now);
        nonces.spend(fresh, Some(nc), now)
    }

    #[test]
    fn lives_for_its_time_and_no_longer() {
        let mut ours = nonces(1, 8);
        let nonce = ours.issue(at(0));
        assert_eq!(nonce.len(), 48);
        assert_ne!(nonce, ours.issue(at(0)));
        assert!(matches!(ours.verify(&nonce, at(0)), NonceVerdict::Fresh(_)));
        assert!(matches!(ours.verify(&nonce, at(299)), NonceVerdict::Fresh(_)));
        assert_eq!(ours.verify(&nonce, at(300)), NonceVerdict::Expired);
        let later = ours.issue(at(10));
        assert_eq!(ours.verify(&later, at(9)), NonceVerdict::Expired);
    }

    #[test]
    fn names_its_owner_and_nobody_else_can_make_it() {
        let (mut ours, theirs) = (nonces(1, 8), nonces(2, 8));
        let nonce = ours.issue(at(0));
        assert_eq!(theirs.verify(&nonce, at(1)), NonceVerdict::ForeignOwner(1));
        let stranger = Nonces::new(&NonceSecret([8; 32]), 1, 300, 8, &mut Random::from_seed([3; 32]));
        assert_eq!(stranger.verify(&nonce, at(1)), NonceVerdict::Unknown);
        for i in 0..nonce.len() {
            let mut forged = nonce.clone().into_bytes();
            forged[i] = if forged[i] == b'A' { b'B' } else { b'A' };
            assert_eq!(ours.verify(core::str::from_utf8(&forged).unwrap(), at(1)), NonceVerdict::Unknown);
        }
        for other in [
            "",
            "a",
            nonce.strip_suffix(char::is_alphanumeric).unwrap_or("b"),
            &format!("{nonce}AAAA"),
            &"A".repeat(48),
            &"=".repeat(48),
        ] {
            assert_eq!(ours.verify(other, at(1)), NonceVerdict::Unknown);
        }
    }

    /// With the secret kept over a restart, what was used before it must not be usable again.
    #[test]
    fn another_life_of_the_same_owner_does_not_know_it() {
        let mut before = nonces(1, 8);
        let nonce = before.issue(at(0));
        let after = Nonces::new(&SECRET, 1, 300, 8, &mut Random::from_seed([4; 32]));
        assert_eq!(after.verify(&nonce, at(1)), NonceVerdict::Unknown);
    }

    #[test]
    fn each_count_once_in_any_order_within_the_window() {
        let mut ours = nonces(1, 8);
        let nonce = ours.issue(at(0));
        let mut try_one = |nc| spend(&mut ours, &nonce, nc, at(1));
        for nc in [3, 1, 2, 5, 4, 100, 37, 99] {
            assert_eq!(try_one(nc), Spent::First, "{nc}");
        }
        for nc in [1, 2, 3, 4, 5, 37, 99, 100, 36, 35, 0] {
            assert_eq!(try_one(nc), Spent::Again, "{nc}");
        }
        assert_eq!(try_one(163), Spent::First);
        assert_eq!(try_one(100), Spent::Again);
        assert_eq!(try_one(101), Spent::First);
        assert_eq!(try_one(u32::MAX), Spent::First);
        assert_eq!(try_one(164), Spent::Again);
        assert_eq!(try_one(u32::MAX), Spent::Again);
        assert_eq!(try_one(u32::MAX - 63), Spent::First);
        assert_eq!(try_one(u32::MAX - 64), Spent::Again);
    }

    #[test]
    fn without_a_count_once_at_all() {
        let mut ours = nonces(1, 8);
        let (first, second) = (ours.issue(at(0)), ours.issue(at(0)));
        let (one, two) = (fresh(&ours, &first, at(1)), fresh(&ours, &second, at(1)));
        assert_eq!(ours.spend(one, None, at(1)), Spent::First);
        assert_eq!(ours.spend(one, None, at(1)), Spent::Again);
        for nc in [0, 7, u32::MAX - 1, u32::MAX] {
            assert_eq!(ours.spend(one, Some(nc), at(1)), Spent::Again);
        }
        assert_eq!(ours.spend(two, Some(1), at(1)), Spent::First);
        assert_eq!(ours.spend(two, None, at(1)), Spent::Again);
    }

    #[test]
    fn what_a_full_table_forgets_is_expired() {
        let mut ours = nonces(1, 3);
        let issued: Vec<String> = (0..6).map(|_| ours.issue(at(0))).collect();
        for nonce in &issued[1..5] {
            assert_eq!(spend(&mut ours, nonce, 1, at(1)), Spent::First);
        }
        assert_eq!(ours.used(), 3);
        // The second went when the fifth came; the first, never used, is older than that.
        assert_eq!(ours.verify(&issued[0], at(1)), NonceVerdict::Expired);
        assert_eq!(ours.verify(&issued[1], at(1)), NonceVerdict::Expired);
        for nonce in &issued[2..5] {
            assert_eq!(spend(&mut ours, nonce, 1, at(1)), Spent::Again);
        }
        assert_eq!(spend(&mut ours, &issued[5], 1, at(1)), Spent::First);
        assert_eq!(ours.verify(&issued[2], at(1)), NonceVerdict::Expired);
    }

    #[test]
    fn a_full_table_takes_a_use_of_the_oldest_once() {
        let mut ours = nonces(1, 1);
        let (old, new) = (ours.issue(at(0)), ours.issue(at(0)));
        let held = fresh(&ours, &old, at(1));
        assert_eq!(spend(&mut ours, &new, 1, at(1)), Spent::First);
        assert_eq!(ours.spend(held, Some(1), at(1)), Spent::First);
        assert_eq!(ours.spend(held, Some(1), at(1)), Spent::Again);
        assert_eq!(ours.verify(&old, at(1)), NonceVerdict::Expired);
        assert_eq!(spend(&mut ours, &new, 2, at(1)), Spent::First);
    }

    #[test]
    fn expired_records_go_and_stay_expired_when_the_clock_is_set_back() {
        let mut ours = nonces(1, 100);
        let nonces: Vec<String> = (0..50).map(|_| ours.issue(at(0))).collect();
        for nonce in &nonces {
            spend(&mut ours, nonce, 1, at(1));
        }
        assert_eq!(ours.used(), 50);
        for round in 1..=20 {
            let nonce = ours.issue(at(301));
            spend(&mut ours, &nonce, 1, at(301));
            assert_eq!(ours.used(), 50 - round);
        }
        ours.purge(at(301));
        assert_eq!(ours.used(), 20);
        assert!(nonces.iter().all(|nonce| ours.verify(nonce, at(1)) == NonceVerdict::Expired));
        ours.purge(at(10_000));
        assert_eq!(ours.used(), 0);
    }

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(format!("{SECRET:?}"), "NonceSecret");
        assert!(format!("{:?}", nonces(1, 1)).starts_with("Nonces { mac: HmacSha256, owner: 1,"));
    }
}
