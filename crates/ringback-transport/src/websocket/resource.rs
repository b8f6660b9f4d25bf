//! What a client asks a server for. (RFC 6455)

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

/// The longest name of a resource, in bytes.
const RESOURCE_BYTES: usize = 1_024;

/// The name of a resource of HTTP: a path from `/` on, and perhaps a query. `/` where nothing is said.
///
/// ```
/// use ringback_transport::websocket::Resource;
///
/// let resource: Resource = "/ws?token=7".parse()?;
/// assert_eq!(resource.as_str(), "/ws?token=7");
/// assert!("ws".parse::<Resource>().is_err() && "/a b".parse::<Resource>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource(Box<str>);

/// A text that is the name of no resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceError {
    text: String,
}

impl Resource {
    /// As it stands in a request.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Resource {
    fn default() -> Resource {
        Resource("/".into())
    }
}

impl FromStr for Resource {
    type Err = ResourceError;

    fn from_str(text: &str) -> Result<Resource, ResourceError> {
        // A fragment is never sent, and nothing may end the line.
        let is_one = text.starts_with('/')
            && text.len() <= RESOURCE_BYTES
            && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        if is_one { Ok(Resource(text.into())) } else { Err(ResourceError { text: text.into() }) }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ResourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no path: expected one such as /ws, of visible ASCII", self.text)
    }
}

impl core::error::Error for ResourceError {}
