//! The registrar's rules, as a pure function over rows. `[RFC 3261, Section 10.3]`

use alloc::vec::Vec;

use ringback_base::{Hop, Now};
use ringback_message::{HeaderId, Uri};

use crate::binding::Binding;
use crate::flow::FlowKey;
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::registration::{Contact, Registration, Wish};

/// What becomes of the rows: in both cases those that have not run out, as the 200 lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// Nothing was added, updated or removed: there is nothing to store.
    Unchanged(Vec<Binding>),
    /// To be stored before the 200 leaves.
    Changed(Vec<Binding>),
}

impl Update {
    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[Binding] {
        match self {
            Update::Unchanged(rows) | Update::Changed(rows) => rows,
        }
    }
}

impl Registration {
    /// What becomes of these rows, all or nothing. `[RFC 3261, Section 10.3]`
    ///
    /// Contacts are taken in turn, so that of two equal ones in one request the last one counts. Rows that ran out are
    /// left out first and count for nothing. URIs are equal as `[RFC 3261, Section 19.1.4]` says; that relation is not
    /// transitive, so a contact can equal several rows: it replaces them all, and no two rows that are left are equal.
    ///
    /// # Errors
    /// The first rule that the request breaks; the rows then stay as they were.
    pub fn apply(&self, rows: &[Binding], now: Now, received: Option<Hop>, policy: &Policy) -> Result<Update, Refusal> {
        let live = rows.iter().filter(|row| row.is_live(now));
        match &self.wish {
            Wish::Fetch => Ok(Update::Unchanged(live.cloned().collect())),
            Wish::RemoveAll => {
                let mut any = false;
                for row in live {
                    self.check_order(row)?;
                    any = true;
                }
                Ok(if any { Update::Changed(Vec::new()) } else { Update::Unchanged(Vec::new()) })
            }
            Wish::Update(contacts) => {
                let granted = self.grant(contacts, policy)?;
                self.update(&granted, live, Context { now, received, policy })
            }
        }
    }

    /// The interval for each contact, in seconds.
    fn grant<'a>(&self, contacts: &'a [Contact], policy: &Policy) -> Result<Vec<(&'a Contact, u32)>, Refusal> {
        let grant = |contact: &'a Contact| match policy.grant_secs(contact.expires_secs) {
            Ok(secs) => Ok((contact, secs)),
            Err(min_expires_secs) => Err(Refusal::TooBrief { min_expires_secs }),
        };
        contacts.iter().map(grant).collect()
    }

    fn update<'a>(
        &self,
        contacts: &[(&Contact, u32)],
        live: impl Iterator<Item = &'a Binding>,
        context: Context<'_>,
    ) -> Result<Update, Refusal> {
        let mut slots: Vec<Slot> = live.map(Slot::stored).collect();
        let count_before = slots.len();
        let mut changed = false;
        for &(contact, secs) in contacts {
            let mut place = None;
            let mut index = 0_usize;
            while let Some(slot) = slots.get(index) {
                if !slot.is(contact) {
                    index = index.saturating_add(1);
                    continue;
                }
                if slot.stored {
                    self.check_order(&slot.row)?;
                }
                slots.remove(index);
                place.get_or_insert(index);
                changed = true;
            }
            // "the binding MUST be removed if the expiration time is zero and updated otherwise" [RFC 3261, Section 10.3]
            if secs > 0 {
                let slot = self.bind(contact, secs, &context)?;
                slots.insert(place.unwrap_or(slots.len()).min(slots.len()), slot);
                changed = true;
            }
        }
        let max = context.policy.bindings_per_aor_max;
        // Rows from before the limit was lowered may be refreshed, but none comes on top.
        if slots.len() > max && slots.len() > count_before {
            return Err(Refusal::TooManyBindings { max });
        }
        let rows = slots.into_iter().map(|slot| slot.row).collect();
        Ok(if changed { Update::Changed(rows) } else { Update::Unchanged(rows) })
    }

    /// The CSeq number counts only against a binding with the same Call-ID: "If not, the update MUST be aborted and the
    /// request fails." `[RFC 3261, Section 10.3]`
    fn check_order(&self, row: &Binding) -> Result<(), Refusal> {
        if row.call_id == self.call_id && self.cseq <= row.cseq {
            return Err(Refusal::CSeqOutOfOrder { stored: row.cseq });
        }
        Ok(())
    }

    fn bind(&self, contact: &Contact, secs: u32, context: &Context<'_>) -> Result<Slot, Refusal> {
        let text = contact.uri_text();
        let max = context.policy.contact_bytes_max;
        if text.len().saturating_add(contact.params.len()) > max {
            return Err(Refusal::TooLong { header: HeaderId::Contact, max });
        }
        let row = Binding {
            contact: text.into(),
            params: contact.params.clone(),
            q: contact.q,
            call_id: self.call_id.clone(),
            cseq: self.cseq,
            expires_at: context.now.unix.plus_secs(u64::from(secs)),
            updated_at: context.now.unix,
            received: context.received,
            path: self.path.clone(),
            user_agent: self.user_agent.clone(),
        };
        Ok(Slot { flow: contact.flow.clone(), uri: Some(contact.uri.clone()), row, stored: false })
    }
}

struct Context<'a> {
    now: Now,
    received: Option<Hop>,
    policy: &'a Policy,
}

/// A row and its URI, read once.
struct Slot {
    row: Binding,
    flow: Option<FlowKey>,
    uri: Option<Uri<alloc::boxed::Box<[u8]>>>,
    /// It was there before this request: its CSeq counts.
    stored: bool,
}

impl Slot {
    fn stored(row: &Binding) -> Slot {
        Slot { row: row.clone(), flow: row.flow_key(), uri: row.uri().map(|uri| uri.to_owned_text()), stored: true }
    }

    /// "the registrar then searches the list of current bindings using the URI comparison rules" `[RFC 3261, Section 10.3]`
    ///
    /// A flow is known by its device and number alone: "the Contact URI is not used for binding comparisons". `[RFC 5626, Section 6]`
    fn is(&self, contact: &Contact) -> bool {
        match (&self.flow, &contact.flow) {
            (None, None) => self.uri.as_ref().is_some_and(|uri| uri.equivalent(&contact.uri)),
            (ours, theirs) => ours == theirs,
        }
    }
}

#[cfg(test)]
#[path = "update_tests.rs"]
mod tests;
