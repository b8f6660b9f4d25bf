//! What `ringback ping` and `ringback tls` say of peers, and what others say of the same.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rcgen::string::Ia5String;
use rcgen::{CertificateParams, Issuer, KeyPair, SanType, date_time_ymd};
use serde_json::Value;

use super::secure::authority;
use crate::kamailio::Kamailio;
use crate::leg::Transport;
use crate::place::{Place, finish};
use crate::probe::{free_port, wait_for_port};
use crate::process::{Guarded, command, output};
use crate::scenario::OPTIONS_LATE;
use crate::sipp::{Figures, Script};
use crate::{Fault, doing};

/// How long one run of a tool may take.
const RUN_MAX: Duration = Duration::from_secs(20);

/// How long a server may take to listen.
const START_MAX: Duration = Duration::from_secs(10);

/// When SIPp answers, in milliseconds after the first request; by then it has come twice.
const LATE_MS: f64 = 700.0;

pub(super) fn ping(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    ping_server(place, figures)?;
    ping_kamailio(place, figures)?;
    ping_late(place, figures)
}

fn ping_server(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let (address, ca) = (place.site.address, place.folder.join("ca.pem"));
    let (root, issuer) = authority("Interop").map_err(unmade)?;
    let (certificate, key) = issued(&issuer, &["localhost"], |_| {}).map_err(unmade)?;
    for (name, text) in [("ca.pem", root), ("server.pem", certificate), ("server.key", key)] {
        doing(|| format!("writing {name}"), fs::write(place.folder.join(name), text))?;
    }
    let (ws, wss) = (free_port()?, free_port()?);
    let listener = |address: &str, transports: &str| {
        format!("[[listener]]\naddress = \"{address}\"\ntransports = [{transports}]\n")
    };
    let listeners = [
        listener(&address.to_string(), "\"udp\", \"tcp\", \"tls\""),
        listener(&format!("127.0.0.1:{ws}"), "\"ws\""),
        listener(&format!("127.0.0.1:{wss}"), "\"wss\""),
    ];
    // sipsak gives up where SHA-256 is offered.
    let certificate =
        "[[domain]]\nalgorithms = [\"MD5\"]\n[[certificate]]\nchain = \"server.pem\"\nkey = \"server.key\"\n";
    place.site.configuration = Some([&listeners.concat(), certificate].concat());
    let server = place.site.start()?;
    let uris = [
        format!("sip:{address}"),
        format!("sip:{address};transport=tcp"),
        format!("sips:{}", Transport::Tls.host_port(address)),
        format!("sip:127.0.0.1:{ws};transport=ws"),
        format!("sips:localhost:{wss};transport=ws"),
    ];
    let flags = ["--ca", &ca.to_string_lossy(), "--ipv4"];
    let answers = pinged(place, &uris.each_ref().map(String::as_str), &flags, figures)?;
    agree("the server", &answers, &[("UDP", 200), ("TCP", 200), ("TLS", 200), ("WS", 200), ("WSS", 200)])?;
    for (user, code) in [("", 200), ("nobody@", 407)] {
        let ours = pinged(place, &[&format!("sip:{user}{address}")], &[], figures)?;
        agree(user, &ours, &[("UDP", code)])?;
        sipsak_agrees(place, user, address, code)?;
    }
    place.note("the server answers by UDP, TCP, TLS, WS and WSS; sipsak hears the same codes");
    server.stop()
}

