//! What kind of trouble there is with a way to somebody, for those who count.

use std::io;

use crate::tcp::connection::End;

/// Why nothing can be sent by some way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Trouble {
    /// Nobody listens there: the connection is refused, or the network says so of a datagram.
    Refused,
    /// The network knows no way there, or lets nothing pass.
    Unreachable,
    /// A connection, or TLS over it, was not there in time.
    TimedOut,
    /// The certificate that was shown is not taken.
    Certificate,
    /// TLS or WebSocket could not be agreed on.
    Handshake,
    /// The connection was there, and is gone.
    Lost,
}

impl Trouble {
    /// One word, which stays.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Trouble::Refused => "refused",
            Trouble::Unreachable => "unreachable",
            Trouble::TimedOut => "connect_timeout",
            Trouble::Certificate => "certificate",
            Trouble::Handshake => "handshake",
            Trouble::Lost => "lost",
        }
    }

    /// That of an error of a socket.
    #[must_use]
    pub fn of_io(error: &io::Error) -> Trouble {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Trouble::Refused,
            io::ErrorKind::TimedOut => Trouble::TimedOut,
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => Trouble::Lost,
            _ => Trouble::Unreachable,
        }
    }

    pub(crate) fn of_end(end: &End) -> Trouble {
        match end {
            End::Unreachable(error) => Trouble::of_io(error),
            End::ConnectTimeout | End::HandshakeTimeout | End::UpgradeTimeout => Trouble::TimedOut,
            End::Handshake(error) => match tls_error(error) {
                Some(rustls::Error::InvalidCertificate(_)) => Trouble::Certificate,
                _ => Trouble::Handshake,
            },
            _ => Trouble::Lost,
        }
    }
}

/// What TLS itself says, where the error is its own.
pub(crate) fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}
