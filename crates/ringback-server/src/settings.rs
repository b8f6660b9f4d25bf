//! What a server is told, whether by flags or by a file.

use std::error::Error;
use std::fmt;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ringback_auth::Algorithm;
use ringback_location_db::Durability;
use ringback_message::{HeaderId, Uri};

use crate::listen::Listen;

/// The realm of accounts, and the name that addresses of record are kept under, where no domain is named.
pub const DEFAULT_REALM: &str = "localhost";

/// How many shards a server may have.
pub const SHARDS_MAX: u16 = 256;

/// The settings of a server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen. Default: port 5060 of the loopback addresses.
    pub listen: Vec<Listen>,
    /// The domain, if it has a name. The names and addresses of the listeners mean the same domain.
    pub domain: Option<Domain>,
    /// The folder of the databases; made if it is missing.
    pub data: PathBuf,
    /// How many shards there are, at most [`SHARDS_MAX`]. Default: one for each core.
    pub shards: Option<NonZeroU16>,
    /// When a registration counts as durable. Default: [`Durability::Always`].
    pub durability: Durability,
    /// The digest algorithms that are offered, the preferred one first.
    ///
    /// Default: MD5 alone, because phones and tools that are in use give up where another one comes first. For trusted networks only.
    pub algorithms: Vec<Algorithm>,
    /// How long a server that was asked to end waits for what is open. Default: 5 s.
    ///
    /// A call that is being set up is answered by then, or its caller tries again; the 32 s of Timer H would outlast what
    /// service managers grant.
    pub drain: Duration,
}

impl Settings {
    /// The defaults, with this data folder.
    #[must_use]
    pub fn new(data: PathBuf) -> Settings {
        Settings {
            listen: Vec::from([Listen::default()]),
            domain: None,
            data,
            shards: None,
            durability: Durability::Always,
            algorithms: Vec::from([Algorithm::Md5]),
            drain: Duration::from_secs(5),
        }
    }

    /// How many shards there will be.
    pub(crate) fn shard_count(&self) -> u16 {
        let cores =
            || std::thread::available_parallelism().map_or(1, |cores| u16::try_from(cores.get()).unwrap_or(SHARDS_MAX));
        self.shards.map_or_else(cores, NonZeroU16::get).min(SHARDS_MAX)
    }
}

/// The name of a domain: a host name or an address, as it stands in a SIP URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain(Box<str>);

impl Domain {
    /// The name, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Domain {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Domain, DomainError> {
        let text = text.to_ascii_lowercase();
        let uri = format!("sip:{text}");
        // Where a port, a user or a parameter stands beside it, the host is not the whole.
        match Uri::parse(uri.as_bytes(), HeaderId::Other, 0) {
            Ok(Uri::Sip(uri)) if uri.host == text.as_bytes() => Ok(Domain(text.into())),
            _ => Err(DomainError),
        }
    }
}

/// A text that is no domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DomainError;

impl fmt::Display for DomainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a host name or an address, without a port")
    }
}

impl Error for DomainError {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn domains() {
        for text in ["example.com", "EXAMPLE.com", "192.0.2.1", "[2001:db8::1]", "a"] {
            assert_eq!(text.parse::<Domain>().unwrap().as_str(), text.to_ascii_lowercase());
        }
        for text in
            ["", "example.com:5060", "a@example.com", "example.com;lr", "exa mple", "ex\"ample", "2001:db8::1", "a/b"]
        {
            assert_eq!(text.parse::<Domain>(), Err(DomainError), "{text}");
        }
    }
}
