//! What the far side of a call says.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use ringback_message::{Edit, HeaderId, Message, Request, Response, StatusCode};

use crate::Fault;

/// What the far side says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The INVITE.
    Invite,
    /// The ACK for our 200.
    Ack,
    /// The BYE.
    Bye,
    /// A 180 to our INVITE.
    Ringing,
    /// The 200 to our INVITE.
    Answer,
    /// The 200 to our BYE.
    ByeAnswer,
}

/// The far side.
pub trait Far {
    /// What it says next.
    ///
    /// # Errors
    /// Where it has nothing to say.
    fn next(&mut self, turn: Turn) -> Result<Bytes, Fault>;

    /// What it is told.
    fn hear(&mut self, message: Bytes);
}

/// The reference's messages.
#[derive(Clone, Debug)]
pub struct Texts {
    invite: String,
    ack: String,
    bye: String,
    body: String,
}

impl Texts {
    /// Reads the folder of the messages.
    ///
    /// # Errors
    /// Where one is missing, or has nothing to tell one call from another by.
    pub fn read(folder: &Path) -> Result<Texts, Fault> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let answer = read("200.sip")?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or("200.sip: no body")?;
        let texts =
            Texts { invite: read("invite.sip")?, ack: read("ack.sip")?, bye: read("bye.sip")?, body: body.to_owned() };
        for text in [&texts.invite, &texts.ack, &texts.bye] {
            let other = numbered(text, 1);
            if other == numbered(text, 2) || other.len() != text.len() {
                return Err(format!("no Call-ID and branch as expected in:\n{text}"));
            }
        }
        Ok(texts)
    }

    /// The INVITE of this call, as long as the reference's.
    #[must_use]
    pub fn invite(&self, call: u32) -> Bytes {
        Bytes::from(numbered(&self.invite, call).into_bytes())
    }

    /// A BYE of a dialog of its own.
    #[must_use]
    pub fn bye(&self, call: u32) -> Bytes {
        Bytes::from(numbered(&self.bye, call).into_bytes())
    }

    /// A request in the dialog that the INVITE of this call has made with this tag.
    fn within(&self, call: u32, method: &str, cseq: &str, tag: &str) -> Bytes {
        let text = self.ack.replace("ACK", method).replace("314159", cseq).replace("a6c85cf", tag);
        Bytes::from(numbered(&text, call).replace("nashd9", method).into_bytes())
    }

    /// Our own, of the same kind and size: for those who don't have the reference's.
    #[must_use]
    pub fn own() -> Texts {
        let invite = "INVITE sip:bob@198.51.100.7 SIP/2.0\r\n\
            Via: SIP/2.0/UDP 203.0.113.9;branch=z9hG4bK6a1f03b2.1;i=7ad\r\n\
            Via: SIP/2.0/UDP 192.0.2.101:5060;branch=z9hG4bKb2c1d4e7;received=192.0.2.101;rport=5060\r\n\
            Record-Route: <sip:edge3.example.net;lr;ftag=1928301774>\r\nMax-Forwards: 69\r\n\
            From: \"Alice\" <sip:alice@atlanta.example.com>;tag=1928301774\r\nTo: \"Bob\" <sip:bob@biloxi.example.com>\r\n\
            Call-ID: a84b4c76e66710\r\nCSeq: 314159 INVITE\r\n\
            Contact: <sip:alice@192.0.2.101:5060>;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000a95a0e128>\"\r\n\
            Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO, UPDATE, PRACK\r\n\
            Supported: replaces, timer, outbound, path, gruu\r\nAccept: application/sdp, application/dtmf-relay\r\n\
            User-Agent: Desk Phone 4.1.22\r\nContent-Type: application/sdp\r\nContent-Length: LENGTH\r\n\r\n";
        let body = "v=0\r\no=alice 2890844526 2890844526 IN IP4 192.0.2.101\r\ns=-\r\nc=IN IP4 192.0.2.101\r\nt=0 0\r\n\
            m=audio 49172 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
            a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";
        let ack = "ACK sip:bob@198.51.100.7 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9;branch=z9hG4bKnashd92.b2c1d4e7\r\n\
            From: \"Alice\" <sip:alice@atlanta.example.com>;tag=1928301774\r\n\
            To: \"Bob\" <sip:bob@biloxi.example.com>;tag=a6c85cf\r\nCall-ID: a84b4c76e66710\r\n\
            CSeq: 314159 ACK\r\nContent-Length: 0\r\n\r\n";
        let invite = invite.replace("LENGTH", &body.len().to_string()) + body;
        Texts { invite, ack: ack.to_owned(), bye: ack.replace("ACK", "BYE"), body: body.to_owned() }
    }
}

