//! The lines of the session level, or of one media description.

use alloc::vec::Vec;

use crate::attribute::{Attribute, MediaDirection};
use crate::error::{BuildError, ParseError};
use crate::line::{Bandwidth, Connection, Line};
use crate::order;
use crate::work;

/// Lines in the order of the grammar, without those that begin the section (`v=` and `o=`, or `m=`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    kind: Kind,
    lines: Vec<Line>,
}

/// Which lines may be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    Session,
    #[default]
    Media,
}

impl Section {
    pub(crate) fn from_lines(kind: Kind, lines: Vec<Line>) -> Section {
        Section { kind, lines }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// All of them.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    fn looked_at(&self) -> impl DoubleEndedIterator<Item = &Line> {
        self.lines.iter().inspect(|_| work::step(1))
    }

    /// Those with a letter.
    pub fn with_letter(&self, letter: char) -> impl DoubleEndedIterator<Item = &Line> {
        self.looked_at().filter(move |line| line.letter() == letter)
    }

    /// The first `c=` line.
    #[must_use]
    pub fn connection(&self) -> Option<Connection<'_>> {
        self.connections().next()
    }

    /// The `c=` lines: a media description may have several.
    pub fn connections(&self) -> impl Iterator<Item = Connection<'_>> {
        let lines = self.with_letter('c');
        lines.filter_map(|line| Connection::read(&mut line.cursor(crate::line::CONNECTION).ok()?).ok())
    }

    /// The `b=` lines.
    pub fn bandwidths(&self) -> impl Iterator<Item = Bandwidth<'_>> {
        let lines = self.with_letter('b');
        lines.filter_map(|line| Bandwidth::read(&mut line.cursor(crate::line::BANDWIDTH).ok()?).ok())
    }

    /// The attributes of a type, read one by one.
    pub fn attributes<'a, A: Attribute<'a>>(&'a self) -> impl Iterator<Item = Result<A, ParseError>> + 'a {
        self.looked_at().filter(|line| line.is_attribute(A::NAME)).map(|line| {
            let mut cursor = line.attribute_cursor(A::SECTION)?;
            let attribute = A::read(&mut cursor)?;
            cursor.end()?;
            Ok(attribute)
        })
    }

    /// The first attribute of a type that can be read; what can't be is passed over, as if it were unknown.
    #[must_use]
    pub fn attribute<'a, A: Attribute<'a>>(&'a self) -> Option<A> {
        self.attributes().find_map(Result::ok)
    }

    /// The values of the attributes with a name, known or not; `None` for one without a colon.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Option<&'a [u8]>> + 'a {
        let named = self.looked_at().filter(move |line| line.is_attribute(name));
        named.filter_map(|line| line.as_attribute().map(|(_, value)| value))
    }

    /// True where an attribute with this name is there, whatever its value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.looked_at().any(|line| line.is_attribute(name))
    }

    /// The direction that is written here, if one is. `[RFC 8866, Section 6.7]`
    #[must_use]
    pub fn direction(&self) -> Option<MediaDirection> {
        self.looked_at().find_map(|line| match line.as_attribute() {
            Some((name, None)) => MediaDirection::from_name(name),
            _ => None,
        })
    }

    /// Puts an attribute behind those that are there.
    ///
    /// # Errors
    /// Where a value in it holds CR, LF or NUL.
    pub fn push<'a>(&mut self, attribute: &impl Attribute<'a>) -> Result<(), BuildError> {
        self.put(attribute.to_line()?);
        Ok(())
    }

    /// Puts a line where the grammar has lines of its letter, behind those that are there: `r=` behind the last `t=` and its
    /// schedules, `z=` behind its `r=`.
    ///
    /// # Errors
    /// Where the section can't have such a line, or no second one, or the value is not what the line needs. `v=`, `o=` and `m=`
    /// are none of a section's: see [`SessionDescription`](crate::SessionDescription).
    pub fn insert(&mut self, line: Line) -> Result<(), BuildError> {
        let at = order::place(self, &line)?;
        order::value(&line)?;
        self.lines.insert(at, line);
        Ok(())
    }

    /// Puts a line whose letter and value are known to fit.
    pub(crate) fn put(&mut self, line: Line) {
        self.lines.insert(self.end_of(line.byte()), line);
    }

    /// The place behind all lines of a letter, and of those that stand before it.
    pub(crate) fn end_of(&self, letter: u8) -> usize {
        let rank = rank(letter);
        let place = self.lines.iter().rposition(|other| crate::section::rank(other.byte()) <= rank);
        place.map_or(0, |place| place.saturating_add(1))
    }

    /// Takes all attributes with a name away.
    pub fn remove(&mut self, name: &str) {
        self.lines.retain(|line| !line.is_attribute(name));
    }

    /// Takes all lines with a letter away.
    pub fn remove_letter(&mut self, letter: char) {
        self.lines.retain(|line| line.letter() != letter);
    }

    /// Puts one direction in the place of what is there.
    pub fn set_direction(&mut self, direction: MediaDirection) {
        self.lines.retain(|line| {
            line.as_attribute().is_none_or(|(name, value)| value.is_some() || MediaDirection::from_name(name).is_none())
        });
        self.put(Line::own(b'a', direction.name()));
    }

    /// Puts one `c=` line in the place of what is there.
    ///
    /// # Errors
    /// Where it would not be read back as it is.
    pub fn set_connection(&mut self, connection: &Connection<'_>) -> Result<(), BuildError> {
        let line = connection.to_line()?;
        self.remove_letter('c');
        self.put(line);
        Ok(())
    }
}

/// The place of a letter in its section. `[RFC 8866, Section 5]`
///
/// The order of `i c b k a` is the same in both kinds of section.
pub(crate) fn rank(letter: u8) -> u8 {
    match letter {
        b'v' => 0,
        b'o' => 1,
        b's' => 2,
        b'm' | b'i' => 3,
        b'u' => 4,
        b'e' => 5,
        b'p' => 6,
        b'c' => 7,
        b'b' => 8,
        b't' | b'r' | b'z' => 9,
        b'k' => 10,
        _ => 11,
    }
}
