//! What servers refuse, and what goes wrong on the way.

use ringback_base::Micros;
use ringback_message::header::{MaxBreadth, RetryAfter};
use ringback_message::{HeaderId, Method, StatusCode};
use ringback_ua::{Failure, Outbound, RegistrationEvent};

use super::challenges::{edge_and_home, registers, registers_flow, registration};
use super::{failure, gave_up, open_domain, response, rows, to};
use crate::flows::town::{Town, contact};

rows! {
    400 bad_request [] "gives up, and tells what is said to be wrong"
    404 not_found [] "gives up: nobody is called so"
    405 method_not_allowed [Allow] "gives up, and tells which methods would do"
    408 request_timeout [] "gives up; the application may call again"
    416 unsupported_scheme [] "tells; the application calls the SIP URI of the number"
    430 flow_failed [] "tells the application; the call goes on"
    440 max_breadth_exceeded [] "gives up"
    480 temporarily_unavailable [] "gives up; the application may call later"
    482 loop_detected [] "gives up"
    483 too_many_hops [] "gives up"
    500 server_internal_error [RetryAfter] "registers again after the time that is said"
    501 not_implemented [Allow] "gives up, and tells which methods would do"
    502 bad_gateway [] "gives up; the application may call again"
    503 service_unavailable [] "goes to the next server of the domain"
    505 version_not_supported [] "gives up"
}

/// Where a phone finds out about numbers: the server of the domain.
fn through_server(uri: &str) -> Outbound {
    Outbound {
        request_uri: Some(uri.into()),
        routes: vec!["sip:biloxi.example.com;lr".into()],
        ..Outbound::new("sip:bill@biloxi.example.com", uri)
    }
}

fn bad_request() -> Town {
    let mut town = open_domain();
    town.damaged.push(("INVITE bill", |text| text.replace("Max-Forwards: 70", "Max-Forwards: lots")));
    town.calls("bill", &to("bob"));
    let Failure::Refused(response) = failure(&mut town, "bill") else { panic!("no response") };
    assert!(String::from_utf8_lossy(response.reason()).contains("Max-Forwards"), "{response:?}");
    town.run(Micros::from_secs(60));
    town
}

fn not_found() -> Town {
    let mut town = super::domain(|_| {});
    town.account("bill", "bill");
    town.served_by("ss2").unknown.push("nobody");
    town.calls("bill", &to("nobody"));
    gave_up(&mut town, "bill", 404);
    town
}

/// The server is no phone.
fn method_not_allowed() -> Town {
    let mut town = open_domain();
    let server = Outbound::new("sip:bill@biloxi.example.com", "sip:biloxi.example.com");
    town.calls("bill", &server);
    let Failure::Refused(response) = failure(&mut town, "bill") else { panic!("no response") };
    assert!(response.has_token(HeaderId::Allow, "OPTIONS") && !response.has_token(HeaderId::Allow, "INVITE"));
    town
}

fn request_timeout() -> Town {
    let mut town = open_domain();
    town.dead = vec!["bob"];
    town.calls("bill", &to("bob"));
    town.run(Micros::from_secs(33));
    gave_up(&mut town, "bill", 408);
    town
}

fn unsupported_scheme() -> Town {
    let mut town = open_domain();
    town.binds("ss2", "+12015550123", &contact("bob"), None);
    town.calls("bill", &through_server("tel:+12015550123"));
    gave_up(&mut town, "bill", 416);
    town.calls("bill", &through_server("sip:+12015550123@biloxi.example.com"));
    let bob = town.rings("bob");
    town.answers("bob", bob);
    town.answered("bill");
    town.hangs_up("bob", bob);
    town
}

/// Bob has registered through an edge proxy, by which all goes to him; then nobody is at the other end of his flow, for a moment.
fn flow_failed() -> Town {
    let mut town = edge_and_home();
    assert!(registers_flow(&mut town, "bob"));
    let (bill, bob) = town.call("bill", "bob", &to("bob"));
    town.unreachable = vec!["INFO ss1"];
    town.at("bill", |agent, now| agent.request(bill, Method::Info, |r| r, now).unwrap());
    assert_eq!(response(&mut town, "bill").status(), StatusCode::FlowFailed);
    assert!(town.agent("bill").dialog(bill).is_some());
    town.hangs_up("bob", bob);
    town
}

