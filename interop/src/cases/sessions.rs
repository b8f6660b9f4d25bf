//! Session descriptions that browsers and phones sent: read, written, judged, answered, and agreed upon as they were.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use ringback_message::{HeaderId, Message};
use ringback_sdp::negotiate::{Codec, Endpoint, LocalMedia, Session};
use ringback_sdp::{Origin, SessionDescription};

use crate::corpus::{entries, load};
use crate::peer::references;
use crate::place::Place;
use crate::sipp::Figures;
use crate::{Fault, doing};

/// Where browsers' messages are, below the references.
const RECORDED: &str = "peers/testbed/web/recorded";

/// Fewer descriptions than these, and the references are not what they were.
const BODIES_MIN: usize = 100;
const PAIRS_MIN: usize = 40;

/// What can't be read, and why.
const UNREADABLE: &[(&str, &str)] =
    &[("suricata-sip-compact-form.pcap", "its Content-Length ends the body within a line of the description")];

/// How a call's offer and answer are found to belong together: by Call-ID and CSeq.
type Exchange = (Vec<u8>, Vec<u8>);

/// A message with a description in its body.
struct Sent {
    name: String,
    exchange: Exchange,
    is_request: bool,
    body: Vec<u8>,
}

#[derive(Default)]
struct Tally {
    bodies: usize,
    exact: usize,
    valid: usize,
    answered: usize,
    pairs: usize,
    agreed: usize,
}

pub(super) fn descriptions(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let references = references()?;
    let mut messages = recorded(&references.join(RECORDED))?;
    for batch in load(&references)? {
        for sheet in batch.sheets {
            messages.extend(sheet.messages.into_iter().map(|message| (sheet.name.clone(), message)));
        }
    }
    let sent: Vec<Sent> = messages.into_iter().filter_map(|(name, message)| of_message(name, message)).collect();
    let mut tally = Tally::default();
    for one in &sent {
        judge(one, &mut tally)?;
    }
    agree(&sent, place, &mut tally)?;
    place.notes.push(format!(
        "{} descriptions: {} written as they were read, {} valid, {} answered; {} offers with their answers, {} agreed upon",
        tally.bodies, tally.exact, tally.valid, tally.answered, tally.pairs, tally.agreed
    ));
    let pairs = u64::try_from(tally.pairs).unwrap_or(u64::MAX);
    figures.calls += pairs;
    figures.succeeded += pairs;
    if tally.bodies < BODIES_MIN || tally.pairs < PAIRS_MIN {
        return Err("fewer descriptions than the references hold".to_owned());
    }
    Ok(())
}

/// The messages of a folder, one a file, however deep.
fn recorded(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, Fault> {
    let (mut folders, mut messages) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in entries(&folder)? {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "sip") {
                messages.push((
                    path.display().to_string(),
                    doing(|| format!("reading {}", path.display()), fs::read(&path))?,
                ));
            }
        }
    }
    messages.sort();
    Ok(messages)
}

/// The description of a message that is whole and holds one.
fn of_message(name: String, message: Vec<u8>) -> Option<Sent> {
    let message = Message::parse(Bytes::from(message)).ok()?;
    let of_type = message.first(HeaderId::ContentType)?.value().to_ascii_lowercase().starts_with(b"application/sdp");
    let exchange = (message.first(HeaderId::CallId)?.value().to_vec(), message.first(HeaderId::CSeq)?.value().to_vec());
    let body = message.body().to_vec();
    let readable = !UNREADABLE.iter().any(|(of, _)| *of == name);
    (of_type && readable && body.starts_with(b"v=")).then(|| Sent {
        name,
        exchange,
        is_request: message.is_request(),
        body,
    })
}

/// Read, written again, and answered by one who has all the usual codecs.
fn judge(sent: &Sent, tally: &mut Tally) -> Result<(), Fault> {
    let told = |what: String| format!("{}: {what}", sent.name);
    let description = SessionDescription::parse(sent.body.as_slice()).map_err(|error| told(error.to_string()))?;
    let again = SessionDescription::parse(description.to_bytes()).map_err(|error| told(error.to_string()))?;
    if again != description {
        return Err(told("what is written is not what was read".to_owned()));
    }
    tally.bodies += 1;
    tally.exact += usize::from(description.to_bytes() == sent.body);
    tally.valid += usize::from(description.check().is_ok());
    let received = Session::new().receive(description).map_err(|refused| told(refused.refusal.to_string()))?;
    if let Ok(answer) = received.answer(&everything()?) {
        let written = answer.description().to_bytes();
        SessionDescription::parse_strict(written).map_err(|error| told(format!("our answer: {error}")))?;
        answer.description().check().map_err(|error| told(format!("our answer: {error}")))?;
        tally.answered += 1;
    }
    Ok(())
}

/// What others offered and what they were answered: both sides of our own machine agree with it, where the offer is valid.
fn agree(sent: &[Sent], place: &mut Place, tally: &mut Tally) -> Result<(), Fault> {
    let mut offers: BTreeMap<&Exchange, SessionDescription> = BTreeMap::new();
    for one in sent {
        let description =
            SessionDescription::parse(one.body.as_slice()).map_err(|error| format!("{}: {error}", one.name))?;
        if one.is_request {
            offers.insert(&one.exchange, description);
            continue;
        }
        let Some(offer) = offers.get(&one.exchange) else { continue };
        tally.pairs += 1;
        let agreed = match Session::new().draft(offer.clone()) {
            Ok(draft) => match Session::new().send(draft) {
                Ok(pending) => pending.accept(description).map(drop).map_err(|error| error.error.to_string()),
                Err(_) => Err("a new session has no other offer".to_owned()),
            },
            Err(error) => Err(format!("its offer: {error}")),
        };
        match agreed {
            Ok(()) => tally.agreed += 1,
            Err(error) if offer.check().is_ok() => return Err(format!("{}: {error}", one.name)),
            Err(error) => place.notes.push(format!("{}: {error}", one.name)),
        }
    }
    Ok(())
}

/// An endpoint that has what phones and browsers have.
fn everything() -> Result<Endpoint, Fault> {
    let protocols = &["RTP/AVP", "RTP/SAVP", "RTP/AVPF", "RTP/SAVPF", "UDP/TLS/RTP/SAVPF"];
    let audio = |port| {
        let codecs = [
            Codec::opus(),
            Codec::pcmu(),
            Codec::pcma(),
            Codec::g729(true),
            Codec::new("GSM", 8000, 1),
            Codec::new("AMR", 8000, 1),
            Codec::new("AMR-WB", 16000, 1),
            Codec::telephone_event(8000),
        ];
        let audio = codecs.into_iter().fold(LocalMedia::audio(port).protocols(protocols), LocalMedia::codec);
        audio.rtcp_mux().key("AES_CM_128_HMAC_SHA1_80", "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz")
    };
    let video = [Codec::vp8(), Codec::h264("42e01f", 1), Codec::h264("42e01f", 0), Codec::new("rtx", 90000, 1)];
    let video = video.into_iter().fold(LocalMedia::video(7002).protocols(protocols), LocalMedia::codec).rtcp_mux();
    let origin = Origin::parse("x 1 1 IN IP4 192.0.2.1").map_err(|error| error.to_string())?;
    let endpoint = Endpoint::new(origin, "192.0.2.1").both_families().bundles();
    Ok(endpoint.media(audio(7000)).media(video).media(audio(7004)))
}
