//! Requests that are addressed to the server itself. `[RFC 3261, Section 8.2]`

use alloc::string::String;

use ringback_message::{HeaderId, Method, Request, StatusCode};

use crate::reply::Reply;
use crate::validate::require;

/// The methods that the server answers for itself; everything else it relays or refuses.
pub const ALLOWED: [Method; 4] = [Method::Ack, Method::Cancel, Method::Options, Method::Register];

/// The reply to a request for the server itself, other than REGISTER, ACK and CANCEL.
#[must_use]
pub fn answer(request: &Request) -> Reply {
    let method = request.method();
    if method == Method::Options {
        return require(request, HeaderId::Require, &[]).err().unwrap_or_else(|| options(request));
    }
    match method {
        Method::Other(_) => Reply::new(StatusCode::NotImplemented).with(HeaderId::Allow, allow()),
        _ => Reply::new(StatusCode::MethodNotAllowed).with(HeaderId::Allow, allow()),
    }
}

/// What the server can do: it reads no bodies and supports no extension, and says so. `[RFC 3261, Section 11.2]`
fn options(request: &Request) -> Reply {
    if !request.body().is_empty() {
        return Reply::new(StatusCode::UnsupportedMediaType).with(HeaderId::Accept, "");
    }
    Reply::new(StatusCode::Ok).with(HeaderId::Allow, allow()).with(HeaderId::Supported, "").with(HeaderId::Accept, "")
}

fn allow() -> String {
    let names: alloc::vec::Vec<&str> = ALLOWED.iter().map(Method::as_str).collect();
    names.join(", ")
}
