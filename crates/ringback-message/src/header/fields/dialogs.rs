//! Header fields that name a dialog: Replaces, Join, Target-Dialog.

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::Param;
use crate::header::fields::call_id::call_id;
use crate::header::shapes::{field, headed, params_accessor, params_check};
use crate::params::Params;

headed! {
    /// The dialog that the new call takes the place of. `[RFC 3891, Section 6.1]`
    ///
    /// ```text
    /// Replaces       = "Replaces" HCOLON callid *(SEMI replaces-param)
    /// replaces-param = to-tag / from-tag / early-flag / generic-param
    /// to-tag         = "to-tag" EQUAL token
    /// from-tag       = "from-tag" EQUAL token
    /// early-flag     = "early-only"
    /// ```
    Replaces {
        /// The Call-ID of the dialog.
        call_id: call_id
    } where both_tags {
        /// The tag of the side that gets the request.
        to_tag = "to-tag": token,
        /// The tag of the other side.
        from_tag = "from-tag": token,
        /// Whether the dialog is to be replaced only while it is early.
        early_only = "early-only": flag,
    };
    /// The dialog whose conversation the new call joins. `[RFC 3911, Section 7.1]`
    ///
    /// ```text
    /// Join       = "Join" HCOLON callid *(SEMI join-param)
    /// join-param = to-tag / from-tag / generic-param
    /// ```
    Join {
        /// The Call-ID of the dialog.
        call_id: call_id
    } where both_tags {
        /// The tag of the side that gets the request.
        to_tag = "to-tag": token,
        /// The tag of the other side.
        from_tag = "from-tag": token,
    };
    /// A dialog that the sender knows, which lets the receiver trust the request. `[RFC 4538, Section 7]`
    ///
    /// ```text
    /// Target-Dialog = "Target-Dialog" HCOLON callid *(SEMI td-param)
    /// td-param      = remote-param / local-param / generic-param
    /// remote-param  = "remote-tag" EQUAL token
    /// local-param   = "local-tag" EQUAL token
    /// ```
    TargetDialog {
        /// The Call-ID of the dialog.
        call_id: call_id
    } {
        /// The tag of the side that sends the request.
        local_tag = "local-tag": token,
        /// The tag of the side that gets the request.
        remote_tag = "remote-tag": token,
    };
}

impl Replaces {
    /// The dialog with this Call-ID and these tags, as the receiver of the request sees it.
    #[must_use]
    pub fn new(call_id: impl AsRef<[u8]>, to_tag: impl AsRef<[u8]>, from_tag: impl AsRef<[u8]>) -> Replaces {
        let bare = Replaces { call_id: call_id.as_ref().into(), params: Params::default() };
        bare.with_param(Param::raw("to-tag", to_tag)).with_param(Param::raw("from-tag", from_tag))
    }

    /// Only while the dialog is early.
    #[must_use]
    pub fn with_early_only(self) -> Replaces {
        self.with_param(Param::flag("early-only"))
    }
}

impl Join {
    /// The dialog with this Call-ID and these tags, as the receiver of the request sees it.
    #[must_use]
    pub fn new(call_id: impl AsRef<[u8]>, to_tag: impl AsRef<[u8]>, from_tag: impl AsRef<[u8]>) -> Join {
        let bare = Join { call_id: call_id.as_ref().into(), params: Params::default() };
        bare.with_param(Param::raw("to-tag", to_tag)).with_param(Param::raw("from-tag", from_tag))
    }
}

impl TargetDialog {
    /// The dialog with this Call-ID and these tags, as the sender of the request sees it.
    #[must_use]
    pub fn new(call_id: impl AsRef<[u8]>, local_tag: impl AsRef<[u8]>, remote_tag: impl AsRef<[u8]>) -> TargetDialog {
        let bare = TargetDialog { call_id: call_id.as_ref().into(), params: Params::default() };
        bare.with_param(Param::raw("local-tag", local_tag)).with_param(Param::raw("remote-tag", remote_tag))
    }
}

/// "MUST contain exactly one to-tag and exactly one from-tag". `[RFC 3891, Section 6.1]` `[RFC 3911, Section 7.1]`
fn both_tags(start: &Cursor<'_>, _: &[u8], params: &Params<&[u8]>) -> Result<(), ParseError> {
    let count = |name: &[u8]| params.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).count();
    match (count(b"to-tag"), count(b"from-tag")) {
        (1, 1) => Ok(()),
        _ => Err(start.error_at(params.text(), "one to-tag and one from-tag")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;
    use crate::header::{HeaderId, check_value};

    #[test]
    fn what_would_be_another_dialog_is_refused() {
        let replaces = Replaces::new("a@b", "1", "2").with_early_only();
        assert_eq!(checked(&replaces).unwrap(), b"a@b;to-tag=1;from-tag=2;early-only");
        assert!(checked(&Replaces::new("a@b;to-tag=9", "1", "2")).is_err());
        assert!(checked(&Replaces::new("a@b", "1;from-tag=3", "2")).is_err());
        assert!(checked(&Replaces::new("a@b", "", "2")).is_err());
        assert!(checked(&Join::new("a@b", "1", "2").with_param(Param::raw("to-tag", "3"))).is_err());
        assert!(checked(&TargetDialog::new("a@b\r\nc", "1", "2")).is_err());
    }

    #[test]
    fn a_call_id_is_one_word_or_two() {
        for (value, bad) in
            [("a", None), ("a@b", None), ("", Some(0)), ("@b", Some(0)), ("a@", Some(2)), ("a@b@c", Some(3))]
        {
            let result = check_value(HeaderId::TargetDialog, value.as_bytes(), 0);
            assert_eq!(result.err().map(|error| error.offset), bad, "{value}");
        }
    }
}