fn ping_kamailio(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let (root, issuer) = authority("Interop").map_err(unmade)?;
    let (certificate, key) = issued(&issuer, &["localhost"], |_| {}).map_err(unmade)?;
    let ca = place.folder.join("ca.pem");
    doing(|| format!("writing {}", ca.display()), fs::write(&ca, root))?;
    let (kamailio, tls) = Kamailio::answering(&place.folder, &certificate, &key)?;
    let address = kamailio.address;
    let tls = format!("sips:localhost:{}", tls.port());
    let uris = [format!("sip:{address}"), format!("sip:bob@{address};transport=tcp"), tls];
    let flags = ["--ca", &ca.to_string_lossy(), "--ipv4"];
    let answers = pinged(place, &uris.each_ref().map(String::as_str), &flags, figures)?;
    agree("Kamailio", &answers, &[("UDP", 200), ("TCP", 404), ("TLS", 200)])?;
    let calls_itself = answers.first().and_then(|answer| answer.get("server")?.as_str()).unwrap_or_default();
    if !calls_itself.contains("kamailio") {
        return Err(format!("it calls itself {calls_itself:?}"));
    }
    let ours = pinged(place, &[&format!("sip:{address}")], &["--max-forwards", "0"], figures)?;
    agree("Kamailio, without a hop", &ours, &[("UDP", 483)])?;
    for (user, code) in [("", 200), ("bob@", 404)] {
        sipsak_agrees(place, user, address, code)?;
    }
    kamailio.still_there()?;
    let kamailio = Kamailio::by_websocket(&place.folder, &certificate, &key)?;
    let port = kamailio.address.port();
    let uris =
        [format!("sip:127.0.0.1:{};transport=ws", port + 1), format!("sips:localhost:{};transport=ws", port + 2)];
    let flags = [&flags[..], &["--websocket-path", "/ws"]].concat();
    let answers = pinged(place, &uris.each_ref().map(String::as_str), &flags, figures)?;
    agree("Kamailio by WebSocket", &answers, &[("WS", 200), ("WSS", 200)])?;
    place.note("Kamailio answers by UDP, TCP, TLS, WS and WSS, 483 where no hop is left; sipsak hears the same codes");
    kamailio.still_there()
}

/// SIPp answers late, when the request has come once more.
fn ping_late(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let port = free_port()?;
    let late = place.answering(Script::new("late", OPTIONS_LATE, port, 1))?;
    let ours = pinged(place, &[&format!("sip:bob@127.0.0.1:{port}")], &[], figures)?;
    agree("SIPp", &ours, &[("UDP", 404)])?;
    let answer = ours.first().cloned().unwrap_or_default();
    let rtt = answer.get("rtt_ms").and_then(Value::as_f64).unwrap_or_default();
    let again = answer.get("sent_again").and_then(Value::as_u64);
    if rtt < LATE_MS || again != Some(1) {
        return Err(format!("SIPp answers after {LATE_MS} ms, and the answer is {answer}"));
    }
    place.note(format!("SIPp's late 404: {rtt} ms from the first sending, sent again once"));
    figures.beside(finish(late)?);
    Ok(())
}

/// The answers that `ringback ping` has to one request to each URI, in their order.
fn pinged(place: &Place, uris: &[&str], flags: &[&str], figures: &mut Figures) -> Result<Vec<Value>, Fault> {
    let began = Instant::now();
    let mut ping = Command::new(place.site.program());
    let said = output(ping.arg("ping").args(uris).args(["-c", "1", "--json"]).args(flags), RUN_MAX)?;
    let text = String::from_utf8_lossy(&said.stdout);
    let events: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let is = |event: &Value, key: &str, text: &str| event.get(key).and_then(Value::as_str) == Some(text);
    let answer = |uri: &str| events.iter().find(|event| is(event, "event", "answer") && is(event, "uri", uri)).cloned();
    let answers: Option<Vec<Value>> = uris.iter().map(|uri| answer(uri)).collect();
    figures.one_call(began.elapsed().as_secs_f64());
    let errors = String::from_utf8_lossy(&said.stderr);
    answers.ok_or_else(|| format!("ringback ping {}: {}: {text} {errors}", uris.join(" "), said.status))
}

fn agree(who: &str, answers: &[Value], wanted: &[(&str, u64)]) -> Result<(), Fault> {
    let of = |answer: &Value| {
        let transport = answer.get("transport").and_then(Value::as_str).unwrap_or_default().to_owned();
        (transport, answer.get("code").and_then(Value::as_u64).unwrap_or_default())
    };
    let heard: Vec<(String, u64)> = answers.iter().map(of).collect();
    let is_so = heard.iter().map(|(transport, code)| (transport.as_str(), *code)).eq(wanted.iter().copied());
    if is_so { Ok(()) } else { Err(format!("{who}: {heard:?}, not {wanted:?}")) }
}

