//! What transactions, dialogs and registrations take in memory: the program measures, and knows the bounds.

use std::process::Command;

#[test]
fn nothing_takes_more_than_its_bound() {
    let output = Command::new(env!("CARGO_BIN_EXE_ringback-bench-memory")).output().unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("INVITE server transaction"), "a table is printed");
}
