//! Bytes of memory that a transaction takes, asked of the allocator: all that it owns, its places in the tables and what these
//! hold in reserve.
//!
//! One test, because the allocator counts for the whole process.

use std::alloc::System;

use bytes::Bytes;
use ringback_base::{Hop, KeyedHash, Now, Transport};
use ringback_message::{Message, Request, Response, StatusCode};
use ringback_transaction::{ClientId, Config, Event, ServerId, State, Transactions};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Tables grow by doubling: the first count fills them, the second has just made them grow and takes the most for each.
const COUNTS: [usize; 2] = [1_792, 2_049];

/// The INVITE server transaction: three kilobytes with a request of 1.2.
const INVITE_SERVER_BYTES_MAX: usize = 3 * 1_024;

/// The bytes of a request, about.
const INVITE_BYTES: usize = 1_200;

#[test]
fn transactions() {
    let mut rows = Vec::new();
    for count in COUNTS {
        rows.extend(servers("INVITE", count));
        rows.extend(servers("OPTIONS", count));
        rows.extend(clients("INVITE", count));
        rows.extend(clients("OPTIONS", count));
    }
    println!("| transaction | how many | request | bytes each | beside the request |\n|---|--:|--:|--:|--:|");
    for row in &rows {
        let (name, count, request, each) = (&row.name, row.count, row.request, row.each);
        println!("| {name} | {count} | {request} | {each} | {} |", each.saturating_sub(request));
        if name.starts_with("INVITE server") {
            assert!(each <= INVITE_SERVER_BYTES_MAX, "{name}: {each}");
        }
        // Twice the request would be beyond it.
        assert!(each < 2 * request + 512, "{name}: {each} holds its request of {request} more than once");
    }
}

struct Row {
    name: String,
    count: usize,
    request: usize,
    each: usize,
}

/// What is allocated now and was not when the region began.
fn live(region: &Region<'_, System>) -> usize {
    let change = region.change();
    change.bytes_allocated - change.bytes_deallocated
}

fn drain(layer: &mut Transactions) -> Vec<Event> {
    while layer.poll_transmit().is_some() {}
    std::iter::from_fn(|| layer.poll_event()).collect()
}

fn servers(method: &str, count: usize) -> Vec<Row> {
    let region = Region::new(ALLOCATOR);
    let mut layer = Transactions::new(Config::default(), KeyedHash::with_key(1, 2));
    let mut ids: Vec<ServerId> = Vec::with_capacity(count);
    for number in 0..count {
        let bytes = datagram(method, number);
        let place = bytes.as_ptr();
        layer.handle_request(Request::check(Message::parse(bytes).unwrap()).unwrap(), hop(), Now::default());
        let [Event::Request { id }] = drain(&mut layer)[..] else { panic!() };
        assert_eq!(layer.server_request(id).unwrap().as_bytes().as_ptr(), place, "the request is held as it came");
        ids.push(id);
    }
    let own = count * size_of::<ServerId>();
    let request = datagram(method, 0).len();
    let row = |layer: &Transactions, bytes: usize| {
        let state = layer.server_state(ids[0]).unwrap();
        Row { name: format!("{method} server, {state}"), count, request, each: (bytes - own) / count }
    };
    let mut rows = vec![row(&layer, live(&region))];
    let codes: &[StatusCode] =
        if method == "INVITE" { &[StatusCode::Ringing, StatusCode::BusyHere] } else { &[StatusCode::Ok] };
    for code in codes {
        for id in &ids {
            let mut response = Response::to(layer.server_request(*id).unwrap(), *code).to_tag("8321234356");
            if code.is_provisional() {
                response = response.contact("sip:bob@192.0.2.4", None);
            }
            layer.respond(*id, response.build().unwrap(), Now::default()).unwrap();
            drain(&mut layer);
        }
        rows.push(row(&layer, live(&region)));
        if *code == StatusCode::Ringing {
            rows.last_mut().unwrap().name.push_str(" with 180");
        }
    }
    rows
}

fn clients(method: &str, count: usize) -> Vec<Row> {
    let region = Region::new(ALLOCATOR);
    let mut layer = Transactions::new(Config::default(), KeyedHash::with_key(1, 2));
    let mut ids: Vec<ClientId> = Vec::with_capacity(count);
    for number in 0..count {
        let request = Request::check(Message::parse(datagram(method, number)).unwrap()).unwrap();
        ids.push(layer.request(request, hop(), Now::default()).unwrap());
        drain(&mut layer);
    }
    let own = count * size_of::<ClientId>();
    let state: State = layer.client_state(ids[0]).unwrap();
    let (request, each) = (datagram(method, 0).len(), (live(&region) - own) / count);
    vec![Row { name: format!("{method} client, {state}"), count, request, each }]
}

fn hop() -> Hop {
    Hop { transport: Transport::Udp, ..Hop::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap()) }
}

/// A request as a phone behind two proxies sends it, in a buffer of its own size, as the server's loop cuts it.
fn datagram(method: &str, number: usize) -> Bytes {
    let head = format!(
        "{method} sip:bob@192.0.2.4;transport=udp SIP/2.0\r\n\
         Via: SIP/2.0/UDP bigbox3.site3.atlanta.example.com;branch=z9hG4bK77ef4c2312983.1{number:08}\r\n\
         Via: SIP/2.0/UDP pc33.atlanta.example.com;branch=z9hG4bKnashds8{number:08};received=192.0.2.1;rport=5060\r\n\
         Record-Route: <sip:bigbox3.site3.atlanta.example.com;lr>\r\nMax-Forwards: 69\r\n\
         To: Bob <sip:bob@biloxi.example.com>\r\nFrom: Alice <sip:alice@atlanta.example.com>;tag=1928301774\r\n\
         Call-ID: a84b4c76e66710-{number:08}@pc33.atlanta.example.com\r\nCSeq: 314159 {method}\r\n\
         Contact: <sip:alice@pc33.atlanta.example.com>;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000a95a0e128>\"\r\n\
         Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO\r\n\
         Supported: replaces, timer, outbound\r\nUser-Agent: a phone\r\nSession-Expires: 1800\r\n"
    );
    let room = INVITE_BYTES.saturating_sub(head.len() + 70);
    let body = format!("v=0\r\no=- {} {} IN IP4 192.0.2.1\r\n", number, "9".repeat(room.saturating_sub(40)));
    Bytes::from(
        format!("{head}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}", body.len())
            .into_bytes()
            .into_boxed_slice(),
    )
}
