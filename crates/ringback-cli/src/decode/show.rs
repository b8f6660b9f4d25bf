//! A message for people: where it was seen, its first line, its header fields with their parts, its body.

use ringback_message::header::is_typed;
use ringback_message::{Header, HeaderId, Message};

use super::input::{Found, Origin};
use super::internal;
use super::tree::Tree;
use crate::failure::Failure;
use crate::output::{bold, columns, dim, harmless, harmless_char, padded, wrapped};

/// The message as far as it could be read.
///
/// # Errors
/// Where it can't be serialised: a defect.
pub(crate) fn message(found: &Found, message: Option<&Message>, number: u64) -> Result<String, Failure> {
    let mut out = title(found, message, number);
    let Some(message) = message else { return Ok(out) };
    let width = message.headers().map(|header| columns(&name(&header))).max().unwrap_or_default();
    for header in message.headers() {
        out.push_str(&field(&header, width)?);
    }
    if !message.body().is_empty() {
        out.push_str(&body(message)?);
    }
    Ok(out)
}

/// Where it was seen, and below it its first line.
pub(crate) fn title(found: &Found, message: Option<&Message>, number: u64) -> String {
    let length = found.bytes.len();
    let cut = if found.is_cut { ", cut" } else { "" };
    let seen = dim(&format!("message {number}{}, {length} bytes{cut}", origin(&found.origin)));
    let Some(message) = message else { return format!("{seen}\n") };
    let first_line = message.as_bytes().split(|b| *b == b'\r' || *b == b'\n').next().unwrap_or_default();
    format!("{seen}\n{}\n", bold(&harmless(first_line)))
}

fn origin(origin: &Origin) -> String {
    let frame = origin.frame.map(|frame| format!(", frame {frame}"));
    let mut text = frame.or_else(|| origin.line.map(|line| format!(", line {line}"))).unwrap_or_default();
    if let (Some(source), Some(destination)) = (&origin.source, &origin.destination) {
        text.push_str(&format!(", {source} > {destination}"));
    }
    if let Some(transport) = &origin.transport {
        text.push_str(&format!(" by {transport}"));
    }
    if let Some(time_us) = origin.time_us {
        text.push_str(&format!(", at {}.{:06}", time_us / 1_000_000, time_us % 1_000_000));
    }
    text
}

/// The name of the registry, also for a compact form.
fn name(header: &Header<'_>) -> String {
    match header.id() {
        HeaderId::Other => harmless(header.name()),
        id => id.as_str().to_owned(),
    }
}

/// A line as it came, its folds as blanks; below it the parts of each of its values, where they say more than the line does.
fn field(header: &Header<'_>, width: usize) -> Result<String, Failure> {
    let value: String =
        String::from_utf8_lossy(header.value()).split("\r\n").map(str::trim).collect::<Vec<_>>().join(" ");
    let value: String = value.chars().map(harmless_char).collect();
    let indent = width.saturating_add(4);
    let mut out = format!("  {}  {}\n", dim(&padded(&name(header), width)), wrapped(&value, indent));
    if !is_typed(header.id()) {
        return Ok(out);
    }
    let Ok(values) = header.typed() else { return Ok(out) };
    for value in values {
        let json = serde_json::to_string(&value).map_err(internal)?;
        let line = serde_json::from_str::<Tree>(&json).map_err(internal)?.line();
        let line: String = line.chars().map(harmless_char).collect();
        // A single word or number is what the line says already.
        if line.contains(", ") {
            let indent = indent.saturating_add(2);
            out.push_str(&format!("{}{}\n", " ".repeat(indent), dim(&wrapped(&line, indent))));
        }
    }
    Ok(out)
}

fn body(message: &Message) -> Result<String, Failure> {
    let bytes = message.body();
    let mut out = format!("\n  {}\n", dim(&format!("body, {} bytes", bytes.len())));
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => {
            for line in text.lines() {
                let line: String = line.chars().map(harmless_char).collect();
                out.push_str(format!("    {line}").trim_end());
                out.push('\n');
            }
        }
        _ => {
            for (i, row) in bytes.chunks(16).enumerate() {
                let digits: Vec<_> = row.iter().map(|byte| format!("{byte:02x}")).collect();
                out.push_str(&format!("    {:06x}  {}\n", i.saturating_mul(16), digits.join(" ")));
            }
        }
    }
    Ok(out)
}
