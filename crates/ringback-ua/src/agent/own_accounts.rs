//! Accounts that are for one call alone: for its INVITE, and for what is sent in the dialogs that this makes. `[RFC 3261, Section 22]`

use alloc::collections::BTreeMap;
use core::num::NonZeroU64;

use ringback_auth::DigestClient;

/// Names the accounts of a call; where there are none, no room is taken for that in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OwnAccountsId(NonZeroU64);

/// Those of all calls. An INVITE and each of its sessions hold one entry together, which goes with the last of them; so there are never
/// more than there are INVITEs and sessions.
#[derive(Debug, Default)]
pub(crate) struct OwnAccounts {
    made: u64,
    all: BTreeMap<OwnAccountsId, Held>,
}

#[derive(Debug)]
struct Held {
    digest: DigestClient,
    holders: usize,
}

impl OwnAccounts {
    /// For a call that begins, which holds them.
    pub(crate) fn add(&mut self, digest: DigestClient) -> OwnAccountsId {
        self.made = self.made.wrapping_add(1);
        let id = OwnAccountsId(NonZeroU64::new(self.made).unwrap_or(NonZeroU64::MIN));
        self.all.insert(id, Held { digest, holders: 1 });
        id
    }

    /// One more holds them.
    pub(crate) fn hold(&mut self, id: Option<OwnAccountsId>) -> Option<OwnAccountsId> {
        let held = self.all.get_mut(&id?)?;
        held.holders = held.holders.saturating_add(1);
        id
    }

    /// One of those who hold them is gone.
    pub(crate) fn release(&mut self, id: Option<OwnAccountsId>) {
        let Some(id) = id else { return };
        let Some(held) = self.all.get_mut(&id) else { return };
        held.holders = held.holders.saturating_sub(1);
        if held.holders == 0 {
            self.all.remove(&id);
        }
    }

    pub(crate) fn digest(&mut self, id: OwnAccountsId) -> Option<&mut DigestClient> {
        self.all.get_mut(&id).map(|held| &mut held.digest)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}
