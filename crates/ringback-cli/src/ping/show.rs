//! What `ringback ping` prints.

use ringback_base::Transport;
use serde_json::{Map, Value, json};

use super::agents::{Answer, Loss};
use super::figures::{Figures, milliseconds};
use super::{Target, Told};
use crate::args::PingArgs;
use crate::output::{bold, dim, harmless};

/// One event, as a line or several.
pub(super) fn event(args: &PingArgs, told: &Told) -> String {
    if args.json { event_as_json(args, told).as_ref().map(line).unwrap_or_default() } else { event_as_text(args, told) }
}

/// The figures at the end.
pub(super) fn statistics(args: &PingArgs, name: &str, target: Option<&Target>, figures: &Figures, late: u64) -> String {
    if args.json {
        line(&statistics_as_json(name, target, figures, late))
    } else {
        statistics_as_text(name, target, figures, late)
    }
}

fn event_as_text(args: &PingArgs, told: &Told) -> String {
    match told {
        Told::Targets { uri, targets } => {
            let targets: Vec<String> = targets.iter().map(whereabouts).collect();
            format!("{} leads to {}\n", bold(&name(args, *uri)), targets.join(", "))
        }
        // What comes of it is told.
        Told::Asked { .. } => String::new(),
        Told::PassedOver { series, seq, target, loss } => {
            let what = format!("seq={seq} passed over {}: {}", whereabouts(target), harmless(loss.why.as_bytes()));
            format!("{} {what}\n", name(args, series.uri))
        }
        Told::Result { series, seq, target, outcome } => {
            let what = match outcome {
                Ok(answer) => answer_as_text(args, answer),
                Err(loss) => loss_as_text(loss),
            };
            let by = target.as_ref().map_or_else(String::new, |target| format!(" by {}", whereabouts(target)));
            format!("{} seq={seq} {what}{}\n", name(args, series.uri), dim(&by))
        }
    }
}

fn answer_as_text(args: &PingArgs, answer: &Answer) -> String {
    let Answer { status, reason, rtt, connect, sent_again, had_credentials, .. } = answer;
    let mut text = format!("{} time={:.3} ms", bold(&format!("{} {reason}", status.as_u16())), milliseconds(*rtt));
    if let Some(connect) = connect {
        text.push_str(&format!(" connect={:.3} ms", milliseconds(*connect)));
    }
    if *sent_again > 0 {
        text.push_str(&format!(" sent again={sent_again}"));
    }
    if args.is_refused(*status) {
        let refused = if *had_credentials { "the credentials are refused" } else { "its challenge can't be answered" };
        text.push_str(&format!(" ({refused})"));
    } else if !args.accepts(*status) {
        text.push_str(" (not accepted)");
    }
    text
}

fn loss_as_text(loss: &Loss) -> String {
    let mut text = format!("{}: {}", bold("lost"), harmless(loss.why.as_bytes()));
    if loss.sent_again > 0 {
        text.push_str(&format!(" sent again={}", loss.sent_again));
    }
    text
}

fn statistics_as_text(name: &str, target: Option<&Target>, figures: &Figures, late: u64) -> String {
    let by = target.map_or_else(String::new, |target| format!(" by {}", whereabouts(target)));
    let mut text = format!("\n{}\n", bold(&format!("{}{by}", harmless(name.as_bytes()))));
    let pending = if figures.pending > 0 { format!(", {} pending", figures.pending) } else { String::new() };
    text.push_str(&format!(
        "  {} sent, {} answered, {} accepted, {} lost ({:.1} %), {} sent again, {late} late{pending}\n",
        figures.sent(),
        figures.replies(),
        figures.accepted,
        figures.lost,
        figures.lost_percent(),
        figures.sent_again,
    ));
    let codes = figures.codes.iter().map(|(code, times)| format!("{code}: {times}"));
    let losses = figures.losses.iter().map(|(kind, times)| format!("{kind}: {times}"));
    let all: Vec<String> = codes.chain(losses).collect();
    if !all.is_empty() {
        text.push_str(&format!("  {}\n", all.join(", ")));
    }
    if let Some(times) = figures.times() {
        let all = [times.min, times.mean, times.median, times.p95, times.max, times.deviation];
        let all = all.map(|seconds| format!("{:.3}", seconds * 1_000.0)).join("/");
        text.push_str(&format!("  time min/avg/median/p95/max/stddev {all} ms\n"));
    }
    text
}

