//! Visits every crash point of a recording.

use std::collections::HashMap;
use std::env;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

use ringback_base::Random;
use ringback_location_db::{LocationDb, OpenError, Options};

use crate::crashes::actor::{Actor, set};
use crate::crashes::ledger::{Expected, Found, Ledger, META_KEY};
use crate::crashes::tape::{Entry, Epoch, Plan, Recording, Tape, picture};
use crate::*;

/// Random images of each crash point, where the environment names no other number.
const RANDOM_IMAGES: usize = 16;
/// Of so many calls, and the whole of each, every part is looked at.
const PARTS_OF: usize = 8;
/// The same where the environment asks for more.
const PARTS_OF_MORE: usize = 11;
/// Who registers after a crash.
const SURVIVOR: &str = "survivor";

/// How thoroughly.
#[derive(Clone, Copy, Debug)]
pub struct Tier {
    seed: u64,
    random_images: usize,
    parts_of: usize,
    /// Random images of each epoch after which a second crash is looked at.
    second_crashes: usize,
}

impl Tier {
    /// As the environment says: `RINGBACK_CRASH_IMAGES` is how many random images each crash point gets, and with it there is
    /// more of all else; `RINGBACK_SEED` is where they start from.
    pub fn of_environment() -> Tier {
        let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
        let random_images = number("RINGBACK_CRASH_IMAGES").map(|count| count as usize);
        Tier {
            seed: number("RINGBACK_SEED").unwrap_or(1),
            random_images: random_images.unwrap_or(RANDOM_IMAGES),
            parts_of: random_images.map_or(PARTS_OF, |_| PARTS_OF_MORE),
            second_crashes: random_images.unwrap_or(RANDOM_IMAGES).div_ceil(8),
        }
    }

    /// The source for the images of an epoch, or, with no epoch, for a script.
    pub fn random(&self, epoch: Option<usize>) -> Random {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seed.to_le_bytes());
        seed[8..16].copy_from_slice(&epoch.map_or(0, |number| number as u64 + 1).to_le_bytes());
        Random::from_seed(seed)
    }
}

/// What was visited.
#[derive(Debug, Default)]
pub struct Tally {
    /// Moments between two calls, the beginning and the end among them.
    pub points: usize,
    /// Images of them that were judged; the same image may be of several moments, of which more was told at the later one.
    pub judged: usize,
    /// Images that differ, each of which was opened.
    pub opened: usize,
    /// Of those, images in which a database was only begun: they are refused.
    pub unborn: usize,
    /// Crash points after a crash.
    pub second_points: usize,
    /// Their images.
    pub second_opened: usize,
    pub faults: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.points += other.points;
        self.judged += other.judged;
        self.opened += other.opened;
        self.unborn += other.unborn;
        self.second_points += other.second_points;
        self.second_opened += other.second_opened;
        self.faults.extend(other.faults);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { points, judged, opened, unborn, second_points, second_opened, .. } = self;
        write!(f, "{points} crash points, {judged} images judged, {opened} different ones opened ({unborn} of them ")?;
        write!(f, "only begun, and refused); after a crash {second_points} more points, {second_opened} images")
    }
}

/// Visits every crash point of what was recorded on storage that began empty.
pub fn visit(recording: &Recording, tier: &Tier) -> Tally {
    let ledger = Ledger::of(recording);
    let epochs = Mutex::new(recording.epochs());
    let tally = Mutex::new(Tally::default());
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let Some(epoch) = epochs.lock().unwrap().next() else { return };
                    let visited = Visit { epoch: &epoch, ledger: &ledger, tier, seen: HashMap::new() }.all();
                    tally.lock().unwrap().add(visited);
                }
            });
        }
    });
    tally.into_inner().unwrap()
}

struct Visit<'a> {
    epoch: &'a Epoch<'a>,
    ledger: &'a Ledger,
    tier: &'a Tier,
    /// What each image shows; `None` where there never was a database.
    seen: HashMap<Plan, Result<Option<Found>, String>>,
}