/// Bob has two phones, and the INVITE may not be forked any more at all.
fn max_breadth_exceeded() -> Town {
    let mut town = open_domain();
    town.phone("bob2");
    town.binds("ss2", "bob", &contact("bob2"), None);
    town.calls("bill", &to("bob").with(MaxBreadth(0)));
    gave_up(&mut town, "bill", 440);
    town
}

fn temporarily_unavailable() -> Town {
    let mut town = open_domain();
    town.calls("bill", &to("carol"));
    gave_up(&mut town, "bill", 480);
    town
}

/// Whoever calls Carol calls Carol.
fn loop_detected() -> Town {
    let mut town = open_domain();
    town.binds("ss2", "carol", "sip:carol@biloxi.example.com", None);
    town.calls("bill", &to("carol"));
    gave_up(&mut town, "bill", 482);
    town
}

/// A spiral with no end: each name leads to the next.
fn too_many_hops() -> Town {
    let mut town = open_domain();
    for step in 0..80 {
        let next = format!("sip:hop{}@biloxi.example.com", step + 1);
        town.binds("ss2", &format!("hop{step}"), &next, None);
    }
    town.calls("bill", &to("hop0"));
    town.run(Micros::from_secs(5));
    gave_up(&mut town, "bill", 483);
    town
}

fn server_internal_error() -> Town {
    let mut town = open_domain();
    town.served_by("ss2").is_full = true;
    let id = registers(&mut town, "sip:bill@biloxi.example.com", 3_600);
    let RegistrationEvent::Failed { status, again_at } = registration(&mut town) else { panic!("no failure") };
    let after =
        town.sent.iter().rev().find_map(|(_, _, message)| message.get::<RetryAfter<&[u8]>>().ok().flatten()).unwrap();
    let wait = Micros::from_secs(after.seconds.into());
    assert_eq!(status, StatusCode::ServerInternalError);
    assert!(again_at >= town.now.mono.plus(Micros(wait.0 - 1_000_000)));
    town.served_by("ss2").is_full = false;
    town.wait_for("bill", |event| matches!(event, ringback_ua::Event::Registration { .. }));
    assert!(matches!(registration(&mut town), RegistrationEvent::Registered { .. }));
    town.agent("bill").remove_registration(id);
    town
}

fn not_implemented() -> Town {
    let mut town = open_domain();
    let server = Outbound::new("sip:bill@biloxi.example.com", "sip:biloxi.example.com");
    town.at("bill", |bill, now| {
        bill.request_outside(&server, Method::from_token(b"FETCH").unwrap(), |r| r, now).unwrap()
    });
    let response = response(&mut town, "bill");
    assert!(response.status() == StatusCode::NotImplemented && response.has_token(HeaderId::Allow, "OPTIONS"));
    town
}

/// What Bob's phone answers lacks the Via of Bill's on its way back.
fn bad_gateway() -> Town {
    let mut town = open_domain();
    town.damaged.push(("486 INVITE bob", |text| {
        let vias: Vec<&str> = text.lines().filter(|line| line.starts_with("Via:")).collect();
        text.replace(&format!("{}\r\n", vias[1]), "")
    }));
    town.calls("bill", &to("bob"));
    let bob = town.incoming("bob");
    town.at("bob", |agent, now| agent.reject(bob, StatusCode::BusyHere, |r| r, now).unwrap());
    gave_up(&mut town, "bill", 502);
    town
}

/// Two servers of one domain, and the first is going to be shut down.
fn service_unavailable() -> Town {
    let mut town = Town::new();
    town.phone("bill");
    town.phone("bob");
    for server in ["ss1", "ss2"] {
        town.server_with(server, |config| {
            config.open = true;
            config.aliases = vec!["proxies.example.com".into()];
        });
        town.binds(server, "bob", &contact("bob"), None);
    }
    town.served_by("ss1").stack.drain();
    town.calls("bill", &Outbound::new("sip:bill@biloxi.example.com", "sip:bob@proxies.example.com"));
    let bob = town.rings("bob");
    town.answers("bob", bob);
    town.answered("bill");
    town.hangs_up("bob", bob);
    town
}

fn version_not_supported() -> Town {
    let mut town = open_domain();
    town.damaged.push(("INVITE bill", |text| text.replacen("SIP/2.0\r\n", "SIP/3.0\r\n", 1)));
    town.calls("bill", &to("bob"));
    gave_up(&mut town, "bill", 505);
    town
}
