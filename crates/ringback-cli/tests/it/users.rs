//! `ringback user`.

use std::fs;

use tempfile::{TempDir, tempdir};

use crate::process::{Done, ringback};

struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempdir().unwrap())
    }

    fn user(&self, args: &[&str], stdin: &str) -> Done {
        let all = [&["user"], args, &["--data", self.0.path().to_str().unwrap()]].concat();
        ringback(&all, stdin)
    }

    fn list(&self) -> String {
        let done = self.user(&["list"], "");
        assert_eq!((done.status, done.stderr.as_str()), (Some(0), ""));
        done.stdout
    }
}

fn refused(done: &Done, expected: &str) {
    assert_eq!((done.status, done.stdout.as_str()), (Some(1), ""), "{}", done.stderr);
    assert!(
        done.stderr.starts_with("ringback: ") && done.stderr.contains(expected) && done.stderr.lines().count() == 1,
        "{}",
        done.stderr
    );
}

#[test]
fn users_come_change_and_go() {
    let folder = Folder::new();
    let done = folder.user(&["list"], "");
    assert_eq!(done.status, Some(4));
    assert!(done.stderr.contains("no accounts here yet"));

    let done = folder.user(&["add", "dave", "--password-stdin", "--domain", "a.example"], "secret\r\n");
    assert_eq!(
        (done.status, done.stdout.as_str(), done.stderr.as_str()),
        (Some(0), "user dave added, realm a.example\n", "")
    );
    assert_eq!(folder.user(&["add", "carol", "--password-stdin"], "other").status, Some(0));
    assert_eq!(folder.list(), "carol\ndave\n");
    refused(&folder.user(&["add", "dave", "--password-stdin"], "x\n"), "there is a user dave already");
    refused(&folder.user(&["add", "erin", "--password-stdin"], "\n"), "the password is empty");
    refused(
        &folder.user(&["add", "erin", "--password-stdin", "--domain", "b.example"], "x\n"),
        "the realm of these accounts is a.example",
    );

    assert_eq!(folder.user(&["passwd", "dave", "--password-stdin"], "another\n").status, Some(0));
    refused(&folder.user(&["passwd", "nobody", "--password-stdin"], "x\n"), "there is no user nobody");
    assert_eq!(folder.user(&["remove", "dave"], "").status, Some(0));
    refused(&folder.user(&["remove", "dave"], ""), "there is no user dave");
    assert_eq!(folder.list(), "carol\n");
}

#[test]
fn without_a_terminal_the_password_comes_from_standard_input_or_not_at_all() {
    let done = Folder::new().user(&["add", "dave"], "secret\n");
    assert_eq!(
        (done.status, done.stderr.as_str()),
        (Some(2), "ringback: there is no terminal to ask for the password; give it with --password-stdin\n")
    );
}

#[test]
fn files_are_imported_as_a_whole() {
    let folder = Folder::new();
    let file = folder.0.path().join("users.csv");
    let import = |text: &str| {
        fs::write(&file, text).unwrap();
        folder.user(&["import", file.to_str().unwrap()], "")
    };
    assert_eq!(import("# name,password\nalice,one\nbob,t,w,o\n").stdout, "2 users added, realm localhost\n");
    refused(&import("carol,three\nno comma\n"), "users.csv: line 2: expected NAME,PASSWORD");
    refused(&import("carol,three\nbob,four\n"), "there is a user bob already");
    assert_eq!(folder.user(&["import", "-"], "dave,five\n").status, Some(0));
    assert_eq!(folder.list(), "alice\nbob\ndave\n");
    refused(&folder.user(&["import", "/nonexistent"], ""), "/nonexistent: ");
}

#[test]
fn a_user_is_redirected_and_relayed_again() {
    let folder = Folder::new();
    folder.user(&["add", "carol", "--password-stdin"], "open sesame\n");
    assert_eq!(folder.user(&["redirect", "carol", "on"], "").status, Some(0));
    assert_eq!(folder.user(&["redirect", "carol", "off"], "").status, Some(0));
    refused(&folder.user(&["redirect", "nobody", "on"], ""), "nobody");
}

/// A folder that a failed command had made would keep a realm that nobody chose.
#[test]
fn a_command_that_cannot_ask_leaves_nothing_behind() {
    let folder = Folder::new();
    assert_eq!(folder.user(&["add", "carol"], "").status, Some(2));
    assert_eq!(fs::read_dir(folder.0.path()).unwrap().count(), 0);
}
