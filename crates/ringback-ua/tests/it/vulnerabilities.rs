//! What broke others in dialogs and sessions: one test an advisory.

use ringback_base::{Hop, Micros, Random};
use ringback_message::{Message, Method, Request, StatusCode};
use ringback_ua::{EndReason, Event, Failure, Media, Outbound};

use crate::net::{FORK, Net, address, sound, uri};

/// PJSIP, CVE-2022-23608: of the early dialogs of a forked call, one was freed under the name of another.
#[test]
fn cve_2022_23608_forks_end_in_any_order_and_leave_nothing() {
    for seed in 1..=24 {
        let mut random = Random::from_seed([seed; 32]);
        let mut net = Net::new(9);
        let everybody = format!("sip:all@{FORK}");
        let invite = net.agents[0].invite(&Outbound::new(&uri(0), &everybody), sound(0), net.now).unwrap();
        net.settle();
        let mut ringing: Vec<_> = (1..9).map(|agent| (agent, net.incoming(agent))).collect();
        for (agent, session) in &ringing {
            net.agents[*agent].ring(*session, StatusCode::Ringing, Media::None, net.now).unwrap();
        }
        net.settle();
        assert_eq!(net.agents[0].session_len(), 8);
        // Some refuse, in any order; then one answers, or the caller gives up, and the rest hears of it.
        let answers = random.below(2) == 0;
        while let Some((agent, session)) = (!ringing.is_empty())
            .then(|| ringing.swap_remove(usize::try_from(random.below(ringing.len() as u64)).unwrap()))
        {
            if ringing.len() > 4 {
                net.agents[agent].reject(session, StatusCode::BusyHere, |r| r, net.now).unwrap();
            } else if answers {
                // A second one may have been ended meanwhile.
                _ = net.agents[agent].answer(session, sound(agent), net.now);
            }
            net.run(Micros::from_ms(random.below(30)));
        }
        if !answers {
            _ = net.agents[0].cancel(invite, None, net.now);
        }
        net.run(Micros::from_secs(40));
        for agent in 0..9 {
            if let Some(session) = net.any_session(agent) {
                net.agents[agent].release(session, net.now);
                net.run(Micros::from_secs(40));
            }
        }
        net.assert_idle();
    }
}

/// PJSIP (#5145): a name was resolved after whoever had asked was gone.
#[test]
fn pjproject_5145_hops_that_come_too_late_are_for_nobody() {
    let mut net = Net::new(1);
    let named = Outbound::new(&uri(0), "sip:b@b.example");
    let invite = net.agents[0].invite(&named, sound(0), net.now).unwrap();
    let lookup = net.agents[0].poll_lookup().unwrap();
    assert_eq!(&*lookup.uri, b"sip:b@b.example");
    net.agents[0].cancel(invite, None, net.now).unwrap();
    for _ in 0..2 {
        net.agents[0].handle_hops(lookup.id, &[Hop::udp(address(0), address(1))], net.now);
    }
    let failure = net.event(0, |event| match event {
        Event::InviteFailed { failure, .. } => Some(failure.clone()),
        _ => None,
    });
    assert_eq!(failure, Failure::Cancelled);
    assert!(net.ladder.is_empty());
    net.assert_idle();
}

/// PJSIP (#5164): where the first send failed at once, the caller went on with what was freed.
#[test]
fn pjproject_5164_what_can_not_be_sent_fails_cleanly() {
    let mut net = Net::new(2);
    let (caller, _) = net.call(0, 1);
    for _ in 0..3 {
        net.invite(0, 1, sound(0));
        net.agents[0].handle_transport_error(&Hop::udp(address(0), address(1)), net.now);
    }
    let mut failed = 0;
    while failed < 3 {
        net.event(0, |event| matches!(event, Event::InviteFailed { failure: Failure::Transport(_), .. }).then_some(()));
        failed += 1;
    }
    // Where nobody is: no address of ours fits, so there is no hop.
    let nowhere = Outbound::new(&uri(0), "sip:x@[2001:db8::1]");
    net.agents[0].invite(&nowhere, sound(0), net.now).unwrap();
    let lookup = net.agents[0].poll_lookup().unwrap();
    net.agents[0].handle_hops(lookup.id, &[], net.now);
    net.event(0, |event| matches!(event, Event::InviteFailed { failure: Failure::NoRoute, .. }).then_some(()));
    _ = net.agents[0].hang_up(caller, net.now);
    net.settle();
    while let Some(session) = net.any_session(1) {
        net.agents[1].release(session, net.now);
    }
    net.assert_idle();
}

/// Asterisk, CVE-2020-28327 and CVE-2018-7286: the connection went while the INVITE that came by it was being answered.
#[test]
fn cve_2018_7286_a_hop_that_breaks_at_any_point_of_a_call() {
    for broken_after in 0..14 {
        let mut net = Net::new(2);
        net.invite(0, 1, sound(0));
        for step in 0..14 {
            net.run(Micros::from_ms(10));
            if step == broken_after {
                for (agent, other) in [(0, 1), (1, 0)] {
                    net.agents[agent].handle_transport_error(&Hop::udp(address(agent), address(other)), net.now);
                }
            }
            if let (4, Some(session)) = (step, net.any_session(1)) {
                _ = net.agents[1].ring(session, StatusCode::Ringing, Media::None, net.now);
            }
            if let (7, Some(session)) = (step, net.any_session(1)) {
                _ = net.agents[1].answer(session, sound(1), net.now);
            }
        }
        net.run(Micros::from_secs(40));
        for agent in 0..2 {
            if let Some(session) = net.any_session(agent) {
                net.agents[agent].release(session, net.now);
            }
        }
        net.assert_idle();
    }
}

