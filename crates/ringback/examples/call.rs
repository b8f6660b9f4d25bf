//! Calls somebody, and hangs up soon; with a count, so many calls, ten at a time.
//!
//!     cargo run -p ringback --example call -- sip:bob@127.0.0.1:5070 [COUNT]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use ringback::agent::{Agent, AgentHandle, CallFailed};
use ringback::prelude::*;

const TALK: Duration = Duration::from_millis(100);

/// One call, from the first ring to the end.
async fn call(phone: &AgentHandle, to: &str) -> Result<(), CallFailed> {
    let call = phone.invite(to).credentials("alice", "wonderland").follow_redirects(3).await?;
    tokio::time::sleep(TALK).await;
    call.hang_up().await.map_err(CallFailed::Command)
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("call: {failed}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let to = std::env::args().nth(1).unwrap_or("sip:bob@127.0.0.1:5060".into());
    let count: usize = std::env::args().nth(2).map_or(Ok(1), |count| count.parse())?;
    let sound = LocalMedia::audio(4000).codec(Codec::pcma()).codec(Codec::pcmu());
    let phone = Agent::builder().identity("sip:alice@biloxi.example.com").media(sound).bind("127.0.0.1:0").await?;
    many(phone.handle(), to, count).await
}

/// Ten at a time.
async fn many(phone: AgentHandle, to: String, count: usize) -> Result<(), Box<dyn std::error::Error>> {
    let places = Arc::new(tokio::sync::Semaphore::new(10));
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..count {
        let (place, phone, to) = (Arc::clone(&places).acquire_owned().await?, phone.clone(), to.clone());
        calls.spawn(async move {
            let called = call(&phone, &to).await;
            drop(place);
            called
        });
    }
    while let Some(called) = calls.join_next().await {
        called??;
    }
    println!("{count} calls were answered and hung up");
    Ok(())
}
