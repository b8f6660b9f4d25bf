//! Preconditions. `[RFC 3312, Section 4]`

use core::fmt;

use crate::cursor::{Cursor, is_token_char};
use crate::error::ParseError;

words! {
    /// Whose resources are meant. `[RFC 3312, Section 4]`
    StatusType {
        /// From one end to the other.
        EndToEnd = "e2e",
        /// The access network of the one who says it.
        Local = "local",
        /// That of the other.
        Remote = "remote",
    }
}

impl StatusType {
    /// As the other side says it. `[RFC 3312, Section 5.2]`
    #[must_use]
    pub const fn reversed(self) -> StatusType {
        match self {
            StatusType::EndToEnd => StatusType::EndToEnd,
            StatusType::Local => StatusType::Remote,
            StatusType::Remote => StatusType::Local,
        }
    }
}

words! {
    /// How much a condition is wanted. `[RFC 3312, Section 4]`
    Strength {
        /// The session begins when it is met, and not before.
        Mandatory = "mandatory",
        /// It is tried for.
        Optional = "optional",
        /// It isn't needed.
        None = "none",
        /// It could not be met: in a refusal.
        Failure = "failure",
        /// Its type is not known: in a refusal.
        Unknown = "unknown",
    }
}

words! {
    /// Which ways there are resources, or shall be. `[RFC 3312, Section 4]`
    ResourceDirection {
        /// Neither.
        None = "none",
        /// From the one who says it.
        Send = "send",
        /// To the one who says it.
        Recv = "recv",
        /// Both.
        SendRecv = "sendrecv",
    }
}

impl ResourceDirection {
    /// From what there is.
    #[must_use]
    pub const fn of(send: bool, recv: bool) -> ResourceDirection {
        match (send, recv) {
            (true, true) => ResourceDirection::SendRecv,
            (true, false) => ResourceDirection::Send,
            (false, true) => ResourceDirection::Recv,
            (false, false) => ResourceDirection::None,
        }
    }

    /// True where sending is among them.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, ResourceDirection::Send | ResourceDirection::SendRecv)
    }

    /// True where receiving is among them.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, ResourceDirection::Recv | ResourceDirection::SendRecv)
    }

    /// True where all of `wanted` is there.
    #[must_use]
    pub const fn covers(self, wanted: ResourceDirection) -> bool {
        (self.sends() || !wanted.sends()) && (self.receives() || !wanted.receives())
    }

    /// As the other side says it.
    #[must_use]
    pub const fn reversed(self) -> ResourceDirection {
        ResourceDirection::of(self.receives(), self.sends())
    }
}

/// What resources there are. `[RFC 3312, Section 4]`
///
/// ```text
/// current-status = "a=curr:" precondition-type SP status-type SP direction-tag
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrentStatus<'a> {
    /// Such as `qos`.
    pub precondition: &'a str,
    /// Whose.
    pub status: StatusType,
    /// Which ways.
    pub direction: ResourceDirection,
}

/// What resources there shall be. `[RFC 3312, Section 4]`
///
/// ```text
/// desired-status = "a=des:" precondition-type SP strength-tag SP status-type SP direction-tag
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DesiredStatus<'a> {
    /// Such as `qos`.
    pub precondition: &'a str,
    /// How much they are wanted.
    pub strength: Strength,
    /// Whose.
    pub status: StatusType,
    /// Which ways.
    pub direction: ResourceDirection,
}

/// When the other side shall tell of it. `[RFC 3312, Section 4]`
///
/// ```text
/// confirm-status = "a=conf:" precondition-type SP status-type SP direction-tag
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfirmStatus<'a> {
    /// Such as `qos`.
    pub precondition: &'a str,
    /// Whose.
    pub status: StatusType,
    /// Which ways.
    pub direction: ResourceDirection,
}

fn word<T>(
    cursor: &mut Cursor<'_>,
    from_word: impl Fn(&str) -> Option<T>,
    expected: &'static str,
) -> Result<T, ParseError> {
    let at = cursor.clone();
    from_word(cursor.word(is_token_char, expected)?).ok_or_else(|| at.error(expected))
}

fn status(cursor: &mut Cursor<'_>) -> Result<(StatusType, ResourceDirection), ParseError> {
    cursor.space("a blank and the type of status")?;
    let status = word(cursor, StatusType::from_word, "e2e, local or remote")?;
    cursor.space("a blank and the direction")?;
    Ok((status, word(cursor, ResourceDirection::from_word, "none, send, recv or sendrecv")?))
}

impl<'a> CurrentStatus<'a> {
    fn read_value(cursor: &mut Cursor<'a>) -> Result<CurrentStatus<'a>, ParseError> {
        let precondition = cursor.token("a type of precondition")?;
        let (status, direction) = status(cursor)?;
        Ok(CurrentStatus { precondition, status, direction })
    }
}

impl<'a> DesiredStatus<'a> {
    fn read_value(cursor: &mut Cursor<'a>) -> Result<DesiredStatus<'a>, ParseError> {
        let precondition = cursor.token("a type of precondition")?;
        cursor.space("a blank and the strength")?;
        let strength = word(cursor, Strength::from_word, "mandatory, optional, none, failure or unknown")?;
        let (status, direction) = status(cursor)?;
        Ok(DesiredStatus { precondition, strength, status, direction })
    }
}

impl<'a> ConfirmStatus<'a> {
    fn read_value(cursor: &mut Cursor<'a>) -> Result<ConfirmStatus<'a>, ParseError> {
        let precondition = cursor.token("a type of precondition")?;
        let (status, direction) = status(cursor)?;
        Ok(ConfirmStatus { precondition, status, direction })
    }
}

impl fmt::Display for CurrentStatus<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.precondition, self.status, self.direction)
    }
}

impl fmt::Display for DesiredStatus<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.precondition, self.strength, self.status, self.direction)
    }
}

impl fmt::Display for ConfirmStatus<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.precondition, self.status, self.direction)
    }
}

attribute!(CurrentStatus<'a>, "curr", "RFC 3312, Section 4");
attribute!(DesiredStatus<'a>, "des", "RFC 3312, Section 4");
attribute!(ConfirmStatus<'a>, "conf", "RFC 3312, Section 4");