fn event_as_json(args: &PingArgs, told: &Told) -> Option<Map<String, Value>> {
    let uri = |uri: usize| args.uris.get(uri).map(String::as_str).unwrap_or_default();
    Some(match told {
        Told::Asked { .. } => return None,
        Told::Targets { uri: index, targets } => {
            let targets: Vec<Value> = targets.iter().map(|target| target_as_json(Some(target)).into()).collect();
            object(json!({"event": "targets", "uri": uri(*index), "targets": targets}))
        }
        Told::PassedOver { series, seq, target, loss } => {
            let mut told = object(json!({"event": "passed_over", "uri": uri(series.uri), "seq": seq}));
            told.extend(target_as_json(Some(target)));
            told.extend(loss_as_json(loss));
            told
        }
        Told::Result { series, seq, target, outcome } => {
            let event = if outcome.is_ok() { "answer" } else { "lost" };
            let mut told = object(json!({"event": event, "uri": uri(series.uri), "seq": seq}));
            told.extend(target_as_json(target.as_ref()));
            told.extend(match outcome {
                Ok(answer) => answer_as_json(answer, args.accepts(answer.status)),
                Err(loss) => loss_as_json(loss),
            });
            told
        }
    })
}

fn answer_as_json(answer: &Answer, is_accepted: bool) -> Map<String, Value> {
    let ms = |span| rounded(milliseconds(span));
    object(json!({
        "code": answer.status.as_u16(),
        "reason": answer.reason,
        "accepted": is_accepted,
        "rtt_ms": ms(answer.rtt),
        "connect_ms": answer.connect.map(ms),
        "sent_again": answer.sent_again,
        "from": answer.from.to_string(),
        "server": answer.server,
    }))
}

fn loss_as_json(loss: &Loss) -> Map<String, Value> {
    object(json!({"kind": loss.kind, "why": loss.why, "sent_again": loss.sent_again}))
}

fn statistics_as_json(name: &str, target: Option<&Target>, figures: &Figures, late: u64) -> Map<String, Value> {
    let codes: Map<String, Value> =
        figures.codes.iter().map(|(code, times)| (code.to_string(), (*times).into())).collect();
    let losses: Map<String, Value> =
        figures.losses.iter().map(|(kind, times)| ((*kind).to_owned(), (*times).into())).collect();
    let ms = |seconds: f64| rounded(seconds * 1_000.0);
    let times = figures.times().map(|times| {
        json!({
            "min": ms(times.min), "avg": ms(times.mean), "median": ms(times.median), "p95": ms(times.p95),
            "max": ms(times.max), "stddev": ms(times.deviation),
        })
    });
    let mut told = object(json!({
        "event": "statistics",
        "uri": name,
        "sent": figures.sent(),
        "answered": figures.replies(),
        "accepted": figures.accepted,
        "lost": figures.lost,
        "pending": figures.pending,
        "lost_percent": figures.lost_percent(),
        "sent_again": figures.sent_again,
        "late": late,
        "codes": codes,
        "losses": losses,
        "rtt_ms": times,
    }));
    if target.is_some() {
        told.extend(target_as_json(target));
    }
    told
}

fn target_as_json(target: Option<&Target>) -> Map<String, Value> {
    let located = target.map(|target| &target.located);
    object(json!({
        "transport": located.map(|located| located.transport.as_str()),
        "address": located.map(|located| located.address.ip().to_string()),
        "port": located.map(|located| located.address.port()),
        "host": target.and_then(|target| target.host.as_deref()),
    }))
}

fn whereabouts(target: &Target) -> String {
    let (transport, address): (Transport, _) = (target.located.transport, target.located.address);
    match &target.host {
        Some(host) => format!("{transport} {address} ({})", harmless(host.as_bytes())),
        None => format!("{transport} {address}"),
    }
}

fn name(args: &PingArgs, uri: usize) -> String {
    harmless(args.uris.get(uri).map(String::as_bytes).unwrap_or_default())
}

/// To microseconds: the rest is noise.
fn rounded(ms: f64) -> f64 {
    (ms * 1_000.0).round() / 1_000.0
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn line(map: &Map<String, Value>) -> String {
    format!("{}\n", Value::from(map.clone()))
}
