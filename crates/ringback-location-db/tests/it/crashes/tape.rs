//! Storage that remembers every call, and what a crash between any two of them can leave.
//!
//! Everything up to the last sync that returned is there. Of each later call the disk may have kept nothing, all of it, or,
//! of a write, any of its sectors: the system writes pages back in whatever order it likes, and a disk tears at sectors.

use std::io;
use std::sync::{Arc, Mutex};

use ringback_base::Random;
use ringback_location_db::StorageBackend;

use crate::crashes::ledger::Note;

/// What no disk tears.
const SECTOR: usize = 512;
/// What a system writes back at a time.
const PAGE: usize = 4_096;

/// Storage under record; its clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    reel: Arc<Mutex<Reel>>,
}

#[derive(Debug, Default)]
struct Reel {
    data: Vec<u8>,
    recording: Recording,
    syncs: u64,
    /// Of so many syncs only one is a sync, all return; 0 is an honest disk.
    one_sync_of: u64,
}

/// All that happened, in order.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// What there was at first.
    pub first: Vec<u8>,
    pub entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
pub enum Entry {
    Write {
        at: usize,
        bytes: Box<[u8]>,
    },
    SetLen(usize),
    /// A sync returned.
    Sync,
    /// What those who use the database know at this moment.
    Note(Note),
}

impl Tape {
    /// Storage that holds these bytes, all of them synced.
    pub fn of(first: Vec<u8>) -> Tape {
        let recording = Recording { first: first.clone(), entries: Vec::new() };
        Tape { reel: Arc::new(Mutex::new(Reel { data: first, recording, ..Reel::default() })) }
    }

    /// A disk that lies: of so many syncs, which all return, only one is done.
    pub fn that_syncs_one_of(count: u64) -> Tape {
        Tape { reel: Arc::new(Mutex::new(Reel { one_sync_of: count, ..Reel::default() })) }
    }

    pub fn note(&self, note: Note) {
        self.reel.lock().unwrap().recording.entries.push(Entry::Note(note));
    }

    pub fn recording(&self) -> Recording {
        self.reel.lock().unwrap().recording.clone()
    }
}

impl StorageBackend for Tape {
    fn len(&self) -> io::Result<u64> {
        Ok(self.reel.lock().unwrap().data.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let reel = self.reel.lock().unwrap();
        let start = offset as usize;
        out.copy_from_slice(reel.data.get(start..start + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut reel = self.reel.lock().unwrap();
        reel.data.resize(len as usize, 0);
        reel.recording.entries.push(Entry::SetLen(len as usize));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut reel = self.reel.lock().unwrap();
        reel.syncs += 1;
        if reel.one_sync_of == 0 || reel.syncs.is_multiple_of(reel.one_sync_of) {
            reel.recording.entries.push(Entry::Sync);
        }
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut reel = self.reel.lock().unwrap();
        let at = offset as usize;
        let place = reel.data.get_mut(at..at + bytes.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        place.copy_from_slice(bytes);
        reel.recording.entries.push(Entry::Write { at, bytes: bytes.into() });
        Ok(())
    }
}

/// What the disk kept of one call that was not synced.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kept {
    Nothing,
    All,
    /// These sectors of a write, the first one first.
    Sectors(Vec<bool>),
}

/// What it kept of each call since the last sync; nothing of those beyond.
pub type Plan = Vec<Kept>;

/// A plan in words: a sign for each call, in brackets one for each of its sectors.
pub fn picture(plan: &[Kept]) -> String {
    let sign = |kept: bool| if kept { '+' } else { '-' };
    let pictures = plan.iter().map(|kept| match kept {
        Kept::Nothing => sign(false).to_string(),
        Kept::All => sign(true).to_string(),
        Kept::Sectors(sectors) => format!("[{}]", sectors.iter().map(|kept| sign(*kept)).collect::<String>()),
    });
    format!("<{}>", pictures.collect::<String>())
}

/// The calls from one sync to the next, and what was there before them.
#[derive(Clone, Debug)]
pub struct Epoch<'a> {
    pub number: usize,
    pub base: Vec<u8>,
    /// Each with its place among the entries.
    pub calls: Vec<(usize, &'a Entry)>,
    /// The place of the sync, or the end.
    pub end: usize,
}

impl Recording {
    /// All epochs, the last one without a sync at its end.
    pub fn epochs(&self) -> Epochs<'_> {
        Epochs { recording: self, next: 0, number: 0, base: self.first.clone() }
    }
}

/// Makes one epoch after the other: together they would need much room.
#[derive(Debug)]
pub struct Epochs<'a> {
    recording: &'a Recording,
    next: usize,
    number: usize,
    base: Vec<u8>,
}

impl<'a> Iterator for Epochs<'a> {
    type Item = Epoch<'a>;

