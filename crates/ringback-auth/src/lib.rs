//! Digest authentication for SIP, without I/O: challenges, credentials, verification, nonces.
//!
//! ```text
//!                     401 or 407: one challenge for each algorithm, most preferred first
//!   Authenticator ──challenge(stale, now)──────────────────▶ DigestClient::challenged, sign
//!        ▲                                                        │
//!        │   request ◀────────── Authorization, nc counted ───────┘
//!        │
//!        ├─ begin(request) ──▶ NoCredentials   challenge
//!        │                     Malformed       400
//!        │                     Claim ──▶ the caller looks up the user's Ha1
//!        └─ finish(claim, ha1) ──▶ Verified(DigestVerified)   the proof that the next step asks for
//!                                  Stale                      challenge with stale=true
//!                                  Wrong                      challenge, or refuse
//! ```
//!
//! Sources: the scheme is that of `[RFC 7616, Section 3]` with the changes of `[RFC 8760, Section 2]` and `[RFC 3261, Section 22]`;
//! clients without qop are served as `[RFC 3261, Section 22.4]` asks, each nonce once.
//!
//! **Not supported:** Basic (forbidden in SIP), userhash, AKA, normalisation of names and passwords.
//!
//! ```
//! use bytes::Bytes;
//! use ringback_auth::{AuthConfig, Authenticator, AuthSession, Begin, Ha1Set, NonceSecret, Password, Verdict};
//! use ringback_base::{Now, Random};
//! use ringback_message::{Edit, HeaderId, Message, Request, Response, StatusCode};
//!
//! let (mut random, now) = (Random::from_seed([1; 32]), Now::default());
//! let secret = NonceSecret::random(&mut random);
//! let mut server = Authenticator::new(AuthConfig::new("b.example"), &secret, 0, &mut random)?;
//! let stored = Ha1Set::of("alice", "b.example", &Password::new("wonderland"));
//!
//! // A request without credentials is challenged.
//! let register = Request::check(Message::parse(Bytes::from_static(
//!     b"REGISTER sip:b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nFrom: <sip:alice@b.example>;tag=1\r\n\
//!       To: <sip:alice@b.example>\r\nCall-ID: 7@a.example\r\nCSeq: 1 REGISTER\r\n\r\n",
//! ))?)?;
//! assert!(matches!(server.begin(&register, HeaderId::Authorization, now), Begin::NoCredentials));
//! let mut unauthorized = Response::to(&register, StatusCode::Unauthorized).to_tag("2");
//! for value in server.challenge(false, now) {
//!     unauthorized = unauthorized.raw(HeaderId::WwwAuthenticate, value);
//! }
//! let unauthorized = unauthorized.build()?;
//!
//! // The client answers.
//! let mut session = AuthSession::pick(&unauthorized, HeaderId::WwwAuthenticate, Some("b.example"), &mut random)?;
//! let ha1 = session.ha1("alice", &Password::new("wonderland"));
//! let value = session.answer("alice", &ha1, &register)?;
//! let register = Edit::new(&register).append(HeaderId::Authorization, value.as_bytes()).finish()?;
//!
//! // The server looks up the user and has its proof.
//! let register = Request::check(register)?;
//! let Begin::Claim(claim) = server.begin(&register, HeaderId::Authorization, now) else { panic!() };
//! assert_eq!(claim.user(), "alice");
//! let ha1 = stored.find(claim.algorithm());
//! let Verdict::Verified(proof) = server.finish(claim, ha1, now) else { panic!() };
//! assert_eq!((proof.user(), proof.realm()), ("alice", "b.example"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]

extern crate alloc;

mod account;
mod algorithm;
mod authenticator;
mod base64;
mod challenge;
mod client;
mod config;
mod credentials;
mod digest;
mod digest_client;
mod give_up;
mod ha1;
mod hmac;
mod next_hop;
mod nonce;
mod parameter;

pub use account::{Account, Secret};
pub use algorithm::{Algorithm, Qop, UnknownAlgorithm};
pub use authenticator::{Authenticator, Begin, CREDENTIALS_MAX, Claim, Counters, DigestVerified, StaleReason, Verdict};
pub use challenge::{Challenge, ChallengeError};
pub use client::{AnswerError, AuthSession, CHALLENGES_MAX, ServerProof};
pub use config::{AuthConfig, AuthConfigError, NONCE_LIFETIME_SECS, NONCES_MAX, UriPolicy};
pub use credentials::{Credentials, CredentialsError, Limit};
pub use digest::{DigestInput, HexDigest, Protection};
pub use digest_client::{AuthAttempts, CALL_IDS_MAX, DigestClient, ROUNDS_MAX, Retry, SESSIONS_MAX};
pub use give_up::GiveUp;
pub use ha1::{Ha1, Ha1Error, Ha1Set, Password};
pub use nonce::{FreshNonce, NC_WINDOW, NonceSecret, NonceVerdict, Nonces, Spent};
pub use parameter::PARAMETER_BYTES_MAX;
