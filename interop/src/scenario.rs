//! The scenarios that SIPp plays.

macro_rules! scenarios {
    ($($name:ident = $file:literal;)*) => {
        $(pub(crate) const $name: &str = include_str!(concat!("../sipp/", $file, ".xml"));)*
        #[cfg(test)]
        const ALL: &[&str] = &[$($name),*];
    };
}

scenarios! {
    AGENT_CALL = "agent-call";
    AGENT_CALLEE = "agent-callee";
    AGENT_CANCELS = "agent-cancels";
    AGENT_CANCELS_EARLY = "agent-cancels-early";
    AGENT_CANCELS_LATE = "agent-cancels-late";
    AGENT_CANCEL_LATE = "agent-cancel-late";
    AGENT_CANCEL_RINGING = "agent-cancel-ringing";
    AGENT_CANCEL_TRYING = "agent-cancel-trying";
    AGENT_LARGE = "agent-large";
    AGENT_REDIRECT = "agent-redirect";
    CALL = "call";
    CALL_FOREIGN = "call-foreign";
    CALL_HUNG_UP = "call-hung-up";
    CALL_REFUSED = "call-refused";
    CALLEE = "callee";
    CALLEE_BUSY = "callee-busy";
    CALLEE_CANCELLED = "callee-cancelled";
    CALLEE_HANGS_UP = "callee-hangs-up";
    CALLEE_MESSAGE = "callee-message";
    CALLEE_SILENT = "callee-silent";
    CALLEE_SLOW = "callee-slow";
    CANCEL = "cancel";
    CANCEL_EARLY = "cancel-early";
    EXAMPLE_CALL = "example-call";
    EXAMPLE_CALLEE = "example-callee";
    EXAMPLE_ODYSSEY = "example-odyssey";
    MESSAGE = "message";
    OPTIONS = "options";
    OPTIONS_LATE = "options-late";
    REDIRECT = "redirect";
    REGISTER = "register";
    REGISTER_REFUSED = "register-refused";
    RETRANSMIT = "retransmit";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_says_what_it_proves() {
        for text in ALL {
            assert!(text.contains("<!--\n  Proves"), "{text}");
        }
        assert!(CALL_REFUSED.contains("response=\"STATUS\""));
        assert!(MESSAGE.contains("METHOD sip:"));
    }
}
