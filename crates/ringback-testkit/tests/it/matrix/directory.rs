//! What a server says of names by itself, and of what it can't find out in time.

use ringback_base::Micros;
use ringback_message::header::Privacy;
use ringback_message::{HeaderId, NameAddr, Response};
use ringback_stack::{Directory, Listed};
use ringback_ua::{EndReason, Failure, Outbound};

use super::{domain, failure, gave_up, rows, to};
use crate::flows::town::{Town, contact};

rows! {
    199 early_dialog_terminated [Reason] "drops that early dialog, and waits on for the other phone"
    300 multiple_choices [Contact] "offers the choice; the application calls one of them"
    301 moved_permanently [Contact] "calls the new address"
    410 gone [] "gives up: the address can be forgotten"
    414 request_uri_too_long [] "gives up"
    433 anonymity_disallowed [] "asks: it calls under its name only where its user agrees"
    484 address_incomplete [] "tells; the application goes on dialling"
    485 ambiguous [Contact] "asks: who is meant, the user knows"
    504 server_timeout [] "gives up; the application may call again"
    513 message_too_large [] "gives up"
    604 does_not_exist_anywhere [] "gives up: the proxy before that server asks no other"
}

/// A domain with accounts, and with this to say of its names.
fn listed(change: impl FnOnce(&mut Directory)) -> Town {
    let mut town = domain(|config| change(&mut config.directory));
    town.account("bill", "bill");
    town
}

fn names(names: &[(&str, Listed)]) -> Town {
    listed(|directory| directory.names = names.iter().map(|(name, listed)| ((*name).into(), listed.clone())).collect())
}

/// The call gets to Bob, and is hung up.
fn gets_through(town: &mut Town) {
    let bob = town.rings("bob");
    town.answers("bob", bob);
    town.answered("bill");
    town.hangs_up("bob", bob);
}

fn refusal(town: &mut Town, code: u16) -> Response {
    let Failure::Refused(response) = failure(town, "bill") else { panic!("no response") };
    assert_eq!(response.status().as_u16(), code);
    *response
}

fn contacts(response: &Response) -> Vec<String> {
    let text = |address: NameAddr<&[u8]>| {
        let mut text = Vec::new();
        address.uri.write(&mut text);
        String::from_utf8(text).unwrap()
    };
    response.addresses(HeaderId::Contact).map(|address| text(address.unwrap())).collect()
}

/// Two phones ring; one is busy, the other is picked up later.
fn early_dialog_terminated() -> Town {
    let mut town = domain(|config| config.open = true);
    town.phone("bob2");
    town.binds("ss2", "bob", &contact("bob2"), None);
    town.calls("bill", &to("bob"));
    let bob = town.rings("bob");
    let other = town.rings("bob2");
    town.at("bob2", |agent, now| agent.reject(other, ringback_message::StatusCode::BusyHere, |r| r, now).unwrap());
    let EndReason::EarlyTerminated(cause) = town.ended("bill") else { panic!("not by a 199") };
    assert_eq!(cause.as_u16(), 486);
    town.run(Micros::from_secs(5));
    town.answers("bob", bob);
    town.answered("bill");
    town.hangs_up("bob", bob);
    assert_eq!(
        town.sent.iter().filter(|(_, _, message)| message.status().is_some_and(|s| s.as_u16() == 199)).count(),
        1
    );
    town
}

const SALES: [&str; 2] = ["sip:bob@biloxi.example.com", "sip:carol@biloxi.example.com"];

/// Whoever calls the sales department may have any of them.
fn multiple_choices() -> Town {
    let mut town = names(&[("sales", Listed::Choice(SALES.map(Into::into).into()))]);
    let outbound = to("sales");
    town.calls("bill", &outbound);
    let response = refusal(&mut town, 300);
    assert_eq!(contacts(&response), SALES);
    town.calls("bill", &outbound.redirected(&response).unwrap());
    gets_through(&mut town);
    town
}

fn moved_permanently() -> Town {
    let mut town = names(&[("robert", Listed::Moved("sip:bob@biloxi.example.com".into()))]);
    town.calls("bill", &to("robert").follow_redirects(1));
    gets_through(&mut town);
    town
}

fn gone() -> Town {
    let mut town = names(&[("dave", Listed::Gone)]);
    town.calls("bill", &to("dave"));
    gave_up(&mut town, "bill", 410);
    town
}

fn request_uri_too_long() -> Town {
    let mut town = domain(|config| {
        config.open = true;
        config.proxy.uri_bytes_max = 256;
    });
    town.calls("bill", &to(&"b".repeat(300)));
    gave_up(&mut town, "bill", 414);
    assert_eq!(town.served_by("ss2").stack.counters().uri_bytes_max_reached, 1);
    town
}

/// Bob wants to know who calls.
fn anonymity_disallowed() -> Town {
    let mut town = listed(|directory| directory.refuse_anonymous.extend(["bob".into()]));
    let hidden =
        Outbound { from: "sip:anonymous@anonymous.invalid".into(), from_name: "Anonymous".into(), ..to("bob") };
    town.calls("bill", &hidden.with(Privacy::new(["id"])));
    gave_up(&mut town, "bill", 433);
    town.calls("bill", &to("bob"));
    gets_through(&mut town);
    town
}

/// Bill dials digit by digit.
fn address_incomplete() -> Town {
    let mut town = listed(|directory| directory.number_digits_min = 3);
    town.served_by("ss2").unknown.extend(["2", "20"]);
    town.binds("ss2", "201", &contact("bob"), None);
    for dialled in ["2", "20"] {
        town.calls("bill", &to(dialled));
        gave_up(&mut town, "bill", 484);
    }
    town.calls("bill", &to("201"));
    gets_through(&mut town);
    town
}

/// There are two of that name.
fn ambiguous() -> Town {
    let mut town = names(&[("smith", Listed::Ambiguous(SALES.map(Into::into).into()))]);
    let outbound = to("smith");
    town.calls("bill", &outbound);
    let sent = super::requests_len(&town, "bill");
    let response = refusal(&mut town, 485);
    town.run(Micros::from_secs(60));
    assert_eq!(super::requests_len(&town, "bill"), sent, "who is meant is for the user to say");
    assert_eq!(contacts(&response), SALES);
    town.calls("bill", &Outbound { request_uri: Some(SALES[0].into()), ..outbound });
    gets_through(&mut town);
    town
}

/// Bob's phone is known by a name, and nobody answers who that is.
fn server_timeout() -> Town {
    let mut town = domain(|config| config.open = true);
    town.served_by("ss2").silent.push("client.biloxi.example.com");
    town.calls("bill", &to("bob"));
    // NAPTR and SRV records may help where addresses don't: each has its time.
    town.run(Micros::from_secs(10));
    gave_up(&mut town, "bill", 504);
    town
}

/// Whatever the wire has put in makes it more than anybody reads.
fn message_too_large() -> Town {
    let mut town = domain(|config| config.open = true);
    town.damaged.push(("INVITE bill", |text| {
        text.replace("Content-Length", &format!("{}Content-Length", "Subject: x\r\n".repeat(600)))
    }));
    town.calls("bill", &to("bob"));
    gave_up(&mut town, "bill", 513);
    town
}

fn does_not_exist_anywhere() -> Town {
    let mut town = listed(|directory| directory.speaks_for_all = true);
    town.served_by("ss2").unknown.push("nobody");
    town.calls("bill", &to("nobody"));
    gave_up(&mut town, "bill", 604);
    town
}
