//! Character classes of the grammar, one bit each. `[RFC 3261, Section 25.1]`

/// `token`: alphanum and ``-.!%*_+`'~``.
pub(crate) const TOKEN: u8 = 1;
/// Everything that a host may hold: alphanum, `-._:[]` (and `%` for the zones of RFC 6874, which are refused later).
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

static CLASSES: [u8; 256] = classes();

/// True where the byte is of one of the classes.
pub(crate) fn is(byte: u8, class: u8) -> bool {
    CLASSES.get(usize::from(byte)).is_some_and(|c| c & class != 0)
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
            c |= TOKEN | HOST | WORD | USER | URI_PARAM | URI | PARAM_VALUE;
        }
        if among(b, b"-.!%*_+`'~") {
            c |= TOKEN | WORD | PARAM_VALUE;
        }
        if among(b, b"-._:[]") {
            c |= HOST | PARAM_VALUE;
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
            c |= URI;
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
    fn trims_folds_too() {
        assert_eq!(trim(b" \r\n\ta b\r\n "), b"a b");
        assert_eq!(trim(b" \r\n "), b"");
    }
}
