//! The rules, one file for each family.

use crate::rule::Family;

mod contact;
mod content;
mod copied;
mod dialog;
mod digest;
mod events;
mod negotiation;
mod options;
mod presence;
mod reliable;
mod sdp;
mod start_line;
mod status;
mod timer;
mod uri;
mod via;

/// All rules, by family.
pub static RULES: &[&Family] = &[
    &start_line::FAMILY,
    &presence::FAMILY,
    &status::FAMILY,
    &dialog::FAMILY,
    &via::FAMILY,
    &contact::FAMILY,
    &uri::FAMILY,
    &options::FAMILY,
    &reliable::FAMILY,
    &timer::FAMILY,
    &events::FAMILY,
    &digest::FAMILY,
    &negotiation::FAMILY,
    &content::FAMILY,
    &sdp::FAMILY,
    &copied::FAMILY,
];
