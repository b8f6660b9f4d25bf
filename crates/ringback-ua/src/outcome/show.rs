//! Outcomes in words.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::parts::{Acceptable, Correction, Described, Progress, Question, Redirection, Target, Wait, Why};
use super::read::shown;
use super::{Outcome, Redirect};

/// What is to be done, in a phrase for people; what the other side says is [`Said`](super::Said).
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Progress(progress) => progress.fmt(f),
            Outcome::Established(described) => described.fmt(f),
            Outcome::Success => f.write_str("done"),
            Outcome::Authenticate(challenges) => {
                f.write_str("send it again with credentials for ")?;
                for (at, challenge) in challenges.iter().enumerate() {
                    write!(f, "{}\"{}\"", glue(at), shown(challenge.realm.as_bytes()))?;
                }
                Ok(())
            }
            Outcome::Redirect(redirect) => redirect.fmt(f),
            Outcome::RetryLater(wait) => wait.fmt(f),
            Outcome::RaiseExpires { min_secs } => write!(f, "send it again with an expiry of at least {min_secs} s"),
            Outcome::RaiseSessionExpires { min_secs } => {
                write!(f, "send it again with a session interval of at least {min_secs} s")
            }
            Outcome::DropExtensions(tags) => list(f, "send it again without the extensions ", tags),
            Outcome::AddExtensions(tags) => list(f, "send it again with the extensions ", tags),
            Outcome::Shrink => f.write_str("send it again smaller"),
            Outcome::ChangeBody(acceptable) => {
                f.write_str("send it again with another body")?;
                acceptable.fmt(f)
            }
            Outcome::WidenAccept => f.write_str("send it again and take more kinds of answers"),
            Outcome::ChangeOffer(acceptable) => {
                f.write_str("send it again with another offer")?;
                acceptable.fmt(f)
            }
            Outcome::Correct(correction) => correction.fmt(f),
            Outcome::NextTarget(wait) => match wait.after_secs {
                Some(secs) => write!(f, "try the next server; this one again in {secs} s"),
                None => f.write_str("try the next server"),
            },
            Outcome::Ask(question) => question.fmt(f),
            Outcome::RetryPending => f.write_str("send it again after a random while"),
            Outcome::DialogGone => f.write_str("the dialog is over"),
            Outcome::GiveUp { why, .. } => why.fmt(f),
        }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Progress::Trying => f.write_str("on its way"),
            Progress::Ringing => f.write_str("it rings"),
            Progress::Forwarded => f.write_str("the call is being forwarded"),
            Progress::Queued => f.write_str("the call waits in a queue"),
            Progress::Advancing => f.write_str("the call goes on"),
            Progress::DialogEnded(status) => write!(f, "one of those who were called is out, by {status}"),
        }
    }
}

impl fmt::Display for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Described::Nothing | Described::Answer(_) => "the call is answered",
            Described::Offer(_) => "the call is answered, and its offer wants an answer",
            Described::Unreadable => "the call is answered by what can't be read",
        })
    }
}

impl fmt::Display for Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.redirection {
            Redirection::ThroughProxy => "send it through the proxy ",
            _ => "send it to ",
        })?;
        joined(f, &self.targets)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut uri = Vec::new();
        self.uri.write(&mut uri);
        f.write_str(&shown(&uri))
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.after_secs {
            Some(secs) => write!(f, "try again in {secs} s")?,
            None => f.write_str("try again later")?,
        }
        if let Some(secs) = self.duration_secs {
            write!(f, ", within {secs} s from then")?;
        }
        if self.comment.is_empty() { Ok(()) } else { write!(f, " ({})", self.comment) }
    }
}

/// What is behind "with another body".
impl fmt::Display for Acceptable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, values) in [("types", &self.types), ("encodings", &self.encodings), ("languages", &self.languages)] {
            if !values.is_empty() {
                write!(f, "; {name} ")?;
                joined(f, values)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Question::Digits => f.write_str("the number is not complete"),
            Question::Choose(targets) if targets.is_empty() => f.write_str("the address means several"),
            Question::Choose(targets) => {
                f.write_str("the address means several: ")?;
                joined(f, targets)
            }
            Question::Alternative { .. } => f.write_str("another service is offered instead"),
            Question::Reveal => f.write_str("whoever calls must say who they are"),
        }
    }
}

impl fmt::Display for Correction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Correction::WholeState => f.write_str("publish the whole state anew"),
            Correction::SipUri => f.write_str("send it again to a SIP URI"),
            Correction::ResourcePriority(known) => list(f, "send it again with another priority", known),
            Correction::Location => f.write_str("send it again with a location that can be used"),
            Correction::Alert => f.write_str("send it again with an alert that can be used"),
            Correction::Identity => f.write_str("send it again with an identity that can be verified"),
            Correction::ReferrerIdentity => f.write_str("have the REFER sent again with a proof of who refers"),
            Correction::PlainRegistration => f.write_str("register again without outbound"),
            Correction::InfoPackage(known) => list(f, "use an INFO package that is wanted", known),
            Correction::Consent => f.write_str("send it again when the recipient has consented"),
            Correction::Encryption => f.write_str("send it again so that the other side can decrypt it"),
            Correction::SecurityAgreement => f.write_str("agree on security with the next server first"),
            Correction::PushService => f.write_str("register again with another push service"),
            Correction::Preconditions => f.write_str("send it again with other preconditions"),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Why::Malformed => "our message is found to be malformed",
            Why::PaymentRequired => "payment is required",
            Why::Forbidden => "it is forbidden",
            Why::NotFound => "there is no such user",
            Why::MethodNotAllowed(allowed) => return list(f, "the method is not allowed there", allowed),
            Why::Gone => "the address is gone for good",
            Why::UriTooLong => "the address is too long",
            Why::NoSuchDialog => "the dialog that it is about isn't there",
            Why::Routing => "it goes in circles, or too far",
            Why::Cancelled => "it was given up",
            Why::BadEvent(known) => return list(f, "the event package is unknown", known),
            Why::NotImplemented => "the server doesn't know the method",
            Why::Version => "the server doesn't know this version of SIP",
            Why::Busy => "the called person is busy on all devices",
            Why::Declined => "the called person declines",
            Why::Unwanted => "the called person doesn't want such calls",
            Why::Blocked(Some(card)) => return write!(f, "blocked on the way; whom to ask: {card}"),
            Why::Blocked(None) => "blocked on the way",
            Why::NowhereToGo => "it is to go elsewhere, and nobody says where",
            Why::Unusable(header) => return write!(f, "the response has no {header} that could be used"),
            Why::NoRoute => "no address is found for the URI, or none by a transport that we have",
            Why::Unbuildable => "the request can't be built",
        };
        f.write_str(text)
    }
}

fn glue(at: usize) -> &'static str {
    if at == 0 { "" } else { ", " }
}

fn joined(f: &mut fmt::Formatter<'_>, values: &[impl fmt::Display]) -> fmt::Result {
    for (at, value) in values.iter().enumerate() {
        write!(f, "{}{value}", glue(at))?;
    }
    Ok(())
}

/// `text: a, b`; without the colon where the text ends in a blank, and the text alone where there is nothing in the list.
fn list(f: &mut fmt::Formatter<'_>, text: &str, values: &[Box<str>]) -> fmt::Result {
    f.write_str(text)?;
    if !values.is_empty() && !text.ends_with(' ') {
        f.write_str(": ")?;
    }
    joined(f, values)
}
