//! A 180 that is sent reliably: `Require: 100rel` and RSeq, which the caller acknowledges with PRACK. `[RFC 3262, Section 3]`

use ringback::prelude::*;

mod common;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let invite = common::invite()?;
    let ringing = Response::to(&invite, StatusCode::Ringing)
        .contact("sip:bob@client.biloxi.example.com", None)
        .header(Require::with_tag("100rel"))
        .header(RSeq(988_789))
        .build()?;
    assert!(ringing.to_tag().is_some(), "the tag of an early dialog was added");

    // One without the other is refused.
    let half = Response::to(&invite, StatusCode::Ringing).header(Require::with_tag("100rel")).build();
    assert_eq!(
        half.map_err(|error| error.to_string()).err().as_deref(),
        Some("a 180 must carry RSeq [RFC 3262, Section 3]")
    );
    common::show(&invite, &ringing)
}
