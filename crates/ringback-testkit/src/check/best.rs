//! Which response is the best, computed anew from the text of `[RFC 3261, Section 16.7]`, steps 6 and 7.

use ringback_base::Micros;
use ringback_message::{HeaderId, Response};

use super::branches::{Branch, Outcome};
use super::served::Served;
use super::{Checker, Invariant, Verdict, values, violated};

/// What a 4xx should be that helps the caller to ask again.
const HELPFUL: [u16; 5] = [401, 407, 415, 420, 484];

impl Checker {
    /// Whether this final response may be the answer, given how the branches ended.
    pub(super) fn is_best(&self, served: &Served, response: &Response, now: Micros) -> Verdict {
        let status = response.status().as_u16();
        let method = response.cseq_method();
        let call_id = Some(&served.call_id[..]);
        let branches: Vec<&Branch> = served.branches.iter().filter_map(|branch| self.branch(branch, method)).collect();
        let outcomes: Vec<Outcome<'_>> = branches.iter().map(|branch| branch.outcome(&self.rules, now)).collect();
        if response.status().is_success() {
            let came =
                outcomes.iter().any(|outcome| matches!(outcome, Outcome::Received { status: s, .. } if *s == status));
            return if came { Ok(()) } else { violated(Invariant::BestResponse, call_id, "a 2xx that did not come") };
        }
        if outcomes.contains(&Outcome::Open) {
            return violated(Invariant::BestResponse, call_id, format!("{status} while a branch may still answer"));
        }
        if outcomes.contains(&Outcome::Accepted) {
            return violated(Invariant::NoSuccessDropped, call_id, format!("{status} although a 2xx came"));
        }
        let is_tried = |uri: &[u8]| branches.iter().any(|branch| branch.uri == uri);
        let untried = served.targets.iter().find(|target| !target.is_name && !is_tried(&target.uri));
        if let Some(target) = untried.filter(|_| !served.is_closed()) {
            let detail = format!("{status}, and {} was not tried", String::from_utf8_lossy(&target.uri));
            return violated(Invariant::TargetsTried, call_id, detail);
        }
        let codes: Vec<u16> = outcomes
            .iter()
            .filter_map(|outcome| match outcome {
                Outcome::Received { status, .. } => Some(*status),
                Outcome::TimedOut => Some(408),
                Outcome::Unsent => Some(503),
                Outcome::Open | Outcome::Accepted => None,
            })
            // A non-INVITE gets no 408 from anybody. [RFC 4320, Section 4.2]
            .filter(|code| served.is_invite || *code != 408)
            .collect();
        let mut allowed = best_of(&codes);
        // A name that has no address counts as an answer too.
        if served.targets.iter().any(|target| target.is_name && !is_tried(&target.uri)) {
            allowed.extend([404, 500, 503]);
        }
        if served.cancelled {
            allowed.push(487);
        }
        if !allowed.contains(&status) {
            let detail = format!("{status} out of {codes:?}, of which {allowed:?} may go back");
            return violated(Invariant::BestResponse, call_id, detail);
        }
        self.challenges_are_whole(served, &outcomes, response)
    }

    /// All challenges of all branches go back together, so that one more try can answer them all.
    fn challenges_are_whole(&self, served: &Served, outcomes: &[Outcome<'_>], response: &Response) -> Verdict {
        if !matches!(response.status().as_u16(), 401 | 407) {
            return Ok(());
        }
        let there: Vec<Vec<u8>> = values(response, &[HeaderId::WwwAuthenticate, HeaderId::ProxyAuthenticate]).collect();
        for outcome in outcomes {
            if let Outcome::Received { status: 401 | 407, challenges, .. } = outcome
                && let Some(lost) = challenges.iter().find(|challenge| !there.contains(challenge))
            {
                let detail = format!("the challenge {} is lost", lost.escape_ascii());
                return violated(Invariant::BestResponse, Some(&served.call_id), detail);
            }
        }
        Ok(())
    }

    fn branch(&self, branch: &[u8], method: &[u8]) -> Option<&Branch> {
        self.clients.get(&(branch.to_vec(), method.to_vec()))
    }
}

/// The codes that may go back.
fn best_of(codes: &[u16]) -> Vec<u16> {
    // "It MUST choose from the 6xx class responses if any exist in the context."
    let global: Vec<u16> = codes.iter().copied().filter(|code| *code >= 600).collect();
    if !global.is_empty() {
        return global;
    }
    // "If there are no final responses in the context, the proxy MUST send a 408"
    let Some(class) = codes.iter().map(|code| code / 100).min() else { return vec![408] };
    let in_class: Vec<u16> = codes.iter().copied().filter(|code| code / 100 == class).collect();
    let helpful: Vec<u16> = in_class.iter().copied().filter(|code| HELPFUL.contains(code)).collect();
    let chosen = if helpful.is_empty() { in_class } else { helpful };
    // "If the only response that was received is a 503, the proxy SHOULD generate a 500 response"
    let speaking: Vec<u16> = chosen.iter().copied().filter(|code| *code != 503).collect();
    if speaking.is_empty() { vec![500] } else { speaking }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc() {
        assert_eq!(best_of(&[503, 407, 501, 404]), [407]);
        assert_eq!(best_of(&[]), [408]);
        assert_eq!(best_of(&[503]), [500]);
        assert_eq!(best_of(&[503, 500]), [500]);
        assert_eq!(best_of(&[486, 603, 404]), [603]);
        assert_eq!(best_of(&[486, 302, 404]), [302]);
        assert_eq!(best_of(&[486, 404, 503]), [486, 404]);
    }
}
