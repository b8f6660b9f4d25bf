//! What an agent wants to know of names.

use ringback_stack::{NameQuestion, QuestionToken};
use ringback_transport::resolve::DnsAnswer;
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::dns::{DnsClient, DnsOptions};

/// The answer to a question.
pub(crate) type Found = (QuestionToken, DnsAnswer);

/// Asks the name servers for one agent.
#[derive(Debug)]
pub(crate) struct Names {
    /// Started when the first name is looked up, where nobody shares one: many agents never look one up.
    client: Option<DnsClient>,
    found: mpsc::Sender<Found>,
}

impl Names {
    pub(crate) fn new(client: Option<DnsClient>, found: mpsc::Sender<Found>) -> Names {
        Names { client, found }
    }

    /// The answer, where it is known at once; otherwise it comes by the channel.
    pub(crate) fn ask(&mut self, asked: NameQuestion, clock: &Clock) -> Option<Found> {
        let NameQuestion { token, question, deadline } = asked;
        let (Some(client), Some(deadline)) = (self.client(), clock.instant(deadline)) else {
            return Some((token, DnsAnswer::Failed));
        };
        let (client, found) = (client.clone(), self.found.clone());
        // Where nobody takes it, the agent is gone, or has so many others to read that this one counts as too late.
        let is_asked = client.ask(question, deadline, move |answer| _ = found.try_send((token, answer)));
        if !is_asked {
            tracing::warn!("too many host names are being looked up");
        }
        (!is_asked).then_some((token, DnsAnswer::Failed))
    }

    fn client(&mut self) -> Option<&DnsClient> {
        if self.client.is_none() {
            let started = DnsClient::start(&DnsOptions::default());
            self.client = started.inspect_err(|error| tracing::error!(%error, "no resolver can be started")).ok();
        }
        self.client.as_ref()
    }
}
