//! Requests that are addressed to the server itself. `[RFC 3261, Section 8.2]`

use alloc::string::String;

use ringback_message::{HeaderId, Method, Params, Request, StatusCode};

use crate::registrar::REGISTRAR_OPTION_TAGS;
use crate::reply::Reply;
use crate::validate::require;

/// The methods that the server answers for itself; everything else it relays or refuses.
pub const ALLOWED: [Method; 4] = [Method::Ack, Method::Cancel, Method::Options, Method::Register];

/// The reply to a request for the server itself, other than REGISTER, ACK and CANCEL.
#[must_use]
pub fn answer(request: &Request) -> Reply {
    let method = request.method();
    if method == Method::Options {
        return require(request, HeaderId::Require, REGISTRAR_OPTION_TAGS).err().unwrap_or_else(|| options(request));
    }
    match method {
        Method::Other(_) => Reply::new(StatusCode::NotImplemented).with(HeaderId::Allow, allow()),
        _ => Reply::new(StatusCode::MethodNotAllowed).with(HeaderId::Allow, allow()),
    }
}

/// What the server can do: it reads no bodies, and supports what its registrar does, and says so. `[RFC 3261, Section 11.2]`
fn options(request: &Request) -> Reply {
    if !request.body().is_empty() && !is_optional(request) {
        return accepting(Reply::new(StatusCode::UnsupportedMediaType));
    }
    let ok = Reply::new(StatusCode::Ok).with(HeaderId::Allow, allow());
    accepting(ok.with(HeaderId::Supported, REGISTRAR_OPTION_TAGS.join(", ")))
}

/// No body at all, and texts in English.
fn accepting(reply: Reply) -> Reply {
    reply.with(HeaderId::Accept, "").with(HeaderId::AcceptEncoding, "identity").with(HeaderId::AcceptLanguage, "en")
}

/// Whoever sent the body does not mind that it is not read. `[RFC 3261, Section 20.11]`
fn is_optional(request: &Request) -> bool {
    let Some(disposition) = request.first(HeaderId::ContentDisposition) else { return false };
    let mut cursor = disposition.cursor();
    let read = cursor.token("a disposition").and_then(|_| Params::parse(&mut cursor));
    read.is_ok_and(|params| params.value(b"handling").is_some_and(|value| value.eq_ignore_ascii_case(b"optional")))
}

fn allow() -> String {
    let names: alloc::vec::Vec<&str> = ALLOWED.iter().map(Method::as_str).collect();
    names.join(", ")
}