fn sipsak_agrees(place: &Place, user: &str, address: SocketAddr, code: u64) -> Result<(), Fault> {
    let mut sipsak = command("sipsak");
    // With a port in the URI it would take the last letter off.
    sipsak.args(["-vvv", "-s", &format!("sip:{user}{}", address.ip()), "-r", &address.port().to_string()]);
    let said = output(sipsak.current_dir(&place.folder), RUN_MAX)?;
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let wanted = format!("SIP/2.0 {code} ");
    if text.lines().any(|line| line.trim().starts_with(&wanted)) {
        Ok(())
    } else {
        Err(format!("sipsak doesn't hear {code} for {user}{address}: {text}"))
    }
}

/// A certificate, and whether it is good, in our eyes and in those of OpenSSL.
struct Shown {
    what: &'static str,
    /// The certificate and its key.
    pem: (String, String),
    is_good: bool,
    is_good_to_openssl: bool,
}

pub(super) fn certificates(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let (root, issuer) = authority("Interop").map_err(unmade)?;
    let ca = place.folder.join("ca.pem");
    doing(|| format!("writing {}", ca.display()), fs::write(&ca, root))?;
    for shown in shown(&issuer).map_err(unmade)? {
        let Shown { what, pem: (certificate, key), is_good, is_good_to_openssl } = shown;
        let (certificate_file, key_file) = (place.folder.join("server.pem"), place.folder.join("server.key"));
        for (file, text) in [(&certificate_file, &certificate), (&key_file, &key)] {
            doing(|| format!("writing {}", file.display()), fs::write(file, text))?;
        }
        let port = free_port()?;
        let _server = openssl_server(&certificate_file, &key_file, port)?;
        let began = Instant::now();
        let seen = looked_at(place, port, &ca)?;
        figures.one_call(began.elapsed().as_secs_f64());
        if problems(&seen).is_empty() != is_good {
            return Err(format!("{what}: {seen}"));
        }
        let theirs = openssl_client(place, port, &ca)?;
        if theirs != is_good_to_openssl {
            return Err(format!("{what}: OpenSSL says {theirs}"));
        }
        same_as_openssl(what, &certificate_file, seen.pointer("/chain/0").unwrap_or(&Value::Null))?;
        place.note(format!("{what}: {}", if is_good { "fine".to_owned() } else { problems(&seen).join("; ") }));
    }
    let (certificate, key) = issued(&issuer, &["localhost"], |_| {}).map_err(unmade)?;
    let (kamailio, tls) = Kamailio::answering(&place.folder, &certificate, &key)?;
    let seen = looked_at(place, tls.port(), &ca)?;
    let agreed = seen.get("version").and_then(Value::as_str).unwrap_or_default().to_owned();
    if !problems(&seen).is_empty() || agreed != "TLS 1.3" {
        return Err(format!("Kamailio: {seen}"));
    }
    place.note(format!("Kamailio: {agreed}, fine"));
    kamailio.still_there()
}

/// RFC 5922 knows SIP URIs and no wildcards; clients of HTTP have it the other way round.
fn shown(issuer: &Issuer<'_, KeyPair>) -> Result<Vec<Shown>, rcgen::Error> {
    let expired = |params: &mut CertificateParams| {
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    };
    let soon = |params: &mut CertificateParams| params.not_after = date_time_ymd(4000, 1, 1);
    let (_, stranger) = authority("Others")?;
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let row = |what, pem, is_good, is_good_to_openssl| Shown { what, pem, is_good, is_good_to_openssl };
    Ok(vec![
        row("a good one", issued(issuer, &["localhost", "127.0.0.1"], soon)?, true, true),
        row("one for another", issued(issuer, &["other.example"], |_| {})?, false, false),
        row("an expired one", issued(issuer, &["localhost"], expired)?, false, false),
        row("one of a stranger", issued(&stranger, &["localhost"], |_| {})?, false, false),
        row("one signed by itself", (own.cert.pem(), own.signing_key.serialize_pem()), false, false),
        row("one by SIP URI", issued(issuer, &["sip:localhost", "other.example"], |_| {})?, true, false),
        row(
            "one by host name beside the URI of another",
            issued(issuer, &["sip:other.example", "localhost"], |_| {})?,
            false,
            true,
        ),
    ])
}

