//! Whether two URIs name the same thing. `[RFC 3261, Section 19.1.4]`

use alloc::vec::Vec;

use crate::params::Params;
use crate::uri::{Host, unescape};

/// So many are compared each with each; longer lists are sorted first, so that no URI makes the work grow with its square.
const FEW: usize = 8;

/// Parameters that must be in both or in neither.
const IN_BOTH: [&[u8]; 5] = [b"user", b"ttl", b"method", b"maddr", b"transport"];

pub(super) fn same_text<T: AsRef<[u8]>, U: AsRef<[u8]>>(a: Option<&T>, b: Option<&U>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => a.as_ref() == b.as_ref() || unescape(a.as_ref()) == unescape(b.as_ref()),
        _ => false,
    }
}

pub(super) fn same_host(a: &[u8], b: &[u8]) -> bool {
    a.eq_ignore_ascii_case(b)
        || matches!((Host::of(a), Host::of(b)), (Some(Host::Address(x)), Some(Host::Address(y))) if x == y)
}

fn same_value(a: &[u8], b: &[u8]) -> bool {
    a.eq_ignore_ascii_case(b) || unescape(a).eq_ignore_ascii_case(&unescape(b))
}

/// Parameters that are in both must agree. Of two of one name the first counts.
pub(super) fn same_params<T: AsRef<[u8]>, U: AsRef<[u8]>>(a: &Params<T>, b: &Params<U>) -> bool {
    if a.text() == b.text() {
        return true;
    }
    let in_both = IN_BOTH.iter().all(|name| a.has(name) == b.has(name));
    in_both && if is_few(a) && is_few(b) { few_agree(a, b) } else { many_agree(a, b) }
}

fn is_few<T: AsRef<[u8]>>(params: &Params<T>) -> bool {
    params.iter().nth(FEW).is_none()
}

fn few_agree<T: AsRef<[u8]>, U: AsRef<[u8]>>(a: &Params<T>, b: &Params<U>) -> bool {
    a.iter().all(|(name, _)| match (a.find(name), b.find(name)) {
        (Some(Some(x)), Some(Some(y))) => same_value(x, y),
        (Some(x), Some(y)) => x.is_none() && y.is_none(),
        _ => true,
    })
}

fn many_agree<T: AsRef<[u8]>, U: AsRef<[u8]>>(a: &Params<T>, b: &Params<U>) -> bool {
    let b = sorted(b);
    sorted(a).iter().all(|(name, value)| match b.binary_search_by(|(other, _)| other.cmp(name)) {
        Ok(at) => b.get(at).is_some_and(|(_, other)| other == value),
        Err(_) => true,
    })
}

/// Names and values in small letters, escapes undone, in the order of names; the first of each name.
type Sorted = Vec<(Vec<u8>, Option<Vec<u8>>)>;

fn sorted<T: AsRef<[u8]>>(params: &Params<T>) -> Sorted {
    let lower = |value: &[u8]| unescape(value).to_ascii_lowercase();
    let mut pairs: Sorted = params.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.map(lower))).collect();
    pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
    pairs.dedup_by(|(a, _), (b, _)| a == b);
    pairs
}

/// The same header fields, in any order.
pub(super) fn same_headers(a: Option<&[u8]>, b: Option<&[u8]>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return a == b };
    a == b || header_set(a) == header_set(b)
}

fn header_set(text: &[u8]) -> Vec<Vec<u8>> {
    let mut pairs: Vec<Vec<u8>> = text.split(|&c| c == b'&').map(|pair| unescape(pair).to_ascii_lowercase()).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alloc::string::String;

    use super::*;
    use crate::header::HeaderId;
    use crate::uri::Uri;
    use std::format;

    #[test]
    fn many_parameters_compare_as_few_do() {
        for count in [FEW - 2, FEW - 1, FEW, FEW + 1, 40] {
            let list = |order: &mut dyn Iterator<Item = usize>| {
                order.map(|i| format!(";p{i}=%4{}", i % 8)).collect::<String>()
            };
            let (up, down) = (list(&mut (0..count)), list(&mut (0..count).rev()));
            let same = |a: &str, b: &str| {
                let (a, b) = (format!("sip:a@b{a}"), format!("sip:a@b{b}"));
                let read = |text: &str| Uri::parse(text.as_bytes(), HeaderId::To, 0).unwrap().to_owned_text();
                read(&a).equivalent(&read(&b))
            };
            assert!(same(&up, &down) && same(&up, "") && same(&up, &down.replace(";p0=", ";P0=")));
            assert!(!same(&up, &down.replace(";p1=%41", ";p1=%42")) && !same(&up, &format!("{down};ttl=1")));
            assert!(!same(&up, &down.replace(";p1=%41", ";p1")) && !same(&format!(";ttl=1{up}"), &down));
            // Of two of one name the first counts.
            assert!(same(&format!("{up};p0=x"), &up) && !same(&format!(";p0=x{up}"), &up));
            assert!(same(&format!("{up};p0=x"), &format!("{up};p0=x")));
        }
    }
}
