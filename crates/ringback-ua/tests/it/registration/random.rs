//! Random runs: whatever the registrar and the network do, a few things hold.

use ringback_base::{Micros, Random};
use ringback_message::StatusCode;
use ringback_ua::{RegistrationConfig, RegistrationContact, RegistrationState};

use super::{AOR, CONTACT, Client};

const CODES: [u16; 24] = [
    200, 200, 200, 200, 202, 301, 302, 400, 401, 403, 404, 407, 408, 423, 423, 430, 439, 480, 500, 503, 503, 504, 600,
    699,
];

fn lines(random: &mut Random) -> Vec<String> {
    let mut lines = Vec::new();
    let number = |random: &mut Random| {
        [0, 1, 5, 60, 600, 3_600, 90_000, u64::from(u32::MAX)][usize::try_from(random.below(8)).unwrap()]
    };
    let contacts = [CONTACT, "sip:other@c.example", "sip:alice@192.0.2.9", "mailto:alice@b.example"];
    for uri in contacts {
        match random.below(4) {
            0 => {}
            1 => lines.push(format!("Contact: <{uri}>")),
            _ => {
                lines.push(format!("Contact: <{uri}>;expires={};reg-id=1;+sip.instance=\"<urn:x:1>\"", number(random)))
            }
        }
    }
    for name in ["Expires", "Min-Expires", "Retry-After", "Flow-Timer"] {
        if random.below(3) == 0 {
            lines.push(format!("{name}: {}", number(random)));
        }
    }
    for line in ["Contact: <sip:", "Service-Route: <sip:r.example;lr>", "Path: <sip:", "Require: outbound"] {
        if random.below(6) == 0 {
            lines.push(line.to_owned());
        }
    }
    lines
}

fn act(client: &mut Client, random: &mut Random) {
    let step = match random.below(40) {
        0 => client.registration.unregister(),
        1 => client.registration.unregister_all(),
        2 => client.registration.fetch(),
        3 => {
            let uris = [CONTACT, "sip:alice@192.0.2.9", "mailto:alice@b.example"];
            let some = uris.into_iter().filter(|_| random.below(2) == 0).take(1).map(RegistrationContact::new);
            match client.registration.set_contacts(&some.collect::<Vec<_>>()) {
                Ok(step) => step,
                Err(_) => return,
            }
        }
        4 => client.registration.flow_failed(client.now, &mut client.random),
        5 => return client.registration.keep_alive_answered(),
        6 => return client.registration.set_other_flow_works(random.below(2) == 0),
        7..10 => client.registration.register(),
        _ => return,
    };
    client.take(step);
}

/// `Client::take` sees to it that there is never more than one REGISTER out.
#[test]
fn nothing_is_stuck() {
    for seed in 0..40 {
        let mut random = Random::from_seed([seed; 32]);
        let mut config = RegistrationConfig::new(AOR, CONTACT);
        if seed % 2 == 0 {
            (config.instance, config.reg_id) = (Some("urn:x:1".into()), Some(1));
        }
        let mut client = Client::seeded(&config, seed);
        let mut cseq = 0;
        client.register();
        for _ in 0..150 {
            if let Some(request) = &client.out {
                assert!(request.cseq() > cseq, "CSeq rises");
                cseq = request.cseq();
                if random.below(8) == 0 {
                    client.fail(StatusCode::RequestTimeout);
                } else {
                    let code = CODES[usize::try_from(random.below(24)).unwrap()];
                    let lines = lines(&mut random);
                    client.answer(code, &lines.iter().map(String::as_str).collect::<Vec<_>>());
                }
            }
            act(&mut client, &mut random);
            check(&client);
            if client.out.is_none() {
                client.wait_secs(random.below(4_000));
            }
        }
        // However it was treated, it comes to rest, and from there back.
        while client.out.is_some() {
            client.answer(403, &[]);
        }
        client.register();
        let contacts = ["sip:alice@192.0.2.1:5060", "sip:alice@192.0.2.9", "mailto:alice@b.example"];
        client.ok(&contacts.map(|uri| format!("Contact: <{uri}>;expires=60")).each_ref().map(String::as_str));
        assert!(matches!(client.registration.state(), RegistrationState::Registered | RegistrationState::Idle));
    }
}

/// A registrar that grants a second, asks for a little more each time, and says "at once": it gets some REGISTERs a second, no more.
#[test]
fn no_registrar_makes_a_client_send_without_end() {
    for seed in 0..4 {
        let mut random = Random::from_seed([seed; 32]);
        let mut client = Client::seeded(&RegistrationConfig::new(AOR, CONTACT), seed);
        client.register();
        let mut least = 3_600;
        for _ in 0..1_000 {
            least += 1;
            match random.below(5) {
                0 => client.ok(&[&format!("Contact: <{CONTACT}>;expires=1")]),
                1 => client.answer(423, &[&format!("Min-Expires: {least}")]),
                2 => client.answer(439, &[]),
                3 => client.ok(&[]),
                _ => client.answer(503, &["Retry-After: 0"]),
            }
            if client.registration.state() == RegistrationState::Refused {
                client.wait_secs(1);
                client.register();
            }
            while client.out.is_none() {
                let due = client.registration.poll_timeout().unwrap();
                client.now = client.now.after(due.since(client.now.mono));
                let step = client.registration.handle_timeout(client.now);
                client.take(step);
            }
        }
        let secs = client.now.mono.to_duration().as_secs_f64();
        assert!(secs > 1_000.0 / 10.0, "{secs}");
    }
}

fn check(client: &Client) {
    let registration = &client.registration;
    assert_eq!(registration.is_asking(), client.out.is_some());
    let timeout = registration.poll_timeout();
    match registration.state() {
        // Who waits or is bound has something to wait for, and not for ever.
        RegistrationState::Waiting | RegistrationState::Registered if !registration.is_asking() => {
            let soonest = timeout.unwrap();
            assert!(soonest.since(client.now.mono) <= Micros::from_secs(u64::from(u32::MAX)));
        }
        RegistrationState::Idle | RegistrationState::Refused => {
            assert_eq!(timeout, None);
            assert!(registration.service_route().is_empty() && registration.gruu(0).is_none());
        }
        _ => {}
    }
    assert!(registration.heap_bytes() < 8_192);
}
