//! `ringback completions` and `ringback man`.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use ringback_lint::RULES;
use tempfile::tempdir;

use crate::process::ringback;

const COMMANDS: [&str; 11] =
    ["serve", "check-config", "explain", "decode", "lint", "dns", "ping", "tls", "user", "completions", "man"];
const USER_COMMANDS: [&str; 6] = ["add", "import", "list", "passwd", "redirect", "remove"];

#[test]
fn the_script_of_each_shell_knows_every_command_and_flag() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let done = ringback(&["completions", shell], "");
        assert_eq!((done.status, done.stderr.as_str()), (Some(0), ""), "{shell}");
        // Fish has the names of flags without their hyphens.
        let flags = ["durability", "password-stdin", "severity", "lang", "depth"];
        for word in COMMANDS.iter().chain(&USER_COMMANDS).chain(&flags) {
            assert!(done.stdout.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(ringback(&["completions", "tcsh"], "").status, Some(2));
}

/// What a shell says to its script, if the shell is here.
#[test]
fn shells_read_their_scripts() {
    for (shell, args) in [("bash", &["-n"][..]), ("zsh", &["-n"]), ("fish", &["--no-execute"])] {
        let script = ringback(&["completions", shell], "").stdout;
        if let Some(said) = said_by(shell, args, &script) {
            assert_eq!(said, "", "{shell}");
        }
    }
}

#[test]
fn bash_completes_commands_and_flags() {
    let script = ringback(&["completions", "bash"], "").stdout;
    let ask = |words: &str, current: usize| {
        let call = format!("_ringback ringback \"${{COMP_WORDS[{current}]}}\" \"${{COMP_WORDS[{}]}}\"", current - 1);
        format!("{script}\nCOMP_WORDS=({words}); COMP_CWORD={current}; {call}; echo \"${{COMPREPLY[@]}}\" >&2\n")
    };
    let Some(said) = said_by("bash", &["--norc"], &ask("ringback l", 1)) else { return };
    assert_eq!(said, "lint\n");
    let said = said_by("bash", &["--norc"], &ask("ringback lint --st", 2));
    assert_eq!(said.as_deref(), Some("--strict\n"));
    let said = said_by("bash", &["--norc"], &ask("ringback lint --off max-f", 3));
    assert_eq!(said.as_deref(), Some("max-forwards-missing max-forwards-zero max-forwards-large\n"));
    let said = said_by("bash", &["--norc"], &ask("ringback lint --severity max-forwards-z", 3));
    assert_eq!(said.as_deref(), Some("max-forwards-zero=error max-forwards-zero=warning\n"));
}

/// The names of all rules are offered by every shell, and stand in no help.
#[test]
fn the_names_of_rules_are_completed() {
    for shell in ["bash", "zsh", "fish"] {
        let script = ringback(&["completions", shell], "").stdout;
        for rule in RULES.iter().flat_map(|family| family.rules) {
            assert!(script.contains(rule.id), "{shell}: {}", rule.id);
        }
    }
    let help = ringback(&["help", "lint"], "").stdout;
    assert!(!help.contains("max-forwards-missing"), "{help}");
    let wrong = ringback(&["lint", "--off", "max-forward-missing", "-"], "");
    assert!(wrong.stderr.contains("the nearest is max-forwards-missing"), "{}", wrong.stderr);
    assert!(!wrong.stderr.contains("via-rport-missing"), "{}", wrong.stderr);
}

#[test]
fn there_is_a_page_for_each_command() {
    let folder = tempdir().unwrap();
    let done = ringback(&["man", folder.path().to_str().unwrap()], "");
    assert_eq!((done.status, done.stderr.as_str()), (Some(0), ""));
    let files = fs::read_dir(folder.path()).unwrap();
    let names: BTreeSet<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    let wanted = COMMANDS.iter().map(|name| format!("ringback-{name}.1"));
    let wanted = wanted.chain(USER_COMMANDS.iter().map(|name| format!("ringback-user-{name}.1")));
    assert_eq!(names, wanted.chain(["ringback.1".to_owned()]).collect());
    for name in &names {
        let page = fs::read_to_string(folder.path().join(name)).unwrap();
        for part in [".TH", ".SH NAME", ".SH SYNOPSIS", ".SH EXAMPLES"] {
            assert!(page.contains(part), "{name}: {part}");
        }
        if let Some(said) = said_by("groff", &["-man", "-Tutf8", "-ww", "-z", "-Kutf8"], &page) {
            assert_eq!(said, "", "{name}");
        }
    }
    let synopsis = |name: &str| {
        let page = fs::read_to_string(folder.path().join(name)).unwrap();
        let (_, behind) = page.split_once(".SH SYNOPSIS\n").unwrap();
        behind.lines().next().unwrap().replace("\\fB", "").replace("\\fI", "").replace("\\fR", "").replace('\\', "")
    };
    assert_eq!(
        synopsis("ringback-lint.1"),
        "ringback lint [--off RULE]... [--severity RULE=SEVERITY]... [--only error|warning|note] [--json] [--strict] [--rules] \
         [-h|--help] [FILE]"
    );
    assert_eq!(synopsis("ringback-explain.1"), "ringback explain [--lang en|ko] [--json] [-h|--help] TERM...");
    assert_eq!(synopsis("ringback-check-config.1"), "ringback check-config [-h|--help] FILE");
    let whole = fs::read_to_string(folder.path().join("ringback.1")).unwrap();
    assert_eq!(ringback(&["man"], "").stdout, whole);
    assert!(COMMANDS.iter().all(|name| whole.contains(&name.replace('-', "\\-"))), "{whole}");
    assert_eq!(ringback(&["man", "/nonexistent"], "").status, Some(1));
}

/// Examples are read as they are written: one below the other.
#[test]
fn the_lines_of_a_page_stay_lines() {
    let folder = tempdir().unwrap();
    ringback(&["man", folder.path().to_str().unwrap()], "");
    let page = fs::read(folder.path().join("ringback-lint.1")).unwrap();
    let Some(shown) = shown_by("groff", &["-man", "-Tascii", "-P-cbou"], &page) else { return };
    let lines: Vec<&str> = shown.lines().map(str::trim).collect();
    for line in [
        "pbpaste | ringback lint -                 what was copied from a log",
        "1    an error, or with --strict a warning; or a message that a part of is missing",
    ] {
        assert!(lines.contains(&line), "{line}: {shown}");
    }
}

/// What a program writes on standard error; nothing where it isn't here.
fn said_by(program: &str, args: &[&str], stdin: &str) -> Option<String> {
    run(program, args, stdin.as_bytes()).map(|(_, stderr)| stderr)
}

fn shown_by(program: &str, args: &[&str], stdin: &[u8]) -> Option<String> {
    run(program, args, stdin).map(|(stdout, _)| stdout)
}

fn run(program: &str, args: &[&str], stdin: &[u8]) -> Option<(String, String)> {
    let piped = Stdio::piped;
    let mut command = Command::new(program);
    let mut child = command.args(args).stdin(piped()).stdout(piped()).stderr(piped()).spawn().ok()?;
    let mut pipe = child.stdin.take().unwrap();
    let input = stdin.to_vec();
    let writer = std::thread::spawn(move || pipe.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Some((text(output.stdout), text(output.stderr)))
}
