//! Methods, one table. Source: the methods of the IANA "Session Initiation Protocol (SIP) Parameters".

use alloc::boxed::Box;
use core::fmt;

use crate::chars;
use crate::error::BuildError;

macro_rules! methods {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// A request method. Names are case-sensitive. `[RFC 3261, Section 7.1]`
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Method {
            $($(#[$doc])* $variant,)*
            /// A method that is not in the registry, as it was written. Made by [`Method::from_token`].
            Other(OtherMethod),
        }

        impl Method {
            /// The registered methods.
            pub const REGISTERED: &'static [Method] = &[$(Method::$variant,)*];

            /// The name as it stands in a message.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Method::$variant => $name,)*
                    Method::Other(OtherMethod(name)) => name,
                }
            }

            /// The method of that name; `None` for one that the registry lacks.
            #[must_use]
            pub fn registered(name: &[u8]) -> Option<Method> {
                $(if name == $name.as_bytes() { return Some(Method::$variant); })*
                None
            }
        }
    };
}

methods! {
    /// Sets up a session. `[RFC 3261, Section 13]`
    Invite = "INVITE";
    /// Confirms a final response to INVITE. `[RFC 3261, Section 17.1.1.3]`
    Ack = "ACK";
    /// Ends a session. `[RFC 3261, Section 15]`
    Bye = "BYE";
    /// Gives up a pending request. `[RFC 3261, Section 9]`
    Cancel = "CANCEL";
    /// Binds contacts to an address of record. `[RFC 3261, Section 10]`
    Register = "REGISTER";
    /// Asks what the other side can do. `[RFC 3261, Section 11]`
    Options = "OPTIONS";
    /// Carries mid-session information. `[RFC 6086, Section 4]`
    Info = "INFO";
    /// Confirms a reliable provisional response. `[RFC 3262, Section 6]`
    Prack = "PRACK";
    /// Changes a session without a new INVITE. `[RFC 3311, Section 5]`
    Update = "UPDATE";
    /// Asks the receiver to contact a third party. `[RFC 3515, Section 2.4]`
    Refer = "REFER";
    /// Asks for notifications of a state. `[RFC 6665, Section 3.1]`
    Subscribe = "SUBSCRIBE";
    /// Tells of a change of state. `[RFC 6665, Section 3.2]`
    Notify = "NOTIFY";
    /// Publishes event state. `[RFC 3903, Section 4]`
    Publish = "PUBLISH";
    /// Carries an instant message. `[RFC 3428, Section 4]`
    Message = "MESSAGE";
}

/// The name of a method that is not in the registry: always a token, never a registered name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OtherMethod(Box<str>);

impl Method {
    /// The method of that name.
    ///
    /// # Errors
    /// [`BuildError::NotAToken`] where the bytes are no token.
    pub fn from_token(name: &[u8]) -> Result<Method, BuildError> {
        if let Some(method) = Method::registered(name) {
            return Ok(method);
        }
        match core::str::from_utf8(name) {
            Ok(text) if chars::is_token(name) => Ok(Method::Other(OtherMethod(text.into()))),
            _ => Err(BuildError::NotAToken { what: "method" }),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for method in Method::REGISTERED {
            assert_eq!(Method::from_token(method.as_str().as_bytes()).unwrap(), *method);
        }
        let other = Method::from_token(b"invite").unwrap();
        assert_ne!(other, Method::Invite);
        assert_eq!(other.as_str(), "invite");
        assert!(Method::from_token(b"IN VITE").is_err());
        assert!(Method::from_token(b"").is_err());
    }
}
