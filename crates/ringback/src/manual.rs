//! The manual: chapters whose programs run in CI.
//!
//! It is for those who write Rust and have not met SIP. Each message in it was made by the builder, the lint finds nothing in it, and
//! programs that others wrote read it as it is meant; [`hostile_input`] shows, besides, what is wrong on purpose.
//!
//! | chapter | tells |
//! |---|---|
//! | [`messages`] | what a message looks like; reading, changing and making one |
//! | [`requests`] | the methods; a call from INVITE to BYE; REGISTER; extensions |
//! | [`responses`] | the six classes; what an answer must carry, and what its receiver does |
//! | [`response_processing`] | what a client does with each response, step by step or by itself within limits |
//! | [`codes`] | all response codes in a table |
//! | [`sdp`] | what a session description says; reading and writing one |
//! | [`negotiation`] | offer and answer; hold; changes; glare |
//! | [`early_media`] | the offer in an INVITE, the answer in a 200, 488, and media before the call is taken |
//! | [`transactions`] | what is sent again, for how long, and what finds what |
//! | [`dialogs`] | what two phones know of each other; routes; CSeq |
//! | [`authentication`] | digest, as server and as client |
//! | [`hostile_input`] | depths of verdict; what to answer to what is malformed; limits |
//! | [`testing`] | your application on a line that loses every third datagram, in a second |
//! | [`adding_a_header`] | a header field of one's own, with a type; how to contribute one |

#[doc = include_str!("../manual/messages.md")]
pub mod messages {}

#[doc = include_str!("../manual/requests.md")]
#[doc = "\n"]
#[doc = include_str!("../manual/methods.md")]
pub mod requests {}

#[doc = include_str!("../manual/responses.md")]
pub mod responses {}

#[doc = include_str!("../manual/response-processing.md")]
#[doc = "\n"]
#[doc = include_str!("../manual/outcomes.md")]
pub mod response_processing {}

#[doc = include_str!("../manual/codes.md")]
pub mod codes {}

#[doc = include_str!("../manual/sdp.md")]
pub mod sdp {}

#[doc = include_str!("../manual/negotiation.md")]
pub mod negotiation {}

#[doc = include_str!("../manual/early-media.md")]
pub mod early_media {}

#[doc = include_str!("../manual/transactions.md")]
pub mod transactions {}

#[doc = include_str!("../manual/dialogs.md")]
pub mod dialogs {}

#[doc = include_str!("../manual/authentication.md")]
pub mod authentication {}

#[doc = include_str!("../manual/hostile-input.md")]
pub mod hostile_input {}

#[doc = include_str!("../manual/testing.md")]
pub mod testing {}

#[doc = include_str!("../manual/adding-a-header.md")]
pub mod adding_a_header {}
