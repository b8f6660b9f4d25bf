//! Loads a server over connections and prints what that cost it, as one line of JSON.
//!
//! ```text
//! ringback-bench-streams certificates FOLDER
//! ringback-bench-streams options|call TRANSPORT SERVER ROOT PID CONNECTIONS RATE COUNT WARM
//! ringback-bench-streams full|resumed TRANSPORT SERVER ROOT PID RATE COUNT WARM
//! ringback-bench-streams idle TRANSPORT SERVER ROOT PID COUNT SILENCE_SECS
//! ringback-bench-streams sipp tcp SERVER ROOT PID RATE COUNT WARM SCENARIO
//! ```
//!
//! TRANSPORT is `tcp`, `tls`, `ws` or `wss`, SERVER an address and port, ROOT the PEM file of the root that the server's certificate leads
//! to, PID the server's process, whose children count too.

use std::net::SocketAddr;
use std::process::{Command, ExitCode, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};
use std::{env, fs};

use ringback_bench::Fault;
use ringback_bench::streams::{Authority, Cost, Dialer, Kind, Plan, Tally, hold, open_and_close, run};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match act(&words) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn act(words: &[&str]) -> Result<String, Fault> {
    if let ["certificates", folder] = words {
        return certificates(folder);
    }
    let [what, transport, server, root, process, figures @ ..] = words else {
        return Err("what is to be done? See the head of the source.".to_owned());
    };
    let (transport, server, process) = (transport.parse()?, number(server)?, number(process)?);
    if let ("sipp", [rate, count, warm, scenario]) = (*what, figures) {
        let (rate, count, warm) = (number(rate)?, number(count)?, number(warm)?);
        return sipp(server, process, scenario, [warm, count], rate).map(|tally| line(&tally, rate));
    }
    let root = fs::read(root).map_err(|error| format!("{root}: {error}"))?;
    let figures = figures.iter().map(|figure| number(figure)).collect::<Result<Vec<u32>, Fault>>()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("a runtime: {error}"))?;
    let dialer = match *what {
        "resumed" => Dialer::resuming(transport, server, &root)?,
        _ => Dialer::new(transport, server, &root)?,
    };
    if figures.iter().rev().skip(1).any(|&figure| figure == 0) {
        return Err("only the last figure may be 0".to_owned());
    }
    match (*what, figures.as_slice()) {
        ("options" | "call", &[connections, rate, count, warm]) => {
            let kind = if *what == "call" { Kind::Call } else { Kind::Options };
            let plan = Plan { kind, connections, rate, count, warm };
            runtime.block_on(run(&dialer, plan, process)).map(|tally| line(&tally, rate))
        }
        ("full" | "resumed", &[rate, count, warm]) => {
            runtime.block_on(open_and_close(&dialer, count, rate, warm, process)).map(|tally| line(&tally, rate))
        }
        ("idle", &[count, silence_secs]) => {
            let silence = Duration::from_secs(silence_secs.into());
            let idle = runtime.block_on(hold(&dialer, count, silence, process))?;
            Ok(format!(
                "{{\"ok\": {}, \"failed\": {}, \"bytes_each\": {:.0}, \"bytes_each_after\": {:.0}, \"bytes_each_closed\": {:.0}}}",
                idle.answered,
                idle.connections - idle.answered,
                idle.bytes_each,
                idle.bytes_each_after,
                idle.bytes_each_closed
            ))
        }
        _ => Err(format!("{what}: other figures are wanted; see the head of the source")),
    }
}

/// SIPp plays the scenario over one connection of TCP.
fn sipp(server: SocketAddr, process: u32, scenario: &str, counts: [u32; 2], rate: u32) -> Result<Tally, Fault> {
    let mut tally = Tally::default();
    // The second is measured.
    for count in counts {
        let cost = Cost::of(process);
        let before = cost.cpu_ns()?;
        let began = Instant::now();
        let statistics = "sipp.csv";
        _ = fs::remove_file(statistics);
        let mut sipp = Command::new("sipp");
        sipp.args([
            &server.to_string(),
            "-sf",
            scenario,
            "-t",
            "t1",
            "-i",
            "127.0.0.1",
            "-nostdin",
            "-timeout",
            "120s",
        ]);
        sipp.args(["-m", &count.to_string(), "-r", &rate.to_string(), "-trace_stat", "-stf", statistics, "-fd", "1"]);
        sipp.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        sipp.status().map_err(|error| format!("sipp: {error}"))?;
        let text = fs::read_to_string(statistics).map_err(|error| format!("{statistics}: {error}"))?;
        let rows: Vec<Vec<&str>> = text.lines().map(|row| row.split(';').collect()).collect();
        let (Some(head), Some(last)) = (rows.first(), rows.last()) else {
            return Err(format!("{statistics} is empty"));
        };
        let column =
            |name: &str| head.iter().zip(last).find(|(head, _)| **head == name).and_then(|(_, cell)| cell.parse().ok());
        let (ok, failed) = (column("SuccessfulCall(C)").unwrap_or(0), column("FailedCall(C)").unwrap_or(0));
        let missing = u64::from(count).saturating_sub(ok + failed);
        let server_ns = cost.cpu_ns()?.saturating_sub(before);
        tally = Tally { ok, failed: failed + missing, seconds: began.elapsed().as_secs_f64(), server_ns, own_ns: 0 };
    }
    Ok(tally)
}

fn number<T: FromStr>(word: &str) -> Result<T, Fault> {
    word.parse().map_err(|_| format!("what is {word}?"))
}

fn certificates(folder: &str) -> Result<String, Fault> {
    let Authority { root, chain, key } = Authority::new()?;
    for (name, text) in [("root.pem", root), ("server.pem", chain), ("server.key", key)] {
        let path = format!("{folder}/{name}");
        fs::write(&path, text).map_err(|error| format!("{path}: {error}"))?;
    }
    Ok("{}".to_owned())
}

/// What a run may take before its first call and behind its last.
const ENDS_SECS: f64 = 1.0;

fn line(tally: &Tally, rate: u32) -> String {
    let Tally { ok, failed, seconds, server_ns, own_ns } = *tally;
    let calls = u32::try_from(ok + failed).map_or(f64::INFINITY, f64::from);
    let us = |ns: u64| Duration::from_nanos(ns).as_secs_f64() * 1e6 / calls;
    // Who falls behind the rate has measured something else.
    let due = calls / f64::from(rate);
    let kept = due / (seconds - ENDS_SECS).max(due);
    format!(
        "{{\"ok\": {ok}, \"failed\": {failed}, \"retrans\": 0, \"kept\": {kept:.3}, \"us_per_call\": {:.2}, \"load_us_per_call\": {:.2}}}",
        us(server_ns),
        us(own_ns)
    )
}
