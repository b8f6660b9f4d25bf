//! Scripts in virtual time, which read like the figures of the RFCs.
//!
//! ```text
//! at 0    in  TU   INVITE      ; what is done to the machine
//! at 0    out net  INVITE      ; what it does
//! at 500  Timer A              ; what it did that for
//! at 500  out net  INVITE
//! ```
//!
//! A script is complete: whatever happens and is not in it fails it, from the first line until the last timer has fired. A line
//! says `at MILLISECONDS` and then `in PEER WHAT`, `out PEER WHAT` or the name of a timer; what stands behind a semicolon is for
//! people. Timers that fire at one moment are one line, by the name of the first. Lines without `at` prepare the stage, before anything happens. The last line is `left WHAT` where something is meant
//! to remain when no timer is left.
//!
//! What the words mean is the [`Stage`]'s business. [`StackStage`] is one around a whole server; a machine of any layer gets
//! the same notation with a stage of some fifty lines.

mod stack;

use std::fmt;

use ringback_base::{Micros, Now};

pub use stack::StackStage;

/// A machine with its surroundings, as a script sees them.
pub trait Stage {
    /// A line without `at`.
    ///
    /// # Errors
    /// Where it means nothing.
    fn prepare(&mut self, line: &str) -> Result<(), String>;

    /// `in FROM WHAT`.
    ///
    /// # Errors
    /// Where it means nothing.
    fn input(&mut self, from: &str, what: &str, now: Now) -> Result<(), String>;

    /// When the next timer fires, and its name.
    fn poll_timeout(&self) -> Option<(Micros, String)>;

    /// Time has passed.
    fn handle_timeout(&mut self, now: Now);

    /// What came out since the last call, each as `PEER WHAT`.
    fn take_output(&mut self) -> Vec<String>;

    /// What remains, when no timer is left.
    fn left(&self) -> Option<String>;
}

/// Plays a script from its first line until the last timer has fired.
///
/// # Errors
/// Where something else happens than the script says, or a line can't be read.
pub fn play(stage: &mut impl Stage, script: &str) -> Result<(), Difference> {
    let lines = script.lines().map(|line| line.split(';').next().unwrap_or_default());
    let wanted: Vec<String> = lines.map(words).filter(|line| !line.is_empty()).collect();
    let mut player = Player { stage, now: Now::default(), played: Vec::new() };
    let mut happening = Vec::new();
    for line in wanted {
        if line.starts_with("at ") || line.starts_with("left ") {
            if let Some((at, from, what)) = input(&line) {
                player.advance(at);
                player.played.push(line.clone());
                let now = player.now;
                player.stage.input(from, what, now).map_err(|error| Difference::unreadable(&line, &error))?;
                player.collect();
            }
            happening.push(line);
        } else {
            player.stage.prepare(&line).map_err(|error| Difference::unreadable(&line, &error))?;
        }
    }
    player.advance(Micros::MAX);
    if let Some(left) = player.stage.left() {
        player.played.push(format!("left {left}"));
    }
    let played = player.played;
    if played == happening { Ok(()) } else { Err(Difference { wanted: happening, played }) }
}

fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `at MILLISECONDS in FROM WHAT`.
fn input(line: &str) -> Option<(Micros, &str, &str)> {
    let (at, rest) = line.strip_prefix("at ")?.split_once(' ')?;
    let (from, what) = rest.strip_prefix("in ")?.split_once(' ')?;
    Some((Micros::from_ms(at.parse().ok()?), from, what))
}

struct Player<'a, S> {
    stage: &'a mut S,
    now: Now,
    played: Vec<String>,
}

impl<S: Stage> Player<'_, S> {
    /// Fires what is due up to that moment, each at its own.
    fn advance(&mut self, to: Micros) {
        while let Some((at, name)) = self.stage.poll_timeout().filter(|(at, _)| *at <= to) {
            self.now = self.now.after(at.since(self.now.mono));
            self.played.push(format!("at {} {name}", self.now.mono.0 / 1_000));
            self.stage.handle_timeout(self.now);
            self.collect();
        }
        if to != Micros::MAX {
            self.now = self.now.after(to.since(self.now.mono));
        }
    }

    fn collect(&mut self) {
        let at = self.now.mono.0 / 1_000;
        self.played.extend(self.stage.take_output().into_iter().map(|what| format!("at {at} out {what}")));
    }
}