/// OpenSIPS (#3343, #3370, #2788): CANCEL and timeouts left dialogs behind.
#[test]
fn opensips_3343_no_way_of_a_call_to_end_leaves_a_dialog() {
    for lost in ["100", "180", "200", "487", "ACK", "CANCEL", "BYE", "none"] {
        for ending in 0..4 {
            let mut net = Net::new(2);
            net.fate = Box::new(move |message| {
                let what = message.method_text().map(|method| String::from_utf8_lossy(method).into_owned());
                let what = what.unwrap_or_else(|| message.status().unwrap().as_u16().to_string());
                usize::from(what != lost)
            });
            let invite = net.invite(0, 1, sound(0));
            net.settle();
            let callee = net.incoming(1);
            net.agents[1].ring(callee, StatusCode::Ringing, Media::None, net.now).unwrap();
            net.settle();
            match ending {
                0 => _ = net.agents[0].cancel(invite, None, net.now),
                1 => _ = net.agents[1].reject(callee, StatusCode::BusyHere, |r| r, net.now),
                2 => _ = net.agents[1].answer(callee, sound(1), net.now),
                _ => {}
            }
            net.run(Micros::from_secs(300));
            // Where no final response reached the caller, it is the caller's to give up: no timer of a UA does.
            _ = net.agents[0].cancel(invite, None, net.now);
            for agent in 0..2 {
                if let Some(session) = net.any_session(agent) {
                    net.agents[agent].release(session, net.now);
                    net.run(Micros::from_secs(80));
                }
            }
            net.assert_idle();
        }
    }
}

/// `[RFC 3261, Section 26.1]`: who knows neither tag nor branch can't tear down or change what others have.
#[test]
fn rfc_3261_26_strangers_end_and_change_nothing() {
    let mut net = Net::new(3);
    let (caller, callee) = net.call(0, 1);
    let dialog = net.agents[1].dialog(callee).unwrap().clone();
    let id = dialog.id();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (call_id, ours, theirs) = (text(id.call_id), text(id.local_tag), text(id.remote_tag));
    let send = |net: &mut Net, method: &str, from_tag: &str, to_tag: &str| {
        let to_tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
        let forged = format!(
            "{method} sip:b@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.3:5060;branch=z9hG4bK{method}{from_tag}{}\r\n\
             From: <sip:a@192.0.2.1>;tag={from_tag}\r\nTo: <sip:b@192.0.2.2>{to_tag}\r\nCall-ID: {call_id}\r\n\
             CSeq: 99 {method}\r\nMax-Forwards: 70\r\nContact: <sip:evil@192.0.2.3>\r\n\r\n",
            to_tag.len()
        );
        let request = Request::check(Message::parse(forged.into_bytes().into()).unwrap()).unwrap();
        net.agents[1].handle_request(request, Hop::udp(address(1), address(2)), net.now);
        net.settle();
        net.sent.last().and_then(Message::status).map(StatusCode::as_u16)
    };
    for method in ["BYE", "UPDATE", "INFO", "INVITE"] {
        for (from_tag, to_tag) in [("guess", &*ours), (&*theirs, "guess"), ("guess", "guess")] {
            assert_eq!(send(&mut net, method, from_tag, to_tag), Some(481), "{method} {from_tag} {to_tag}");
        }
    }
    assert_eq!(send(&mut net, "BYE", &theirs, ""), Some(481));
    assert_eq!(send(&mut net, "CANCEL", &theirs, &ours), Some(481));
    // An ACK for nothing is nothing.
    net.ladder.clear();
    send(&mut net, "ACK", "guess", &ours);
    // The refused INVITEs of before still wait for their ACKs.
    assert!(net.ladder.iter().all(|line| line == "b 481 c"), "{:?}", net.ladder);
    assert_eq!(net.agents[1].dialog(callee).unwrap(), &dialog, "nothing of it has changed");
    net.agents[0].hang_up(caller, net.now).unwrap();
    net.settle();
    assert!(matches!(net.ended(1), EndReason::RemoteBye(_)));
    net.assert_idle();
}

/// Asterisk, CVE-2019-13161: an answer with other media than the offer's.
#[test]
fn cve_2019_13161_answers_that_fit_no_offer() {
    for (from, to) in [
        (&b"m=audio 40000 RTP/AVP 0\r\n"[..], &b"m=image 40000 udptl t38\r\n"[..]),
        (b"m=audio 40000 RTP/AVP 0\r\n", b"m=audio 40000 RTP/AVP 9\r\n"),
        (b"m=audio 40000 RTP/AVP 0\r\n", b"m=audio 0 RTP/AVP 0\r\nm=audio 1 RTP/AVP 0\r\n"),
        (b"m=audio 40000 RTP/AVP 0\r\n", b""),
        (b"v=0\r\n", b"v=1\r\n"),
    ] {
        let mut net = Net::new(2);
        net.rewrite_body = Some((from.to_vec(), to.to_vec()));
        net.invite(0, 1, sound(0));
        net.settle();
        let callee = net.incoming(1);
        net.agents[1].answer(callee, sound(1), net.now).unwrap();
        net.run(Micros::from_secs(2));
        let acknowledged = net.sent.iter().any(|message| message.method() == Some(Method::Ack));
        assert!(acknowledged, "whatever it says, a 2xx is acknowledged");
        assert!(matches!(net.ended(0), EndReason::BadAnswer(_)), "{}", String::from_utf8_lossy(to));
        net.assert_idle();
    }
}
