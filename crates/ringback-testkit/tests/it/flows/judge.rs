//! What every message of a flow keeps, whatever its line shows.

use std::collections::BTreeMap;

use ringback_lint::{Finding, Severity, lint, lint_pair};
use ringback_message::{HeaderId, Message};

/// Looks at every message, and at each response beside its request: the lint finds no error in it, and nothing to warn of.
#[derive(Default)]
pub(crate) struct Judge {
    /// By the branch and the method.
    requests: BTreeMap<Vec<u8>, Message>,
    /// Whose URI a tag has, in From as in To.
    uris: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Judge {
    pub(crate) fn judge(&mut self, message: &Message) {
        let key = [&branch(message), cseq_method(message)].concat();
        let findings = match message.is_request() {
            true => {
                self.requests.insert(key, message.clone());
                lint(message)
            }
            false => lint_pair(&self.requests[&key], message),
        };
        let is_fault = |finding: &&Finding| finding.severity != Severity::Note;
        let faults: Vec<_> = findings.iter().filter(is_fault).map(|f| (f.rule.id, f.text.to_string())).collect();
        assert!(faults.is_empty(), "{faults:#?}\n{}", String::from_utf8_lossy(message.as_bytes()));
        self.names_who_it_named(message);
        hops(message);
    }

    /// A tag is always of the same URI. `[RFC 3261, Section 12.2.1.1]`
    fn names_who_it_named(&mut self, message: &Message) {
        for id in [HeaderId::From, HeaderId::To] {
            let address = message.addresses(id).next().unwrap().unwrap();
            let Some(tag) = address.params.value(b"tag") else { continue };
            let mut uri = Vec::new();
            address.uri.write(&mut uri);
            let named = self.uris.entry(tag.to_vec()).or_insert_with(|| uri.clone());
            assert_eq!(*named, uri, "{message:?}");
        }
    }
}

/// Each element on the way adds a Via and takes one from Max-Forwards; CANCEL is made anew by each. `[RFC 3261, Section 16.6]`
fn hops(message: &Message) {
    if message.is_request() && cseq_method(message) != b"CANCEL" {
        let vias = u32::try_from(message.vias().count()).unwrap();
        let left = message.number(HeaderId::MaxForwards).unwrap().unwrap();
        assert_eq!(left + vias, 71, "{message:?}");
    }
}

fn branch(message: &Message) -> Vec<u8> {
    message.vias().next().unwrap().unwrap().params.value(b"branch").unwrap().to_vec()
}

fn cseq_method(message: &Message) -> &[u8] {
    message.first(HeaderId::CSeq).unwrap().value().split(|byte| *byte == b' ').next_back().unwrap()
}
