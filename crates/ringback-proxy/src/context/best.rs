//! Which of the final responses goes back. `[RFC 3261, Section 16.7]`

use alloc::boxed::Box;
use alloc::vec::Vec;

use ringback_message::header::check_value;
use ringback_message::{Edit, HeaderId, Response, StatusCode};

use super::Action;
use crate::reply::Reply;

/// How a branch ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Final {
    /// By a final response, our Via already off.
    Received(Box<Response>),
    /// By ourselves, as if this response had come.
    Local(StatusCode),
}

impl Final {
    /// The code.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Final::Received(response) => response.status(),
            Final::Local(status) => *status,
        }
    }
}

/// The action that answers the request, given how all branches ended.
pub(super) fn choose(finals: &[&Final], is_invite: bool) -> Action {
    // "A transaction-stateful SIP element MUST NOT send a response with Status-Code of 408 to a non-INVITE request."
    let may_go = |outcome: &&&Final| is_invite || outcome.status() != StatusCode::RequestTimeout;
    match finals.iter().filter(may_go).min_by_key(|outcome| rank(outcome.status())) {
        None if is_invite => Action::Reply(Reply::new(StatusCode::RequestTerminated)),
        None => Action::GiveUp,
        Some(Final::Local(StatusCode::ServiceUnavailable)) => {
            Action::Reply(Reply::because(StatusCode::ServerInternalError, "No contact of this user can be reached"))
        }
        // "A proxy which receives a 503 response SHOULD NOT forward it upstream"
        Some(Final::Received(response)) if response.status() == StatusCode::ServiceUnavailable => {
            Action::Reply(Reply::new(StatusCode::ServerInternalError))
        }
        Some(Final::Local(status)) => Action::Reply(Reply::new(*status)),
        Some(Final::Received(response)) => Action::Respond(with_all_challenges(response, finals)),
    }
}

/// Lower is better: 6xx, then the lowest class; in it what helps the caller to try again; 503 says least.
fn rank(status: StatusCode) -> (u16, u8) {
    let class = match status.as_u16() / 100 {
        6 => 0,
        class => class,
    };
    let within = match status {
        StatusCode::Unauthorized
        | StatusCode::ProxyAuthenticationRequired
        | StatusCode::UnsupportedMediaType
        | StatusCode::BadExtension
        | StatusCode::AddressIncomplete => 0,
        StatusCode::ServiceUnavailable | StatusCode::RequestTimeout => 2,
        _ => 1,
    };
    (class, within)
}

/// A 401 or 407 carries the challenges of all the others too, so that one retry can answer them all.
fn with_all_challenges(best: &Response, finals: &[&Final]) -> Response {
    let challenge = |status| status == StatusCode::Unauthorized || status == StatusCode::ProxyAuthenticationRequired;
    if !challenge(best.status()) {
        return best.clone();
    }
    let others: Vec<&Response> = finals
        .iter()
        .filter_map(|outcome| match outcome {
            Final::Received(response) if challenge(response.status()) && !core::ptr::eq(&**response, best) => {
                Some(&**response)
            }
            _ => None,
        })
        .collect();
    let mut edit = Edit::relaying(best);
    for other in others {
        for id in [HeaderId::WwwAuthenticate, HeaderId::ProxyAuthenticate] {
            // A challenge that nobody can read helps nobody, and none of the others would be passed on with it.
            for header in other.all(id).filter(|header| check_value(id, header.value(), 0).is_ok()) {
                edit = edit.append(id, header.value());
            }
        }
    }
    // Values with folds, or too many of them, are left out rather than the answer lost.
    edit.finish().ok().and_then(|message| Response::check(message).ok()).unwrap_or_else(|| best.clone())
}
