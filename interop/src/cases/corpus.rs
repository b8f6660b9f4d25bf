//! What others found to break servers, and what real ones say: sent to ours, which must go on as if nothing had been.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::Fault;
use crate::corpus::{Batch, Sheet, load, renewed};
use crate::flood::{byte_by_byte, datagrams, whole};
use crate::leg::Leg;
use crate::peer::references;
use crate::place::{Place, finish, named};
use crate::probe::{options_over_tcp, wait_for_options};
use crate::scenario::{CALL, CALLEE};
use crate::server::{Account, Server};
use crate::sipp::{Figures, Script};

/// How often the whole corpus is sent before the memory is looked at, and again until it is looked at again.
const ROUNDS: u32 = 20;
/// When every transaction has ended: Timers H and J are 32 s. [RFC 3261, Section 17.2]
const SETTLED_AFTER: Duration = Duration::from_secs(35);
/// How long an OPTIONS may take.
const OPTIONS_MAX: Duration = Duration::from_secs(2);
/// By how much memory may have grown from one look to the other. What an allocator keeps depends on how much was open at a
/// time and varies by some 100 KiB. Some 6,000 messages lie in between: were one transaction of each kept, whose message alone has
/// half a KiB, it would be half as much again.
const GROWTH_MAX_KIB: u64 = 2_048;

/// A corpus, and how a round of it is sent.
struct Ordeal {
    leg: Leg,
    batches: Vec<Batch>,
    /// The ways of sending messages that belong together; each gives what came back, in the unit that the leg counts in.
    ways: &'static [Way],
}

type Way = fn(SocketAddr, &[Vec<u8>]) -> Result<u64, Fault>;

pub(super) fn by_udp(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    Ordeal { leg: Leg::UDP, batches: load(&references()?)?, ways: &[datagrams] }.undergo(place, figures)
}

pub(super) fn by_tcp(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    Ordeal { leg: Leg::TCP, batches: load(&references()?)?, ways: &[whole, byte_by_byte] }.undergo(place, figures)
}

impl Ordeal {
    fn undergo(&self, place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
        let [caller, callee] = named(["caller", "callee"]);
        place.site.import(&[caller.clone(), callee.clone()])?;
        let mut server = place.site.start()?;
        figures.beside(place.register(std::slice::from_ref(&callee))?);

        let began = Instant::now();
        let mut answers = 0;
        for batch in &self.batches {
            for sheet in &batch.sheets {
                for way in self.ways {
                    answers += way(place.site.address, &self.parts(sheet))?;
                }
                self.still_answers(place, &mut server).map_err(|fault| format!("after {}: {fault}", sheet.name))?;
            }
            self.still_calls(place, &caller, figures).map_err(|fault| format!("after {}: {fault}", batch.name))?;
        }
        let sheets = self.batches.iter().flat_map(|batch| &batch.sheets);
        let (files, messages) =
            sheets.fold((0, 0), |(files, messages), sheet| (files + 1, messages + sheet.messages.len()));
        let unit = if self.leg == Leg::UDP { "datagrams" } else { "bytes" };
        place.note(format!(
            "{messages} messages of {files} files: {answers} {unit} came back, after each an OPTIONS; {} calls",
            self.batches.len()
        ));

        self.rounds(place, "warm")?;
        std::thread::sleep(SETTLED_AFTER);
        let (before, files) = (server.memory_kib()?, server.open_files()?);
        self.rounds(place, "more")?;
        let peak = server.memory_kib()?;
        std::thread::sleep(SETTLED_AFTER);
        let after = server.memory_kib()?;
        place.note(format!(
            "memory: {before} KiB after {ROUNDS} rounds, {peak} KiB behind the last of {ROUNDS} more, {after} KiB when all is \
             over; {:.0} s",
            began.elapsed().as_secs_f64()
        ));
        if server.open_files()? > files {
            return Err(format!("{} files and sockets are open, {files} were", server.open_files()?));
        }
        if after > before + GROWTH_MAX_KIB {
            return Err(format!("memory grew from {before} to {after} KiB, by more than {GROWTH_MAX_KIB}"));
        }
        self.still_answers(place, &mut server)?;
        self.still_calls(place, &caller, figures)?;
        server.stop()
    }

    /// Sends the whole corpus again and again, each time as other transactions, every second time as other calls, and by one
    /// way after the other.
    fn rounds(&self, place: &Place, salt: &str) -> Result<(), Fault> {
        for (round, way) in (0..ROUNDS).zip(self.ways.iter().cycle()) {
            let salt = format!("{salt}{round}");
            let renew = |part: Vec<u8>| renewed(&part, &salt, round / 2 % 2 == 0);
            let sheets = self.batches.iter().flat_map(|batch| &batch.sheets);
            let parts: Vec<Vec<u8>> = sheets.flat_map(|sheet| self.parts(sheet)).map(renew).collect();
            way(place.site.address, &parts)?;
        }
        Ok(())
    }

    /// What of a file is sent by this leg: a stream is none of datagrams.
    fn parts(&self, sheet: &Sheet) -> Vec<Vec<u8>> {
        let streams = if self.leg == Leg::TCP { sheet.streams.as_slice() } else { &[] };
        sheet.messages.iter().chain(streams).cloned().collect()
    }

    fn still_answers(&self, place: &Place, server: &mut Server) -> Result<(), Fault> {
        if let Some(fault) = server.trouble() {
            return Err(fault);
        }
        if self.leg == Leg::TCP {
            options_over_tcp(place.site.address, OPTIONS_MAX)?;
        }
        wait_for_options(place.site.address, OPTIONS_MAX, || None)
    }

    fn still_calls(&self, place: &Place, caller: &Account, figures: &mut Figures) -> Result<(), Fault> {
        let callee = place.answering(Script::new("callee", CALLEE, place.callee_port, 1).facing(self.leg))?;
        let script = place.script_by(self.leg, "call", CALL, std::slice::from_ref(caller))?.facing(Leg::UDP);
        let call = script.callee(&place.address_by(self.leg, "callee")).run(&place.folder)?;
        let callee = finish(callee)?;
        let faults: Vec<String> = call.faults.iter().chain(&callee.faults).cloned().collect();
        figures.then(call);
        figures.beside(callee);
        if faults.is_empty() { Ok(()) } else { Err("a call failed".to_owned()) }
    }
}
