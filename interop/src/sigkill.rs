//! SIGKILL under registrations, again and again, on one data folder.
//!
//! In each round SIPp registers one set of users and phones of our own another, both with digest: SIPp because it is not ours,
//! the phones because they also refresh, remove and clear, several contacts at a time. At a random moment the server is killed.
//! What was acknowledged by then is known exactly: a phone has one request under way, and all that the server sent before its
//! end lies in the socket. The server is started anew, each user's bindings are fetched, and held against what was acknowledged.
//!
//! The pages that a killed process wrote stay with the system, so this proves nothing about syncs: the tests of
//! `ringback-location-db`, which visit every crash point with storage that forgets, do.

mod ledger;
mod load;
mod phones;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use ringback_base::Random;

use crate::Fault;
use crate::server::{Account, Server, Site};
use crate::sigkill::ledger::{Ledger, Tally};
use crate::sigkill::load::Load;
use crate::sigkill::phones::Phones;
use crate::sipp::Figures;

/// How often the server is killed, where [`ROUNDS_VARIABLE`] does not say.
const ROUNDS: u32 = 20;
/// Names the number of rounds.
const ROUNDS_VARIABLE: &str = "RINGBACK_SIGKILLS";
/// Names the seed of what the phones do and when the server is killed.
const SEED_VARIABLE: &str = "RINGBACK_SEED";

/// Users with phones of our own.
const PHONES: usize = 100;
/// What they ask for, a second.
const PHONES_RATE: u32 = 300;
/// Users whom SIPp registers, each once a round.
const SIPP_USERS: usize = 240;
/// How many a second.
const SIPP_RATE: u32 = 300;
/// The kill comes so long after the first request, at the earliest and at the latest.
const LIFE_MS: std::ops::Range<u64> = 20..800;

/// Kills the server again and again, and says what was there afterwards.
///
/// # Errors
/// Where something keeps the rounds from being played. What was lost or came back is among the faults of the figures.
pub(crate) fn run(site: &mut Site, folder: &Path, figures: &mut Figures, notes: &mut Vec<String>) -> Result<(), Fault> {
    let rounds = number(ROUNDS_VARIABLE)?.unwrap_or(u64::from(ROUNDS));
    let seed = number(SEED_VARIABLE)?.unwrap_or_else(seed_of_now);
    let began = Instant::now();
    let mut game = Game::new(site, folder, seed)?;
    let mut played = 0;
    while played < rounds && game.ledger.tally().is_good() {
        game.round()?;
        played += 1;
    }
    game.last()?;

    let (tally, seconds) = (game.ledger.tally(), began.elapsed().as_secs_f64());
    let by_sipp = game.by_sipp;
    notes.push(format!(
        "{played} SIGKILLs in {seconds:.0} s, seed {seed}: {tally}; by SIPp {by_sipp} of these requests"
    ));
    figures.then(Figures {
        calls: tally.acknowledged,
        succeeded: tally.acknowledged,
        retransmissions: game.phones.retransmissions(),
        seconds,
        faults: faults(tally, played, by_sipp),
        ..Figures::default()
    });
    Ok(())
}

fn faults(tally: &Tally, rounds: u64, by_sipp: u64) -> Vec<String> {
    let mut faults = tally.examples.clone();
    if !tally.is_good() {
        faults.push(tally.to_string());
    }
    // A load that never got through would lose nothing either.
    let by_phones = tally.acknowledged - by_sipp;
    let is_enough = [by_sipp, by_phones, tally.checked].iter().all(|count| *count >= rounds.saturating_mul(20));
    if !is_enough || tally.removals < rounds {
        faults.push("too little was acknowledged to prove anything".to_owned());
    }
    faults
}

/// What lives through all rounds.
struct Game<'a> {
    site: &'a mut Site,
    folder: &'a Path,
    sipp_users: Vec<Account>,
    phones: Phones,
    ledger: Ledger,
    random: Random,
    rounds: u32,
    /// Of all requests that were acknowledged, those of SIPp.
    by_sipp: u64,
}

impl<'a> Game<'a> {
    fn new(site: &'a mut Site, folder: &'a Path, seed: u64) -> Result<Self, Fault> {
        let accounts = |name: &str, count: usize| -> Vec<Account> {
            let one = |n| Account { name: format!("{name}{n:04}"), password: format!("secret-of-{name}{n}") };
            (0..count).map(one).collect()
        };
        let (own, sipp_users) = (accounts("phone", PHONES), accounts("sipp", SIPP_USERS));
        let all: Vec<Account> = own.iter().chain(&sipp_users).cloned().collect();
        site.import(&all)?;
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(seed.to_le_bytes()).for_each(|(to, from)| *to = from);
        let mut random = Random::from_seed(bytes);
        let phones = Phones::new(site.address, &all, PHONES, random.seed())?;
        Ok(Self { site, folder, sipp_users, phones, ledger: Ledger::default(), random, rounds: 0, by_sipp: 0 })
    }

    /// Start, look, register, kill.
    fn round(&mut self) -> Result<(), Fault> {
        self.rounds += 1;
        let server = self.site.start()?;
        self.phones.fetch_all(&mut self.ledger)?;
        let life = Duration::from_millis(LIFE_MS.start + self.random.below(LIFE_MS.end - LIFE_MS.start));
        let load = Load::start(self.folder, self.site.address, &self.sipp_users, SIPP_RATE, self.rounds)?;
        let is_over = AtomicBool::new(false);
        let (phones, ledger) = (&mut self.phones, &mut self.ledger);
        let (used, killed) = std::thread::scope(|scope| {
            let traffic = scope.spawn(|| phones.use_until(&is_over, PHONES_RATE, ledger));
            std::thread::sleep(life);
            let killed = kill(server);
            is_over.store(true, Ordering::SeqCst);
            let used = traffic.join().unwrap_or_else(|_| Err("the phones' thread panicked".to_owned()));
            (used, killed)
        });
        killed.and(used)?;
        let before = self.ledger.tally().acknowledged;
        load.finish(&mut self.ledger)?;
        self.by_sipp += self.ledger.tally().acknowledged - before;
        Ok(())
    }

    /// Start, look, and stop as one does.
    fn last(&mut self) -> Result<(), Fault> {
        let server = self.site.start()?;
        self.phones.fetch_all(&mut self.ledger)?;
        server.stop()
    }
}

/// Kills a server that runs well.
fn kill(server: Server) -> Result<(), Fault> {
    let log = server.log();
    server.kill()?;
    let is_bad = |line: &&str| line.contains("\"level\":\"ERROR\"") || line.contains("panicked at");
    log.lines().find(is_bad).map_or(Ok(()), |line| Err(format!("the server logged {line}")))
}

fn number(variable: &str) -> Result<Option<u64>, Fault> {
    let Ok(text) = std::env::var(variable) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| format!("{variable} is {text}, and not a number"))
}

fn seed_of_now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| u64::from(since.subsec_nanos()) ^ since.as_secs() << 30)
}