/// An INVITE as it reaches the far side.
fn through_proxies(message: &Message) -> Result<Message, Fault> {
    if message.method_text() != Some(b"INVITE") {
        return Ok(message.clone());
    }
    let edit =
        ["<sip:bigbox3.site3.atlanta.example.com;lr;did=a5b.6c31>", "<sip:edge3.example.net;lr;ftag=1928301774>"]
            .iter()
            .fold(Edit::new(message), |edit, route| edit.prepend(HeaderId::RecordRoute, route.as_bytes()));
    edit.finish().map_err(|error| error.to_string())
}

/// With this number in Call-ID and branch, in place of as many characters.
fn numbered(text: &str, call: u32) -> String {
    let number = format!("{call:08x}");
    let text = text.replace("a84b4c76e66710", &format!("a84b4c{number}"));
    ["6a1f03b2", "b2c1d4e7"].iter().fold(text, |text, digits| text.replace(digits, &number))
}

/// Makes what the far side says, as the call demands.
#[derive(Debug)]
pub struct Live<'a> {
    texts: &'a Texts,
    call: u32,
    tape: Option<&'a mut Tape>,
    heard: Option<Bytes>,
}

impl<'a> Live<'a> {
    /// The far side of this call.
    #[must_use]
    pub fn new(texts: &'a Texts, call: u32, tape: Option<&'a mut Tape>) -> Live<'a> {
        Live { texts, call, tape, heard: None }
    }

    fn said(&self) -> Result<Message, Fault> {
        let bytes = self.heard.clone().ok_or("nothing was sent")?;
        Message::parse(bytes).map_err(|rejected| rejected.error.to_string())
    }

    fn tag(&self) -> Result<String, Fault> {
        let response = Response::check(self.said()?).map_err(|rejected| rejected.error.to_string())?;
        Ok(String::from_utf8_lossy(response.to_tag().ok_or("no tag in our 200")?).into_owned())
    }

    fn respond(&self, status: StatusCode, with_body: bool) -> Result<Bytes, Fault> {
        let request = Request::check(through_proxies(&self.said()?)?).map_err(|rejected| rejected.error.to_string())?;
        let mut builder = Response::to(&request, status).raw(HeaderId::Contact, "<sip:bob@198.51.100.7:5060>");
        if request.to_tag().is_none() {
            builder = builder.to_tag("a6c85cf");
        }
        if with_body {
            builder = builder.content_type("application/sdp").body(self.texts.body.as_bytes());
        }
        Ok(builder.build().map_err(|error| error.to_string())?.as_bytes().clone())
    }
}

impl Far for Live<'_> {
    fn next(&mut self, turn: Turn) -> Result<Bytes, Fault> {
        let bytes = match turn {
            Turn::Invite => self.texts.invite(self.call),
            Turn::Ack => self.texts.within(self.call, "ACK", "314159", &self.tag()?),
            // The tag is that of our 200, which is the last that was sent.
            Turn::Bye => self.texts.within(self.call, "BYE", "314160", &self.tag()?),
            Turn::Ringing => self.respond(StatusCode::Ringing, false)?,
            Turn::Answer => self.respond(StatusCode::Ok, true)?,
            Turn::ByeAnswer => self.respond(StatusCode::Ok, false)?,
        };
        if let Some(tape) = &mut self.tape {
            // What is on the tape shares nothing with what the endpoint gets.
            tape.0.push_back(Bytes::copy_from_slice(&bytes));
        }
        Ok(bytes)
    }

    fn hear(&mut self, message: Bytes) {
        self.heard = Some(message);
    }
}

/// What the far side said before.
#[derive(Debug, Default)]
pub struct Tape(VecDeque<Bytes>);

impl Tape {
    /// What it still has to say, to be looked at.
    pub fn messages(&self) -> impl Iterator<Item = &Bytes> {
        self.0.iter()
    }
}

impl Far for Tape {
    fn next(&mut self, _: Turn) -> Result<Bytes, Fault> {
        self.0.pop_front().ok_or_else(|| "the tape is at its end".to_owned())
    }

    fn hear(&mut self, _: Bytes) {}
}
