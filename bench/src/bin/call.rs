//! Whole calls at one endpoint, and the same messages only read: callgrind counts what each takes.
//!
//! ```text
//! ringback-bench-call FOLDER     lines of side, what, calls, messages, bytes: one for each entry into `measured`
//! ```

use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;

use bytes::Bytes;
use ringback_bench::Fault;
use ringback_bench::call::{Calls, Live, Side, Tape, Texts};
use ringback_message::{Message, Request, Response};

/// Calls before those that count: tables and queues have their size then.
const WARM_UP: u32 = 16;
/// Calls that count.
const CALLS: u32 = 64;

fn main() -> ExitCode {
    let folder = std::env::args().nth(1).ok_or_else(|| "usage: ringback-bench-call FOLDER".to_owned());
    match folder.and_then(|folder| run(Path::new(&folder))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(folder: &Path) -> Result<(), Fault> {
    let texts = Texts::read(folder)?;
    for side in [Side::Callee, Side::Caller] {
        let mut tape = Tape::default();
        let mut rehearsal = Calls::new(side, 1)?;
        for call in 0..WARM_UP + CALLS {
            rehearsal.call(&mut Live::new(&texts, call, Some(&mut tape)))?;
        }
        let mut calls = Calls::new(side, 1)?;
        (0..WARM_UP).try_for_each(|_| calls.call(&mut tape))?;
        // Each message in a buffer of its own, as it comes from a socket.
        let messages: Vec<Bytes> = tape.messages().map(|bytes| Bytes::copy_from_slice(bytes)).collect();
        let bytes: usize = messages.iter().map(Bytes::len).sum();
        let name = match side {
            Side::Callee => "callee",
            Side::Caller => "caller",
        };
        let mut told = Ok(());
        measured(&mut || told = (0..CALLS).try_for_each(|_| calls.call(&mut tape)));
        told?;
        println!("{name}\tcall\t{CALLS}\t{}\t{bytes}", messages.len());
        let count = messages.len();
        let mut messages = messages.into_iter();
        let mut told = Ok(());
        measured(&mut || told = messages.try_for_each(read));
        told?;
        println!("{name}\tread\t{CALLS}\t{count}\t{bytes}");
    }
    Ok(())
}

/// What callgrind counts, and dumps behind each call.
#[inline(never)]
fn measured(act: &mut dyn FnMut()) {
    black_box(act)();
}

/// Parsed and checked, as an endpoint does before anything else.
fn read(bytes: Bytes) -> Result<(), Fault> {
    let message = Message::parse(bytes).map_err(|rejected| rejected.error.to_string())?;
    let fault = if message.is_request() {
        Request::check(message).map(|request| _ = black_box(request))
    } else {
        Response::check(message).map(|response| _ = black_box(response))
    };
    fault.map_err(|rejected| rejected.error.to_string())
}