impl Visit<'_> {
    fn all(mut self) -> Tally {
        let mut tally = Tally::default();
        let mut random = self.tier.random(Some(self.epoch.number));
        let count = self.epoch.calls.len();
        for (place, pending) in self.epoch.points() {
            let mut plans = self.epoch.extremes(pending).to_vec();
            if pending > 0 {
                plans.extend((0..self.tier.random_images).map(|_| self.epoch.random(pending, &mut random)));
            }
            if pending == count {
                plans.extend(self.epoch.systematic(self.tier.parts_of, &mut random));
            }
            let expected = self.ledger.expected(place);
            tally.points += 1;
            for plan in plans {
                tally.judged += 1;
                let faults = self.judge(&plan, &expected);
                let kept = picture(&plan);
                let words = |fault| format!("before entry {place}, epoch {}, kept {kept}: {fault}", self.epoch.number);
                tally.faults.extend(faults.into_iter().map(words));
            }
        }
        for _ in 0..self.tier.second_crashes {
            let plan = self.epoch.random(count, &mut random);
            self.second_crash(&plan, &mut random, &mut tally);
        }
        tally.opened += self.seen.len();
        tally.unborn += self.seen.values().filter(|found| matches!(found, Ok(None))).count();
        tally
    }

    fn judge(&mut self, plan: &Plan, expected: &Expected) -> Vec<String> {
        let seen = match self.seen.get(plan) {
            Some(seen) => seen,
            None => {
                let seen = open(self.epoch.image(plan), &self.ledger.users());
                self.seen.entry(plan.clone()).or_insert(seen)
            }
        };
        match seen {
            Err(error) => vec![error.clone()],
            Ok(Some(found)) => expected.faults(found),
            Ok(None) if expected.is_new => Vec::new(),
            Ok(None) => vec!["it is taken for no database".to_owned()],
        }
    }

    /// Opens an image under record, registers somebody, and visits the crash points of that, those of redb's repair among them.
    fn second_crash(&mut self, plan: &Plan, random: &mut Random, tally: &mut Tally) {
        let expected = self.ledger.expected(self.epoch.end);
        let first = format!("after {} of epoch {}", picture(plan), self.epoch.number);
        let faults = self.judge(plan, &expected);
        tally.judged += 1;
        tally.faults.extend(faults.into_iter().map(|fault| format!("{first}: {fault}")));
        let Ok(Some(found)) = self.seen[plan].clone() else { return };
        let tape = Tape::of(self.epoch.image(plan));
        let life = || {
            let actor = Actor::open(&tape, 1_000, Options::default()).unwrap();
            actor.change(SURVIVOR, set("sip:survivor@x", 3_600));
            actor.db.close().unwrap();
        };
        if catch_unwind(AssertUnwindSafe(life)).is_err() {
            return tally.faults.push(format!("{first}: nobody can register"));
        }
        let recording = tape.recording();
        let ledger = Ledger::on(&recording, expected, found);
        for epoch in recording.epochs() {
            let mut visit = Visit { epoch: &epoch, ledger: &ledger, tier: self.tier, seen: HashMap::new() };
            for (place, pending) in epoch.points() {
                let expected = ledger.expected(place);
                let mut plans = epoch.extremes(pending).to_vec();
                plans.push(epoch.random(pending, random));
                tally.second_points += 1;
                for again in plans {
                    let faults = visit.judge(&again, &expected);
                    let words = |fault| format!("{first}, before entry {place}, kept {}: {fault}", picture(&again));
                    tally.faults.extend(faults.into_iter().map(words));
                }
            }
            tally.second_opened += visit.seen.len();
        }
    }
}

/// Opens what a crash left.
fn open(image: Vec<u8>, users: &[String]) -> Result<Option<Found>, String> {
    let is_born = image.is_empty() || image.starts_with(b"redb");
    let open = || match LocationDb::open_backend(Tape::of(image), Options::default(), at(0)) {
        Ok(db) => Ok(Some(read(&db, users))),
        Err(OpenError::Corrupt { .. }) if !is_born => Ok(None),
        Err(error) => Err(format!("it can't be opened: {error}")),
    };
    // Behind a disk that lies, redb finds what it takes for impossible.
    catch_unwind(AssertUnwindSafe(open)).unwrap_or_else(|_| Err("it can't be opened: redb panics".to_owned()))
}

fn read(db: &LocationDb, users: &[String]) -> Found {
    let rows = users.iter().map(|user| (user.clone(), db.load(&aor(user)).0));
    Found {
        rows: rows.filter(|(_, rows)| !rows.is_empty()).collect(),
        count: db.len(),
        meta: db.meta_get(META_KEY).unwrap().map(|value| value[0]),
        schema: db.meta_get("schema").unwrap(),
    }
}

/// How many calls and syncs there are.
pub fn calls(recording: &Recording) -> (usize, usize) {
    let syncs = recording.entries.iter().filter(|entry| matches!(entry, Entry::Sync)).count();
    let notes = recording.entries.iter().filter(|entry| matches!(entry, Entry::Note(_))).count();
    (recording.entries.len() - notes - syncs, syncs)
}
