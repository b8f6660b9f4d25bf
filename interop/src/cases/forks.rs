//! Agents of ours that call one another through a forking proxy that others made.

use std::time::Duration;

use crate::Fault;
use crate::kamailio::Kamailio;
use crate::phones::ours::{Identity, Ours};
use crate::phones::{STEP_MAX, until};
use crate::place::Place;
use crate::sipp::Figures;

/// Calls that two phones answer at once, and those in how many of them the caller must have had two 200s: where the proxy cancels one
/// of them in time it gets one.
const CALLS: usize = 10;
const TWICE_ANSWERED_MIN: usize = 5;
/// Calls that are given up while they are answered.
const RACES: u64 = 12;
/// How long a phone may take to notice what became of its call.
const NOTICE_MAX: Duration = Duration::from_secs(5);

/// One calls, and two have the same address of record: all of them ours.
struct Three {
    proxy: Kamailio,
    caller: Ours,
    callees: [Ours; 2],
}

impl Three {
    fn start(place: &Place) -> Result<Three, Fault> {
        let proxy = Kamailio::start(&place.folder)?;
        let phone = |name, user| {
            let of = Identity { user, server: proxy.address, password: None };
            let mut phone = Ours::phone(&place.folder, name, "127.0.0.1:0", &of)?;
            phone.tell("register udp")?;
            phone.says("registered")?;
            Ok::<Ours, Fault>(phone)
        };
        let (caller, one, other) = (phone("caller", "alice")?, phone("one", "bob")?, phone("other", "bob")?);
        Ok(Three { caller, callees: [one, other], proxy })
    }

    /// A call that has nothing to do with what was said of those before.
    fn call(&mut self) -> Result<(), Fault> {
        self.caller.forget();
        self.callees.iter().for_each(Ours::forget);
        let to = format!("call sip:bob@{}", self.proxy.address);
        self.caller.tell(&to)
    }

    /// Hangs up. Whether both callees had answered; then each had its ACK, one kept its call until now, and the other's was ended.
    fn answered_twice(&mut self) -> Result<bool, Fault> {
        for callee in &self.callees {
            // One that was cancelled first has not answered.
            if callee.says_within(NOTICE_MAX, "talks: ").is_none() {
                hang_up(&mut self.caller)?;
                return Ok(false);
            }
            callee.says("confirmed")?;
        }
        let ended = until(STEP_MAX, || {
            Ok(self.callees.iter().position(|callee| callee.says_within(Duration::ZERO, "ended: RemoteBye").is_some()))
        })?;
        let ended = ended.ok_or("two 200s, and no call of them ended")?;
        sessions(&mut self.caller, 1)?;
        let [one, other] = &mut self.callees;
        let kept = if ended == 0 { other } else { one };
        sessions(kept, 1)?;
        hang_up(&mut self.caller)?;
        kept.says("ended: RemoteBye").map(|_| true)
    }

    /// All phones come to have so many sessions.
    fn sessions_left(&mut self, count: usize) -> Result<(), Fault> {
        sessions(&mut self.caller, count)?;
        self.callees.iter_mut().try_for_each(|callee| sessions(callee, count))
    }

    /// No phone has a call left.
    fn end(self) -> Result<(), Fault> {
        self.caller.quit()?;
        for callee in self.callees {
            callee.quit()?;
        }
        self.proxy.still_there()
    }
}

/// Each callee answers at once: two 200s come to one INVITE. Each gets its ACK, the first is kept, the other ended with BYE.
/// `[RFC 3261, Section 13.2.2.4]`
pub(super) fn two_answers(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let mut three = Three::start(place)?;
    for callee in &mut three.callees {
        callee.tell("auto")?;
    }
    let mut twice = 0;
    for _ in 0..CALLS {
        three.call()?;
        three.caller.says("talks: ")?;
        twice += usize::from(three.answered_twice()?);
        three.sessions_left(0)?;
        figures.one_call(0.0);
    }
    place.note(format!("{CALLS} calls, {twice} with two 200s: each acknowledged, one kept, the other ended with BYE"));
    if twice < TWICE_ANSWERED_MIN {
        return Err(format!("{twice} of {CALLS} calls only had two 200s"));
    }
    three.end()
}

/// Both ring, and the caller gives up while one answers. Whoever wins, nobody has a call afterwards.
/// `[RFC 3261, Section 9.1]`
pub(super) fn races(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let mut three = Three::start(place)?;
    let (mut cancelled, mut crossed, mut answered) = (0, 0, 0);
    for race in 0..RACES {
        three.call()?;
        for callee in &three.callees {
            callee.says("rings: ")?;
        }
        three.caller.says("progress: 180")?;
        let Three { caller, callees: [one, other], .. } = &mut three;
        match race % 4 {
            0 => {
                one.tell("answer")?;
                caller.tell("hangup")?;
            }
            wait => {
                caller.tell("hangup")?;
                std::thread::sleep(Duration::from_millis(5 * (wait - 1)));
                one.tell("answer")?;
            }
        }
        let has_answered = until(STEP_MAX, || {
            let ended = one.says_within(Duration::ZERO, "ended: RemoteBye").map(|_| true);
            // What nobody waits for any more can't be answered.
            let given_up =
                || ["given up", "failed: answer"].iter().find_map(|line| one.says_within(Duration::ZERO, line));
            Ok(ended.or_else(|| given_up().map(|_| false)))
        })?;
        other.says("given up")?;
        let gave_up = until(STEP_MAX, || {
            let gave_up = caller.says_within(Duration::ZERO, "gave up").map(|_| true);
            Ok(gave_up.or_else(|| caller.says_within(Duration::ZERO, "hung up").map(|_| false)))
        })?;
        match (has_answered, gave_up) {
            (Some(false), Some(true)) => cancelled += 1,
            (Some(true), Some(true)) => crossed += 1,
            (Some(true), Some(false)) => answered += 1,
            outcome => return Err(format!("race {race}: answered and given up: {outcome:?}")),
        }
        three.sessions_left(0)?;
        figures.one_call(0.0);
    }
    place.note(format!(
        "{RACES} calls given up while one of two answers: {cancelled} cancelled, {crossed} where the 200 crossed the CANCEL, {answered} answered before"
    ));
    if cancelled == 0 || crossed == 0 {
        return Err("the races had one winner only".to_owned());
    }
    three.end()
}

fn hang_up(phone: &mut Ours) -> Result<(), Fault> {
    phone.tell("hangup")?;
    phone.says("hung up").map(drop)
}

fn sessions(phone: &mut Ours, count: usize) -> Result<(), Fault> {
    let reached = until(STEP_MAX, || {
        phone.tell("sessions")?;
        Ok((phone.says("sessions: ")? == count.to_string()).then_some(()))
    })?;
    reached.ok_or_else(|| format!("a phone has not {count} sessions"))
}