/// What a script says and what happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The lines of the script.
    pub wanted: Vec<String>,
    /// What happened.
    pub played: Vec<String>,
}

impl Difference {
    fn unreadable(line: &str, error: &str) -> Difference {
        Difference { wanted: vec![line.to_owned()], played: vec![format!("({error})")] }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.wanted.iter().map(|line| line.chars().count()).max().unwrap_or(0).max(6);
        writeln!(f, "  {:<width$}  played", "wanted")?;
        let same = self.wanted.iter().zip(&self.played).take_while(|(wanted, played)| wanted == played).count();
        for line in 0..self.wanted.len().max(self.played.len()) {
            let text = |lines: &[String]| lines.get(line).cloned().unwrap_or_default();
            let mark = if line == same { '>' } else { ' ' };
            writeln!(f, "{mark} {:<width$}  {}", text(&self.wanted), text(&self.played))?;
        }
        Ok(())
    }
}

impl std::error::Error for Difference {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    /// An alarm clock: `set MILLISECONDS` rings so much later, and once more after the same time.
    #[derive(Default)]
    struct Alarm {
        rings: Vec<(Micros, Micros)>,
        output: Vec<String>,
        is_loud: bool,
    }

    impl Stage for Alarm {
        fn prepare(&mut self, line: &str) -> Result<(), String> {
            self.is_loud = line == "loud";
            if self.is_loud { Ok(()) } else { Err("an alarm is loud".to_owned()) }
        }

        fn input(&mut self, from: &str, what: &str, now: Now) -> Result<(), String> {
            let span = what.strip_prefix("set ").and_then(|ms| ms.parse().ok()).ok_or("set it")?;
            self.rings.push((now.mono.plus(Micros::from_ms(span)), Micros::from_ms(span)));
            self.output.push(format!("{from} ok"));
            Ok(())
        }

        fn poll_timeout(&self) -> Option<(Micros, String)> {
            self.rings.first().map(|(at, _)| (*at, "Bell".to_owned()))
        }

        fn handle_timeout(&mut self, now: Now) {
            let (_, span) = self.rings.remove(0);
            self.output.push(if self.is_loud { "all RING".to_owned() } else { "all ring".to_owned() });
            if span > Micros(0) {
                self.rings.push((now.mono.plus(span), Micros(0)));
            }
        }

        fn take_output(&mut self) -> Vec<String> {
            std::mem::take(&mut self.output)
        }

        fn left(&self) -> Option<String> {
            (!self.is_loud).then(|| "a sleeper".to_owned())
        }
    }

    #[test]
    fn what_happens_is_what_stands_there() {
        let script = "loud
             at 5  in  me  set 10       ; in the morning
             at 5  out me  ok
             at 15 Bell
             at 15 out all RING
             at 25 Bell
             at 25 out all RING";
        assert_eq!(play(&mut Alarm::default(), script), Ok(()));
    }

    #[test]
    fn what_else_happens_is_shown_beside_it() {
        let error = play(&mut Alarm::default(), "at 0 in me set 1\nat 1 Bell\n").unwrap_err();
        let shown = "  wanted            played
  at 0 in me set 1  at 0 in me set 1
> at 1 Bell         at 0 out me ok
                    at 1 Bell
                    at 1 out all ring
                    at 2 Bell
                    at 2 out all ring
                    left a sleeper
";
        assert_eq!(error.to_string(), shown, "\n{error}");
    }

    #[test]
    fn what_means_nothing_is_told() {
        let error = play(&mut Alarm::default(), "at 0 in me snooze").unwrap_err();
        assert_eq!(error.played, ["(set it)"]);
        let error = play(&mut Alarm::default(), "quiet").unwrap_err();
        assert_eq!((error.wanted, error.played), (vec!["quiet".to_owned()], vec!["(an alarm is loud)".to_owned()]));
    }
}
