//! Methods, one table. Source: the methods of the IANA "Session Initiation Protocol (SIP) Parameters".
//!
//! A row reads: variant, name, source and `also` further ones, the meaning; then, yes or no, whether its requests may form
//! a dialog, refresh the target, be sent outside a dialog, and inside one; then what they `must` carry.

use alloc::boxed::Box;
use core::fmt;

use crate::chars;
use crate::error::BuildError;
use crate::header::HeaderId;
use crate::registry::Source;

/// What holds of the requests of a method. [`Method::info`] has it for each registered one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MethodInfo {
    /// The method.
    pub method: Method,
    /// The section that defines it.
    pub source: Source,
    /// Further sections that the row rests on.
    pub also: &'static [Source],
    /// What it does, in one sentence.
    pub meaning: &'static str,
    /// Whether it may form a dialog: for a request outside of one, a 2xx does, and for INVITE a 101 to 199 with a tag in To.
    /// A NOTIFY forms it for the subscriber. `[RFC 3261, Section 12.1]` `[RFC 6665, Section 4.4.1]`
    pub forms_dialog: bool,
    /// Whether its Contact becomes the remote target of the dialog that it is sent in. `[RFC 3261, Section 12.2]`
    pub refreshes_target: bool,
    /// Whether it may be sent outside of a dialog.
    pub outside_dialog: bool,
    /// Whether it may be sent inside a dialog. ACK and CANCEL are where the request is that they belong to.
    pub inside_dialog: bool,
    /// What a request must carry beyond To, From, CSeq, Call-ID, Max-Forwards and Via. `[RFC 3261, Section 8.1.1]`
    pub must: &'static [RequestCarry],
}

/// A header field that a request must carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestCarry {
    /// The header field.
    pub header: HeaderId,
    /// Where it is not in every request of the method: when it is, in words.
    pub when: Option<&'static str>,
}

macro_rules! methods {
    ($(
        $variant:ident $name:literal [$source:literal $(also $($also:literal)+)?] $meaning:literal
            $forms:ident $refreshes:ident $outside:ident $inside:ident $(, must [$($header:ident $(if $when:literal)?),+])?;
    )*) => {
        /// A request method. Names are case-sensitive. `[RFC 3261, Section 7.1]`
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Method {
            $(
                #[doc = concat!($meaning, " `[", $source, "]`")]
                $variant,
            )*
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

            /// What holds of its requests; `None` for a method that the registry lacks.
            #[must_use]
            pub fn info(&self) -> Option<&'static MethodInfo> {
                match self {
                    $(Method::$variant => {
                        static ROW: MethodInfo = MethodInfo {
                            method: Method::$variant,
                            source: Source::new($source),
                            also: &[$($(Source::new($also)),+)?],
                            meaning: $meaning,
                            forms_dialog: methods!(@ $forms),
                            refreshes_target: methods!(@ $refreshes),
                            outside_dialog: methods!(@ $outside),
                            inside_dialog: methods!(@ $inside),
                            must: &[$($(RequestCarry {
                                header: HeaderId::$header,
                                when: methods!(@when $($when)?),
                            }),+)?],
                        };
                        Some(&ROW)
                    })*
                    Method::Other(_) => None,
                }
            }
        }
    };
    (@ y) => { true };
    (@ n) => { false };
    (@when) => { None };
    (@when $when:literal) => { Some($when) };
}

methods! {
    Invite "INVITE" ["RFC 3261, Section 13" also "RFC 3261, Section 12.2" "RFC 3261, Section 14" "RFC 3261, Section 8.1.1.8"]
        "Sets up a session, or changes one."
        y y y y, must [Contact];
    Ack "ACK" ["RFC 3261, Section 17.1.1.3" also "RFC 3261, Section 13.2.2.4" "RFC 3261, Section 12.2"]
        "Confirms a final response to INVITE."
        n n y y;
    Bye "BYE" ["RFC 3261, Section 15"]
        "Ends a session."
        n n n y;
    Cancel "CANCEL" ["RFC 3261, Section 9"]
        "Gives up a pending request."
        n n y y;
    Register "REGISTER" ["RFC 3261, Section 10" also "RFC 3261, Section 10.2" "RFC 5057, Section 2"]
        "Binds contacts to an address of record."
        n n y n;
    Options "OPTIONS" ["RFC 3261, Section 11" also "RFC 3261, Section 11.2"]
        "Asks what the other side can do."
        n n y y;
    Info "INFO" ["RFC 6086, Section 4" also "RFC 6086, Section 4.2.1" "RFC 6086, Section 7.1"]
        "Carries information within a session."
        n n n y, must [InfoPackage if "not a legacy usage without packages"];
    Prack "PRACK" ["RFC 3262, Section 6" also "RFC 3262, Section 7.2"]
        "Confirms a reliable provisional response."
        n n n y, must [RAck];
    Update "UPDATE" ["RFC 3311, Section 5" also "RFC 3311, Section 5.1" "RFC 3311, Section 7"]
        "Changes a session without a new INVITE."
        n y n y, must [Contact];
    Refer "REFER" ["RFC 3515, Section 2.4" also "RFC 3515, Section 2" "RFC 5057, Section 5.4"]
        "Asks the receiver to contact a third party."
        y y y y, must [ReferTo, Contact];
    Subscribe "SUBSCRIBE" ["RFC 6665, Section 3.1" also "RFC 6665, Section 3.1.2" "RFC 3261, Section 8.1.1.8"]
        "Asks for notifications of a state."
        y y y y, must [Event, Contact];
    Notify "NOTIFY" ["RFC 6665, Section 3.2" also "RFC 6665, Section 4.1.3" "RFC 6665, Section 4.4.1"]
        "Tells of a change of state."
        y y n y, must [Event, SubscriptionState, Contact];
    Publish "PUBLISH" ["RFC 3903, Section 4" also "RFC 3903, Section 6"]
        "Publishes event state."
        n n y y, must [Event, SipIfMatch if "state that was published before is refreshed, changed or removed"];
    Message "MESSAGE" ["RFC 3428, Section 4" also "RFC 3428, Section 3"]
        "Carries an instant message."
        n n y y;
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
