//! Our own jobs.

use std::hint::black_box;

use bytes::Bytes;
use ringback_message::{CSeq, Edit, HeaderId, Message, Method, NameAddr, Request, Response, StatusCode, Uri, Via};

use crate::answer::{Essentials, FieldValues, Start};
use crate::job::{Job, Sink};

/// Every other library was asked for this one.
const TO_TAG: &str = "a6c85cf";
const OUR_CONTACT: &str = "sip:bob@192.0.2.4:5060";
const NEXT_HOP: &[u8] = b"sip:bob@203.0.113.77:5080;transport=udp";
const OUR_VIA: &[u8] = b"SIP/2.0/UDP proxy.example.net:5060;branch=z9hG4bK4b43c2ff8.1";

#[derive(Debug)]
pub(crate) struct Frame(pub(crate) Bytes);

impl Job for Frame {
    fn run(&self, sink: &mut impl Sink) -> Option<()> {
        sink.take(&frame(&self.0)?);
        Some(())
    }
}

/// The handle is cloned as if the datagram had come with it: its bytes are not.
fn frame(bytes: &Bytes) -> Option<Message> {
    Message::parse(black_box(bytes).clone()).ok()
}

#[derive(Debug)]
pub(crate) struct Fields(pub(crate) Bytes);

impl Job for Fields {
    fn run(&self, sink: &mut impl Sink) -> Option<()> {
        let message = frame(&self.0)?;
        let start = match (message.method(), message.status()) {
            (Some(method), _) => {
                Start::Request { method, uri: Uri::parse(message.request_uri_text(), HeaderId::Other, 0).ok()? }
            }
            (None, Some(code)) => Start::Status { code, reason: message.reason() },
            (None, None) => return None,
        };
        let via = message.first(HeaderId::Via)?;
        let address = |id| {
            let header = message.first(id)?;
            NameAddr::parse_only(id, header.value(), header.offset()).ok()
        };
        let cseq = message.first(HeaderId::CSeq)?;
        let values = FieldValues {
            start,
            via: Via::parse(&mut via.cursor()).ok()?,
            from: address(HeaderId::From)?,
            to: address(HeaderId::To)?,
            call_id: message.first(HeaderId::CallId)?.value(),
            cseq: CSeq::parse(cseq.value(), cseq.offset()).ok()?,
            contact: message.addresses(HeaderId::Contact).next().transpose().ok()?,
            max_forwards: message.number(HeaderId::MaxForwards).ok()?,
        };
        sink.take(&values);
        Some(())
    }
}

#[derive(Debug)]
pub(crate) struct Check(pub(crate) Bytes);

impl Job for Check {
    fn run(&self, sink: &mut impl Sink) -> Option<()> {
        let message = frame(&self.0)?;
        // The accessors are the same for both, the types are not.
        macro_rules! show {
            ($checked:expr) => {{
                let checked = $checked;
                sink.take(&Essentials {
                    branch: checked.branch(),
                    call_id: checked.call_id(),
                    from_tag: checked.from_tag(),
                    to_tag: checked.to_tag(),
                    cseq: checked.cseq(),
                    cseq_method: checked.cseq_method(),
                });
            }};
        }
        if message.is_request() {
            show!(Request::check(message).ok()?);
        } else {
            show!(Response::check(message).ok()?);
        }
        Some(())
    }
}

#[derive(Debug)]
pub(crate) struct Trip(pub(crate) Bytes);

impl Job for Trip {
    fn run(&self, sink: &mut impl Sink) -> Option<()> {
        let message = frame(&self.0)?;
        let fresh = message.as_bytes().to_vec();
        sink.take(&fresh.as_slice());
        Some(())
    }
}

fn request(bytes: &Bytes) -> Option<Request> {
    Request::check(Message::parse(bytes.clone()).ok()?).ok()
}

#[derive(Debug)]
pub(crate) struct Ok200(Request);

impl Ok200 {
    pub(crate) fn new(bytes: &Bytes) -> Option<Ok200> {
        request(bytes).map(Ok200)
    }
}

impl Job for Ok200 {
    fn run(&self, sink: &mut impl Sink) -> Option<()> {
        // Without the look at the registry, which no other library has, and which asks for a Contact that none of them wrote.
        let response = Response::to(black_box(&self.0), StatusCode::Ok).to_tag(TO_TAG).build_unchecked().ok()?;
        sink.take(&response.as_bytes().as_ref());
        Some(())
    }
}

/// What users call: the same with a Contact, read back and held against the registry.
#[derive(Debug)]
pub(crate) struct Ok200Checked(Request);

impl Ok200Checked {
    pub(crate) fn new(bytes: &Bytes) -> Option<Ok200Checked> {
        request(bytes).map(Ok200Checked)
    }
}

impl Job for Ok200Checked {
    fn run(&self, sink: &mut impl Sink) -> Option<()> {
        let answer = Response::to(black_box(&self.0), StatusCode::Ok).to_tag(TO_TAG);
        let answer = answer.contact(black_box(OUR_CONTACT), None);
        // Nothing is answered to an ACK: of the ten messages, that one is answered as only testers do.
        let response: Message = match self.0.is(&Method::Ack) {
            true => answer.build_unchecked().ok()?,
            false => answer.build().ok()?.into_message(),
        };
        sink.take(&response.as_bytes().as_ref());
        Some(())
    }
}

#[derive(Debug)]
pub(crate) struct Forward(Request);

impl Forward {
    pub(crate) fn new(bytes: &Bytes) -> Option<Forward> {
        request(bytes).map(Forward)
    }
}

impl Job for Forward {
    fn run(&self, sink: &mut impl Sink) -> Option<()> {
        let request = black_box(&self.0);
        let hops_left = request.max_forwards()?.checked_sub(1)?;
        let onward = Edit::relaying(request)
            .request_uri(black_box(NEXT_HOP))
            .set(HeaderId::MaxForwards, hops_left.to_string().as_bytes())
            .prepend(HeaderId::Via, black_box(OUR_VIA))
            .finish()
            .ok()?;
        sink.take(&onward.as_bytes().as_ref());
        Some(())
    }
}
