//! User agents without I/O.
#![no_std]

extern crate alloc;

mod dialog;

pub use dialog::{DIALOG_BYTES_MAX, Dialog, DialogError, DialogId, OutOfOrder, ROUTES_MAX};