    fn next(&mut self) -> Option<Epoch<'a>> {
        let entries = &self.recording.entries;
        let rest = entries.get(self.next..)?;
        let length = rest.iter().position(|entry| matches!(entry, Entry::Sync)).unwrap_or(rest.len());
        let places = (self.next..).zip(&rest[..length]);
        let calls: Vec<_> = places.filter(|(_, entry)| !matches!(entry, Entry::Note(_))).collect();
        let epoch = Epoch { number: self.number, base: self.base.clone(), calls, end: self.next + length };
        self.number += 1;
        self.base = epoch.image(&vec![Kept::All; epoch.calls.len()]);
        self.next = epoch.end + 1;
        Some(epoch)
    }
}

impl Epoch<'_> {
    /// Every moment at which it can end: the place among the entries before which the crash comes, and how many calls came before.
    pub fn points(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let places = self.calls.iter().map(|(place, _)| *place).chain([self.end]);
        places.zip(0..)
    }

    /// What a crash leaves under that plan. Where a new length was lost, so is what was written beyond the old one.
    pub fn image(&self, plan: &[Kept]) -> Vec<u8> {
        let mut data = self.base.clone();
        for ((_, call), kept) in self.calls.iter().zip(plan) {
            match (call, kept) {
                (_, Kept::Nothing) => {}
                (Entry::SetLen(len), _) => data.resize(*len, 0),
                (Entry::Write { at, bytes }, kept) => {
                    for (index, (place, sector)) in sectors(*at, bytes).enumerate() {
                        let is_kept = match kept {
                            Kept::Sectors(sectors) => sectors.get(index) == Some(&true),
                            _ => true,
                        };
                        if is_kept && let Some(room) = data.get_mut(place..) {
                            let fits = room.len().min(sector.len());
                            room[..fits].copy_from_slice(&sector[..fits]);
                        }
                    }
                }
                (Entry::Sync | Entry::Note(_), _) => {}
            }
        }
        data
    }

    /// What is looked at before each call: the disk kept nothing, or all of the calls before it.
    pub fn extremes(&self, count: usize) -> [Plan; 2] {
        [Vec::new(), vec![Kept::All; count]]
    }

    /// What is looked at once all calls are made: every part of them where they are no more than `parts_of`; in any case each
    /// first part of them, all but one, one alone, one torn.
    pub fn systematic(&self, parts_of: usize, random: &mut Random) -> Vec<Plan> {
        let count = self.calls.len();
        let mut plans: Vec<Plan> = (0..count).map(|length| vec![Kept::All; length]).collect();
        if count <= parts_of {
            let whole = |bits: usize, index: usize| if bits >> index & 1 == 1 { Kept::All } else { Kept::Nothing };
            plans.extend((0..1 << count).map(|bits| (0..count).map(|index| whole(bits, index)).collect()));
        }
        for index in 0..count {
            let but_for = |kept: Kept| {
                let mut plan = vec![Kept::All; count];
                plan[index] = kept;
                plan
            };
            let mut alone = vec![Kept::Nothing; index];
            alone.push(Kept::All);
            plans.extend([but_for(Kept::Nothing), alone]);
            let sectors = self.sectors_of(index);
            if sectors > 1 {
                let cut = 1 + random.below(sectors as u64 - 1) as usize;
                let head: Vec<bool> = (0..sectors).map(|sector| sector < cut).collect();
                let tail = head.iter().map(|kept| !kept).collect();
                plans.extend([but_for(Kept::Sectors(head)), but_for(Kept::Sectors(tail))]);
            }
        }
        plans.into_iter().map(trimmed).collect()
    }

    /// Any part of the first `count` calls: whole ones, whole pages or sectors, of which many or few were kept.
    pub fn random(&self, count: usize, random: &mut Random) -> Plan {
        let kept_of_16 = 1 + random.below(15);
        let mut is_kept = || random.below(16) < kept_of_16;
        let grain = [usize::MAX, PAGE, SECTOR][usize::from(is_kept()) + usize::from(is_kept())];
        let plan = (0..count).map(|index| match self.sectors_of(index) {
            sectors if grain < usize::MAX && sectors > 1 => {
                let mut kept = Vec::new();
                while kept.len() < sectors {
                    let run = (grain / SECTOR).min(sectors - kept.len());
                    kept.extend(std::iter::repeat_n(is_kept(), run));
                }
                Kept::Sectors(kept)
            }
            _ if is_kept() => Kept::All,
            _ => Kept::Nothing,
        });
        trimmed(plan.collect())
    }

    fn sectors_of(&self, index: usize) -> usize {
        match self.calls[index].1 {
            Entry::Write { at, bytes } => sectors(*at, bytes).count(),
            _ => 1,
        }
    }
}

