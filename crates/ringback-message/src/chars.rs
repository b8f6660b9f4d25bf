//! Character classes of the grammar, one bit each. `[RFC 3261, Section 25.1]`

/// `token`: alphanum and ``-.!%*_+`'~``.
pub(crate) const TOKEN: u8 = 1;
/// What the name of a host or an IPv4 address may hold: alphanum, `-.`, and `_`, which the grammar lacks and names have.
pub(crate) const HOST: u8 = 2;
/// `word`, of which a Call-ID is made.
pub(crate) const WORD: u8 = 4;
/// What the user part of a SIP URI may hold, escapes included.
pub(crate) const USER: u8 = 8;
/// What a parameter or header of a SIP URI may hold, escapes included.
pub(crate) const URI_PARAM: u8 = 16;
/// What may stand in any URI at all: visible ASCII without the delimiters that the surroundings need.
pub(crate) const URI: u8 = 32;
/// Unquoted values of parameters: `token`, and what hosts and lenient peers put there.
pub(crate) const PARAM_VALUE: u8 = 64;
/// What is passed on as a Request-URI: [`URI`], and bytes of other alphabets, which nobody should send.
pub(crate) const REQUEST_URI: u8 = 128;

static CLASSES: [u8; 256] = classes();

/// True where the byte is of one of the classes.
#[inline]
pub(crate) fn is(byte: u8, class: u8) -> bool {
    classes_of(byte) & class != 0
}

#[inline]
fn classes_of(byte: u8) -> u8 {
    // There is one for every byte, so that nothing is checked here.
    CLASSES.get(usize::from(byte)).copied().unwrap_or(0)
}

/// How many bytes at the start are of one of the classes.
#[inline]
pub(crate) fn run(bytes: &[u8], class: u8) -> usize {
    // Byte by byte: names and values are short, and their bytes cost less in this form than in that of `position`.
    let mut rest = bytes;
    while let [next, tail @ ..] = rest
        && is(*next, class)
    {
        rest = tail;
    }
    bytes.len() - rest.len()
}

/// How many bytes stand before the first control character up to CR: white space of lines, NUL and a few that hardly occur.
///
/// All bytes of a message's head pass here, so it looks at eight at a time.
#[inline]
pub(crate) fn before_control(bytes: &[u8]) -> usize {
    const TOP_BITS: u64 = u64::from_le_bytes([0x80; 8]);
    const BEHIND_CR: u64 = u64::from_le_bytes([b'\r' + 1; 8]);
    let (words, rest) = bytes.as_chunks::<8>();
    let mut passed = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        // Bytes that the subtraction turns negative, and that weren't: the first of them is exact, later ones may be due to its borrow.
        let found = word.wrapping_sub(BEHIND_CR) & !word & TOP_BITS;
        if found != 0 {
            return passed + (found.trailing_zeros() / 8) as usize;
        }
        passed += 8;
    }
    passed + rest.iter().position(|&b| b <= b'\r').unwrap_or(rest.len())
}

/// True where every byte is of the class and there is at least one.
pub(crate) fn all(bytes: &[u8], class: u8) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&b| is(b, class))
}

/// True where the bytes are a `token`. `[RFC 3261, Section 25.1]`
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    all(bytes, TOKEN)
}

/// The bytes without white space (folds included) at either end.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let [b' ' | b'\t' | b'\r' | b'\n', tail @ ..] = rest {
        rest = tail;
    }
    while let [head @ .., b' ' | b'\t' | b'\r' | b'\n'] = rest {
        rest = head;
    }
    rest
}

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, where a bad index is a build error")]
const fn classes() -> [u8; 256] {
    let mut table = [0_u8; 256];
    let mut i = 0_usize;
    while i < 256 {
        let b = i as u8;
        let mut c = 0;
        if b.is_ascii_alphanumeric() {
            c |= TOKEN | HOST | WORD | USER | URI_PARAM | URI | PARAM_VALUE | REQUEST_URI;
        }
        if among(b, b"-.!%*_+`'~") {
            c |= TOKEN | WORD | PARAM_VALUE;
        }
        if among(b, b"-._") {
            c |= HOST;
        }
        if among(b, b"-._:[]") {
            c |= PARAM_VALUE;
        }
        if among(b, b"()<>:\\\"/[]?{}") {
            c |= WORD;
        }
        // unreserved, user-unreserved, the sign of an escape, and `#`, which phones dial unescaped
        if among(b, b"-_.!~*'()&=+$,;?/%#") {
            c |= USER;
        }
        // unreserved, param-unreserved and the sign of an escape
        if among(b, b"-_.!~*'()[]/:&+$%") {
            c |= URI_PARAM;
        }
        if b > b' ' && b < 0x7f && !among(b, b"<>\"") {
            c |= URI | REQUEST_URI;
        }
        if b >= 0x80 {
            c |= REQUEST_URI;
        }
        if among(b, b"/?@&$#|^{}()") || b >= 0x80 {
            c |= PARAM_VALUE;
        }
        table[i] = c;
        i += 1;
    }
    table
}

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, where a bad index is a build error")]
const fn among(byte: u8, set: &[u8]) -> bool {
    let mut i = 0;
    while i < set.len() {
        if set[i] == byte {
            return true;
        }
        i += 1;
    }
    false
}

/// The text with the digits of its escapes in capitals, which is how escapes compare. `[RFC 3986, Section 6.2.2.1]`
pub(crate) fn escapes_in_capitals(text: &[u8]) -> alloc::vec::Vec<u8> {
    let mut left = 0_u8;
    let upper = |&b: &u8| {
        let of_escape = left > 0;
        left = if b == b'%' { 2 } else { left.saturating_sub(1) };
        if of_escape { b.to_ascii_uppercase() } else { b }
    };
    text.iter().map(upper).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_those_of_the_grammar() {
        let token = (0..=255_u8).filter(|&b| is(b, TOKEN)).count();
        assert_eq!(token, 62 + 10);
        assert!(!is(b':', TOKEN) && !is(b'@', TOKEN) && !is(0, TOKEN) && !is(0x80, TOKEN));
        assert!(is_token(b"z9hG4bK-a.b!c%d*e_f+g`h'i~j"));
        assert!(!is_token(b""));
    }

    #[test]
    fn runs_end_at_the_first_other_byte() {
        for len in 0..12 {
            let text: std::string::String = "token-0.1~ab".chars().take(len).collect();
            assert_eq!(run(text.as_bytes(), TOKEN), len);
            assert_eq!(run(std::format!("{text};more").as_bytes(), TOKEN), len);
            assert_eq!(before_control(std::format!("{text}\r\n").as_bytes()), len);
            assert_eq!(before_control(std::format!("{text}\u{e9}\0").as_bytes()), len + 2);
        }
    }

    #[test]
    fn trims_folds_too() {
        assert_eq!(trim(b" \r\n\ta b\r\n "), b"a b");
        assert_eq!(trim(b" \r\n "), b"");
    }
}
