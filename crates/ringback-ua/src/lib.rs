//! User agents without I/O.
#![no_std]

extern crate alloc;

mod dialog;
mod registration;

pub use dialog::{DIALOG_BYTES_MAX, Dialog, DialogError, DialogId, OutOfOrder, ROUTES_MAX};
pub use registration::{
    BINDINGS_READ_MAX, CONTACTS_MAX, Gruu, LEARNT_BYTES_MAX, Registration, RegistrationConfig, RegistrationContact,
    RegistrationError, RegistrationEvent, RegistrationPolicy, RegistrationState, RegistrationStep, TOO_BRIEF_MAX,
};

use ringback_message::{HeaderId, Message};

/// Whether a list of tokens holds this one, in any case.
fn lists(message: &Message, id: HeaderId, token: &str) -> bool {
    message.tokens(id).flatten().any(|listed| listed.eq_ignore_ascii_case(token.as_bytes()))
}
