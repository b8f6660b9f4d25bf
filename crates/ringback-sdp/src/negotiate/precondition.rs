//! What must be there before a session begins. `[RFC 3312, Section 5]`

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::attribute::{CurrentStatus, DesiredStatus, ResourceDirection, StatusType, Strength};
use crate::section::Section;

/// Conditions of one stream, at most; more are passed over.
const ROWS_MAX: usize = 32;

/// One condition and how it stands. `[RFC 3312, Section 4]`
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Precondition {
    /// Such as `qos`.
    pub kind: Box<str>,
    /// Whose resources.
    pub status: StatusType,
    /// How much it is wanted.
    pub strength: Strength,
    /// What is wanted.
    pub desired: ResourceDirection,
    /// What there is.
    pub current: ResourceDirection,
}

impl Precondition {
    /// True where what is wanted is there.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.current.covers(self.desired)
    }

    fn is(&self, kind: &str, status: StatusType) -> bool {
        *self.kind == *kind && self.status == status
    }
}

/// Each condition that either side has named, as one sees it oneself: what one knows of one's own resources, and what the other
/// side has said of its.
pub(crate) fn table(own: &Section, theirs: &Section) -> Vec<Precondition> {
    let mut rows = Vec::new();
    for desired in own.attributes::<DesiredStatus<'_>>().filter_map(Result::ok) {
        want(&mut rows, &desired);
    }
    for desired in theirs.attributes::<DesiredStatus<'_>>().filter_map(Result::ok) {
        let (status, direction) = (desired.status.reversed(), desired.direction.reversed());
        want(&mut rows, &DesiredStatus { status, direction, ..desired });
    }
    for current in own.attributes::<CurrentStatus<'_>>().filter_map(Result::ok) {
        if current.status != StatusType::Remote {
            have(&mut rows, &current);
        }
    }
    for current in theirs.attributes::<CurrentStatus<'_>>().filter_map(Result::ok) {
        let (status, direction) = (current.status.reversed(), current.direction.reversed());
        if status != StatusType::Local {
            have(&mut rows, &CurrentStatus { status, direction, ..current });
        }
    }
    rows
}

/// A condition may grow, and never shrinks. `[RFC 3312, Section 5.2]`
fn want(rows: &mut Vec<Precondition>, desired: &DesiredStatus<'_>) {
    let mut known = rows.iter_mut();
    if let Some(row) =
        known.find(|row| row.is(desired.precondition, desired.status) && row.strength == desired.strength)
    {
        row.desired = union(row.desired, desired.direction);
    } else if rows.len() < ROWS_MAX {
        rows.push(Precondition {
            kind: desired.precondition.into(),
            status: desired.status,
            strength: desired.strength,
            desired: desired.direction,
            current: ResourceDirection::None,
        });
    }
}

fn have(rows: &mut [Precondition], current: &CurrentStatus<'_>) {
    for row in rows.iter_mut().filter(|row| row.is(current.precondition, current.status)) {
        row.current = union(row.current, current.direction);
    }
}

const fn union(a: ResourceDirection, b: ResourceDirection) -> ResourceDirection {
    ResourceDirection::of(a.sends() || b.sends(), a.receives() || b.receives())
}
