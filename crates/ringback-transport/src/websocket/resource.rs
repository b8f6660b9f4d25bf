//! What a client asks a server for. (RFC 6455)

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use super::http::is_field;

/// The longest name of a resource with all further header fields, in bytes: what servers read of a handshake, ours too, is more.
const RESOURCE_BYTES: usize = 8_192;

/// Header fields that the handshake writes itself, or that would change what it is.
const OURS: [&str; 6] = ["host", "upgrade", "connection", "content-length", "transfer-encoding", "expect"];
const OURS_BEGIN: &str = "sec-websocket-";

/// The name of a resource of HTTP: a path from `/` on, and perhaps a query. `/` where nothing is said.
///
/// Further header fields of the handshake are part of it: the cookie, token or password that a server wants, the origin that it lets in.
/// A challenge of HTTP is not answered, so they are to be there from the start. `[RFC 7118, Section 7]`
///
/// ```
/// use ringback_transport::websocket::Resource;
///
/// let resource = "/ws?token=7".parse::<Resource>()?.field("Origin", "https://phone.example.com")?;
/// assert_eq!(resource.as_str(), "/ws?token=7");
/// assert!("ws".parse::<Resource>().is_err() && "/a b".parse::<Resource>().is_err());
/// assert!(Resource::default().field("Cookie", "a=b\r\nHost: c").is_err());
/// assert!(Resource::default().field("Host", "c").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Resource {
    name: Box<str>,
    /// Whole lines.
    fields: String,
}

/// What can't be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResourceError {
    /// This is the name of no resource.
    Name(String),
    /// A header field of this name can't be added, or not with this value, which may be a secret.
    Field(String),
    /// There is too much of it.
    TooLong,
}

impl Resource {
    /// As it stands in a request.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// With a header field more in the handshake.
    ///
    /// # Errors
    /// Where it is none, or one that the handshake has of its own.
    pub fn field(mut self, name: &str, value: &str) -> Result<Resource, ResourceError> {
        let lower = name.to_ascii_lowercase();
        let is_ours = OURS.contains(&&*lower) || lower.starts_with(OURS_BEGIN);
        if is_ours || !is_field(name.as_bytes(), value.as_bytes()) {
            return Err(ResourceError::Field(name.into()));
        }
        self.fields.extend([name, ": ", value, "\r\n"]);
        if self.fields.len() > RESOURCE_BYTES { Err(ResourceError::TooLong) } else { Ok(self) }
    }

    /// The further header fields, each with the end of its line.
    pub(super) fn lines(&self) -> &str {
        &self.fields
    }
}

impl Default for Resource {
    fn default() -> Resource {
        Resource { name: "/".into(), fields: String::new() }
    }
}

impl FromStr for Resource {
    type Err = ResourceError;

    fn from_str(text: &str) -> Result<Resource, ResourceError> {
        // A fragment is never sent, and nothing may end the line.
        let is_one = text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        match is_one {
            true if text.len() > RESOURCE_BYTES => Err(ResourceError::TooLong),
            true => Ok(Resource { name: text.into(), fields: String::new() }),
            false => Err(ResourceError::Name(text.into())),
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Without the header fields, which may be secrets.
impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Display for ResourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResourceError::Name(text) => write!(f, "{text:?} is no path: expected one such as /ws, of visible ASCII"),
            ResourceError::Field(name) => write!(f, "a header field {name:?} can't be added, or not with this value"),
            ResourceError::TooLong => write!(f, "what is asked for is longer than {RESOURCE_BYTES} bytes"),
        }
    }
}

impl core::error::Error for ResourceError {}
