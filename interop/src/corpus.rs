//! The messages that others collected: the torture messages of RFC 4475 and RFC 5118, and captures of real traffic.
//!
//! They are read where they lie, and never copied into this project.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::process::{command, output};
use crate::{Fault, doing};

/// How long tshark may take for one file.
const TSHARK_MAX: Duration = Duration::from_secs(60);

/// A file, or a folder of files that hold one message each.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Its path in the reference material.
    pub(crate) name: String,
    pub(crate) sheets: Vec<Sheet>,
}

/// What one file holds.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) name: String,
    /// Each message, from its first byte to its last.
    pub(crate) messages: Vec<Vec<u8>>,
    /// What went over a connection in one direction, from its begin to its end.
    pub(crate) streams: Vec<Vec<u8>>,
}

/// Everything below `references`, in the order of names.
///
/// # Errors
/// When something can't be read, or a file holds no message.
pub(crate) fn load(references: &Path) -> Result<Vec<Batch>, Fault> {
    let mut batches = torture(&references.join("torture"))?;
    for file in entries(&references.join("captures"))? {
        if file.extension().is_some_and(|extension| extension == "pcap" || extension == "pcapng") {
            let name = name_of(&file);
            batches.push(Batch { name: name.clone(), sheets: vec![capture(&file, name)?] });
        }
    }
    for Sheet { name, messages, .. } in batches.iter().flat_map(|batch| &batch.sheets) {
        if messages.iter().all(Vec::is_empty) {
            return Err(format!("{name} holds no message"));
        }
    }
    if batches.len() < 2 { Err(format!("nothing below {}", references.display())) } else { Ok(batches) }
}

/// Every file that lies in a folder, however deep, but for what describes them.
fn torture(folder: &Path) -> Result<Vec<Batch>, Fault> {
    let mut batches = Vec::new();
    let mut sheets = Vec::new();
    for path in entries(folder)? {
        let is_text = path.extension().is_some_and(|extension| extension == "md" || extension == "tsv");
        if path.is_dir() {
            batches.extend(torture(&path)?);
        } else if !is_text {
            let bytes = doing(|| format!("reading {}", path.display()), fs::read(&path))?;
            sheets.push(Sheet { name: name_of(&path), messages: vec![bytes], streams: Vec::new() });
        }
    }
    if !sheets.is_empty() {
        batches.push(Batch { name: name_of(folder), sheets });
    }
    Ok(batches)
}

fn capture(file: &Path, name: String) -> Result<Sheet, Fault> {
    let fields = |filter: &str, field: &str| {
        tshark(file, &["-o", "ip.defragment:TRUE", "-Y", filter, "-T", "fields", "-e", field])
    };
    // Where one frame carries several datagrams, their payloads stand side by side.
    let payloads = fields("sip && udp", "udp.payload")?;
    let mut messages: Vec<Vec<u8>> = payloads.lines().flat_map(|line| line.split(',')).filter_map(unhex).collect();
    let numbers: BTreeSet<u32> =
        fields("sip && tcp", "tcp.stream")?.lines().filter_map(|line| line.parse().ok()).collect();
    let mut streams = Vec::new();
    for number in numbers {
        streams.extend(directions(&tshark(file, &["-q", "-z", &format!("follow,tcp,raw,{number}")])?));
    }
    messages.extend(streams.iter().flat_map(|stream| split(stream)));
    Ok(Sheet { name, messages, streams })
}

fn tshark(file: &Path, arguments: &[&str]) -> Result<String, Fault> {
    let mut tshark = command("tshark");
    let said = output(tshark.arg("-n").arg("-r").arg(file).args(arguments), TSHARK_MAX)?;
    if said.status.success() {
        Ok(String::from_utf8_lossy(&said.stdout).into_owned())
    } else {
        Err(format!("tshark: {}: {}", file.display(), String::from_utf8_lossy(&said.stderr).trim()))
    }
}

/// The two directions of a stream as tshark prints it: hexadecimal lines below a head, those of the second direction
/// indented.
fn directions(text: &str) -> [Vec<u8>; 2] {
    let mut directions = [Vec::new(), Vec::new()];
    let [first, second] = &mut directions;
    for line in text.lines().skip_while(|line| !line.starts_with("Node 1")).skip(1) {
        let direction = if line.starts_with('\t') { &mut *second } else { &mut *first };
        direction.extend(unhex(line.trim()).unwrap_or_default());
    }
    directions
}

