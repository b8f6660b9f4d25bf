//! TLS: phones that verify our certificate, calls through the server, and media that is encrypted.

use std::fs;
use std::time::Instant;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use super::phones::{CALLEE_HERTZ, CALLER_HERTZ, TALK, hears, linphone_calls_baresip};
use crate::leg::Transport;
use crate::phones::baresip::Baresip;
use crate::phones::linphone::Linphone;
use crate::phones::{PHONE, ROOTS, STEP_MAX, Setup, until};
use crate::place::{Place, named};
use crate::sipp::Figures;
use crate::{Fault, doing};

/// linphonec verifies what it is shown; the callee is at the end of UDP.
pub(super) fn linphone(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let [alice, bob] = named(["alice", "bob"]);
    certificates(place, true)?;
    place.site.import(&[alice.clone(), bob.clone()])?;
    let server = place.site.start()?;
    let (address, transport) = (place.site.address, Transport::Tls);
    let setup = Setup { account: &alice, server: address, transport, hertz: CALLER_HERTZ, answers: false };
    let mut caller = Linphone::start(&place.folder, &setup)?;
    let setup = Setup { account: &bob, transport: Transport::Udp, hertz: CALLEE_HERTZ, answers: true, ..setup };
    let mut callee = Baresip::start(&place.folder, &setup)?;
    callee.wait_until_registered()?;
    caller.wait_until_registered()?;
    place.note("linphonec registers over TLS and verifies our certificate for localhost");
    let called = format!("bob@{}", transport.host_port(address));
    linphone_calls_baresip(place, &called, &mut caller, &mut callee, figures)?;
    callee.quit()?;
    server.stop()
}

/// The same phone trusts somebody else, until the server's certificate is replaced.
pub(super) fn untrusted(place: &mut Place, _: &mut Figures) -> Result<(), Fault> {
    let [alice, bob] = named(["alice", "bob"]);
    certificates(place, false)?;
    place.site.import(&[alice.clone(), bob.clone()])?;
    let server = place.site.start()?;
    let (address, transport) = (place.site.address, Transport::Tls);
    let setup = Setup { account: &alice, server: address, transport, hertz: CALLER_HERTZ, answers: false };
    let mut phone = Linphone::start(&place.folder, &setup)?;
    phone.refuses_the_server()?;
    phone.quit()?;
    place.note("linphonec refuses our certificate, whose root it doesn't know");
    certificates(place, true)?;
    let is_read = || Ok(server.log().contains("the files of TLS were read again").then_some(()));
    until(STEP_MAX, is_read)?.ok_or("the server hasn't read the certificate in the place of its own")?;
    let mut phone = Linphone::start(&place.folder, &Setup { account: &bob, ..setup })?;
    phone.wait_until_registered()?;
    phone.quit()?;
    place.note("and takes the one that was put in its place while the server runs");
    server.stop()
}

/// Two phones over TLS with SRTP: for what comes in a dialog the server connects to the phones' own listeners.
pub(super) fn srtp(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let [alice, bob] = named(["alice", "bob"]);
    certificates(place, true)?;
    place.site.import(&[alice.clone(), bob.clone()])?;
    let server = place.site.start()?;
    let (address, transport) = (place.site.address, Transport::Tls);
    let setup = Setup { account: &alice, server: address, transport, hertz: CALLER_HERTZ, answers: false };
    let mut caller = Baresip::start(&place.folder, &setup)?;
    let setup = Setup { account: &bob, hertz: CALLEE_HERTZ, answers: true, ..setup };
    let mut callee = Baresip::start(&place.folder, &setup)?;
    for phone in [&mut caller, &mut callee] {
        phone.wait_until_registered()?;
    }
    let began = Instant::now();
    caller.command("dial", &format!("sip:bob@127.0.0.1:{}", transport.port(address)))?;
    for phone in [&caller, &callee] {
        phone.event("CALL_ESTABLISHED")?;
        phone.event("CALL_MENC")?;
    }
    std::thread::sleep(TALK);
    callee.command("hangup", "")?;
    for phone in [&caller, &callee] {
        phone.event("CALL_CLOSED")?;
    }
    figures.one_call(began.elapsed().as_secs_f64());
    for (name, phone, hertz) in [("alice", &caller, CALLEE_HERTZ), ("bob", &callee, CALLER_HERTZ)] {
        hears(place, name, phone.heard(hertz)?.into_iter().sum())?;
    }
    place.note("established over TLS, encrypted media both ways, hung up by the callee");
    caller.quit()?;
    callee.quit()?;
    server.stop()
}

/// A root, and by it a certificate of the server and one of the phones; whether phones are told of that root, or of another.
pub(super) fn certificates(place: &mut Place, is_trusted: bool) -> Result<(), Fault> {
    let made = || -> Result<[(&str, String); 5], rcgen::Error> {
        let (root, issuer) = authority("Interop")?;
        let (other, _) = authority("Others")?;
        let (server, key) = issue(&issuer, &["localhost", "127.0.0.1"])?;
        let (phone, phone_key) = issue(&issuer, &["127.0.0.1"])?;
        let known = if is_trusted { root.clone() } else { other };
        let files = [("ca.pem", root), (ROOTS, known), ("server.pem", server), ("server.key", key)];
        let [ca, roots, chain, key] = files;
        Ok([ca, roots, chain, key, (PHONE, phone + &phone_key)])
    };
    for (name, text) in made().map_err(|error| format!("making certificates: {error}"))? {
        let path = place.folder.join(name);
        doing(|| format!("writing {}", path.display()), fs::write(&path, text))?;
    }
    place.site.configuration = Some(format!(
        "[[domain]]\nalgorithms = [\"MD5\"]\n[tls]\nca = \"ca.pem\"\nrenewal_check_secs = 1\n[[certificate]]\nchain = \"server.pem\"\n\
         key = \"server.key\"\n[[listener]]\naddress = \"{}\"\ntransports = [\"udp\", \"tcp\", \"tls\"]\n",
        place.site.address
    ));
    Ok(())
}

pub(super) fn authority(name: &str) -> Result<(String, Issuer<'static, KeyPair>), rcgen::Error> {
    let mut params = CertificateParams::new([])?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate()?;
    let root = params.self_signed(&key)?.pem();
    Ok((root, Issuer::new(params, key)))
}

fn issue(issuer: &Issuer<'_, KeyPair>, names: &[&str]) -> Result<(String, String), rcgen::Error> {
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
    params.distinguished_name.push(DnType::CommonName, names.first().copied().unwrap_or_default());
    let key = KeyPair::generate()?;
    Ok((params.signed_by(&key, issuer)?.pem(), key.serialize_pem()))
}