/// A write's bytes, cut where the sectors of the disk begin, each with its place.
fn sectors(at: usize, bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let head = (SECTOR - at % SECTOR).min(bytes.len());
    let (first, rest) = bytes.split_at(head);
    let rest = rest.chunks(SECTOR).enumerate().map(move |(index, sector)| (at + head + index * SECTOR, sector));
    [(at, first)].into_iter().chain(rest)
}

/// One plan for what is the same: no loose end, and no list of sectors that are all there or all not.
fn trimmed(mut plan: Plan) -> Plan {
    for kept in &mut plan {
        if let Kept::Sectors(sectors) = kept {
            match sectors.iter().filter(|kept| **kept).count() {
                0 => *kept = Kept::Nothing,
                count if count == sectors.len() => *kept = Kept::All,
                _ => {}
            }
        }
    }
    while plan.last() == Some(&Kept::Nothing) {
        plan.pop();
    }
    plan
}

#[test]
fn images_hold_what_was_synced_and_what_the_plan_keeps() {
    let tape = Tape::of(vec![0; 1_024]);
    tape.write(0, &[1; 1_024]).unwrap();
    tape.sync_data().unwrap();
    tape.set_len(2_048).unwrap();
    tape.write(256, &[2; 1_024]).unwrap();
    tape.write(1_536, &[3; 512]).unwrap();
    let recording = tape.recording();
    let epochs: Vec<_> = recording.epochs().collect();
    let points: Vec<_> = epochs.iter().flat_map(Epoch::points).collect();
    assert_eq!(points, [(0, 0), (1, 1), (2, 0), (3, 1), (4, 2), (5, 3)]);
    let epoch = &epochs[1];
    assert_eq!(epoch.base, [1; 1_024]);
    let runs = |plan: &[Kept]| -> Vec<(u8, usize)> {
        epoch.image(plan).chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect()
    };
    assert_eq!(runs(&[]), [(1, 1_024)]);
    assert_eq!(runs(&[Kept::All, Kept::Nothing, Kept::All]), [(1, 1_024), (0, 512), (3, 512)]);
    // Its pieces begin at 256, 512 and 1024.
    let torn = Kept::Sectors(vec![true, false, true]);
    assert_eq!(runs(&[Kept::All, torn.clone()]), [(1, 256), (2, 256), (1, 512), (2, 256), (0, 768)]);
    assert_eq!(runs(&[Kept::Nothing, torn, Kept::All]), [(1, 256), (2, 256), (1, 512)]);
    assert_eq!(picture(&trimmed(vec![Kept::Sectors(vec![true; 2]), Kept::Sectors(vec![false; 2])])), "<+>");
}
