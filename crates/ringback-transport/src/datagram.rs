//! What a datagram on a SIP port can be.

/// A datagram by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Datagram {
    /// Nothing, or line ends alone: a keep-alive that wants no answer on a datagram transport. `[RFC 5626, Section 3.5.1]`
    KeepAlive,
    /// A STUN packet: its first two bits are zero. `[RFC 5626, Section 8]`
    Stun,
    /// Perhaps a message.
    Message,
}

impl Datagram {
    /// Tells which it is.
    #[must_use]
    pub fn classify(bytes: &[u8]) -> Datagram {
        match bytes.iter().find(|b| !matches!(b, b'\r' | b'\n' | 0)) {
            None => Datagram::KeepAlive,
            Some(_) if bytes.first().is_some_and(|&b| b < 4) => Datagram::Stun,
            Some(_) => Datagram::Message,
        }
    }
}

/// The Call-ID of a datagram without reading the rest of it; `None` where none is found.
///
/// It only picks the shard that owns the message, which then reads it in earnest; two readers that disagree on a malformed message do no harm.
#[must_use]
pub fn peek_call_id(datagram: &[u8]) -> Option<&[u8]> {
    let mut lines = datagram.split(|&b| b == b'\n').skip_while(|line| line.trim_ascii().is_empty());
    lines.next()?;
    for line in lines {
        if line.trim_ascii().is_empty() {
            return None;
        }
        let name_len = line.iter().position(|&b| b == b':')?;
        let (name, value) = line.split_at_checked(name_len)?;
        let name = name.trim_ascii_end();
        if name.eq_ignore_ascii_case(b"call-id") || name.eq_ignore_ascii_case(b"i") {
            return Some(value.get(1..)?.trim_ascii());
        }
    }
    None
}

/// The method of a request, and the branch of its top Via, where only its start is there: as an ICMP error quotes it.
///
/// `None` for a response, and where they are not found whole.
#[must_use]
pub fn peek_branch(start: &[u8]) -> Option<(&[u8], &[u8])> {
    let whole = start.iter().rposition(|&b| b == b'\n').and_then(|end| start.get(..end))?;
    let mut lines = whole.split(|&b| b == b'\n');
    let method = lines.next()?.split(|&b| b == b' ').next().filter(|method| !method.starts_with(b"SIP/"))?;
    let via = lines.find_map(|line| {
        let (name, value) = line.split_at_checked(line.iter().position(|&b| b == b':')?)?;
        let name = name.trim_ascii_end();
        (name.eq_ignore_ascii_case(b"via") || name.eq_ignore_ascii_case(b"v")).then_some(value)
    })?;
    let mut params = via.split(|&b| b == b',').next()?.split(|&b| b == b';').skip(1);
    let branch = params.find_map(|param| {
        let (name, value) = param.split_at_checked(param.iter().position(|&b| b == b'=')?)?;
        name.trim_ascii().eq_ignore_ascii_case(b"branch").then(|| value.get(1..).map(<[u8]>::trim_ascii)).flatten()
    })?;
    Some((method, branch))
}
