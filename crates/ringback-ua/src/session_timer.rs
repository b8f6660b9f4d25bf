//! How long a session may go without a refresh, and who sends it. `[RFC 4028]`

use ringback_base::Micros;
use ringback_message::header::{MinSe, Refresher, SessionExpires};
use ringback_message::{HeaderId, Request, Response};

/// The least session interval that any element may insist on. `[RFC 4028, Section 5]`
pub const SESSION_EXPIRES_MIN_SECS: u32 = 90;

/// The interval that the RFC recommends. `[RFC 4028, Section 4]`
pub const SESSION_EXPIRES_SECS: u32 = 1_800;

/// What we want of session timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimers {
    /// The interval that we ask for, in seconds; `None` to ask for none, though one that others ask for is kept.
    pub interval_secs: Option<u32>,
    /// The least that we accept, in seconds; never below [`SESSION_EXPIRES_MIN_SECS`].
    pub min_secs: u32,
    /// Who shall refresh where we are asked; `None` leaves it to the side that sent the request.
    pub refresher: Option<Refresher>,
}

impl Default for SessionTimers {
    fn default() -> SessionTimers {
        SessionTimers { interval_secs: Some(SESSION_EXPIRES_SECS), min_secs: SESSION_EXPIRES_MIN_SECS, refresher: None }
    }
}

/// What was agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimer {
    /// The session interval in seconds.
    pub interval_secs: u32,
    /// Whether we are the side that refreshes.
    pub is_ours: bool,
}

/// The interval of a request is below ours: it is refused with 422 and this Min-SE. `[RFC 4028, Section 9]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooSmall {
    pub(crate) min_secs: u32,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    timer: Option<SessionTimer>,
    client_supports: bool,
}

impl SessionTimers {
    /// What we ask for, never less than anybody may. `[RFC 4028, Section 4]`
    pub(crate) fn interval_secs(&self) -> Option<u32> {
        self.interval_secs.map(|interval_secs| interval_secs.max(SESSION_EXPIRES_MIN_SECS))
    }

    pub(crate) fn min_secs(&self) -> u32 {
        self.min_secs.max(SESSION_EXPIRES_MIN_SECS)
    }

    /// What a request asks of us. `[RFC 4028, Section 9]`
    pub(crate) fn asked(&self, request: &Request) -> Result<Asked, TooSmall> {
        let client_supports = request.has_token(HeaderId::Supported, "timer");
        let Ok(Some(asked)) = request.get::<SessionExpires<&[u8]>>() else {
            // Only a server that refreshes by itself may begin with it where nobody asked.
            let timer = self.interval_secs().map(|interval_secs| SessionTimer { interval_secs, is_ours: true });
            return Ok(Asked { timer: timer.filter(|_| client_supports), client_supports });
        };
        if asked.seconds < self.min_secs() {
            // A client that can't read a 422 is served: the interval is raised for it. `[RFC 4028, Section 8.1]`
            if client_supports {
                return Err(TooSmall { min_secs: self.min_secs() });
            }
        }
        let least = match request.get::<MinSe<&[u8]>>() {
            Ok(Some(min)) => min.seconds.max(self.min_secs()),
            _ => self.min_secs(),
        };
        // A server may lower the interval, though not below the Min-SE.
        let ours = self.interval_secs.unwrap_or(asked.seconds);
        let interval_secs = asked.seconds.min(ours).max(least);
        let is_ours = match (asked.refresher(), client_supports) {
            (_, false) => true,
            (Some(Refresher::Uas), true) => true,
            (Some(Refresher::Uac), true) => false,
            (None, true) => self.refresher == Some(Refresher::Uas),
        };
        Ok(Asked { timer: Some(SessionTimer { interval_secs, is_ours }), client_supports })
    }

    /// What a 2xx to our request says; `None` where it sets no timer. `[RFC 4028, Section 7.2]`
    pub(crate) fn agreed(&self, response: &Response) -> Option<SessionTimer> {
        let said = response.get::<SessionExpires<&[u8]>>().ok()??;
        Some(SessionTimer {
            // A response can't make us refresh more often than the RFC allows anybody to ask for.
            interval_secs: said.seconds.max(SESSION_EXPIRES_MIN_SECS),
            is_ours: said.refresher() != Some(Refresher::Uas),
        })
    }
}

