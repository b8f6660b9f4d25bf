//! A 420 that lists what of the request's Require is not understood. `[RFC 3261, Section 8.2.2.3]`

use ringback::prelude::*;

mod common;

const KNOWN: &[&[u8]] = &[b"100rel", b"timer"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let invite = common::invite()?;
    let required: Vec<&[u8]> = invite.tokens(HeaderId::Require).collect::<Result<_, _>>()?;
    let unknown = required.into_iter().filter(|tag| !KNOWN.iter().any(|known| known.eq_ignore_ascii_case(tag)));
    let response = Response::to(&invite, StatusCode::BadExtension).header(Unsupported::new(unknown)).build()?;
    assert_eq!(response.tokens(HeaderId::Unsupported).collect::<Result<Vec<_>, _>>()?, [b"hologram"]);
    common::show(&invite, &response)
}
