//! Captures of real traffic, read by us and by tshark: the same messages at the same frames.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use ringback_capture::Reader;

use crate::peer::references;
use crate::place::Place;
use crate::process::{command, output};
use crate::sipp::Figures;
use crate::{Fault, doing};

/// How long tshark may take for one file.
const TSHARK_MAX: Duration = Duration::from_secs(60);
/// How much of a file is read at a time: little, so that records are cut everywhere.
const PIECE_BYTES: usize = 1_000;

/// First lines, by the frame in which their message is complete.
type FirstLines = BTreeMap<u64, Vec<String>>;

pub(super) fn read(place: &mut Place, _: &mut Figures) -> Result<(), Fault> {
    let folder = references()?.join("captures");
    let listed = doing(|| format!("reading {}", folder.display()), fs::read_dir(&folder))?;
    let mut files: Vec<_> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "pcap" || extension == "pcapng"));
    files.sort();
    if files.is_empty() {
        return Err(format!("no capture in {}", folder.display()));
    }
    let mut differences = Vec::new();
    for file in &files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let (ours, notes) = ours(file)?;
        let theirs = theirs(file)?;
        let count = |lines: &FirstLines| lines.values().map(Vec::len).sum::<usize>();
        place.note(format!("{name}: {} messages, tshark {}; {} notes", count(&ours), count(&theirs), notes.len()));
        for note in notes {
            place.note(format!("{name}: {note}"));
        }
        if count(&theirs) == 0 {
            differences.push(format!("{name}: tshark sees no message"));
        }
        let frames: std::collections::BTreeSet<u64> = ours.keys().chain(theirs.keys()).copied().collect();
        for frame in frames.into_iter().filter(|frame| ours.get(frame) != theirs.get(frame)) {
            differences.push(format!(
                "{name}, frame {frame}: {:?}, tshark {:?}",
                ours.get(&frame).map_or(&[][..], Vec::as_slice),
                theirs.get(&frame).map_or(&[][..], Vec::as_slice)
            ));
        }
    }
    if differences.is_empty() { Ok(()) } else { Err(differences.join("\n")) }
}

fn ours(file: &Path) -> Result<(FirstLines, Vec<String>), Fault> {
    let mut input = doing(|| format!("reading {}", file.display()), File::open(file))?;
    let mut reader = Reader::new();
    let mut lines = FirstLines::new();
    let mut piece = [0; PIECE_BYTES];
    loop {
        let length = doing(|| format!("reading {}", file.display()), input.read(&mut piece))?;
        match piece.get(..length) {
            Some([]) | None => reader.finish(),
            Some(bytes) => reader.feed(bytes),
        }
        while let Some(packet) = reader.next_packet().map_err(|error| format!("{}: {error}", file.display()))? {
            let line = packet.bytes.split(|&byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
            lines.entry(packet.frames.last).or_default().push(String::from_utf8_lossy(line).into_owned());
        }
        if length == 0 {
            break;
        }
    }
    Ok((lines, std::iter::from_fn(|| reader.next_note()).map(|note| note.to_string()).collect()))
}

/// As tshark tells them: one line a frame, and the messages of a frame side by side.
fn theirs(file: &Path) -> Result<FirstLines, Fault> {
    let mut tshark = command("tshark");
    tshark.args(["-n", "-o", "ip.defragment:TRUE", "-Y", "sip", "-T", "fields", "-E", "aggregator=|"]);
    tshark.args(["-e", "frame.number", "-e", "sip.Request-Line", "-e", "sip.Status-Line", "-r"]).arg(file);
    let said = output(&mut tshark, TSHARK_MAX)?;
    if !said.status.success() {
        return Err(format!("tshark: {}: {}", file.display(), String::from_utf8_lossy(&said.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&said.stdout).lines().filter_map(fields).collect())
}

/// Number, request lines, status lines. A frame of the SIP port may have none: a keep-alive.
fn fields(line: &str) -> Option<(u64, Vec<String>)> {
    let (number, lines) = line.split_once('\t')?;
    let lines: Vec<String> = lines.split(['\t', '|']).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    Some((number.parse().ok()?, lines)).filter(|(_, lines)| !lines.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tshark_prints_of_a_frame_is_read() {
        let two = vec!["OPTIONS sip:a SIP/2.0".to_owned(), "SIP/2.0 200 OK".to_owned()];
        assert_eq!(fields("7\tOPTIONS sip:a SIP/2.0\tSIP/2.0 200 OK"), Some((7, two)));
        assert_eq!(fields("8\tA|B\t").map(|(_, lines)| lines.len()), Some(2));
        assert_eq!(fields("9\t\t"), None);
    }
}
