//! Header fields of RFC 3261 and its nearest kin whose grammar is one of the [shapes](crate::header::shapes).

use crate::header::shapes::{
    addresses, field, in_brackets, numbers, params_accessor, params_check, texts, token_params, token_values, tokens,
};
use crate::header::{OwnedText, Param};

tokens! {
    /// The methods that the sender takes; an empty one says that there are none. `[RFC 3261, Section 20.5]`
    ///
    /// ```text
    /// Allow = "Allow" HCOLON [Method *(COMMA Method)]
    /// ```
    Allow: "a method", case, MAY_BE_EMPTY;
    /// How the body was encoded, in the order in which it was done. `[RFC 3261, Section 20.12]`
    ///
    /// ```text
    /// Content-Encoding = ( "Content-Encoding" / "e" ) HCOLON content-coding *(COMMA content-coding)
    /// ```
    ContentEncoding: "a content coding", any_case;
    /// Extensions that a proxy must know. `[RFC 3261, Section 20.29]`
    ///
    /// ```text
    /// Proxy-Require = "Proxy-Require" HCOLON option-tag *(COMMA option-tag)
    /// ```
    ProxyRequire: "an option tag", any_case;
    /// Extensions that the receiver must know. `[RFC 3261, Section 20.32]`
    ///
    /// ```text
    /// Require = "Require" HCOLON option-tag *(COMMA option-tag)
    /// ```
    Require: "an option tag", any_case;
    /// Extensions that the sender knows; an empty one says that there are none. `[RFC 3261, Section 20.37]`
    ///
    /// ```text
    /// Supported = ( "Supported" / "k" ) HCOLON [option-tag *(COMMA option-tag)]
    /// ```
    Supported: "an option tag", any_case, MAY_BE_EMPTY;
    /// Extensions that a request required and the server doesn't know. `[RFC 3261, Section 20.40]`
    ///
    /// ```text
    /// Unsupported = "Unsupported" HCOLON option-tag *(COMMA option-tag)
    /// ```
    Unsupported: "an option tag", any_case;
}

numbers! {
    /// How many bytes the body has. `[RFC 3261, Section 20.14]`
    ///
    /// ```text
    /// Content-Length = ( "Content-Length" / "l" ) HCOLON 1*DIGIT
    /// ```
    ContentLength: u32, "a number of bytes below 4294967296";
    /// After how many seconds the message, or what it carries, is no longer valid. `[RFC 3261, Section 20.19]`
    ///
    /// ```text
    /// Expires = "Expires" HCOLON delta-seconds
    /// ```
    Expires: u32, "a number of seconds below 4294967296";
    /// After how many seconds without a keep-alive a server may take a flow for failed. `[RFC 5626, Section 10]`
    ///
    /// ```text
    /// Flow-Timer = "Flow-Timer" HCOLON 1*DIGIT
    /// ```
    FlowTimer: u32, "a number of seconds below 4294967296";
    /// Over how many branches at once a request may be forked from here on. `[RFC 5393, Section 5.3.1]`
    ///
    /// ```text
    /// Max-Breadth = "Max-Breadth" HCOLON 1*DIGIT
    /// ```
    MaxBreadth: u32, "a number below 4294967296";
    /// How many hops are left. `[RFC 3261, Section 20.22]`
    ///
    /// ```text
    /// Max-Forwards = "Max-Forwards" HCOLON 1*DIGIT
    /// ```
    MaxForwards: u8, "a number from 0 to 255";
    /// The shortest lifetime in seconds that a registrar grants. `[RFC 3261, Section 20.23]`
    ///
    /// ```text
    /// Min-Expires = "Min-Expires" HCOLON delta-seconds
    /// ```
    MinExpires: u32, "a number of seconds below 4294967296";
}

texts! {
    /// Whom the sender works for; it may be empty. `[RFC 3261, Section 20.25]`
    ///
    /// ```text
    /// Organization = "Organization" HCOLON [TEXT-UTF8-TRIM]
    /// ```
    Organization: |_| true, "text";
    /// What the call is about; it may be empty. `[RFC 3261, Section 20.36]`
    ///
    /// ```text
    /// Subject = ( "Subject" / "s" ) HCOLON [TEXT-UTF8-TRIM]
    /// ```
    Subject: |_| true, "text";
}

