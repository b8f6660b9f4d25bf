//! Session-Expires and Min-SE. `[RFC 4028, Section 4]`

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::Param;
use crate::header::shapes::{field, number_params};
use crate::params::Params;

number_params! {
    /// After how many seconds without a refresh the session is over. `[RFC 4028, Section 4]`
    ///
    /// ```text
    /// Session-Expires = ("Session-Expires" / "x") HCOLON delta-seconds *(SEMI se-params)
    /// se-params       = refresher-param / generic-param
    /// refresher-param = "refresher" EQUAL  ("uas" / "uac")
    /// ```
    SessionExpires {
        /// The session interval in seconds.
        seconds: u32, "a number of seconds below 4294967296"
    } where refresher_param;
    /// The smallest session interval that is accepted. `[RFC 4028, Section 5]`
    ///
    /// ```text
    /// Min-SE = "Min-SE" HCOLON delta-seconds *(SEMI generic-param)
    /// ```
    MinSe {
        /// In seconds.
        seconds: u32, "a number of seconds below 4294967296"
    };
}

/// Which side of the transaction sends the refreshes. `[RFC 4028, Section 4]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refresher {
    /// The client of the transaction that says so.
    Uac,
    /// The server of the transaction that says so.
    Uas,
}

impl Refresher {
    /// The value of the parameter.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Refresher::Uac => "uac",
            Refresher::Uas => "uas",
        }
    }

    fn of(text: &[u8]) -> Option<Refresher> {
        [Refresher::Uac, Refresher::Uas].into_iter().find(|r| text.eq_ignore_ascii_case(r.as_str().as_bytes()))
    }
}

impl SessionExpires {
    /// With this side as the one that refreshes.
    #[must_use]
    pub fn with_refresher(self, refresher: Refresher) -> SessionExpires {
        self.with_param(Param::raw("refresher", refresher.as_str()))
    }
}

impl<T: AsRef<[u8]>> SessionExpires<T> {
    /// Who refreshes, if that is settled.
    #[must_use]
    pub fn refresher(&self) -> Option<Refresher> {
        self.params.value(b"refresher").and_then(Refresher::of)
    }
}

fn refresher_param(at: &Cursor<'_>, params: &Params<&[u8]>) -> Result<(), ParseError> {
    crate::header::shapes::param_of(at, params, b"refresher", |value| Refresher::of(value).is_some(), "uac or uas")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn what_is_set_is_what_is_read() {
        let timer = SessionExpires::new(1800).with_refresher(Refresher::Uas);
        assert_eq!(checked(&timer).unwrap(), b"1800;refresher=uas");
        assert_eq!(timer.refresher(), Some(Refresher::Uas));
        assert!(checked(&SessionExpires::new(90).with_param(Param::raw("refresher", "proxy"))).is_err());
        assert!(checked(&MinSe::new(90).with_param(Param::raw("x", "1;y=2"))).is_err());
    }
}
