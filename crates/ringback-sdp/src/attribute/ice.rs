//! ICE. `[RFC 8839, Section 5]`

use alloc::vec::Vec;
use core::fmt;

use crate::cursor::{Cursor, is_visible};
use crate::error::ParseError;

fn is_ice_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '+' || c == '/'
}

text! {
    /// The name that a check carries. `[RFC 8839, Section 5]`
    IceUfrag, "ice-ufrag", "RFC 8839, Section 5", "4 to 256 letters, digits, + or /", (4..=256), is_ice_char
}
text! {
    /// The key that a check is signed with. `[RFC 8839, Section 5]`
    IcePwd, "ice-pwd", "RFC 8839, Section 5", "22 to 256 letters, digits, + or /", (22..=256), is_ice_char
}
property! {
    /// An agent that only answers checks. `[RFC 8839, Section 5]`
    IceLite, "ice-lite", "RFC 8839, Section 5"
}
property! {
    /// The offer's default destination was none of its candidates. `[RFC 8839, Section 5]`
    IceMismatch, "ice-mismatch", "RFC 8839, Section 5"
}
property! {
    /// No candidate will follow; it comes from RFC 8840.
    EndOfCandidates, "end-of-candidates", "RFC 8839, Section 5"
}
number! {
    /// Milliseconds between two checks. `[RFC 8839, Section 5]`
    IcePacing(u32), "ice-pacing", "RFC 8839, Section 5", "milliseconds"
}

/// An address that an agent may be reached at. `[RFC 8839, Section 5]`
///
/// ```text
/// candidate-attribute = "candidate" ":" foundation SP component-id SP transport SP priority SP connection-address SP port
///                       SP cand-type [SP rel-addr] [SP rel-port] *(SP cand-extension)
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// Equal where type, base and server are.
    pub foundation: &'a str,
    /// From 1 to 256: 1 for RTP, 2 for RTCP.
    pub component: u16,
    /// Such as `udp`, in whatever case.
    pub transport: &'a str,
    /// The greater, the sooner.
    pub priority: u32,
    /// An address or a name.
    pub address: &'a str,
    /// The port.
    pub port: u16,
    /// `host`, `srflx`, `prflx`, `relay` or another.
    pub kind: &'a str,
    /// Where it comes from, if it is no host's.
    pub related_address: Option<&'a str>,
    /// The port there.
    pub related_port: Option<u16>,
    /// What extensions add: names and values.
    pub extensions: Vec<(&'a str, &'a str)>,
}

impl<'a> Candidate<'a> {
    fn read_value(cursor: &mut Cursor<'a>) -> Result<Candidate<'a>, ParseError> {
        let at = cursor.clone();
        let foundation = cursor.word(is_ice_char, "a foundation of up to 32 letters")?;
        if foundation.len() > 32 {
            return Err(at.error("a foundation of up to 32 letters"));
        }
        cursor.space("a blank and the component")?;
        let component = component(cursor)?;
        cursor.space("a blank and the transport")?;
        let transport = cursor.token("a transport")?;
        cursor.space("a blank and the priority")?;
        let priority = cursor.number("a priority below 2 to the 32nd")?;
        cursor.space("a blank and the address")?;
        let address = cursor.visible("an address")?;
        cursor.space("a blank and the port")?;
        let port = cursor.number("a port from 0 to 65535")?;
        cursor.space("a blank and the type")?;
        if !cursor.eat_word("typ") {
            return Err(cursor.error("typ and a type"));
        }
        cursor.space("a blank and the type")?;
        let kind = cursor.token("a type")?;
        let mut candidate = Candidate {
            foundation,
            component,
            transport,
            priority,
            address,
            port,
            kind,
            related_address: None,
            related_port: None,
            extensions: Vec::new(),
        };
        while cursor.more() {
            candidate.extension(cursor)?;
        }
        Ok(candidate)
    }

    fn extension(&mut self, cursor: &mut Cursor<'a>) -> Result<(), ParseError> {
        let name = cursor.token("the name of an extension")?;
        cursor.space("a blank and the value of the extension")?;
        match name {
            "raddr" if self.extensions.is_empty() => self.related_address = Some(cursor.visible("an address")?),
            "rport" if self.extensions.is_empty() => self.related_port = Some(cursor.number("a port from 0 to 65535")?),
            _ => self.extensions.push((name, cursor.take_while(is_visible))),
        }
        Ok(())
    }
}

fn component(cursor: &mut Cursor<'_>) -> Result<u16, ParseError> {
    let at = cursor.clone();
    let number = cursor.number("a component from 1 to 256")?;
    if (1..=256).contains(&number) { Ok(number) } else { Err(at.error("a component from 1 to 256")) }
}

impl fmt::Display for Candidate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Candidate { foundation, component, transport, priority, address, port, kind, .. } = self;
        write!(f, "{foundation} {component} {transport} {priority} {address} {port} typ {kind}")?;
        if let Some(address) = self.related_address {
            write!(f, " raddr {address}")?;
        }
        if let Some(port) = self.related_port {
            write!(f, " rport {port}")?;
        }
        self.extensions.iter().try_for_each(|(name, value)| write!(f, " {name} {value}"))
    }
}

attribute!(Candidate<'a>, "candidate", "RFC 8839, Section 5");

/// What the controlling agent found to work, one address for each component. `[RFC 8839, Section 5]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteCandidates<'a> {
    /// They.
    pub candidates: Vec<RemoteCandidate<'a>>,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteCandidate<'a> {
    /// From 1 to 256.
    pub component: u16,
    /// Its address.
    pub address: &'a str,
    /// Its port.
    pub port: u16,
}

impl<'a> RemoteCandidates<'a> {
    fn read_value(cursor: &mut Cursor<'a>) -> Result<RemoteCandidates<'a>, ParseError> {
        let mut candidates = Vec::new();
        loop {
            let component = component(cursor)?;
            cursor.space("a blank and the address")?;
            let address = cursor.visible("an address")?;
            cursor.space("a blank and the port")?;
            let port = cursor.number("a port from 0 to 65535")?;
            candidates.push(RemoteCandidate { component, address, port });
            if !cursor.more() {
                return Ok(RemoteCandidates { candidates });
            }
        }
    }
}

impl fmt::Display for RemoteCandidates<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        for RemoteCandidate { component, address, port } in &self.candidates {
            write!(f, "{gap}{component} {address} {port}")?;
            gap = " ";
        }
        Ok(())
    }
}

attribute!(RemoteCandidates<'a>, "remote-candidates", "RFC 8839, Section 5");

/// Extensions that an agent knows. `[RFC 8839, Section 5]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceOptions<'a> {
    /// Such as `trickle` or `ice2`.
    pub tags: Vec<&'a str>,
}

impl<'a> IceOptions<'a> {
    fn read_value(cursor: &mut Cursor<'a>) -> Result<IceOptions<'a>, ParseError> {
        // A widespread extension has a hyphen in its tag, which the grammar hasn't.
        let is_tag = |c| is_ice_char(c) || c == '-';
        let mut tags = alloc::vec![cursor.word(is_tag, "an option")?];
        while cursor.more() {
            tags.push(cursor.word(is_tag, "an option")?);
        }
        Ok(IceOptions { tags })
    }
}

impl fmt::Display for IceOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        for tag in &self.tags {
            write!(f, "{gap}{tag}")?;
            gap = " ";
        }
        Ok(())
    }
}

attribute!(IceOptions<'a>, "ice-options", "RFC 8839, Section 5");
