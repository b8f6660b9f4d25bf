//! No message makes a rule panic or point outside of it: the torture messages, whole and bent out of shape.

use std::sync::OnceLock;

use bytes::Bytes;
use proptest::prelude::*;
use ringback_lint::{FINDINGS_MAX, RULES, Severity, lint, lint_pair};
use ringback_message::{Message, Rejected};

macro_rules! files {
    ($($name:literal,)*) => {
        &[$(($name, include_bytes!(concat!("../../../ringback-message/tests/torture/", $name)).as_slice()),)*]
    };
}

/// The messages of RFC 4475 and RFC 5118.
const TORTURE: &[(&str, &[u8])] = files![
    "rfc4475/badaspec.dat",
    "rfc4475/badbranch.dat",
    "rfc4475/baddate.dat",
    "rfc4475/baddn.dat",
    "rfc4475/badinv01.dat",
    "rfc4475/badvers.dat",
    "rfc4475/bcast.dat",
    "rfc4475/bext01.dat",
    "rfc4475/bigcode.dat",
    "rfc4475/clerr.dat",
    "rfc4475/cparam01.dat",
    "rfc4475/cparam02.dat",
    "rfc4475/dblreq.dat",
    "rfc4475/esc01.dat",
    "rfc4475/esc02.dat",
    "rfc4475/escnull.dat",
    "rfc4475/escruri.dat",
    "rfc4475/insuf.dat",
    "rfc4475/intmeth.dat",
    "rfc4475/inv2543.dat",
    "rfc4475/invut.dat",
    "rfc4475/longreq.dat",
    "rfc4475/ltgtruri.dat",
    "rfc4475/lwsdisp.dat",
    "rfc4475/lwsruri.dat",
    "rfc4475/lwsstart.dat",
    "rfc4475/mcl01.dat",
    "rfc4475/mismatch01.dat",
    "rfc4475/mismatch02.dat",
    "rfc4475/mpart01.dat",
    "rfc4475/multi01.dat",
    "rfc4475/ncl.dat",
    "rfc4475/noreason.dat",
    "rfc4475/novelsc.dat",
    "rfc4475/quotbal.dat",
    "rfc4475/regaut01.dat",
    "rfc4475/regbadct.dat",
    "rfc4475/regescrt.dat",
    "rfc4475/scalar02.dat",
    "rfc4475/scalarlg.dat",
    "rfc4475/sdp01.dat",
    "rfc4475/semiuri.dat",
    "rfc4475/transports.dat",
    "rfc4475/trws.dat",
    "rfc4475/unkscm.dat",
    "rfc4475/unksm2.dat",
    "rfc4475/unreason.dat",
    "rfc4475/wsinv.dat",
    "rfc4475/zeromf.dat",
    "rfc5118/ipv4-mapped-ipv6.dat",
    "rfc5118/ipv6-bad.dat",
    "rfc5118/ipv6-bug-abnf-3-colons.dat",
    "rfc5118/ipv6-correct-abnf-2-colons.dat",
    "rfc5118/ipv6-good.dat",
    "rfc5118/ipv6-in-sdp.dat",
    "rfc5118/mult-ip-in-header.dat",
    "rfc5118/mult-ip-in-sdp.dat",
    "rfc5118/port-ambiguous.dat",
    "rfc5118/port-unambiguous.dat",
    "rfc5118/via-received-param-no-delim.dat",
    "rfc5118/via-received-param-with-delim.dat",
];

fn corpus() -> &'static [(String, Vec<u8>)] {
    static CORPUS: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    CORPUS.get_or_init(|| {
        let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
        let mut all: Vec<_> = TORTURE.iter().map(|(path, bytes)| (name(path), bytes.to_vec())).collect();
        for rule in RULES.iter().flat_map(|family| family.rules) {
            all.push((rule.id.to_owned(), rule.bad.message()));
        }
        all.sort();
        all
    })
}

/// What could be read of it, as a tool would show it.
fn read(bytes: &[u8]) -> Option<Message> {
    match Message::parse(Bytes::copy_from_slice(bytes)) {
        Ok(message) => Some(message),
        Err(rejected) => {
            let Rejected { salvage, .. } = *rejected;
            salvage
        }
    }
}

