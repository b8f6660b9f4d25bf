//! What a URI or a Via says of where to go.

use alloc::boxed::Box;
use core::fmt;
use core::net::IpAddr;

use ringback_base::Transport;
use ringback_message::{Host, SipUri, Via};

use super::dns::plain;

/// Where a message is to go, before anything is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aim {
    pub(super) host: AimHost,
    pub(super) port: Option<u16>,
    pub(super) transport: Option<Transport>,
    pub(super) secure: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AimHost {
    Address(IpAddr),
    Name(Box<str>),
}

/// Why a URI leads nowhere, whatever the resolver says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AimError {
    /// The transport is none that we know.
    UnknownTransport,
    /// `sips` can't go by that transport: there is no TLS over datagrams. `[RFC 3263, Section 4.1]`
    NotSecure,
    /// The host is no name and no address.
    Host,
}

impl fmt::Display for AimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AimError::UnknownTransport => "its transport is none that we know",
            AimError::NotSecure => "sips can't go by its transport",
            AimError::Host => "its host is no name and no address",
        })
    }
}

impl core::error::Error for AimError {}

impl Aim {
    /// Of a request that goes to this URI. `[RFC 3263, Section 4]`
    ///
    /// `maddr` counts only where `with_maddr` says so: whoever writes the URI could send the request past the host that it names.
    ///
    /// # Errors
    /// Where the URI leads nowhere.
    pub fn of_uri<T: AsRef<[u8]>>(uri: &SipUri<T>, with_maddr: bool) -> Result<Aim, AimError> {
        let named = match uri.params.value(b"transport") {
            Some(name) => Some(Transport::from_name(name).ok_or(AimError::UnknownTransport)?),
            None => None,
        };
        let transport = match (uri.secure, named) {
            (true, Some(Transport::Udp)) => return Err(AimError::NotSecure),
            (true, Some(Transport::Tcp)) => Some(Transport::Tls),
            (true, Some(Transport::Ws)) => Some(Transport::Wss),
            (_, named) => named,
        };
        let maddr = uri.params.value(b"maddr").filter(|_| with_maddr);
        let host = maddr.map_or(Some(uri.host()), Host::of).ok_or(AimError::Host)?;
        Aim::new(host, uri.port, transport, uri.secure)
    }

    /// Of a response that can't go back the way its request came. `[RFC 3263, Section 5]`
    ///
    /// # Errors
    /// Where the Via leads nowhere.
    pub fn of_via(via: &Via<&[u8]>) -> Result<Aim, AimError> {
        let transport = Transport::from_name(via.transport).ok_or(AimError::UnknownTransport)?;
        let secure = matches!(transport, Transport::Tls | Transport::Wss);
        Aim::new(via.sent_by_host(), via.port, Some(transport), secure)
    }

    fn new(host: Host<'_>, port: Option<u16>, transport: Option<Transport>, secure: bool) -> Result<Aim, AimError> {
        let host = match host {
            Host::Address(ip) => AimHost::Address(ip),
            Host::Name(name) => {
                let name = core::str::from_utf8(name).map(plain).map_err(|_| AimError::Host)?;
                AimHost::Name(Some(name).filter(|name| !name.is_empty()).ok_or(AimError::Host)?)
            }
        };
        Ok(Aim { host, port, transport, secure })
    }

    /// The name that is to be looked up; `None` where an address is given.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match &self.host {
            AimHost::Name(name) => Some(name),
            AimHost::Address(_) => None,
        }
    }

    /// The address that is given; `None` where a name is to be looked up.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match &self.host {
            AimHost::Name(_) => None,
            AimHost::Address(ip) => Some(*ip),
        }
    }

    /// The transport where no record says otherwise. `[RFC 3263, Section 4.1]`
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport.unwrap_or(if self.secure { Transport::Tls } else { Transport::Udp })
    }

    /// The port where no record says otherwise. `[RFC 3263, Section 4.2]`
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or_else(|| self.transport().default_port())
    }

    /// Whether it may go by this transport: `sips` asks for TLS on every hop. `[RFC 3261, Section 26.2.2]`
    pub(super) fn allows(&self, transport: Transport) -> bool {
        !self.secure || matches!(transport, Transport::Tls | Transport::Wss)
    }

    /// The host as a certificate names it. `[RFC 5922, Section 4]`
    pub(super) fn identity(&self) -> Box<str> {
        match &self.host {
            AimHost::Address(ip) => alloc::format!("{ip}").into(),
            AimHost::Name(name) => name.clone(),
        }
    }
}
