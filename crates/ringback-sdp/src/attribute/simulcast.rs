//! Several encodings of one source. `[RFC 8851]` `[RFC 8853]`

use alloc::vec::Vec;
use core::fmt;

use crate::cursor::{Cursor, is_token_char};
use crate::error::ParseError;

words! {
    /// Which way an encoding goes. `[RFC 8851, Section 4]`
    RidDirection {
        /// From the one who says it.
        Send = "send",
        /// To the one who says it.
        Recv = "recv",
    }
}

/// One encoding and its bounds. `[RFC 8851, Section 10]`
///
/// ```text
/// rid-syntax = %s"a=rid:" rid-id SP rid-dir [ rid-pt-param-list / rid-param-list ]
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rid<'a> {
    /// Its name.
    pub id: &'a str,
    /// Which way it goes.
    pub direction: RidDirection,
    /// The formats that it may have; all, where there is none.
    pub formats: Vec<&'a str>,
    /// Bounds such as `max-width=1280`, with semicolons between them; empty for none.
    pub restrictions: &'a str,
}

fn is_rid_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

impl<'a> Rid<'a> {
    fn read_value(cursor: &mut Cursor<'a>) -> Result<Rid<'a>, ParseError> {
        let id = cursor.word(is_rid_char, "the name of an encoding")?;
        cursor.space("a blank and the direction")?;
        let direction = direction(cursor)?;
        let mut rid = Rid { id, direction, formats: Vec::new(), restrictions: "" };
        if !cursor.more() {
            return Ok(rid);
        }
        if cursor.eat_word("pt=") {
            rid.formats.push(cursor.token("a format")?);
            while cursor.eat(',') {
                rid.formats.push(cursor.token("a format")?);
            }
            if cursor.is_done() {
                return Ok(rid);
            }
            cursor.expect(';', "a semicolon or the end of the line")?;
        }
        rid.restrictions = cursor.word(|_| true, "a bound")?;
        Ok(rid)
    }
}

fn direction(cursor: &mut Cursor<'_>) -> Result<RidDirection, ParseError> {
    let at = cursor.clone();
    let word = cursor.word(is_token_char, "send or recv")?;
    RidDirection::from_word(word).ok_or_else(|| at.error("send or recv"))
}

impl fmt::Display for Rid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.direction)?;
        let mut gap = " pt=";
        for format in &self.formats {
            write!(f, "{gap}{format}")?;
            gap = ",";
        }
        match (self.restrictions, self.formats.is_empty()) {
            ("", _) => Ok(()),
            (bounds, true) => write!(f, " {bounds}"),
            (bounds, false) => write!(f, ";{bounds}"),
        }
    }
}

attribute!(Rid<'a>, "rid", "RFC 8851, Section 10");

/// What is sent and received at once. `[RFC 8853, Section 5.1]`
///
/// ```text
/// sc-value = ( sc-send [SP sc-recv] ) / ( sc-recv [SP sc-send] )
/// ```
///
/// Each stream is a list of alternatives, and each alternative the name of an encoding, with `~` before it where it is paused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Simulcast<'a> {
    /// What is sent.
    pub send: Vec<Vec<&'a str>>,
    /// What is received.
    pub recv: Vec<Vec<&'a str>>,
    /// Whether `recv` was written first.
    pub recv_first: bool,
}

impl<'a> Simulcast<'a> {
    fn read_value(cursor: &mut Cursor<'a>) -> Result<Simulcast<'a>, ParseError> {
        let mut simulcast = Simulcast::default();
        let first = direction(cursor)?;
        simulcast.recv_first = first == RidDirection::Recv;
        simulcast.list(first, cursor)?;
        if cursor.more() {
            let at = cursor.clone();
            let second = direction(cursor)?;
            if first == second {
                return Err(at.error("the other direction"));
            }
            simulcast.list(second, cursor)?;
        }
        Ok(simulcast)
    }

    fn list(&mut self, direction: RidDirection, cursor: &mut Cursor<'a>) -> Result<(), ParseError> {
        cursor.space("a blank and the streams")?;
        let at = cursor.clone();
        let text = cursor.word(|c| is_rid_char(c) || ",;~".contains(c), "streams")?;
        let streams: Vec<Vec<&str>> = text.split(';').map(|stream| stream.split(',').collect()).collect();
        let is_name = |name: &str| {
            let name = name.strip_prefix('~').unwrap_or(name);
            !name.is_empty() && name.chars().all(is_rid_char)
        };
        if !streams.iter().flatten().all(|name| is_name(name)) {
            return Err(at.error("names of encodings"));
        }
        match direction {
            RidDirection::Send => self.send = streams,
            RidDirection::Recv => self.recv = streams,
        }
        Ok(())
    }
}

impl fmt::Display for Simulcast<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lists = [("send", &self.send), ("recv", &self.recv)];
        if self.recv_first {
            lists.reverse();
        }
        let mut gap = "";
        for (word, streams) in lists.into_iter().filter(|(_, streams)| !streams.is_empty()) {
            write!(f, "{gap}{word} ")?;
            let mut between = "";
            for stream in streams {
                write!(f, "{between}{}", stream.join(","))?;
                between = ";";
            }
            gap = " ";
        }
        Ok(())
    }
}

attribute!(Simulcast<'a>, "simulcast", "RFC 8853, Section 5.1");