/// A certificate for these URIs, host names and addresses, and its key.
fn issued(
    issuer: &Issuer<'_, KeyPair>,
    names: &[&str],
    change: impl FnOnce(&mut CertificateParams),
) -> Result<(String, String), rcgen::Error> {
    let (uris, hosts): (Vec<&str>, Vec<&str>) = names.iter().copied().partition(|name| name.starts_with("sip:"));
    let mut params = CertificateParams::new(hosts.into_iter().map(str::to_owned).collect::<Vec<_>>())?;
    for uri in uris {
        params.subject_alt_names.push(SanType::URI(Ia5String::try_from(uri)?));
    }
    change(&mut params);
    let key = KeyPair::generate()?;
    Ok((params.signed_by(&key, issuer)?.pem(), key.serialize_pem()))
}

fn openssl_server(certificate: &Path, key: &Path, port: u16) -> Result<Guarded, Fault> {
    let mut openssl = command("openssl");
    openssl.args(["s_server", "-quiet", "-accept", &format!("{}:{port}", Ipv4Addr::LOCALHOST)]);
    openssl.arg("-cert").arg(certificate).arg("-key").arg(key);
    openssl.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut process = Guarded::start(&mut openssl)?;
    wait_for_port(Transport::Tcp, port, START_MAX, || process.ended().map(|how| format!("openssl ended: {how}")))?;
    Ok(process)
}

/// What `ringback tls` says of the server at this port.
fn looked_at(place: &Place, port: u16, ca: &Path) -> Result<Value, Fault> {
    let mut tls = Command::new(place.site.program());
    tls.args(["tls", &format!("sips:localhost:{port}"), "--ipv4", "--json", "--ca"]).arg(ca);
    let said = output(&mut tls, RUN_MAX)?;
    let errors = String::from_utf8_lossy(&said.stderr).into_owned();
    let seen: Value = serde_json::from_slice(&said.stdout)
        .map_err(|error| format!("ringback tls: {}, {error}: {errors}", said.status))?;
    let server = seen.pointer("/servers/0").cloned().ok_or_else(|| format!("ringback tls: {seen}"))?;
    let status = i32::from(!problems(&server).is_empty());
    if said.status.code() == Some(status) {
        Ok(server)
    } else {
        Err(format!("{}, not {status}: {server}", said.status))
    }
}

fn problems(server: &Value) -> Vec<String> {
    let problems = server.get("problems").and_then(Value::as_array).cloned().unwrap_or_default();
    problems.iter().filter_map(|problem| problem.as_str().map(str::to_owned)).collect()
}

/// Whether OpenSSL's client takes the server at this port for `localhost`.
fn openssl_client(place: &Place, port: u16, ca: &Path) -> Result<bool, Fault> {
    let mut openssl = command("openssl");
    openssl.args(["s_client", "-connect", &format!("127.0.0.1:{port}"), "-verify_hostname", "localhost"]);
    openssl.args(["-verify_return_error", "-CAfile"]).arg(ca).current_dir(&place.folder);
    Ok(output(&mut openssl, RUN_MAX)?.status.success())
}

/// Dates, names, number and fingerprint, as OpenSSL reads them.
fn same_as_openssl(what: &str, file: &Path, ours: &Value) -> Result<(), Fault> {
    let mut openssl = command("openssl");
    openssl.args(["x509", "-noout", "-serial", "-dates", "-dateopt", "iso_8601", "-fingerprint", "-sha256"]);
    let said = output(openssl.args(["-ext", "subjectAltName", "-in"]).arg(file), RUN_MAX)?;
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let of = |key: &str| ours.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let date = |key: &str| of(key).replace('T', " ");
    let mut wanted = vec![
        format!("serial={}", of("serial").replace(':', "")),
        format!("notBefore={}", date("not_before")),
        format!("notAfter={}", date("not_after")),
        format!("sha256 Fingerprint={}", of("sha256")),
    ];
    let names = ours.get("names").and_then(Value::as_array).cloned().unwrap_or_default();
    let name = |name: &Value| {
        let of = |key: &str| name.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        format!("{}:{}", of("kind").replace("IP", "IP Address"), of("name"))
    };
    wanted.push(names.iter().map(name).collect::<Vec<_>>().join(", "));
    match wanted.iter().find(|wanted| !text.lines().any(|line| line.trim() == **wanted)) {
        None => Ok(()),
        Some(missing) => Err(format!("{what}: we read {missing:?}, OpenSSL {text:?}")),
    }
}

fn unmade(error: rcgen::Error) -> Fault {
    format!("making certificates: {error}")
}
