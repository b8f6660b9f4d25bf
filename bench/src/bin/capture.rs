//! A capture to measure readers of captures with, and our own reader.
//!
//! ```text
//! ringback-bench-capture write FILE MEGABYTES   simulated calls, always the same
//! ringback-bench-capture read FILE              frames, messages, bytes of messages
//! ```
//!
//! What is written are worlds of the simulation, one after the other, as a tap at the server would see them: registrations with
//! digest, calls that are taken, refused, forked and given up, phones with good manners and bad, over networks that lose, repeat and
//! reorder. There are no streams in it.

use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use bytes::Bytes;
use ringback_base::{Micros, Millis};
use ringback_bench::Fault;
use ringback_capture::Reader;
use ringback_message::Message;
use ringback_testkit::pcap;
use ringback_testkit::scenario::Scenario;
use ringback_testkit::world::server_addresses;

const USAGE: &str = "usage: ringback-bench-capture write FILE MEGABYTES | read FILE";
/// In milliseconds since 1970, of the first world; the others follow in time.
const EPOCH_MS: u64 = 1_700_000_000_000;
/// A world's calls are placed within two minutes, and end soon after.
const WORLD: Micros = Micros::from_secs(160);
/// The header of a file, which a world has of its own.
const FILE_HEADER_BYTES: usize = 24;
const CHUNK_BYTES: usize = 65_536;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["write", file, megabytes] => {
            megabytes.parse().map_err(|_| USAGE.to_owned()).and_then(|megabytes| write(Path::new(file), megabytes))
        }
        ["read", file] => read(Path::new(file)),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

/// World after world until the file is so long; a file that breaks off is never left under its name.
fn write(file: &Path, megabytes: u64) -> Result<(), Fault> {
    let of_file = |error: std::io::Error| format!("{}: {error}", file.display());
    let partial = file.with_extension("partial");
    let mut out = BufWriter::new(File::create(&partial).map_err(of_file)?);
    let (mut length, mut seed) = (0, 0);
    while length < megabytes.saturating_mul(1_000_000) {
        let world = world(seed)?;
        let bytes = if seed == 0 { &world[..] } else { world.get(FILE_HEADER_BYTES..).unwrap_or_default() };
        out.write_all(bytes).map_err(of_file)?;
        length += bytes.len() as u64;
        seed += 1;
    }
    out.into_inner().map_err(|error| of_file(error.into_error()))?.sync_all().map_err(of_file)?;
    fs::rename(&partial, file).map_err(of_file)?;
    println!("{seed} worlds, {length} bytes");
    Ok(())
}

fn world(seed: u64) -> Result<Vec<u8>, Fault> {
    let fault = |what: &dyn std::fmt::Display| format!("world {seed}: {what}");
    let mut world = Scenario::of_seed(seed).build().map_err(|error| fault(&error))?;
    world.run_until(WORLD).map_err(|failure| fault(&failure))?;
    let epoch = Millis(EPOCH_MS + seed * WORLD.0 / 1_000);
    let mut bytes = Vec::new();
    pcap::write(&mut bytes, world.trace().records(), &server_addresses(), epoch).map_err(|error| fault(&error))?;
    Ok(bytes)
}

/// What the tools of the command line do before they show anything: frames, datagrams, messages with all their lines found.
fn read(file: &Path) -> Result<(), Fault> {
    let fault = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let mut source = File::open(file).map_err(|error| fault(&error))?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut reader = Reader::new();
    let (mut messages, mut bytes, mut refused) = (0_u64, 0_u64, 0_u64);
    loop {
        let count = source.read(&mut chunk).map_err(|error| fault(&error))?;
        if count == 0 {
            reader.finish();
        }
        reader.feed(chunk.get(..count).unwrap_or_default());
        while let Some(packet) = reader.next_packet().map_err(|error| fault(&error))? {
            messages += 1;
            bytes += packet.bytes.len() as u64;
            refused += u64::from(parsed(packet.bytes).is_none());
        }
        if count == 0 {
            break;
        }
    }
    println!("{} frames, {messages} messages, {bytes} bytes, {refused} not read whole", reader.frames());
    Ok(())
}

fn parsed(bytes: Bytes) -> Option<Message> {
    std::hint::black_box(Message::parse(bytes)).ok()
}