fn judge(request: &[u8], response: &[u8]) {
    let (request, response) = (read(request), read(response));
    for message in [&request, &response].into_iter().flatten() {
        check(message, &lint(message));
    }
    if let (Some(request), Some(response)) = (&request, &response) {
        check(response, &lint_pair(request, response));
    }
}

fn check(message: &Message, findings: &[ringback_lint::Finding]) {
    assert!(findings.len() <= FINDINGS_MAX);
    for finding in findings {
        assert!(finding.span.start <= finding.span.end && finding.span.end <= message.as_bytes().len(), "{finding:?}");
    }
}

/// What the RFC has as valid breaks no MUST but those that its own text names.
#[test]
fn torture_messages_have_the_findings_that_their_rfc_names() {
    for (name, id) in [
        ("badbranch.dat", "via-branch-only-cookie"),
        ("insuf.dat", "mandatory-header-missing"),
        ("multi01.dat", "header-repeated"),
        ("mismatch01.dat", "cseq-method-mismatch"),
        ("inv2543.dat", "via-branch-missing"),
        ("zeromf.dat", "max-forwards-zero"),
        ("baddate.dat", "header-value-malformed"),
        ("escruri.dat", "request-uri-component-not-allowed"),
        ("quotbal.dat", "header-value-malformed"),
        ("badinv01.dat", "header-value-malformed"),
    ] {
        let (_, bytes) = corpus().iter().find(|(other, _)| other == name).unwrap();
        let findings = lint(&read(bytes).unwrap());
        assert!(findings.iter().any(|finding| finding.rule.id == id), "{name}: {findings:#?}");
    }
    for name in ["ipv6-good.dat", "port-unambiguous.dat", "noreason.dat"] {
        let (_, bytes) = corpus().iter().find(|(other, _)| other == name).unwrap();
        let findings = lint(&read(bytes).unwrap());
        let syntax = findings.iter().filter(|f| f.rule.id == "header-value-malformed" && f.severity == Severity::Error);
        assert_eq!(syntax.count(), 0, "{name}: {findings:#?}");
    }
}

#[test]
fn nothing_panics_on_a_pair_of_any_two() {
    for (_, request) in corpus().iter().step_by(3) {
        for (_, response) in corpus().iter().step_by(5) {
            judge(request, response);
        }
    }
}

/// A change at a place: a byte flipped, taken out, doubled, or a line of another message put in.
#[derive(Clone, Debug)]
enum Bend {
    Flip(usize, u8),
    Cut(usize, usize),
    Put(usize, Vec<u8>),
}

fn bend() -> impl Strategy<Value = Bend> {
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Bend::Flip(at, byte)),
        (any::<usize>(), 1..40_usize).prop_map(|(at, count)| Bend::Cut(at, count)),
        (any::<usize>(), "[ -~]{0,12}|\r\n|;|,|<|>|\"|%|=|:|\\*|\\PC{1,3}")
            .prop_map(|(at, text)| Bend::Put(at, text.into_bytes())),
    ]
}

fn bent(index: usize, bends: &[Bend]) -> Vec<u8> {
    let corpus = corpus();
    let mut bytes = corpus[index % corpus.len()].1.clone();
    for bend in bends {
        let len = bytes.len().max(1);
        match bend {
            Bend::Flip(at, byte) => {
                if let Some(place) = bytes.get_mut(at % len) {
                    *place = *byte;
                }
            }
            Bend::Cut(at, count) => {
                let start = at % len;
                let end = (start + count).min(bytes.len());
                bytes.drain(start.min(end)..end);
            }
            Bend::Put(at, text) => {
                let start = (at % len).min(bytes.len());
                bytes.splice(start..start, text.iter().copied());
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_panics_on_a_bent_message(
        request in any::<usize>(),
        response in any::<usize>(),
        bends in proptest::collection::vec(bend(), 0..6),
    ) {
        judge(&bent(request, &bends), &bent(response, &bends));
    }

    #[test]
    fn nothing_panics_on_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        judge(&bytes, &bytes);
    }
}
