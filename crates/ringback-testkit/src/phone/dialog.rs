//! What a phone keeps of a dialog. `[RFC 3261, Section 12]`

use std::collections::BTreeMap;

use bytes::Bytes;
use ringback_base::Micros;
use ringback_message::{HeaderId, Message, NameAddr, Request, Response};
use ringback_transaction::ServerId;

/// Call-ID, our tag, their tag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DialogKey {
    pub(crate) call_id: String,
    pub(crate) local_tag: String,
    pub(crate) remote_tag: String,
}

impl DialogKey {
    /// The dialog that a request names, seen from the side that receives it.
    pub(crate) fn of_request(request: &Request) -> Option<DialogKey> {
        Some(DialogKey {
            call_id: text(request.call_id()),
            local_tag: text(request.to_tag()?),
            remote_tag: text(request.from_tag().unwrap_or_default()),
        })
    }

    /// The dialog that a response makes or belongs to, seen from the side of the caller.
    pub(crate) fn of_response(response: &Response) -> Option<DialogKey> {
        Some(DialogKey {
            call_id: text(response.call_id()),
            local_tag: text(response.from_tag()?),
            remote_tag: text(response.to_tag()?),
        })
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Dialog {
    /// The values of From and To in requests of ours, with their tags.
    pub(crate) local: String,
    pub(crate) remote: String,
    /// The Request-URI of requests of ours.
    pub(crate) target: String,
    /// The Route lines of requests of ours.
    pub(crate) routes: String,
    pub(crate) cseq: u32,
    /// The ACKs for repetitions of a 2xx, by the number of the INVITE. `[RFC 3261, Section 13.2.2.4]`
    pub(crate) acks: BTreeMap<u32, Bytes>,
    /// The number of the call, where we placed it.
    pub(crate) call: Option<u32>,
    /// BYE was sent or came.
    pub(crate) is_over: bool,
}

impl Dialog {
    /// From a 2xx to our INVITE. `[RFC 3261, Section 12.1.2]`
    pub(crate) fn of_caller(response: &Response, fallback: &str, call: u32) -> Dialog {
        let mut routes = routes(response);
        routes.reverse();
        Dialog {
            local: value(response, HeaderId::From),
            remote: value(response, HeaderId::To),
            target: contact(response).unwrap_or_else(|| fallback.to_owned()),
            routes: routes.concat(),
            cseq: response.cseq(),
            acks: BTreeMap::new(),
            call: Some(call),
            is_over: false,
        }
    }

    /// From an INVITE and our 2xx. `[RFC 3261, Section 12.1.1]`
    pub(crate) fn of_callee(invite: &Request, answer: &Message, fallback: &str) -> Dialog {
        Dialog {
            local: value(answer, HeaderId::To),
            remote: value(invite, HeaderId::From),
            target: contact(invite).unwrap_or_else(|| fallback.to_owned()),
            routes: routes(invite).concat(),
            cseq: 0,
            acks: BTreeMap::new(),
            call: None,
            is_over: false,
        }
    }
}

/// A 2xx of ours until its ACK comes. `[RFC 3261, Section 13.3.1.4]`
#[derive(Clone, Debug)]
pub(crate) struct Unacknowledged {
    pub(crate) id: ServerId,
    pub(crate) response: Response,
    pub(crate) interval: Micros,
    pub(crate) give_up_at: Micros,
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn value(message: &Message, id: HeaderId) -> String {
    message.first(id).map(|header| one_line(header.value())).unwrap_or_default()
}

/// A value that may have come damaged, fit to be written again.
fn one_line(value: &[u8]) -> String {
    text(value).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn contact(message: &Message) -> Option<String> {
    let address = message.addresses(HeaderId::Contact).next()?.ok()?;
    let mut uri = Vec::new();
    address.uri.write(&mut uri);
    Some(one_line(&uri))
}

/// The Record-Routes as lines of Route, the top one first.
fn routes(message: &Message) -> Vec<String> {
    let lines = message.addresses(HeaderId::RecordRoute).filter_map(Result::ok);
    lines
        .map(|route| {
            let mut text = Vec::new();
            NameAddr::write(&route, &mut text);
            format!("Route: {}\r\n", one_line(&text))
        })
        .collect()
}
