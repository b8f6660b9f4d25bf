//! What must fit where both ends of a call are looked at: the media that they hold, and what their applications tell.

use std::collections::BTreeMap;

use ringback_sdp::MediaDirection;
use ringback_sdp::negotiate::{Format, Session, Stream, StreamState};

use super::Agent;
use super::app::{End, Tale};
use super::watch::DialogKey;
use crate::check::{Invariant, violated};

/// Compares what both ends of each dialog hold, where nothing is under way in it; says how many were compared.
pub(crate) fn judge_media<'a>(agents: impl Iterator<Item = &'a Agent>) -> Result<u64, Box<crate::check::Violation>> {
    let mut seen: BTreeMap<DialogKey, &Agent> = BTreeMap::new();
    let mut compared = 0;
    for agent in agents {
        for (key, session) in agent.watch.sessions_at_rest(&agent.ua) {
            let other =
                DialogKey { call_id: key.call_id.clone(), local: key.remote.clone(), remote: key.local.clone() };
            let Some(peer) = seen.get(&other) else {
                seen.insert(key, agent);
                continue;
            };
            let Some(theirs) = peer.watch.session_of(&other, &peer.ua) else { continue };
            let (Some(ours), Some(theirs)) = (agent.ua.media(session), peer.ua.media(theirs)) else { continue };
            compared += 1;
            if let Err(detail) = agree_on(&ours, &theirs) {
                let detail = format!("{} and {}: {detail}", agent.line.name, peer.line.name);
                violated(Invariant::MediaAgrees, Some(&key.call_id), detail)?;
            }
        }
    }
    Ok(compared)
}

pub(super) fn agree_on(ours: &Session, theirs: &Session) -> Result<(), String> {
    let (ours, theirs) = (ours.streams(), theirs.streams());
    if ours.len() != theirs.len() {
        return Err(format!("{} streams and {}", ours.len(), theirs.len()));
    }
    for (index, (one, other)) in ours.iter().zip(theirs).enumerate() {
        if one.state != other.state {
            return Err(format!("stream {index}: {:?} and {:?}", one.state, other.state));
        }
        if one.state == StreamState::Gone {
            continue;
        }
        if mirrored(one.direction) != other.direction {
            return Err(format!("stream {index}: {:?} and {:?}", one.direction, other.direction));
        }
        formats_agree(one, other).map_err(|detail| format!("stream {index}: {detail}"))?;
    }
    Ok(())
}

fn formats_agree(one: &Stream, other: &Stream) -> Result<(), String> {
    let names = |formats: &[Format]| -> Vec<String> {
        formats.iter().map(|format| format!("{}/{}", format.codec.name(), format.payload_type)).collect()
    };
    let (sent, taken) = (names(&one.send), names(&other.receive));
    let (back, taken_back) = (names(&other.send), names(&one.receive));
    let fits = |sent: &[String], taken: &[String]| sent.iter().all(|format| taken.contains(format));
    if fits(&sent, &taken) && fits(&back, &taken_back) {
        return Ok(());
    }
    Err(format!("sends {sent:?} to one who takes {taken:?}, and gets {back:?} of {taken_back:?}"))
}

fn mirrored(direction: MediaDirection) -> MediaDirection {
    MediaDirection::of(direction.receives(), direction.sends())
}

/// Compares what the applications tell of each call with what the network let through; says how many calls were judged.
///
/// A network is faithful where it loses and changes nothing, and nobody restarts: only then must both ends see the same.
pub(crate) fn judge_outcomes<'a>(
    agents: impl Iterator<Item = &'a Agent>,
    is_faithful: bool,
) -> Result<u64, Box<crate::check::Violation>> {
    let mut calls: BTreeMap<&[u8], Vec<&[Tale]>> = BTreeMap::new();
    for agent in agents {
        for (call_id, tales) in &agent.app.diary.tales {
            calls.entry(call_id).or_default().push(tales);
        }
    }
    let judged = calls.len() as u64;
    for (call_id, tales) in calls {
        if let Err(detail) = possible(&tales, is_faithful) {
            violated(Invariant::Outcome, Some(call_id), detail)?;
        }
    }
    Ok(judged)
}

