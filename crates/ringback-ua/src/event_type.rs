//! Which state a SUBSCRIBE, NOTIFY or PUBLISH is about.

use ringback_message::header::Event;
use ringback_message::{Request, StatusCode};

use crate::refusal::Refusal;

/// Whether both name one subscription of a dialog: the package and the `id` byte by byte, and no other parameter. One with an `id`
/// is never one without. `[RFC 6665, Section 8.2.1]`
#[must_use]
pub fn same_event<T: AsRef<[u8]>, U: AsRef<[u8]>>(a: &Event<T>, b: &Event<U>) -> bool {
    same_package(a, b) && a.id() == b.id()
}

/// Whether both name one event package, byte by byte, templates included.
pub(crate) fn same_package<T: AsRef<[u8]>, U: AsRef<[u8]>>(a: &Event<T>, b: &Event<U>) -> bool {
    a.package.as_ref() == b.package.as_ref()
}

/// The Event of a request. `[RFC 6665, Section 4.2.3]` `[RFC 3903, Section 6]`
///
/// # Errors
/// 489 where there is none, 400 where it can't be read.
pub(crate) fn event_of(request: &Request) -> Result<Event<&[u8]>, Refusal> {
    match request.get::<Event<&[u8]>>() {
        Ok(Some(event)) => Ok(event),
        Ok(None) => Err(Refusal::new(StatusCode::BadEvent)),
        Err(_) => Err(Refusal::new(StatusCode::BadRequest).because("Malformed Event")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringback_message::header::Param;

    /// The examples of the RFC.
    #[test]
    fn events_are_compared_by_package_and_id() {
        let event = Event::new("foo").with_param(Param::raw("id", "1234"));
        let other = Event::new("foo").with_param(Param::raw("param", "abcd")).with_param(Param::raw("id", "1234"));
        assert!(same_event(&event, &other));
        assert!(!same_event(&event, &Event::new("foo")));
        assert!(!same_event(&event, &Event::new("Foo").with_param(Param::raw("id", "1234"))));
        assert!(same_event(&Event::new("foo"), &Event::new("foo").with_param(Param::flag("x"))));
    }
}
