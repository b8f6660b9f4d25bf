//! What the examples answer.
#![allow(dead_code, reason = "each example uses a part")]

use ringback::prelude::*;

fn request(method: Method) -> RequestBuilder {
    RequestBuilder::new(method.clone(), "sip:bob@biloxi.example.com")
        .via("pc33.atlanta.example.com", "UDP", Some("z9hG4bK776asdhds"))
        .from("Alice", "sip:alice@atlanta.example.com", Some("1928301774"))
        .to("Bob", "sip:bob@biloxi.example.com", None)
        .call_id("3848276298220188511@atlanta.example.com")
        .cseq(1, method)
        .contact("sip:alice@client.atlanta.example.com", None)
}

/// An INVITE that asks for an extension that nobody has.
pub(crate) fn invite() -> Result<Request, BuildError> {
    request(Method::Invite).header(Require::new(["100rel", "hologram"])).header(Supported::new(["100rel"])).build()
}

pub(crate) fn options() -> Result<Request, BuildError> {
    request(Method::Options).accept("application/sdp", None).build()
}

/// Prints it, once it is proved to be read back as it was built, and the lint finds nothing in it.
pub(crate) fn show(request: &Request, response: &Response) -> Result<(), Box<dyn std::error::Error>> {
    assert_eq!(Response::parse(response.as_bytes())?, *response);
    let findings: Vec<String> = ringback_lint::lint_pair(request, response).iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "{findings:#?}");
    print!("{}", String::from_utf8_lossy(response.as_bytes()));
    Ok(())
}
