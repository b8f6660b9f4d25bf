//! Attributes that describe a session to people and tools. `[RFC 8866, Section 6]`

use crate::cursor::{is_token_char, is_visible};

const ANY: core::ops::RangeFrom<usize> = 1..;

fn any(_: char) -> bool {
    true
}

text! {
    /// What kind of session it is, as words with dots between them. Obsolete.
    Category, "cat", "RFC 8866, Section 6.1", "a category", ANY, any
}
text! {
    /// Words to find it by. Obsolete.
    Keywords, "keywds", "RFC 8866, Section 6.2", "keywords", ANY, any
}
text! {
    /// What made the description.
    Tool, "tool", "RFC 8866, Section 6.3", "name and version of a tool", ANY, any
}
text! {
    /// How a whiteboard or a presentation lies: `portrait`, `landscape` or `seascape`.
    Orient, "orient", "RFC 8866, Section 6.8", "an orientation", ANY, is_token_char
}
text! {
    /// What kind of conference it is, such as `broadcast` or `meeting`.
    SessionType, "type", "RFC 8866, Section 6.9", "a type of conference", ANY, is_token_char
}
text! {
    /// How names and information are encoded, where not in UTF-8.
    Charset, "charset", "RFC 8866, Section 6.10", "a character set", ANY, is_visible
}
text! {
    /// The language of the description.
    SdpLang, "sdplang", "RFC 8866, Section 6.11", "a language tag", ANY, is_token_char
}
text! {
    /// The language of the session or of a stream.
    Lang, "lang", "RFC 8866, Section 6.12", "a language tag", ANY, is_token_char
}
number! {
    /// How good a picture is wanted: from 0, the worst, to 10.
    Quality(u32), "quality", "RFC 8866, Section 6.14", "a quality from 0 to 10"
}
