//! The 200 to OPTIONS of a user agent that says all that it can do. `[RFC 3261, Section 11.2]`

use ringback::prelude::*;

mod common;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = common::options()?;
    let capable = Response::to(&options, StatusCode::Ok)
        .contact("sip:bob@client.biloxi.example.com", None)
        .allow_methods(vec![
            Method::Invite,
            Method::Ack,
            Method::Cancel,
            Method::Bye,
            Method::Options,
            Method::Prack,
            Method::Update,
            Method::Refer,
            Method::Subscribe,
            Method::Notify,
        ])
        .supported_tags(["100rel", "replaces", "timer"].map(String::from).into())
        .accept("application/sdp", None)
        .accept("multipart/mixed", Qvalue::from_thousandths(500))
        .header(AcceptEncoding::new("identity"))
        .header(AcceptLanguage::new("en"))
        .header(AllowEvents::new(["refer"]))
        .build()?;
    assert!(capable.tokens(HeaderId::Allow).any(|method| method == Ok(b"PRACK")));
    common::show(&options, &capable)
}
