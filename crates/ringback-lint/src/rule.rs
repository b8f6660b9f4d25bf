//! What a rule is, and the macro by which a family of them is written down.

use core::fmt;

use crate::example::Example;
use crate::finding::Findings;
use crate::subject::Subject;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Deprecated or unwise.
    Note,
    /// What should be is not, or some peers will not cope.
    Warning,
    /// The message breaks a MUST.
    Error,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is looked at.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rule {
    /// Its name, which never changes: words in lower case with hyphens between.
    pub id: &'static str,
    /// How bad it is where no [`Config`](crate::Config) says otherwise.
    pub severity: Severity,
    /// Where it is written, such as "RFC 3261, Section 8.1.1.6". A finding may name a section that is more precise.
    pub section: &'static str,
    /// What is wrong, in one sentence.
    pub what: &'static str,
    /// Why that matters or what to do, in one sentence.
    pub why: &'static str,
    /// A message that it finds something in.
    pub bad: Example,
    /// The same message as it should be: no rule finds anything in it.
    pub good: Example,
    /// What looks.
    pub check: fn(&Subject<'_>, &mut Findings<'_>),
}

/// Rules that belong together.
#[derive(Debug)]
#[non_exhaustive]
pub struct Family {
    /// What they are about, as a heading.
    pub name: &'static str,
    /// The rules.
    pub rules: &'static [Rule],
}

/// A row reads: id, severity, section, what, why; a bad and a good message, each as its base and the changes to it (see
/// [`Example`]), after `>` the response where the rule judges one against its request; the function.
macro_rules! rules {
    ($family:literal $(
        $id:literal $severity:ident $section:literal
        $what:literal $why:literal
        bad [$($bad:literal),+] $(> [$($bad_response:literal),+])?
        good [$($good:literal),+] $(> [$($good_response:literal),+])?
        => $check:expr;
    )+) => {
        pub(super) static FAMILY: $crate::rule::Family = $crate::rule::Family {
            name: $family,
            rules: &[$($crate::rule::Rule {
                id: $id,
                severity: $crate::rule::Severity::$severity,
                section: $section,
                what: $what,
                why: $why,
                bad: rules!(@example [$($bad),+] $([$($bad_response),+])?),
                good: rules!(@example [$($good),+] $([$($good_response),+])?),
                check: $check,
            }),+],
        };
    };
    (@example [$($line:literal),+]) => { $crate::example::Example { lines: &[$($line),+], response: None } };
    (@example [$($line:literal),+] [$($response:literal),+]) => {
        $crate::example::Example { lines: &[$($line),+], response: Some(&[$($response),+]) }
    };
}