impl Asked {
    pub(crate) fn timer(self) -> Option<SessionTimer> {
        self.timer
    }

    /// What the 2xx says of it: Session-Expires, and whether it requires `timer`. `[RFC 4028, Section 9]`
    pub(crate) fn header(self) -> Option<(SessionExpires, bool)> {
        let timer = self.timer?;
        let refresher = if timer.is_ours { Refresher::Uas } else { Refresher::Uac };
        let header = SessionExpires::new(timer.interval_secs).with_refresher(refresher);
        Some((header, self.client_supports && !timer.is_ours))
    }
}

impl SessionTimer {
    /// When the refresh is due, from the last one: at half the interval. `[RFC 4028, Section 7.2]`
    pub(crate) fn refresh_after(self) -> Micros {
        Micros(Micros::from_secs(self.interval_secs.into()).0 / 2)
    }

    /// When the session is given up: before the interval ends, by a third of it, or 32 s where that is less. `[RFC 4028, Section 10]`
    pub(crate) fn expires_after(self) -> Micros {
        let early = (self.interval_secs / 3).min(32);
        Micros::from_secs(self.interval_secs.saturating_sub(early).into())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use alloc::format;

    fn request(extra: &str) -> Request {
        let text = format!(
            "INVITE sip:b@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nFrom: <sip:a@a.example>;tag=1\r\n\
             To: <sip:b@b.example>\r\nCall-ID: 7@a.example\r\nCSeq: 1 INVITE\r\n{extra}\r\n"
        );
        Request::parse(text.as_bytes()).unwrap()
    }

    const OURS: SessionTimers =
        SessionTimers { interval_secs: Some(1_800), min_secs: 200, refresher: Some(Refresher::Uas) };

    fn asked(extra: &str) -> Option<(u32, bool, bool)> {
        let asked = OURS.asked(&request(extra)).unwrap();
        let timer = asked.timer()?;
        Some((timer.interval_secs, timer.is_ours, asked.header().unwrap().1))
    }

    /// `[RFC 4028, Section 9]`, Table 2.
    #[test]
    fn who_refreshes() {
        assert_eq!(asked(""), None);
        assert_eq!(asked("Session-Expires: 600\r\n"), Some((600, true, false)));
        assert_eq!(asked("Supported: timer\r\nSession-Expires: 600\r\n"), Some((600, true, false)));
        assert_eq!(asked("Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n"), Some((600, false, true)));
        assert_eq!(asked("Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n"), Some((600, true, false)));
        assert_eq!(asked("Supported: timer\r\n"), Some((1_800, true, false)));
    }

    #[test]
    fn the_interval() {
        let small = OURS.asked(&request("Supported: timer\r\nSession-Expires: 199\r\n"));
        assert_eq!(small, Err(TooSmall { min_secs: 200 }));
        // Who knows no 422 is served with what is enough for us.
        assert_eq!(asked("Session-Expires: 100\r\n"), Some((200, true, false)));
        assert_eq!(asked("Session-Expires: 9000\r\nMin-SE: 3600\r\n"), Some((3_600, true, false)));
        assert_eq!(asked("Session-Expires: 9000\r\n"), Some((1_800, true, false)));
        let low = SessionTimers { min_secs: 1, ..OURS };
        assert_eq!(low.min_secs(), SESSION_EXPIRES_MIN_SECS);
        let hasty = SessionTimers { interval_secs: Some(10), ..OURS };
        assert_eq!(hasty.interval_secs(), Some(SESSION_EXPIRES_MIN_SECS));
    }

    #[test]
    fn when_it_is_due() {
        let timer = SessionTimer { interval_secs: 90, is_ours: true };
        assert_eq!((timer.refresh_after(), timer.expires_after()), (Micros::from_secs(45), Micros::from_secs(60)));
        let timer = SessionTimer { interval_secs: 1_800, is_ours: false };
        assert_eq!(timer.expires_after(), Micros::from_secs(1_768));
    }
}
