//! docs/flows.md lists the flows.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::{
    Flow, conferences, extensions, failures, forwards, hold, registration, sessions, subscriptions, transfers,
};

/// What is not played, and why.
const LEFT_OUT: &[(&str, &str, &str)] = &[(
    "RFC 3665, Section 3.5",
    "Session through a SIP ALG",
    "there is no gateway among our elements that rewrites bodies",
)];

const HEAD: &str = "\
# Call flows

The flows of the RFCs' examples, played between our own user agents (`Endpoint`) and servers (`Stack`) on a simulated wire: every
message of a flow, in order, with what the example shows of it that matters. A message is compared by its method or code and CSeq,
who sends it to whom, its dialog (Call-ID and both tags), how many Vias it has, its Request-URI, Record-Route, Route and Contact,
challenges and credentials, what an extension adds (RSeq, RAck, Refer-To, Replaces, Event, Subscription-State and others), and its
body: media, their address and direction, or the status line that a NOTIFY reports. Nothing else may be sent, and after the last
timer nothing is left in any element. Of every message the lint has no error and no warning to tell, a tag is always of the same
URI, and each element on the way has added a Via and taken one from Max-Forwards.

Each ladder stands in its test, in `crates/ringback-testkit/tests/it/flows/`, with the F-numbers of the RFC. In all flows:

- an element answers an INVITE with 100 before it does anything else, and a phone does so too, so that the INVITE is not repeated
  while a person is asked. Where a figure has such a 100 later or leaves it out, that isn't counted as a difference;
- messages go by UDP, and URIs are `sip`, where some figures have TCP, TLS and `sips`;
- Call-IDs, tags, branches and nonces are drawn by chance, and CSeq begins at 1;
- session timers and Session-ID, which the examples don't know, are switched off, but for the flows about them.

These differences have names in the table:

- *dialed*: a server of ours relays for its own domain only. Alice dials a name there, whose binding is Bob's address of record in
  his domain; from there on it is the Request-URI of the figure;
- *on the way*: a server of ours Record-Routes in every dialog, so that what follows keeps passing it, and each message is two.
  `[RFC 3261, Section 16.6]`
- *crossing*: messages that don't wait for one another are sent in another order. A BYE for a call that was replaced goes with the
  200 to the INVITE that replaces it, not after its ACK;
- *accepted*: REFER is answered with 200 in the place of 202, which is deprecated. `[RFC 6665, Section 8.3.1]`
- *forwarded*: no 181: it would be a proxy's, which sends no provisional responses but 100 and 199. `[RFC 3261, Section 16.7]`

What else differs is told for each flow. A letter names a message that the figure has not.

This page is made from the flows: `RINGBACK_WRITE_DOCS=1 cargo test -p ringback-testkit --test it flows::page` writes it anew.

";

/// The page says what the flows say. Set RINGBACK_WRITE_DOCS to write it anew.
#[test]
fn the_page_of_flows_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/flows.md");
    let wanted = page();
    if std::env::var_os("RINGBACK_WRITE_DOCS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    let page = fs::read_to_string(&path).unwrap_or_default();
    let differ = page.lines().zip(wanted.lines()).find(|(page, wanted)| page != wanted);
    assert_eq!(differ, None, "docs/flows.md: run this test with RINGBACK_WRITE_DOCS=1");
    assert_eq!(page.len(), wanted.len(), "docs/flows.md: run this test with RINGBACK_WRITE_DOCS=1");
}

pub(crate) fn all() -> impl Iterator<Item = &'static Flow> {
    let files: [&[&Flow]; 9] = [
        registration::FLOWS,
        sessions::FLOWS,
        failures::FLOWS,
        hold::FLOWS,
        transfers::FLOWS,
        forwards::FLOWS,
        conferences::FLOWS,
        extensions::FLOWS,
        subscriptions::FLOWS,
    ];
    files.into_iter().flatten().copied()
}

/// RFC 3665 comes first, and sections stand in their order.
fn order(flow: &Flow) -> Vec<u32> {
    let numbers = flow.section.split(|c: char| !c.is_numeric()).filter_map(|number| number.parse().ok());
    let numbers: Vec<u32> = numbers.collect();
    let is_other = !matches!(numbers[0], 3665 | 5359);
    [u32::from(is_other)].into_iter().chain(numbers).collect()
}

fn page() -> String {
    let mut flows: Vec<&Flow> = all().collect();
    flows.sort_by_key(|flow| order(flow));
    let messages: usize = all().map(Flow::message_len).sum();
    let mut page = format!("{HEAD}There are {} flows of {messages} messages.\n", all().count());
    page.push_str(
        "\n## Played\n\n| figure | flow | messages of the figure | sent | differences |\n|---|---|---|---|---|\n",
    );
    for flow in flows {
        let differs: Vec<String> =
            flow.differs.iter().map(|(labels, why)| format!("{}: {why}", labels.replace(' ', ", "))).collect();
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} |",
            flow.section,
            flow.title,
            if flow.figure == 0 { "told in words".to_owned() } else { flow.figure.to_string() },
            flow.message_len(),
            differs.join("<br>")
        );
    }
    page.push_str("\n## Left out\n\n| figure | flow | why |\n|---|---|---|\n");
    for (section, title, why) in LEFT_OUT {
        let _ = writeln!(page, "| {section} | {title} | {why} |");
    }
    page
}
