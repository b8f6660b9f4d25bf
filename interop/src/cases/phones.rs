//! Phones that people use: they register, call each other and hear each other.

use std::time::{Duration, Instant};

use crate::Fault;
use crate::leg::Transport;
use crate::phones::Setup;
use crate::phones::baresip::Baresip;
use crate::phones::linphone::Linphone;
use crate::place::{Place, named};
use crate::sipp::Figures;

/// What the two sides of a call send, in Hz.
pub(super) const CALLER_HERTZ: u32 = 440;
pub(super) const CALLEE_HERTZ: u32 = 1_000;
/// How long a digest response is.
const MD5_DIGITS: usize = 32;
const SHA_256_DIGITS: usize = 64;
/// How long they talk.
pub(super) const TALK: Duration = Duration::from_millis(2_500);
/// How long each must hear the other's tone.
const HEARD_MIN_SECONDS: f64 = 1.0;

pub(super) fn baresip(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    baresip_by(Transport::Udp, place, figures)
}

pub(super) fn baresip_tcp(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    baresip_by(Transport::Tcp, place, figures)
}

fn baresip_by(transport: Transport, place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let [alice, bob] = named(["alice", "bob"]);
    place.site.import(&[alice.clone(), bob.clone()])?;
    let server = place.site.start()?;
    let setup = Setup { account: &alice, server: place.site.address, transport, hertz: CALLER_HERTZ, answers: false };
    let mut caller = Baresip::start(&place.folder, &setup)?;
    let setup = Setup { account: &bob, hertz: CALLEE_HERTZ, answers: true, ..setup };
    let mut callee = Baresip::start(&place.folder, &setup)?;
    for phone in [&mut caller, &mut callee] {
        phone.wait_until_registered()?;
    }
    for (hangs_up, says) in [("the caller", "closed by both"), ("the callee", "closed by both again")] {
        let began = Instant::now();
        caller.command("dial", &format!("sip:{}", place.address_of(&bob.name)))?;
        for phone in [&caller, &callee] {
            phone.event("CALL_ESTABLISHED")?;
            phone.event("CALL_RTPESTAB")?;
        }
        std::thread::sleep(TALK);
        let phone = if hangs_up == "the caller" { &mut caller } else { &mut callee };
        phone.command("hangup", "")?;
        for phone in [&caller, &callee] {
            phone.event("CALL_CLOSED")?;
        }
        place.note(format!("established, media both ways, hung up by {hangs_up}, {says}"));
        figures.one_call(began.elapsed().as_secs_f64());
    }
    for (name, phone, hertz) in [("alice", &caller, CALLEE_HERTZ), ("bob", &callee, CALLER_HERTZ)] {
        let calls = phone.heard(hertz)?;
        if calls.len() != 2 {
            return Err(format!("{name} recorded {} calls, not two", calls.len()));
        }
        for seconds in calls {
            hears(place, name, seconds)?;
        }
    }
    for (name, phone) in [("alice", &caller), ("bob", &callee)] {
        answered_with(place, name, &phone.log(), MD5_DIGITS)?;
    }
    caller.quit()?;
    callee.quit()?;
    server.stop()
}

/// baresip gives up where SHA-256 is offered, whatever stands beside it. So it registers while the server offers MD5 alone, and
/// its binding outlives the restart with which the server turns to SHA-256.
pub(super) fn linphone(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let [alice, bob] = named(["alice", "bob"]);
    place.site.import(&[alice.clone(), bob.clone()])?;
    let server = place.site.start()?;
    let setup = Setup {
        account: &bob,
        server: place.site.address,
        transport: Transport::Udp,
        hertz: CALLEE_HERTZ,
        answers: true,
    };
    let mut callee = Baresip::start(&place.folder, &setup)?;
    callee.wait_until_registered()?;
    server.stop()?;

    place.site.configuration = Some("[domain]\nalgorithms = [\"SHA-256\", \"MD5\"]\n".to_owned());
    let server = place.site.start()?;
    let setup = Setup { account: &alice, hertz: CALLER_HERTZ, answers: false, ..setup };
    let mut caller = Linphone::start(&place.folder, &setup)?;
    caller.wait_until_registered()?;
    let called = place.address_of("bob");
    linphone_calls_baresip(place, &called, &mut caller, &mut callee, figures)?;
    answered_with(place, "linphonec", &caller.log(), SHA_256_DIGITS)?;
    callee.quit()?;
    server.stop()
}

