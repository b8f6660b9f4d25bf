//! Header fields of later RFCs whose grammar is one of the [shapes](crate::header::shapes).

use crate::header::shapes::{addresses, field, params_accessor, params_check, token_params};

addresses! {
    /// Whom the receiver shall contact. `[RFC 3515, Section 2.1]`
    ReferTo;
}

token_params! {
    /// Which state a subscription is to. `[RFC 6665, Section 8.2.1]`
    ///
    /// ```text
    /// Event = ( "Event" / "o" ) HCOLON event-type *( SEMI event-param )
    /// ```
    Event {
        /// The event package, and templates behind dots.
        package: "an event package"
    } {
        /// Tells subscriptions of one dialog apart.
        id = "id": text,
    };
}
