//! A redirect server: whoever registers is found, and callers are told where by a 302. `[RFC 3261, Section 8.3]`
//!
//!     cargo run -p ringback --example redirect_server -- 127.0.0.1:5060

use ringback::server::Server;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:5060".into());
    let server = Server::builder("biloxi.example.com").account("alice", "wonderland").account("bob", "builder");
    let server = server.redirect().bind(address).await?;
    println!("ready at {}", server.address());
    server.run_until(common::told_to_end(), common::LAST_CALLS).await?;
    Ok(())
}

#[path = "common/end.rs"]
mod common;