/// Whether one caller and any number of callees may tell so.
pub(super) fn possible(tales: &[&[Tale]], is_faithful: bool) -> Result<(), String> {
    let all = || tales.iter().flat_map(|tales| tales.iter());
    if all().any(|tale| *tale == Tale::Restarted) {
        return Ok(());
    }
    let placed = tales.iter().find(|tales| tales.contains(&Tale::Placed));
    let Some(caller) = placed else {
        return if is_faithful { Err("a call that nobody placed".to_owned()) } else { Ok(()) };
    };
    let answered: Vec<&Vec<u8>> =
        caller.iter().filter_map(|tale| if let Tale::Answered(tag) = tale { Some(tag) } else { None }).collect();
    let failed = caller.iter().find_map(|tale| if let Tale::Failed(status) = tale { Some(*status) } else { None });
    let gave_up = caller.contains(&Tale::GaveUp);
    if failed.is_some() && !answered.is_empty() {
        return Err(format!("failed with {failed:?}, and answered"));
    }
    if failed.is_none() && answered.is_empty() {
        return Err("neither answered nor failed".to_owned());
    }
    if !is_faithful {
        return Ok(());
    }
    let confirmed: Vec<&Vec<u8>> =
        all().filter_map(|tale| if let Tale::Confirmed(tag) = tale { Some(tag) } else { None }).collect();
    let ends: Vec<(&Vec<u8>, &Vec<u8>, End)> = all()
        .filter_map(|tale| if let Tale::Ended(local, remote, end) = tale { Some((local, remote, *end)) } else { None })
        .collect();
    for tag in &answered {
        // A BYE of the caller may overtake the ACK, though the callee is about to hang up too.
        let is_by_bye = |end: &End| matches!(end, End::RemoteBye | End::LocalBye);
        let is_hung_up = ends.iter().any(|(local, _, end)| local == tag && is_by_bye(end))
            && ends.iter().any(|(_, remote, end)| remote == tag && *end != End::RemoteBye);
        let is_forgotten = caller.iter().any(|tale| matches!(tale, Tale::Forgot(by) if by == *tag));
        if !confirmed.contains(tag) && !is_hung_up && !is_forgotten {
            return Err(format!("answered by {}, who was not acknowledged", tag.escape_ascii()));
        }
    }
    let refused = ends.iter().any(|(_, _, end)| matches!(end, End::Rejected(_)));
    let nobody = !all().any(|tale| matches!(tale, Tale::Called(_)));
    // 503: the caller has no room for what was answered.
    if failed.is_some_and(|status| status != 503) && !gave_up && !refused && !nobody {
        return Err(format!("failed with {failed:?}, though nobody refused or gave up"));
    }
    for (local, remote, end) in &ends {
        let others = ends.iter().filter(|(theirs, ours, _)| theirs == remote && ours == local);
        for (_, _, other) in others {
            if !both_ends(*end, *other) {
                return Err(format!("{end:?} at one end and {other:?} at the other"));
            }
        }
    }
    Ok(())
}

/// The two ways in which the ends of one dialog may see its end, on a network that loses nothing.
fn both_ends(one: End, other: End) -> bool {
    let fits = |one: End, other: End| match one {
        End::RemoteBye => !matches!(other, End::RemoteBye | End::Rejected(_) | End::Cancelled),
        // Its 200 crosses the CANCEL of a caller who takes the call no more, and it has let go of the call itself.
        End::LocalBye => matches!(other, End::RemoteBye | End::LocalBye | End::Elsewhere | End::Fault(_)),
        // The early dialog of a loser may be used until the caller knows, and that it is gone is said to whom uses it.
        End::Rejected(_) | End::Cancelled => matches!(other, End::Elsewhere | End::Fault("gone")),
        End::Elsewhere => true,
        // The application forgot to answer an offer, or answered late: both ends give up.
        End::Fault(what) => matches!(what, "no answer" | "gone" | "bad answer" | "no PRACK" | "no ACK"),
    };
    fits(one, other) && fits(other, one)
}
