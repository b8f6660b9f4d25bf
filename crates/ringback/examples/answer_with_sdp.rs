//! A call is taken: a 200 whose session description answers the offer of the INVITE. `[RFC 3261, Section 13.3.1.4]`

use ringback::prelude::*;
use ringback::session;

mod common;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let invite = common::invite_with_offer()?;

    // What we have: sound, received at this address and port, as PCMA or PCMU.
    let bob = session::endpoint("192.0.2.201".parse()?)
        .media(LocalMedia::audio(3456).codec(Codec::pcma()).codec(Codec::pcmu()));

    // An INVITE without an offer asks us for one; this program has none to make.
    let offer = invite.sdp()?.ok_or("no offer")?;
    let response = match Session::new().receive(offer)?.answer(&bob) {
        Ok(answer) => Response::to(&invite, StatusCode::Ok)
            .contact("sip:bob@client.biloxi.example.com", None)
            .allow_methods(vec![Method::Invite, Method::Ack, Method::Cancel, Method::Bye, Method::Options])
            .supported_tags(vec![])
            .sdp(answer.description()),
        Err(refused) => session::refusing(&invite, &refused.refusal, "biloxi.example.com"),
    }
    .build()?;

    assert_eq!(response.status(), StatusCode::Ok);
    let formats = response.sdp()?.and_then(|answer| Some(answer.media().first()?.formats().to_vec()));
    assert_eq!(formats.as_deref().map(<[_]>::len), Some(2), "PCMU and PCMA, and no iLBC");
    common::show(&invite, &response)
}