pub(super) fn linphone_md5(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let [alice, bob] = named(["alice", "bob"]);
    place.site.import(&[alice.clone(), bob.clone()])?;
    let server = place.site.start()?;
    let setup = Setup {
        account: &bob,
        server: place.site.address,
        transport: Transport::Udp,
        hertz: CALLEE_HERTZ,
        answers: true,
    };
    let mut callee = Baresip::start(&place.folder, &setup)?;
    let setup = Setup { account: &alice, hertz: CALLER_HERTZ, answers: false, ..setup };
    let mut caller = Linphone::start(&place.folder, &setup)?;
    callee.wait_until_registered()?;
    caller.wait_until_registered()?;
    let called = place.address_of("bob");
    linphone_calls_baresip(place, &called, &mut caller, &mut callee, figures)?;
    answered_with(place, "linphonec", &caller.log(), MD5_DIGITS)?;
    callee.quit()?;
    server.stop()
}

/// A call from its beginning to the caller's end; it is the callee who hangs up.
pub(super) fn linphone_calls_baresip(
    place: &mut Place,
    called: &str,
    caller: &mut Linphone,
    callee: &mut Baresip,
    figures: &mut Figures,
) -> Result<(), Fault> {
    let began = Instant::now();
    caller.command(&format!("call sip:{called}"))?;
    callee.event("CALL_ESTABLISHED")?;
    callee.event("CALL_RTPESTAB")?;
    caller.wait_for("Media streams established with")?;
    std::thread::sleep(TALK);
    callee.command("hangup", "")?;
    callee.event("CALL_CLOSED")?;
    caller.wait_for(" ended (")?;
    figures.one_call(began.elapsed().as_secs_f64());
    place.note("linphonec calls baresip: established, media both ways, hung up by the callee, closed by both");
    caller.quit()?;
    hears(place, "linphonec", caller.heard(CALLEE_HERTZ)?)?;
    let heard = callee.heard(CALLER_HERTZ)?.first().copied();
    hears(place, "baresip", heard.unwrap_or_default())
}

pub(super) fn hears(place: &mut Place, who: &str, seconds: f64) -> Result<(), Fault> {
    place.note(format!("{who} heard the other's tone for {seconds:.1} s"));
    if seconds < HEARD_MIN_SECONDS {
        return Err(format!("{who} heard the other's tone for {seconds:.1} s only"));
    }
    Ok(())
}

/// Demands that a phone answered a challenge of the registrar with a response of so many hexadecimal digits: 32 where it is of
/// MD5, 64 where it is of SHA-256. Not every phone names the algorithm.
pub(super) fn answered_with(place: &mut Place, who: &str, log: &str, digits: usize) -> Result<(), Fault> {
    match log.lines().find_map(response_digits) {
        Some(found) if found == digits => {
            place.note(format!("{who} answered the registrar's challenge with {digits} digits"));
            Ok(())
        }
        Some(found) => Err(format!("{who} answered the registrar's challenge with {found} digits, not {digits}")),
        None => Err(format!("{who} answered no challenge of the registrar")),
    }
}

/// How long the digest response is, in a line of a log that is such an answer.
fn response_digits(line: &str) -> Option<usize> {
    let credentials = line.trim_start().strip_prefix("Authorization:")?.trim_start().strip_prefix("Digest ")?;
    let mut parameters = credentials.split(',').map(str::trim);
    let response = parameters.find_map(|parameter| parameter.strip_prefix("response="))?.trim_matches('"');
    Some(response.len()).filter(|_| response.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_told_from_a_challenge() {
        assert_eq!(
            response_digits("Authorization:  Digest username=\"a, b\",response=\"00ff\", uri=\"sip:x\""),
            Some(4)
        );
        assert_eq!(response_digits("WWW-Authenticate: Digest realm=\"r\", response=\"00ff\""), None);
        assert_eq!(response_digits("Proxy-Authorization: Digest response=\"00ff\""), None);
        assert_eq!(response_digits("Authorization: Digest response=\"xyz\""), None);
    }
}
