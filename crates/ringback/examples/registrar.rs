//! A registrar: two users register with their passwords, and call one another through it.
//!
//!     cargo run -p ringback --example registrar -- 127.0.0.1:5060

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
