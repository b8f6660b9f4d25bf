//! The figures as Prometheus reads them, in a file that is there as a whole or not at all.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::figures::Figures;

/// One series, by its labels without braces.
pub(super) struct Row<'a> {
    pub(super) labels: String,
    pub(super) figures: &'a Figures,
    pub(super) late: u64,
}

/// Writes a file beside it, and puts that in its place: who reads never sees the half of one.
///
/// # Errors
/// Where it can't be written.
pub(super) fn write(file: &Path, rows: &[Row<'_>]) -> io::Result<()> {
    let mut beside = file.file_name().unwrap_or_default().to_owned();
    // Not *.prom, which would be collected.
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside: PathBuf = file.with_file_name(beside);
    let written = fs::File::create(&beside)
        .and_then(|mut out| out.write_all(text(rows).as_bytes()))
        .and_then(|()| fs::rename(&beside, file));
    if written.is_err() {
        _ = fs::remove_file(&beside);
    }
    written
}

/// A label and its value, as it stands between braces.
pub(super) fn label(name: &str, value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("{name}=\"{value}\"")
}

fn text(rows: &[Row<'_>]) -> String {
    let mut out = String::new();
    let counters: [Counter; 6] = [
        ("requests_total", "OPTIONS whose outcome is known.", |row| row.figures.all()),
        ("accepted_total", "Final responses that are accepted.", |row| row.figures.accepted),
        ("refused_total", "Final responses that are not accepted.", |row| row.figures.refused),
        ("lost_total", "Requests without a final response.", |row| row.figures.lost),
        ("retransmissions_total", "Requests that were sent again.", |row| row.figures.sent_again),
        ("late_total", "Final responses that came when nobody waited any more.", |row| row.late),
    ];
    for (name, help, figure) in counters {
        head(&mut out, name, "counter", help);
        for row in rows {
            sample(&mut out, name, &row.labels, &figure(row).to_string());
        }
    }
    head(&mut out, "responses_total", "counter", "Final responses by code.");
    for row in rows {
        for (code, times) in &row.figures.codes {
            sample(&mut out, "responses_total", &format!("{},code=\"{code}\"", row.labels), &times.to_string());
        }
    }
    gauge(&mut out, "up", "Whether the last request was answered with what is accepted.", rows, |row| {
        row.figures.last.map(|(is_accepted, _)| f64::from(u8::from(is_accepted)))
    });
    gauge(&mut out, "last_code", "The code of the last answer; none where the last request was lost.", rows, |row| {
        row.figures.last?.1.map(|(code, _)| f64::from(code))
    });
    gauge(
        &mut out,
        "last_rtt_seconds",
        "The time of the last answer; none where the last request was lost.",
        rows,
        |row| row.figures.last?.1.map(|(_, seconds)| seconds),
    );
    summary(&mut out, rows);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    head(&mut out, "written_timestamp_seconds", "gauge", "When this was written, in seconds since 1970.");
    out.push_str(&format!("{PREFIX}written_timestamp_seconds {:.3}\n", now.as_secs_f64()));
    out
}

fn gauge(out: &mut String, name: &str, help: &str, rows: &[Row<'_>], figure: impl Fn(&Row<'_>) -> Option<f64>) {
    head(out, name, "gauge", help);
    for row in rows {
        if let Some(figure) = figure(row) {
            sample(out, name, &row.labels, &figure.to_string());
        }
    }
}

fn summary(out: &mut String, rows: &[Row<'_>]) {
    head(out, "rtt_seconds", "summary", "From the first sending to the final response.");
    for row in rows {
        let Some(times) = row.figures.times() else { continue };
        for (quantile, seconds) in [("0", times.min), ("0.5", times.median), ("0.95", times.p95), ("1", times.max)] {
            let labels = format!("{},quantile=\"{quantile}\"", row.labels);
            sample(out, "rtt_seconds", &labels, &seconds.to_string());
        }
        sample(out, "rtt_seconds_sum", &row.labels, &times.sum.to_string());
        sample(out, "rtt_seconds_count", &row.labels, &row.figures.replies().to_string());
    }
}

/// Its name, what it is, and its figure of a series.
type Counter = (&'static str, &'static str, fn(&Row<'_>) -> u64);

const PREFIX: &str = "ringback_ping_";

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    out.push_str(&format!("# HELP {PREFIX}{name} {help}\n# TYPE {PREFIX}{name} {kind}\n"));
}

fn sample(out: &mut String, name: &str, labels: &str, value: &str) {
    out.push_str(&format!("{PREFIX}{name}{{{labels}}} {value}\n"));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::ping::agents::Loss;

    #[test]
    fn it_is_there_as_a_whole_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ringback.prom");
        fs::write(&file, "old").unwrap();
        let mut figures = Figures::default();
        figures.lost(&Loss::new("timeout", ""));
        write(&file, &[Row { labels: label("uri", "sip:\"a\\b"), figures: &figures, late: 2 }]).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        for line in [
            "# TYPE ringback_ping_lost_total counter",
            "ringback_ping_lost_total{uri=\"sip:\\\"a\\\\b\"} 1",
            "ringback_ping_late_total{uri=\"sip:\\\"a\\\\b\"} 2",
            "ringback_ping_up{uri=\"sip:\\\"a\\\\b\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        // Nothing stale: a request that was lost has no time.
        assert!(!text.contains("last_rtt_seconds{") && !text.contains("quantile"), "{text}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
