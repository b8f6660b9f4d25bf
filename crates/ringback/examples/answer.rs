//! Takes every call, and hears until the other side hangs up.
//!
//!     cargo run -p ringback --example answer -- 127.0.0.1:5070

use ringback::agent::{Agent, Router};
use ringback::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:5060".into());
    let sound = LocalMedia::audio(4000).codec(Codec::pcma()).codec(Codec::pcmu());
    let phone = Agent::builder().identity("sip:bob@biloxi.example.com").media(sound).bind(address).await?;
    println!("ready at {}", phone.address());
    phone.serve(Router::new().on_invite(async |call| call.answer().await?.ended().await)).await;
    Ok(())
}
