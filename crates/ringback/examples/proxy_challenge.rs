//! A 407 with a digest challenge for each algorithm, the strongest first. `[RFC 8760, Section 2.3]`

use ringback::prelude::*;

mod common;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let invite = common::invite()?;
    let challenge = |algorithm| {
        ProxyAuthenticate::digest("biloxi.example.com", "f84f1cec41e6cbe5aea9c8e88d359")
            .with_qop(["auth"])
            .with_algorithm(algorithm)
    };
    let response = Response::to(&invite, StatusCode::ProxyAuthenticationRequired)
        .header(challenge("SHA-256"))
        .header(challenge("MD5"))
        .build()?;
    assert_eq!(response.all(HeaderId::ProxyAuthenticate).count(), 2);

    let empty = Response::to(&invite, StatusCode::ProxyAuthenticationRequired).build();
    assert!(empty.is_err_and(|error| error.to_string().starts_with("a 407 must carry Proxy-Authenticate")));
    common::show(&invite, &response)
}
