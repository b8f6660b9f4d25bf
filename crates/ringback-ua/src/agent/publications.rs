//! Publications of ours. RFC 3903

use ringback_base::Now;
use ringback_message::header;
use ringback_message::{RequestBuilder, Response};

use super::usages::{Held, Task, Usage, full};
use super::{Outbound, UserAgent};
use crate::event::{CommandError, Event, PublicationId, PublicationTold};
use crate::notifier::EventState;
use crate::publication::{Publication, PublicationConfig, PublicationOutcome};

impl UserAgent {
    /// Publishes a state, and keeps it alive until [`UserAgent::unpublish`]. What comes of it is told by [`Event::Publication`].
    ///
    /// # Errors
    /// Where there is no room, or the Request-URI is none.
    pub fn publish(
        &mut self,
        outbound: &Outbound,
        event: header::Event,
        expires_secs: u32,
        state: EventState,
        now: Now,
    ) -> Result<PublicationId, CommandError> {
        outbound.check()?;
        let origin = self.origin(outbound);
        let config = PublicationConfig { expires_secs, ..PublicationConfig::new(origin, event) };
        let hash = self.random.next_u64();
        let held = Held::new(Publication::new(config), outbound.headers.clone(), None);
        let id = PublicationId(full(self.usages.publications.insert(hash, |_| held))?);
        self.republish(id, state, now)?;
        Ok(id)
    }

    /// What is published has changed.
    ///
    /// # Errors
    /// Where there is no such publication.
    pub fn republish(&mut self, id: PublicationId, state: EventState, now: Now) -> Result<(), CommandError> {
        let held = self.usages.publications.get_mut(id.0).ok_or(CommandError::Unknown)?;
        let request = held.machine.publish(state);
        self.send_publish(id, request, now);
        self.settle(now);
        Ok(())
    }

    /// Removes what is published.
    ///
    /// # Errors
    /// Where there is no such publication.
    pub fn unpublish(&mut self, id: PublicationId, now: Now) -> Result<(), CommandError> {
        let held = self.usages.publications.get_mut(id.0).ok_or(CommandError::Unknown)?;
        let request = held.machine.remove();
        self.send_publish(id, request, now);
        self.settle(now);
        Ok(())
    }

    fn send_publish(&mut self, id: PublicationId, request: Option<RequestBuilder>, now: Now) {
        if let (Some(request), Some(held)) = (request, self.usages.publications.get(id.0)) {
            let uri = UserAgent::origin_uri(&held.machine.config().origin);
            let request = held.dress(request);
            self.send_for(Task::Publish(id), request, &uri, now);
        }
        self.usages.tend(Usage::Publication(id));
    }

    pub(crate) fn publish_done(&mut self, id: PublicationId, response: Option<&Response>, now: Now) {
        let Some(held) = self.usages.publications.get_mut(id.0) else { return };
        let (told, next) = match held.machine.handle_outcome(response, now) {
            PublicationOutcome::Published(next) => (Some(PublicationTold::Published), next),
            PublicationOutcome::Again(next) => (None, Some(next)),
            PublicationOutcome::Removed => (Some(PublicationTold::Removed), None),
            PublicationOutcome::Kept { status } => (Some(PublicationTold::Kept { status }), None),
            PublicationOutcome::Failed { status, retry_after_secs } => {
                (Some(PublicationTold::Failed { status, retry_after_secs }), None)
            }
        };
        if let Some(told) = told {
            self.events.push_back(Event::Publication { publication: id, told });
        }
        self.send_publish(id, next, now);
    }

    pub(crate) fn publication_due(&mut self, id: PublicationId, now: Now) {
        let request = self.usages.publications.get_mut(id.0).and_then(|held| held.machine.handle_timeout(now));
        self.send_publish(id, request, now);
    }
}
