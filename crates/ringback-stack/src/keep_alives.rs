//! How often phones are to show that they are still there. `[RFC 5626, Section 5.4]` `[RFC 6223, Section 4.4]`

use ringback_base::{Micros, Transport};
use ringback_message::{Edit, HeaderId, Method, Request, Response};
use ringback_transaction::ServerId;
use ringback_transport::granted_keep;

use crate::Stack;
use crate::event::Event;

/// The longest silence by datagrams: NATs forget a mapping after 30 seconds. `[RFC 5626, Section 4.4.2]`
const DATAGRAM_FLOW_SECS: u32 = 30;

/// T4: "the maximum duration a message will remain in the network". `[RFC 3261, Section 17.1.2.2]`
const DELAY_SECS: u64 = 5;

/// How long a phone may be silent that was told to speak every so many seconds: "The server MUST wait for an amount of time larger than
/// the Flow-Timer in order to have a grace period to account for transport delay." `[RFC 5626, Section 5.4]`
fn silence_max(secs: u32) -> Micros {
    Micros::from_secs(u64::from(secs).saturating_add(u64::from(secs / 4)).saturating_add(DELAY_SECS))
}

impl Stack {
    /// The response to this request as it goes back: a 2xx to a REGISTER tells whoever offers keep-alives how often they are wanted, and
    /// whoever registers a flow. A client of WebSocket is asked by Pings instead. `[RFC 7118, Section 6]`
    pub(crate) fn with_keep_alives(&mut self, server: ServerId, response: Response) -> Response {
        if self.config.flow_timer_secs == 0 || !response.status().is_success() {
            return response;
        }
        let (Some(request), Some(hop)) =
            (self.transactions.server_request(server), self.transactions.server_reply_hop(server))
        else {
            return response;
        };
        if !request.is(&Method::Register) || matches!(hop.transport, Transport::Ws | Transport::Wss) {
            return response;
        }
        let secs = match hop.transport {
            Transport::Udp => self.config.flow_timer_secs.min(DATAGRAM_FLOW_SECS),
            _ => self.config.flow_timer_secs,
        };
        let Some(told) = told(request, &response, secs) else { return response };
        if hop.transport.is_reliable() {
            self.events.push_back(Event::KeptAlive { hop, silence_max: silence_max(secs) });
        }
        told
    }
}

/// The response with what it says of keep-alives, where they were offered. "the header field value and the "keep" parameter value MUST be
/// identical" `[RFC 6223, Section 5]`
fn told(request: &Request, response: &Response, secs: u32) -> Option<Response> {
    let mut edit = Edit::relaying(response);
    let mut is_told = false;
    // Of several proxies the first one holds the flow.
    if request.vias().count() == 1 && response.has_token(HeaderId::Require, "outbound") {
        edit = edit.set(HeaderId::FlowTimer, alloc::format!("{secs}").as_bytes());
        is_told = true;
    }
    if let Some((line, value)) = granted_keep(response, secs) {
        edit = edit.replace_line(line, &value);
        is_told = true;
    }
    if !is_told {
        return None;
    }
    Response::check(edit.finish().ok()?).ok()
}