token_values! {
    /// How urgent the call is to its receiver: `emergency`, `urgent`, `normal`, `non-urgent` or another word. `[RFC 3261, Section 20.26]`
    ///
    /// ```text
    /// Priority       = "Priority" HCOLON priority-value
    /// priority-value = "emergency" / "urgent" / "normal" / "non-urgent" / other-priority
    /// ```
    Priority: "a priority";
}

impl<T: AsRef<[u8]>> Priority<T> {
    /// Whether it is this one, in any case.
    #[must_use]
    pub fn is(&self, priority: impl AsRef<[u8]>) -> bool {
        self.token.as_ref().eq_ignore_ascii_case(priority.as_ref())
    }
}

addresses! {
    /// Who sent the request. `[RFC 3261, Section 20.20]`
    ///
    /// ```text
    /// From      = ( "From" / "f" ) HCOLON from-spec
    /// from-spec = ( name-addr / addr-spec ) *( SEMI from-param )
    /// ```
    ///
    /// The prelude has a trait of this name: name this one as `header::From`.
    From {
        /// The sender's part of the dialog's name. `[RFC 3261, Section 19.3]`
        tag = "tag": token,
    };
    /// Whom the request is meant for. `[RFC 3261, Section 20.39]`
    ///
    /// ```text
    /// To = ( "To" / "t" ) HCOLON ( name-addr / addr-spec ) *( SEMI to-param )
    /// ```
    To {
        /// The receiver's part of the dialog's name. `[RFC 3261, Section 19.3]`
        tag = "tag": token,
    };
    /// A proxy that wants to see the later requests of the dialog, one of the line. `[RFC 3261, Section 20.30]`
    ///
    /// ```text
    /// Record-Route = "Record-Route" HCOLON rec-route *(COMMA rec-route)
    /// rec-route    = name-addr *( SEMI rr-param )
    /// ```
    RecordRoute, BY_COMMA where in_brackets;
    /// A proxy that the request shall pass, one of the line. `[RFC 3261, Section 20.34]`
    ///
    /// ```text
    /// Route       = "Route" HCOLON route-param *(COMMA route-param)
    /// route-param = name-addr *( SEMI rr-param )
    /// ```
    Route, BY_COMMA where in_brackets;
    /// Where the sender wants to be called back. `[RFC 3261, Section 20.31]`
    ///
    /// ```text
    /// Reply-To    = "Reply-To" HCOLON rplyto-spec
    /// rplyto-spec = ( name-addr / addr-spec ) *( SEMI rplyto-param )
    /// ```
    ReplyTo;
}

macro_rules! tagged {
    ($($name:ident)*) => {$(
        impl $name<OwnedText> {
            /// With this tag.
            #[must_use]
            pub fn with_tag(self, tag: impl AsRef<[u8]>) -> Self {
                self.with_param(Param::raw("tag", tag))
            }
        }
    )*};
}

tagged!(From To);

token_params! {
    /// An encoding of bodies that the sender takes, one of the line; an empty line means `identity`. `[RFC 3261, Section 20.2]`
    ///
    /// ```text
    /// Accept-Encoding = "Accept-Encoding" HCOLON [ encoding *(COMMA encoding) ]
    /// encoding        = codings *(SEMI accept-param)
    /// codings         = content-coding / "*"
    /// ```
    AcceptEncoding {
        /// The encoding, or `*` for all others.
        coding: "a content coding or *"
    }, BY_COMMA, MAY_BE_EMPTY {
        /// How much it is preferred: 1 where it is missing, 0 for not at all.
        q = "q": qvalue,
    };
    /// What to do with the body, or with a part of it. `[RFC 3261, Section 20.11]`
    ///
    /// ```text
    /// Content-Disposition = "Content-Disposition" HCOLON disp-type *( SEMI disp-param )
    /// disp-param          = handling-param / generic-param
    /// ```
    ContentDisposition {
        /// `session`, `render`, `icon`, `alert` or another.
        disposition: "a disposition"
    } {
        /// What a receiver does that doesn't know the type or disposition: `required`, `optional` or another.
        handling = "handling": token,
    };
}

impl<T: AsRef<[u8]>> ContentDisposition<T> {
    /// Whether a receiver that doesn't know type or disposition must refuse the message: all but `optional` says so, also where
    /// the parameter is missing. `[RFC 3261, Section 20.11]` `[RFC 5621, Section 8.4]`
    #[must_use]
    pub fn is_required(&self) -> bool {
        !self.handling().is_some_and(|handling| handling.eq_ignore_ascii_case(b"optional"))
    }
}
