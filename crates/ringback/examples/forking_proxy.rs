//! A forking proxy: all phones of a user ring, and the first to answer has the call. `[RFC 3261, Section 16]`
//!
//!     cargo run -p ringback --example forking_proxy -- 127.0.0.1:5060

use ringback::server::Server;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:5060".into());
    let server = Server::builder("biloxi.example.com").account("alice", "wonderland").account("bob", "builder");
    let server = server.bind(address).await?;
    println!("ready at {}", server.address());
    server.run_until(common::told_to_end(), common::LAST_CALLS).await?;
    Ok(())
}

#[path = "common/end.rs"]
mod common;
