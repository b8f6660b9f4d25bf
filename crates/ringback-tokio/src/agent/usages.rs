//! What the desk does for REFERs and subscriptions.

use ringback_base::Now;
use ringback_ua::{ReferId, ReferTold, SubscriberId, SubscriberTold, SubscriptionId, TerminationReason};
use tokio::sync::{mpsc, oneshot};

use super::desk::Desk;
use super::rows::{PROGRESS_MAX, Usage};

impl Desk {
    /// What becomes of a REFER that was sent just now.
    pub(crate) fn await_referral(&mut self, refer: ReferId) -> mpsc::Receiver<ReferTold> {
        let (sender, told) = mpsc::channel(PROGRESS_MAX);
        self.rows.refers.insert(refer, sender);
        told
    }

    /// What comes of a subscription that was asked for just now.
    pub(crate) fn await_notifications(&mut self, subscriber: SubscriberId) -> mpsc::Receiver<SubscriberTold> {
        let (sender, told) = mpsc::channel(PROGRESS_MAX);
        self.rows.subscribers.insert(subscriber, sender);
        told
    }

    /// The end of a subscription of theirs that was granted just now.
    pub(crate) fn await_end(&mut self, subscription: SubscriptionId) -> oneshot::Receiver<()> {
        let (sender, over) = oneshot::channel();
        self.rows.subscriptions.insert(subscription, sender);
        over
    }

    pub(crate) fn referral_told(&mut self, refer: ReferId, told: ReferTold) {
        let is_last = !self.endpoint.agent().is_referring(refer);
        if let Some(sender) = self.rows.refers.get(&refer) {
            tell_next(sender, told, is_last);
            self.rows.told_of.push(Usage::Refer(refer));
        }
    }

    pub(crate) fn subscriber_told(&mut self, subscriber: SubscriberId, told: SubscriberTold) {
        let is_last = self.endpoint.agent().subscriber(subscriber).is_none();
        if let Some(sender) = self.rows.subscribers.get(&subscriber) {
            tell_next(sender, told, is_last);
            self.rows.told_of.push(Usage::Subscriber(subscriber));
        }
    }

    /// Closes the channels of what is over: all that there was to tell of it has been told.
    pub(crate) fn close_usages(&mut self) {
        let agent = self.endpoint.agent();
        for usage in self.rows.told_of.drain(..) {
            match usage {
                Usage::Refer(refer) if !agent.is_referring(refer) => _ = self.rows.refers.remove(&refer),
                Usage::Subscriber(subscriber) if agent.subscriber(subscriber).is_none() => {
                    self.rows.subscribers.remove(&subscriber);
                }
                _ => {}
            }
        }
    }

    pub(crate) fn let_subscriber_go(&mut self, subscriber: SubscriberId, now: Now) {
        _ = self.agent_mut().unsubscribe(subscriber, now);
        // Its row goes with the last that is told of it. Of one that nobody has answered nothing will be.
        if self.rows.subscribers.contains_key(&subscriber) {
            self.rows.told_of.push(Usage::Subscriber(subscriber));
        }
        self.settle(now);
        self.close_usages();
    }

    pub(crate) fn let_subscription_go(&mut self, subscription: SubscriptionId, now: Now) {
        if self.rows.subscriptions.contains_key(&subscription) {
            let reason = TerminationReason::NoResource;
            self.agent_mut().end_subscription(subscription, reason, None, false, now);
        }
    }

    /// Nobody has a handle any more.
    pub(crate) fn let_usages_go(&mut self, now: Now) {
        let subscribers: Vec<SubscriberId> = self.rows.subscribers.keys().copied().collect();
        for subscriber in subscribers {
            self.let_subscriber_go(subscriber, now);
        }
        let subscriptions: Vec<SubscriptionId> = self.rows.subscriptions.keys().copied().collect();
        for subscription in subscriptions {
            self.let_subscription_go(subscription, now);
        }
    }
}

/// One place is kept for the last word.
fn tell_next<T>(sender: &mpsc::Sender<T>, told: T, is_last: bool) {
    if is_last || sender.capacity() > 1 {
        _ = sender.try_send(told);
    }
}
