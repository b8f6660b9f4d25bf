//! The answers that must come out.
//!
//! `reference.tsv` is written by `reference.py`, which shares no code with the parsers here.

use sha2::{Digest, Sha256};

use crate::{Fault, Row};

const TABLE: &str = include_str!("../reference.tsv");

/// Messages that the reference doesn't know, so that nothing can be said of their answers.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unchecked(pub Vec<String>);

/// Does every job once and compares the digest of its answer with the reference.
///
/// # Errors
/// Names the first job that can't be done or has another answer.
pub fn check(rows: &[Row]) -> Result<Unchecked, Fault> {
    let mut unchecked = Unchecked::default();
    for row in rows {
        let answer = row.answer().ok_or_else(|| format!("{row:?}: the message can't be read"))?;
        let found = digest(&answer);
        match expected(row.answers, &row.message) {
            Some(expected) if expected == found => {}
            Some(expected) => {
                return Err(format!(
                    "{row:?}: the answer has digest {found}, the reference {expected}; `show` prints it"
                ));
            }
            None if !unchecked.0.contains(&row.message) => unchecked.0.push(row.message.clone()),
            None => {}
        }
    }
    Ok(unchecked)
}

/// The first half of SHA-256, in hexadecimal digits.
fn digest(answer: &[u8]) -> String {
    Sha256::digest(answer).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn expected(answers: &str, message: &str) -> Option<&'static str> {
    TABLE.lines().find_map(|line| {
        let mut cells = line.split('\t');
        (cells.next() == Some(answers) && cells.next() == Some(message)).then(|| cells.next())?
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use crate::rows;
    use bytes::Bytes;

    const ACK: &str = "ACK sip:bob@198.51.100.7:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.101:5060;branch=z9hG4bKnashd92\r\n\
        Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 ACK\r\n\r\n";

    fn rows_of(name: &str) -> Vec<Row> {
        rows(name, &Bytes::from_static(ACK.as_bytes()))
    }

    #[test]
    fn another_message_under_a_known_name_is_noticed_by_every_job() {
        let rows = rows_of("ack");
        assert_eq!(rows.len(), 9);
        for row in rows {
            assert!(expected(row.answers, "ack").is_some(), "{row:?} has no reference");
            let fault = check(&[row]).unwrap_err();
            assert!(fault.contains("digest"), "{fault}");
        }
    }

    #[test]
    fn a_message_without_reference_is_named() {
        assert_eq!(check(&rows_of("mine")).unwrap(), Unchecked(vec!["mine".to_owned()]));
    }
}
