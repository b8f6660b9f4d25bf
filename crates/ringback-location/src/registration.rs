//! What a REGISTER asks for, read once and kept while the rows are looked up.

use alloc::boxed::Box;
use alloc::vec::Vec;

use ringback_message::header::{List, Qvalue, check_strict};
use ringback_message::{HeaderId, NameAddr, Request, Uri};

use crate::flow::FlowKey;
use crate::refusal::Refusal;

/// How many contacts one REGISTER may hold: each is compared with each row.
pub const CONTACTS_PER_REQUEST_MAX: usize = 64;
/// How long a Call-ID may be that is kept with a binding.
pub const CALL_ID_BYTES_MAX: usize = 512;
/// How many Path values one REGISTER may bring.
pub const PATH_VALUES_MAX: usize = 16;
/// How many bytes they may have together.
pub const PATH_BYTES_MAX: usize = 2_048;
/// How much of User-Agent is kept; the rest is cut off.
pub const USER_AGENT_BYTES_MAX: usize = 128;

/// "Malformed values SHOULD be treated as equivalent to 3600." `[RFC 3261, Section 10.2]`
const MALFORMED_EXPIRES_SECS: u32 = 3_600;

/// What a REGISTER asks for, without the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    pub(crate) call_id: Box<[u8]>,
    pub(crate) cseq: u32,
    pub(crate) wish: Wish,
    pub(crate) path: Vec<Box<[u8]>>,
    /// The client does outbound, and so did we. `[RFC 5626, Section 6]`
    pub(crate) is_outbound: bool,
    pub(crate) user_agent: Option<Box<[u8]>>,
}

/// What is to happen to the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// No Contact: nothing, they are only to be listed. `[RFC 3261, Section 10.2.3]`
    Fetch,
    /// `Contact: *`: all are to go. `[RFC 3261, Section 10.2.2]`
    RemoveAll,
    /// These are to be added, updated or removed.
    Update(Vec<Contact>),
}

/// One contact of a REGISTER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contact {
    pub(crate) uri: Uri<Box<[u8]>>,
    pub(crate) params: Box<[u8]>,
    pub(crate) q: Option<Qvalue>,
    /// The device and which flow of it, where outbound applies. `[RFC 5626, Section 6]`
    pub(crate) flow: Option<FlowKey>,
    /// What was asked for by `expires` or Expires, in seconds.
    pub(crate) expires_secs: Option<u32>,
}

impl Registration {
    /// Reads Contact, Expires, Path and User-Agent of a REGISTER.
    ///
    /// # Errors
    /// Where a header field that would be stored is malformed or too long, or a wildcard stands where it may not.
    pub fn read(request: &Request) -> Result<Registration, Refusal> {
        if request.call_id().len() > CALL_ID_BYTES_MAX {
            return Err(Refusal::TooLong { header: HeaderId::CallId, max: CALL_ID_BYTES_MAX });
        }
        let path = read_path(request)?;
        let knows_flow = knows_flow(request, &path);
        let wish = read_wish(request, knows_flow)?;
        let asks_outbound = request.has_token(HeaderId::Supported, "outbound");
        // "if the REGISTER request contains the reg-id and the outbound option tag in a Supported header field, then the registrar MUST
        // respond to the REGISTER request with a 439 (First Hop Lacks Outbound Support) response" [RFC 5626, Section 6]
        if asks_outbound && !knows_flow && has_reg_id(request) {
            return Err(Refusal::FirstHopLacksOutbound);
        }
        Ok(Registration {
            call_id: request.call_id().into(),
            cseq: request.cseq(),
            is_outbound: asks_outbound && wish.has_flow(),
            wish,
            path,
            user_agent: request.first(HeaderId::UserAgent).map(|header| {
                let text = unfolded(header.value());
                text.get(..USER_AGENT_BYTES_MAX).unwrap_or(&text).into()
            }),
        })
    }

    /// The values of Path, which the 200 gives back. `[RFC 3327, Section 5.3]`
    pub fn path(&self) -> impl Iterator<Item = &[u8]> {
        self.path.iter().map(|value| &**value)
    }

    /// True where a flow is registered for a client that does outbound, which the 200 says in Require. `[RFC 5626, Section 6]`
    #[must_use]
    pub fn is_outbound(&self) -> bool {
        self.is_outbound
    }

    /// True where the bindings are only to be listed. `[RFC 3261, Section 10.2.3]`
    #[must_use]
    pub fn is_fetch(&self) -> bool {
        self.wish == Wish::Fetch
    }
}

impl Wish {
    fn has_flow(&self) -> bool {
        matches!(self, Wish::Update(contacts) if contacts.iter().any(|contact| contact.flow.is_some()))
    }
}

/// Whether we or the first proxy know the flow that the request came by: "If the Path header field is missing or it exists but the first
/// URI does not have an "ob" URI parameter, then outbound processing MUST NOT be applied to the registration." The URI of the first
/// proxy stands last. `[RFC 5626, Section 6]` `[RFC 3327, Section 5.2]`
fn knows_flow(request: &Request, path: &[Box<[u8]>]) -> bool {
    let is_first_hop = path.is_empty() && request.vias().count() == 1;
    let edge = path.last().and_then(|value| NameAddr::parse_only(HeaderId::Path, value, 0).ok());
    is_first_hop || edge.is_some_and(|edge| edge.uri.as_sip().is_some_and(|uri| uri.params.has(b"ob")))
}

fn has_reg_id(request: &Request) -> bool {
    request.addresses(HeaderId::Contact).filter_map(Result::ok).any(|contact| contact.params.has(b"reg-id"))
}