/// The messages of a stream, by Content-Length; what has no end stays as it is.
fn split(mut stream: &[u8]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    while !stream.is_empty() {
        let head = stream.windows(4).position(|end| end == b"\r\n\r\n").map_or(stream.len(), |at| at + 4);
        let lines = stream.get(..head).unwrap_or_default().split(|&byte| byte == b'\n');
        let length = lines.filter_map(content_length).next().unwrap_or(0);
        let (message, rest) = stream.split_at_checked(head.saturating_add(length)).unwrap_or((stream, &[]));
        messages.push(message.to_vec());
        stream = rest;
    }
    messages
}

fn content_length(line: &[u8]) -> Option<usize> {
    let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
    let is_length = ["content-length", "l"].contains(&name.trim().to_ascii_lowercase().as_str());
    value.trim().parse().ok().filter(|_| is_length)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    let bytes: Option<Vec<u8>> = digits.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect();
    bytes.filter(|bytes| !bytes.is_empty() && text.len().is_multiple_of(2))
}

pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    let listed = doing(|| format!("reading {}", folder.display()), fs::read_dir(folder))?;
    let mut paths: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The same message as another transaction, and where `call` says so also as another call: letters are put in front of its
/// branches and of its Call-ID. What has none of that form stays as it is.
pub(crate) fn renewed(message: &[u8], salt: &str, call: bool) -> Vec<u8> {
    let mut message = inserted(message, b"branch=z9hG4bK", salt);
    if call {
        message = inserted(&message, b"\nCall-ID: ", salt);
    }
    message
}

/// `message` with `salt` behind each `place`.
fn inserted(message: &[u8], place: &[u8], salt: &str) -> Vec<u8> {
    let mut result = Vec::with_capacity(message.len() + 4 * salt.len());
    let mut rest = message;
    while let Some(at) = rest.windows(place.len()).position(|found| found == place) {
        let (before, after) = rest.split_at_checked(at + place.len()).unwrap_or((rest, &[]));
        result.extend_from_slice(before);
        result.extend_from_slice(salt.as_bytes());
        rest = after;
    }
    result.extend_from_slice(rest);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tshark_prints_of_a_stream_is_read() {
        let text = "\n=====\nFollow: tcp,raw\nFilter: tcp.stream eq 0\nNode 0: 127.0.0.1:1\nNode 1: 127.0.0.1:2\n\
                    4142\n43\n\t6162\n44\n=====\n";
        assert_eq!(directions(text), [b"ABCD".to_vec(), b"ab".to_vec()]);
    }

    #[test]
    fn a_stream_is_split_at_its_lengths() {
        let one = b"A\r\nl: 2\r\n\r\nxy";
        let two = b"B\r\nContent-Length : 0\r\n\r\n";
        let three = b"C\r\nContent-Length: 900\r\n\r\nz";
        let stream = [&one[..], two, three].concat();
        assert_eq!(split(&stream), [one.to_vec(), two.to_vec(), three.to_vec()]);
        assert!(split(b"").is_empty());
    }

    #[test]
    fn hexadecimal_is_read_or_refused() {
        assert_eq!(unhex("00ff"), Some(vec![0, 255]));
        for bad in ["", "0", "0g", "000", "é"] {
            assert_eq!(unhex(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_message_becomes_another_transaction_or_another_call() {
        let message = b"OPTIONS x\r\nVia: a;branch=z9hG4bK1\r\nVia: b;branch=z9hG4bK2\r\nCall-ID: c\r\n";
        let other = b"OPTIONS x\r\nVia: a;branch=z9hG4bK-s-1\r\nVia: b;branch=z9hG4bK-s-2\r\nCall-ID: c\r\n";
        assert_eq!(renewed(message, "-s-", false), other);
        assert!(renewed(message, "-s-", true).ends_with(b"Call-ID: -s-c\r\n"));
        assert_eq!(renewed(b"x", "-s-", true), b"x");
    }
}
