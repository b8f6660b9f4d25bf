//! Header fields of RFC 3261 whose grammar is one of the [shapes](crate::header::shapes).

use crate::header::shapes::{field, numbers, texts, tokens};

tokens! {
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
}

numbers! {
    /// After how many seconds the message, or what it carries, is no longer valid. `[RFC 3261, Section 20.19]`
    Expires: u32, "a number of seconds below 4294967296";
    /// How many hops are left. `[RFC 3261, Section 20.22]`
    MaxForwards: u8, "a number from 0 to 255";
}

texts! {
    /// What the call is about. `[RFC 3261, Section 20.36]`
    Subject: |_| true, "text";
}
