//! What differs where a person looks on: bars, and colours. `script` is the terminal; where it isn't here, nothing is tested.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::tempdir;

const BAD: &str = "OPTIONS sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=1\r\nMax-Forwards: 70\r\n\
    From: <sip:alice@a.example>;tag=88sja8x7\r\nTo: <sip:bob@b.example>\r\nCall-ID: 7\r\nCSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n";

/// What the terminal shows of a line of the shell in which `$R` is the binary; `None` where there is no terminal to be had.
fn shown(folder: &Path, line: &str, variables: &[(&str, &str)]) -> Option<String> {
    let record = folder.join("record");
    let mut command = Command::new("script");
    command.args(["-qefc", line]).arg(&record).current_dir(folder).env("R", env!("CARGO_BIN_EXE_ringback"));
    command.env_remove("NO_COLOR").env("TERM", "xterm").envs(variables.iter().copied());
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output().ok()?;
    let is_understood = !String::from_utf8_lossy(&output.stderr).contains("usage");
    is_understood.then(|| fs::read_to_string(&record).unwrap())
}

/// A message, a while later another: long work, whatever the machine.
const SLOWLY: &str = "(cat a.sip; sleep 0.6; cat a.sip; sleep 0.2)";

#[test]
fn a_bar_is_for_those_who_wait_at_a_terminal() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("a.sip"), BAD).unwrap();
    for (command, is_drawn) in [
        ("$R lint -", true),
        ("$R lint - > out", true),
        ("$R lint - --json > out", true),
        ("$R decode - > out", true),
        // What is printed scrolls by itself.
        ("$R lint - --json", false),
        ("$R decode -", false),
        // Another program draws on the terminal.
        ("$R lint - | cat", false),
        ("$R decode - | cat", false),
        ("$R lint - 2> err", false),
        ("TERM=dumb $R lint -", false),
    ] {
        let Some(shown) = shown(folder.path(), &format!("{SLOWLY} | {command}"), &[]) else { return };
        assert_eq!(shown.contains(" B read"), is_drawn, "{command}: {shown:?}");
        let (out, err) = (folder.path().join("out"), folder.path().join("err"));
        for file in [out, err].iter().filter(|file| file.exists()) {
            assert!(!fs::read_to_string(file).unwrap().contains('\x1b'), "{command}");
        }
    }
}

/// Of a file the length is known, so that the bar is one.
#[test]
fn a_file_has_a_bar_that_fills() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("a.pcap"), capture(8_000)).unwrap();
    let Some(shown) = shown(folder.path(), "$R decode a.pcap > out", &[]) else { return };
    assert!(shown.contains(" %, ") && shown.contains(" of 1.91 MiB, "), "{shown:?}");
    // Drawn now and then, not for each message.
    assert!(shown.len() < 100_000, "{}", shown.len());
}

fn capture(messages: usize) -> Vec<u8> {
    let (a, b) = ("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap());
    let mut writer = ringback_capture::PcapWriter::new();
    (0..messages).for_each(|_| writer.datagram(0, a, b, BAD.as_bytes()).unwrap());
    writer.take()
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("a.sip"), BAD).unwrap();
    for command in ["$R lint a.sip", "$R decode a.sip", "$R explain 486", "$R lint --rules"] {
        let Some(coloured) = shown(folder.path(), command, &[]) else { return };
        assert!(coloured.contains("\x1b["), "{command}");
        for (command, variables) in [(command.to_owned(), &[("NO_COLOR", "1")][..]), (format!("{command} | cat"), &[])]
        {
            let plain = shown(folder.path(), &command, variables).unwrap();
            assert!(!plain.contains("\x1b["), "{command}: {plain:?}");
        }
    }
}