fn read_wish(request: &Request, knows_flow: bool) -> Result<Wish, Refusal> {
    let expires_secs = read_expires(request);
    let mut wildcards = 0_usize;
    let mut contacts = Vec::new();
    for header in request.all(HeaderId::Contact) {
        if header.value() == b"*" {
            wildcards = wildcards.saturating_add(1);
            continue;
        }
        // It will be sent to others, who need not read what we could.
        check_strict(header.id(), header.value(), header.offset()).map_err(Refusal::Malformed)?;
        for address in List::new(HeaderId::Contact, header.value(), header.offset(), NameAddr::parse) {
            if contacts.len() == CONTACTS_PER_REQUEST_MAX {
                return Err(Refusal::TooManyContacts { max: CONTACTS_PER_REQUEST_MAX });
            }
            let address = address.map_err(Refusal::Malformed)?;
            let contact = Contact::read(&address, expires_secs, knows_flow)?;
            contacts.push(contact.ok_or_else(|| {
                Refusal::Malformed(header.cursor().error("q from 0 to 1 with at most three decimals"))
            })?);
        }
    }
    // "if the Contact header field contains more than one header field value with a non-zero expiration and any of these header field
    // values contain a "reg-id" Contact header field parameter, the entire registration SHOULD be rejected with a 400" [RFC 5626, Section 6]
    let bound = || contacts.iter().filter(|contact| contact.expires_secs != Some(0));
    if bound().count() > 1 && bound().any(|contact| contact.flow.is_some()) {
        return Err(Refusal::SeveralFlows);
    }
    // "If the request has additional Contact fields or an expiration time other than zero, the request is invalid, and
    // the server MUST return a 400 (Invalid Request)" [RFC 3261, Section 10.3]
    match (wildcards, contacts.is_empty()) {
        (0, true) => Ok(Wish::Fetch),
        (0, false) => Ok(Wish::Update(contacts)),
        (1, true) if expires_secs == Some(0) => Ok(Wish::RemoveAll),
        (1, true) => Err(Refusal::WildcardWithoutZero),
        _ => Err(Refusal::WildcardNotAlone),
    }
}

/// Expires in seconds: too large a number counts as the largest, what is no number as an hour. `[RFC 3261, Section 10.2]`
fn read_expires(request: &Request) -> Option<u32> {
    let digits = request.first(HeaderId::Expires)?.value();
    let numeric = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let Some(text) = core::str::from_utf8(digits).ok().filter(|_| numeric) else {
        return Some(MALFORMED_EXPIRES_SECS);
    };
    Some(text.parse().unwrap_or(u32::MAX))
}

impl Contact {
    /// `None` inside where its `q` is malformed.
    fn read(
        address: &NameAddr<&[u8]>,
        header_expires_secs: Option<u32>,
        knows_flow: bool,
    ) -> Result<Option<Contact>, Refusal> {
        if let Uri::Other { scheme, .. } = &address.uri
            && !scheme.eq_ignore_ascii_case(b"tel")
        {
            return Err(Refusal::ContactScheme);
        }
        // "If the field value has an "expires" parameter, that value MUST be taken as the requested expiration."
        // [RFC 3261, Section 10.3]
        let expires_secs = if address.params.has(b"expires") {
            Some(address.expires_secs().unwrap_or(MALFORMED_EXPIRES_SECS))
        } else {
            header_expires_secs
        };
        let q = address.q();
        if q.is_none() && address.params.has(b"q") {
            return Ok(None);
        }
        let flow = FlowKey::of(address).filter(|_| knows_flow);
        let mut params = Vec::new();
        for (name, value) in address.params.iter() {
            let is_ignored = flow.is_none() && name.eq_ignore_ascii_case(b"reg-id");
            if is_ignored || name.eq_ignore_ascii_case(b"q") || name.eq_ignore_ascii_case(b"expires") {
                continue;
            }
            params.push(b';');
            params.extend_from_slice(name);
            if let Some(value) = value {
                params.push(b'=');
                params.extend_from_slice(&unfolded(value));
            }
        }
        Ok(Some(Contact { uri: address.uri.to_owned_text(), params: params.into(), q, flow, expires_secs }))
    }

    /// The URI as it is stored and compared.
    pub(crate) fn uri_text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        self.uri.write(&mut text);
        text
    }
}

fn read_path(request: &Request) -> Result<Vec<Box<[u8]>>, Refusal> {
    let mut path = Vec::new();
    let mut bytes = 0_usize;
    for header in request.all(HeaderId::Path) {
        check_strict(header.id(), header.value(), header.offset()).map_err(Refusal::Malformed)?;
    }
    for address in request.addresses(HeaderId::Path) {
        let mut value = Vec::new();
        address.map_err(Refusal::Malformed)?.write(&mut value);
        let value = unfolded(&value);
        bytes = bytes.saturating_add(value.len());
        if path.len() == PATH_VALUES_MAX {
            return Err(Refusal::TooManyPaths { max: PATH_VALUES_MAX });
        }
        if bytes > PATH_BYTES_MAX {
            return Err(Refusal::TooLong { header: HeaderId::Path, max: PATH_BYTES_MAX });
        }
        path.push(value.into());
    }
    Ok(path)
}

/// The text with each fold, and the white space around it, as one blank: what is sent later may hold no line break. `[RFC 3261, Section 7.3.1]`
fn unfolded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.iter().position(|b| matches!(b, b'\r' | b'\n')) {
        let (line, tail) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(line.trim_ascii_end());
        out.push(b' ');
        rest = tail.trim_ascii_start();
    }
    out.extend_from_slice(rest);
    out
}
