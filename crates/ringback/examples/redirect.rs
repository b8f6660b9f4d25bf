//! A 302 with several contacts: the caller tries those with a higher q first. `[RFC 3261, Section 8.1.3.4]`

use ringback::prelude::*;

mod common;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let invite = common::invite()?;
    let q = |thousandths| Qvalue::from_thousandths(thousandths).unwrap_or(Qvalue::ONE);
    let moved = Response::to(&invite, StatusCode::MovedTemporarily)
        .header(Contact::new("sip:bob@chicago.example.com")?.with_q(q(700)))
        .header(Contact::new("sip:bob@mobile.example.com")?.with_q(q(700)))
        .header(Contact::new("sip:bob@voicemail.example.com")?.with_q(q(100)))
        .expires_seconds(1_800)
        .build()?;

    let mut targets: Vec<_> = moved.addresses(HeaderId::Contact).collect::<Result<_, _>>()?;
    targets.sort_by_key(|target| std::cmp::Reverse(target.q().unwrap_or(Qvalue::ONE)));
    assert_eq!(targets.last().and_then(|last| last.q()), Qvalue::from_thousandths(100));
    common::show(&invite, &moved)
}
