//! The transaction layer in the same notation: a stage of its own is all it takes.

use bytes::Bytes;
use ringback_base::{Hop, KeyedHash, Micros, Now};
use ringback_message::{Message, Request, Response};
use ringback_testkit::notation::{Stage, play};
use ringback_transaction::{ClientId, Config, Event, Transactions};

/// The client side: `TU` above, `net` below.
struct Client {
    layer: Transactions,
    id: Option<ClientId>,
}

impl Client {
    fn text(first: &str, method: &str, tag: &str) -> Bytes {
        format!(
            "{first}\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@192.0.2.1>;tag=a\r\n\
             To: <sip:b@192.0.2.2>{tag}\r\nCall-ID: 1\r\nCSeq: 1 {method}\r\n\r\n"
        )
        .into()
    }
}

fn hop() -> Hop {
    Hop::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap())
}

impl Stage for Client {
    fn prepare(&mut self, line: &str) -> Result<(), String> {
        Err(format!("{line}: there is nothing to prepare"))
    }

    fn input(&mut self, from: &str, what: &str, now: Now) -> Result<(), String> {
        match from {
            "TU" => {
                let text = Client::text(&format!("{what} sip:b@192.0.2.2 SIP/2.0"), what, "");
                let request = Request::check(Message::parse(text).unwrap()).unwrap();
                self.id = Some(self.layer.request(request, hop(), now).map_err(|error| error.to_string())?);
            }
            "net" => {
                let method = self.layer.client_request(self.id.unwrap()).unwrap().method().to_string();
                let text = Client::text(&format!("SIP/2.0 {what} Whatever"), &method, ";tag=b");
                self.layer.handle_response(Response::check(Message::parse(text).unwrap()).unwrap(), hop(), now);
            }
            _ => return Err(format!("there is no {from}")),
        }
        Ok(())
    }

    fn poll_timeout(&self) -> Option<(Micros, String)> {
        self.layer.poll_timeout().map(|(at, reason)| (at, reason.to_string()))
    }

    fn handle_timeout(&mut self, now: Now) {
        self.layer.handle_timeout(now);
    }

    fn take_output(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(transmit) = self.layer.poll_transmit() {
            lines.push(format!("net {}", Message::parse(transmit.bytes).unwrap().method().unwrap()));
        }
        while let Some(event) = self.layer.poll_event() {
            lines.push(match event {
                Event::Response { response, .. } => format!("TU {}", response.status()),
                Event::ClientTimeout { .. } => "TU timeout".to_owned(),
                Event::ClientEnded { .. } => "TU ended".to_owned(),
                other => format!("TU {other:?}"),
            });
        }
        lines
    }

    fn left(&self) -> Option<String> {
        (!self.layer.is_idle()).then(|| "a transaction".to_owned())
    }
}

fn figure(script: &str) {
    let mut client = Client { layer: Transactions::new(Config::default(), KeyedHash::with_key(1, 2)), id: None };
    if let Err(difference) = play(&mut client, script) {
        panic!("\n{difference}");
    }
}

/// `[RFC 6026, Section 8.4]`, Figure 5.
#[test]
fn invite_client() {
    figure(
        "at 0     in  TU  INVITE
         at 0     out net INVITE
         at 500   Timer A
         at 500   out net INVITE
         at 700   in  net 180
         at 700   out TU  180
         at 9000  in  net 486
         at 9000  out net ACK
         at 9000  out TU  486
         at 9500  in  net 486
         at 9500  out net ACK
         at 41000 Timer D
         at 41000 out TU  ended",
    );
}

/// `[RFC 3261, Section 17.1.2.2]`, Figure 6.
#[test]
fn non_invite_client() {
    figure(
        "at 0     in  TU  OPTIONS
         at 0     out net OPTIONS
         at 500   Timer E
         at 500   out net OPTIONS
         at 1500  Timer E
         at 1500  out net OPTIONS
         at 1600  in  net 200
         at 1600  out TU  200
         at 6600  Timer K
         at 6600  out TU  ended",
    );
}

#[test]
fn what_stays_in_proceeding_is_said_to_be_left() {
    figure(
        "at 0     in  TU  INVITE
         at 0     out net INVITE
         at 100   in  net 100
         at 100   out TU  100
         left a transaction",
    );
}
