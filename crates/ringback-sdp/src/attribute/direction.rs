//! `sendrecv`, `sendonly`, `recvonly`, `inactive`. `[RFC 3264, Section 5.1]`

use core::fmt;

/// Which ways media go, as the one who wrote it sees it. `[RFC 8866, Section 6.7]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MediaDirection {
    /// Both ways; what holds where nothing is said.
    #[default]
    SendRecv,
    /// From here only.
    SendOnly,
    /// To here only.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl MediaDirection {
    /// From what is done.
    #[must_use]
    pub const fn of(sends: bool, receives: bool) -> MediaDirection {
        match (sends, receives) {
            (true, true) => MediaDirection::SendRecv,
            (true, false) => MediaDirection::SendOnly,
            (false, true) => MediaDirection::RecvOnly,
            (false, false) => MediaDirection::Inactive,
        }
    }

    /// True where the one who wrote it sends.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, MediaDirection::SendRecv | MediaDirection::SendOnly)
    }

    /// True where the one who wrote it receives.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, MediaDirection::SendRecv | MediaDirection::RecvOnly)
    }

    /// As the other side sees it.
    #[must_use]
    pub const fn reversed(self) -> MediaDirection {
        MediaDirection::of(self.receives(), self.sends())
    }

    /// What both allow, seen from one side.
    #[must_use]
    pub const fn and(self, other: MediaDirection) -> MediaDirection {
        MediaDirection::of(self.sends() && other.sends(), self.receives() && other.receives())
    }

    /// True where an answer may say this to an offer that says `offered`. `[RFC 3264, Section 6.1]`
    #[must_use]
    pub fn answers(self, offered: MediaDirection) -> bool {
        self.and(offered.reversed()) == self
    }

    /// What an offer says to put the other side on hold: it ceases to be heard, and is spoken to if it was.
    /// `[RFC 3264, Section 8.4]`
    #[must_use]
    pub const fn held(self) -> MediaDirection {
        MediaDirection::of(self.sends(), false)
    }

    /// The name of the attribute.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            MediaDirection::SendRecv => "sendrecv",
            MediaDirection::SendOnly => "sendonly",
            MediaDirection::RecvOnly => "recvonly",
            MediaDirection::Inactive => "inactive",
        }
    }

    pub(crate) fn from_name(name: &[u8]) -> Option<MediaDirection> {
        Some(match name {
            b"sendrecv" => MediaDirection::SendRecv,
            b"sendonly" => MediaDirection::SendOnly,
            b"recvonly" => MediaDirection::RecvOnly,
            b"inactive" => MediaDirection::Inactive,
            _ => return None,
        })
    }
}

impl fmt::Display for MediaDirection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::MediaDirection::{self, *};

    const ALL: [MediaDirection; 4] = [SendRecv, SendOnly, RecvOnly, Inactive];

    #[test]
    fn answers_are_those_that_the_rules_allow() {
        let allowed: [(MediaDirection, &[MediaDirection]); 4] = [
            (SendRecv, &ALL),
            (SendOnly, &[RecvOnly, Inactive]),
            (RecvOnly, &[SendOnly, Inactive]),
            (Inactive, &[Inactive]),
        ];
        for (offered, answers) in allowed {
            for answer in ALL {
                assert_eq!(answer.answers(offered), answers.contains(&answer), "{answer} to {offered}");
            }
        }
    }

    #[test]
    fn hold_stops_what_is_received() {
        assert_eq!(ALL.map(MediaDirection::held), [SendOnly, SendOnly, Inactive, Inactive]);
        assert_eq!(ALL.map(MediaDirection::reversed), [SendRecv, RecvOnly, SendOnly, Inactive]);
    }
}
