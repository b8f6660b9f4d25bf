//! Hands what libFuzzer draws to the target that `RINGBACK_FUZZ_TARGET` names; `cargo xtask fuzz` builds and starts it.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use ringback_fuzz::{Target, target};

static TARGET: OnceLock<Target> = OnceLock::new();

fuzz_target!(init: {
    let name = std::env::var("RINGBACK_FUZZ_TARGET").unwrap_or_default();
    let found = target(&name).unwrap_or_else(|| panic!("RINGBACK_FUZZ_TARGET names no target: {name:?}"));
    TARGET.get_or_init(|| found);
}, |data: &[u8]| {
    if let Some(target) = TARGET.get() {
        (target.check)(data);
    }
});
