//! A back-to-back user agent: takes each call, makes one of its own for it, and joins what both sides say of media.
//!
//!     cargo run -p ringback --example b2bua -- 127.0.0.1:5070 sip:bob@127.0.0.1:5080

use std::error::Error;
use std::future::IntoFuture as _;

use ringback::agent::{Agent, AgentHandle, CallFailed, IncomingCall, Media, Router};
use ringback::prelude::*;

/// One call and its twin: whoever hangs up ends both. A caller who gives up drops the twin, and that cancels it.
async fn join(phone: AgentHandle, to: String, mut caller: IncomingCall) -> Result<(), Box<dyn Error + Send + Sync>> {
    let offer = caller.offer().ok_or("no offer")?;
    let twin = tokio::select! {
        twin = phone.invite(&to).offer(offer).into_future() => twin,
        _ = caller.cancelled() => return Ok(()),
    };
    let callee = match twin {
        Ok(callee) => callee,
        Err(CallFailed::Refused { response, .. }) => return Ok(caller.reject(response.status()).await?),
        Err(other) => return Ok(caller.reject(other.status().unwrap_or(StatusCode::ServerInternalError)).await?),
    };
    let answer = callee.remote_description().await?.ok_or("no answer")?;
    let caller = caller.answer_with(Media::Description(answer)).await?;
    tokio::select! {
        _ = caller.ended() => {}
        _ = callee.ended() => {}
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or("127.0.0.1:5060".into());
    let to = arguments.next().unwrap_or("sip:bob@127.0.0.1:5080".into());
    let phone = Agent::builder().identity("sip:b2bua@biloxi.example.com").bind(address).await?;
    println!("ready at {}", phone.address());
    let handle = phone.handle();
    phone.serve(Router::new().on_invite(move |caller| join(handle.clone(), to.clone(), caller))).await;
    Ok(())
}
