//! Every message of the manual goes through the proof of `manual/proof.rs`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Programs whose messages are wrong on purpose, or are none of the manual's own: the chapter, a line of the program, and why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("hostile-input", "let datagram = Bytes::from_static(", "a request that lacks Max-Forwards"),
    ("hostile-input", "CSeq: many OPTIONS", "the refusal of a malformed request repeats what is malformed"),
    ("hostile-input", "hello\\r\\nContact: ", "a request that is not built"),
];

/// What makes a message, or writes one by hand.
const MAKERS: &[&str] =
    &["SIP/2.0\\r\\n", "RequestBuilder::new(", "Response::to(", "Edit::new(", ".cancel()", ".ack(", "refusing("];
/// What proves one.
const PROOFS: &[&str] = &["judged(\"", "answered(\""];

struct Chapter {
    name: String,
    /// The programs.
    programs: Vec<String>,
    /// The names of the messages that are shown.
    shown: Vec<String>,
    /// Code that is neither.
    others: Vec<String>,
}

#[test]
fn a_program_that_makes_a_message_proves_it() {
    for chapter in chapters() {
        for program in chapter.unproved() {
            let mut exceptions = EXCEPTIONS.iter().filter(|(name, ..)| *name == chapter.name);
            let excepted = exceptions.any(|(_, line, _)| program.contains(line));
            assert!(excepted, "{}: no message of this program is judged:\n{program}", chapter.name);
        }
    }
}

#[test]
fn what_is_shown_is_what_is_proved() {
    let mut shown = BTreeSet::new();
    let mut programs = String::new();
    for chapter in chapters() {
        assert_eq!(chapter.others, [""; 0], "{}: show messages as ```sip NAME", chapter.name);
        for name in chapter.shown {
            assert!(shown.insert(name.clone()), "{name} is shown twice");
        }
        programs.push_str(&chapter.programs.concat());
    }
    assert!(shown.len() > 8, "messages are shown: {shown:?}");
    let mut proved = BTreeSet::new();
    for proof in PROOFS {
        for name in programs.split(proof).skip(1).filter_map(|rest| rest.split('"').next()) {
            let is_new = proved.insert(name.to_owned());
            assert!(is_new || shown.contains(name), "{name} is proved twice: another message could have that name");
        }
    }
    assert!(shown.is_subset(&proved), "shown, and no program proves it: {:?}", shown.difference(&proved));
}

#[test]
fn exceptions_are_needed() {
    let chapters = chapters();
    for (name, line, why) in EXCEPTIONS {
        let chapter = chapters.iter().find(|chapter| chapter.name == *name).expect("a chapter of that name");
        assert!(chapter.unproved().any(|program| program.contains(line)), "{name}: {line} is gone ({why})");
    }
}

impl Chapter {
    /// Programs that make a message, and prove none.
    fn unproved(&self) -> impl Iterator<Item = &String> {
        let holds = |program: &str, texts: &[&str]| texts.iter().any(|text| program.contains(text));
        self.programs.iter().filter(move |program| holds(program, MAKERS) && !holds(program, PROOFS))
    }
}

fn chapters() -> Vec<Chapter> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("manual");
    let mut chapters = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            chapters.push(chapter(name, &fs::read_to_string(&path).unwrap()));
        }
    }
    assert!(chapters.len() >= 11, "the chapters are found");
    chapters
}

fn chapter(name: String, page: &str) -> Chapter {
    let mut chapter = Chapter { name, programs: Vec::new(), shown: Vec::new(), others: Vec::new() };
    for block in page.split("\n```").skip(1).step_by(2) {
        let (language, text) = block.split_once('\n').unwrap();
        match language.split_once(' ') {
            None if language.is_empty() => chapter.programs.push(text.to_owned()),
            Some(("sip", name)) => chapter.shown.push(name.to_owned()),
            _ if language == "sdp" => {}
            _ => chapter.others.push(block.to_owned()),
        }
    }
    chapter
}
