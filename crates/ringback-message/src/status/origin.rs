//! Who of Ringback's elements sends a code, and for what reason: the first half of the response matrix.
//!
//! The second half is played: `ringback-testkit` has for each code that is sent a scenario in which the element sends it for this
//! reason, and in which our client gets it.

use super::{Origin, OriginState, StatusCode};

/// A row reads: the code, who sends it, and when; or that it is only received, or open, and why.
macro_rules! origins {
    ($($code:literal $kind:ident $text:literal)+) => {
        pub(super) static ROWS: &[Origin] = &[$(Origin {
            code: StatusCode($code),
            state: origin!($kind),
            trigger: $text,
        }),+];
    };
}

macro_rules! origin {
    (ReceivedOnly) => {
        OriginState::ReceivedOnly
    };
    (Open) => {
        OriginState::Open
    };
    ($element:ident) => {
        OriginState::Sent(super::Element::$element)
    };
}

origins! {
    100 Proxy "an INVITE is being relayed, or waits at a user agent for a person"
    180 Application "the phone rings"
    181 Application "a call is passed on: the user agent that was called calls somebody else for its user"
    182 Application "all are busy, and the call waits its turn"
    183 Application "there is something to hear before the answer: an announcement, the tone of another network"
    199 Proxy "one of several phones that ring refuses, and another goes on ringing: its early dialog is over, and the caller knows 199"
    200 Agent "the request succeeded"
    202 Application "a message is kept for somebody who is not there, and delivered later"
    204 Agent "a subscriber refreshes with the entity tag of the state that it has, and the state is still that one"

    300 RedirectServer "the name stands for several, of whom each will do (`[[name]]`, `choice`)"
    301 RedirectServer "the user of the name has another address now (`[[name]]`, `moved`)"
    302 RedirectServer "the domain or the account redirects, and the user has contacts"
    305 Agent "a call comes to a user agent that takes calls through its proxy only (`use_proxy`), and came through none"
    380 Application "the user can't be reached so, but in another way, which the body describes"

    400 Server "the request is malformed; the phrase names the header field and the byte"
    401 Registrar "a REGISTER has no credentials, or wrong ones"
    402 ReceivedOnly "reserved: nobody may send it for a reason of his own"
    403 Registrar "who is known by their credentials registers for another user; and at a proxy: From names another user, or the domain is not ours"
    404 Proxy "the domain has no such user"
    405 Server "a method that we know, but not at the address of the server itself"
    406 Agent "a subscriber accepts no type that the state is told in"
    407 Proxy "a request for a user of the domain has no credentials, or wrong ones"
    408 Proxy "an INVITE was relayed, and nobody answered in time"
    409 ReceivedOnly "not in the registry: old registrars say it"
    410 Proxy "the user of the name has left for good (`[[name]]`, `gone`)"
    411 ReceivedOnly "not in the registry: old servers say it"
    412 Application "a PUBLISH names an entity tag that the compositor doesn't hold, because it has expired or was lost"
    413 Agent "a body is longer than the user agent is set up to read (`body_bytes_max`)"
    414 Server "the Request-URI is longer than the server reads (`limits.uri_bytes_max`)"
    415 Agent "an INVITE, a PRACK or an UPDATE brings a body that is no session description"
    416 Server "the Request-URI is no SIP URI: `tel`, say"
    417 Agent "a request requires Resource-Priority, and none of its values is known (`resource_priorities`)"
    420 Agent "Require lists an option tag that isn't supported; at a proxy, Proxy-Require"
    421 Agent "a call lacks an extension that the user agent insists on (`required`), in a closed network"
    422 Agent "a call asks for a session interval below the least that the user agent is set up with"
    423 Registrar "a binding is asked for a shorter time than the least that the registrar grants"
    424 Open "no element of ours reads locations yet"
    425 Open "no element of ours reads alerts yet"
    428 Open "there is no verification service yet"
    429 Agent "a call names who referred it without a token for it, and the user agent wants one (`wants_referrer_proof`)"
    430 Proxy "a request is to go by a flow that a phone has registered, and the flow is gone (`[edge]`)"
    433 Proxy "the caller withholds their name, and the user takes no such calls (`directory.refuse_anonymous`)"
    436 Open "there is no verification service yet"
    437 Open "there is no verification service yet"
    438 Open "there is no verification service yet"
    439 Registrar "a phone registers a flow with outbound, and the first proxy on its way doesn't do outbound"
    440 Proxy "a request would be forked that may have no branch any more"
    469 Agent "an INFO is of a package that the user agent doesn't take"
    470 Open "there is no relay for lists yet"
    480 Proxy "the user has no binding now; and from a user agent whose user is away"
    481 Agent "a request is of a dialog, or a CANCEL of an INVITE, that isn't there any more"
    482 Proxy "a request comes by a second time that would go the same way again"
    483 Proxy "a request comes with Max-Forwards at 0"
    484 Proxy "a number is shorter than those of the domain, and no user has it (`directory.number_digits_min`)"
    485 Proxy "the name may mean any of several, of whom one is meant (`[[name]]`, `ambiguous`)"
    486 Application "the user is in another call"
    487 Agent "an INVITE was cancelled"
    488 Agent "no medium of the offer can be used: no codec in common"
    489 Agent "a SUBSCRIBE is for a package that the notifier doesn't have"
    491 Agent "a re-INVITE meets one of our own in the same dialog"
    493 Agent "a body is encrypted: the user agent has no key"
    494 Open "no element of ours agrees on security mechanisms yet"

    500 Registrar "the location table has no room for another user, and may have later; and from a user agent: a second INVITE comes before the first is answered"
    501 Server "nobody here knows the method"
    502 Proxy "what the next element answered can't be passed on"
    503 Server "the server is being shut down: it takes no new requests"
    504 Proxy "a look-up that the request waits for takes too long: the address of a phone that is known by a name (`timers.lookup_timeout_ms`)"
    505 Server "the request is of another version of SIP"
    513 Server "a message has more header lines than are read (512), or by a connection more bytes (`tcp.message_bytes_max`)"
    555 Open "the registrar doesn't do push yet"
    580 Agent "an offer demands a precondition that the user agent doesn't know"

    600 Application "the user is busy, and wants no other device of theirs to ring"
    603 Application "the user declines"
    604 Proxy "the domain has no such user, and speaks for all (`directory.speaks_for_all`)"
    606 Application "the user would talk, but on none of their devices in what is offered"
    607 Application "the user doesn't want this call, and no other of this caller"
    608 Open "no element of ours blocks calls for others"
}
