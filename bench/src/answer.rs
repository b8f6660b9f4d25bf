//! Answers in one written form, that of `reference.py`, so that they can be compared with what another program read.

use ringback_message::{CSeq, Message, Method, NameAddr, Params, SipUri, StatusCode, Uri, Via};

/// What a job found or made.
pub trait Answer {
    /// Appends it.
    fn write(&self, out: &mut Vec<u8>);
}

/// Bytes that were written out.
impl Answer for [u8] {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

impl Answer for &[u8] {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

/// Where the line ends are.
#[derive(Debug)]
pub(crate) struct LineEnds {
    pub(crate) count: usize,
    pub(crate) xor: usize,
}

impl Answer for LineEnds {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("{} {}", self.count, self.xor).as_bytes());
    }
}

/// Header fields as pairs, and the body.
#[derive(Debug)]
pub(crate) struct Headers<'a, 'b> {
    pub(crate) headers: &'a [httparse::Header<'b>],
    pub(crate) body: &'a [u8],
}

impl Answer for Headers<'_, '_> {
    fn write(&self, out: &mut Vec<u8>) {
        for header in self.headers {
            pair(out, header.name.as_bytes(), header.value);
        }
        out.push(b'\n');
        out.extend_from_slice(self.body);
    }
}

/// A message: its first line in parts, its header fields as pairs, its body.
impl Answer for Message {
    fn write(&self, out: &mut Vec<u8>) {
        match (self.method_text(), self.status()) {
            (Some(method), _) => pair(out, method, self.request_uri_text()),
            (None, Some(status)) => pair(out, status.as_u16().to_string().as_bytes(), self.reason()),
            (None, None) => {}
        }
        for header in self.headers() {
            pair(out, header.name(), header.value());
        }
        out.push(b'\n');
        out.extend_from_slice(self.body());
    }
}

/// The start line, read.
#[derive(Debug)]
pub(crate) enum Start<'a> {
    Request { method: Method, uri: Uri<&'a [u8]> },
    Status { code: StatusCode, reason: &'a [u8] },
}

/// The fields that the job of that name asks for, each as a structured value.
#[derive(Debug)]
pub(crate) struct FieldValues<'a> {
    pub(crate) start: Start<'a>,
    pub(crate) via: Via<&'a [u8]>,
    pub(crate) from: NameAddr<&'a [u8]>,
    pub(crate) to: NameAddr<&'a [u8]>,
    pub(crate) call_id: &'a [u8],
    pub(crate) cseq: CSeq<&'a [u8]>,
    pub(crate) contact: Option<NameAddr<&'a [u8]>>,
    pub(crate) max_forwards: Option<u32>,
}

impl Answer for FieldValues<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        match &self.start {
            Start::Request { method, uri } => {
                pair(out, b"method", method.as_str().as_bytes());
                uri_parts(out, uri);
            }
            Start::Status { code, reason } => {
                number(out, b"status", Some(u32::from(code.as_u16())));
                pair(out, b"reason", reason);
            }
        }
        pair(out, b"via", self.via.transport);
        pair(out, b"host", self.via.host);
        number(out, b"port", self.via.port.map(u32::from));
        params(out, &self.via.params);
        name_addr(out, b"from", Some(&self.from));
        name_addr(out, b"to", Some(&self.to));
        pair(out, b"call-id", self.call_id);
        number(out, b"cseq", Some(self.cseq.number));
        pair(out, b"cseq-method", self.cseq.method);
        name_addr(out, b"contact", self.contact.as_ref());
        number(out, b"max-forwards", self.max_forwards);
    }
}

/// What a checked message keeps at hand.
#[derive(Debug)]
pub(crate) struct Essentials<'a> {
    pub(crate) branch: Option<&'a [u8]>,
    pub(crate) call_id: &'a [u8],
    pub(crate) from_tag: Option<&'a [u8]>,
    pub(crate) to_tag: Option<&'a [u8]>,
    pub(crate) cseq: u32,
    pub(crate) cseq_method: &'a [u8],
}

impl Answer for Essentials<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        optional(out, b"branch", self.branch);
        pair(out, b"call-id", self.call_id);
        optional(out, b"from-tag", self.from_tag);
        optional(out, b"to-tag", self.to_tag);
        number(out, b"cseq", Some(self.cseq));
        pair(out, b"cseq-method", self.cseq_method);
    }
}

fn pair(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.push(b':');
    out.extend_from_slice(value);
    out.push(b'\n');
}

/// What isn't there is written as a dash.
fn optional(out: &mut Vec<u8>, name: &[u8], value: Option<&[u8]>) {
    pair(out, name, value.unwrap_or(b"-"));
}

fn number(out: &mut Vec<u8>, name: &[u8], value: Option<u32>) {
    optional(out, name, value.map(|value| value.to_string()).as_deref().map(str::as_bytes));
}

fn params(out: &mut Vec<u8>, params: &Params<&[u8]>) {
    for (name, value) in params.iter() {
        optional(out, name, value);
    }
    out.push(b'\n');
}

fn uri_parts(out: &mut Vec<u8>, uri: &Uri<&[u8]>) {
    match uri {
        Uri::Sip(SipUri { secure, user, password, host, port, params: of_uri, headers }) => {
            pair(out, b"scheme", if *secure { b"sips" } else { b"sip" });
            optional(out, b"user", *user);
            optional(out, b"password", *password);
            pair(out, b"host", host);
            number(out, b"port", port.map(u32::from));
            params(out, of_uri);
            optional(out, b"headers", *headers);
        }
        Uri::Other { scheme, rest } => {
            pair(out, b"scheme", scheme);
            pair(out, b"rest", rest);
        }
        _ => pair(out, b"scheme", b"?"),
    }
}

fn name_addr(out: &mut Vec<u8>, name: &[u8], address: Option<&NameAddr<&[u8]>>) {
    let Some(address) = address else { return pair(out, name, b"-") };
    optional(out, name, address.display_name.filter(|display| !display.is_empty()));
    uri_parts(out, &address.uri);
    params(out, &address.params);
}
