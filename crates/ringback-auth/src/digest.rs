//! The computation. `[RFC 7616, Section 3.4.1]`

use core::fmt;

use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};
use subtle::{Choice, ConstantTimeEq as _};

use crate::algorithm::{Algorithm, Qop};
use crate::ha1::Ha1;

/// The most hexadecimal digits that a hash has.
const HEX_MAX: usize = 64;

/// A hash in lowercase hexadecimal digits. `[RFC 7616, Section 3.2]`
///
/// It is compared in constant time, and its debug form shows nothing: from a response a password can be guessed at leisure.
#[derive(Clone, Copy)]
pub struct HexDigest {
    hex: [u8; HEX_MAX],
    len: u8,
}

impl HexDigest {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The digits as bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.hex.get(..usize::from(self.len)).unwrap_or_default()
    }

    fn of_hash(hash: &[u8]) -> HexDigest {
        let mut hex = [0; HEX_MAX];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(hash) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        let len = hash.len().saturating_mul(2).min(HEX_MAX);
        HexDigest { hex, len: u8::try_from(len).unwrap_or(0) }
    }

    /// Digits that came from outside, in any case: all of them, or the place of the first that is none.
    pub(crate) fn from_hex(text: &[u8]) -> Result<HexDigest, usize> {
        let mut hex = [0; HEX_MAX];
        for (i, (to, from)) in hex.iter_mut().zip(text).enumerate() {
            if !from.is_ascii_hexdigit() {
                return Err(i);
            }
            *to = from.to_ascii_lowercase();
        }
        u8::try_from(text.len())
            .ok()
            .filter(|&len| usize::from(len) <= HEX_MAX)
            .map(|len| HexDigest { hex, len })
            .ok_or(HEX_MAX)
    }

    /// Whether the text, in any case, is this hash; the time depends on its length alone.
    pub(crate) fn is_text(&self, text: &str) -> Choice {
        let lower = text.to_ascii_lowercase();
        self.as_bytes().ct_eq(lower.as_bytes())
    }
}

impl PartialEq for HexDigest {
    fn eq(&self, other: &HexDigest) -> bool {
        self.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl Eq for HexDigest {}

impl fmt::Display for HexDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for HexDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HexDigest")
    }
}

fn digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0'.wrapping_add(nibble) } else { b'a'.wrapping_add(nibble.wrapping_sub(10)) }
}

/// What the response is computed from, besides the user's secret. `[RFC 7616, Section 3.4.1]`
///
/// Every text is `unq(X)`: without quotes and quoting slashes.
///
/// ```
/// use ringback_auth::{Algorithm, DigestInput, Ha1, Password, Protection, Qop};
///
/// let input = DigestInput {
///     session: false,
///     nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
///     protection: Some(Protection { qop: Qop::Auth, nc: "00000001", cnonce: "0a4f113b" }),
///     method: b"GET",
///     uri: "/dir/index.html",
///     body: b"",
/// };
/// let ha1 = Ha1::of(Algorithm::Md5, "Mufasa", "testrealm@host.com", &Password::new("Circle Of Life"));
/// assert_eq!(input.response(&ha1).as_str(), "6629fae49393a05397450978507c4ef1");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DigestInput<'a> {
    /// True for the `-sess` variant of the algorithm. It needs a cnonce, so without [`Self::protection`] it changes nothing.
    pub session: bool,
    /// The nonce.
    pub nonce: &'a str,
    /// What came with RFC 2617; `None` for the digest of RFC 2069.
    pub protection: Option<Protection<'a>>,
    /// The method.
    pub method: &'a [u8],
    /// The digest URI, as the credentials write it.
    pub uri: &'a str,
    /// The body, which only [`Qop::AuthInt`] looks at.
    pub body: &'a [u8],
}

/// qop and the two values that come and go with it. `[RFC 7616, Section 3.4]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protection<'a> {
    /// What is protected.
    pub qop: Qop,
    /// The nonce count, eight hexadecimal digits as written.
    pub nc: &'a str,
    /// The client's nonce.
    pub cnonce: &'a str,
}

impl DigestInput<'_> {
    /// The response, by the algorithm of `ha1`.
    #[must_use]
    pub fn response(&self, ha1: &Ha1) -> HexDigest {
        let a2 = hash_a2(ha1.algorithm(), self.protection.map(|p| p.qop), self.method, self.uri, self.body);
        response(ha1, self.session, self.nonce, self.protection, &a2)
    }
}

/// `H(A2)`. `[RFC 7616, Section 3.4.3]` Without a body it is the hash of nothing. `[RFC 8760, Section 2.6]`
pub(crate) fn hash_a2(algorithm: Algorithm, qop: Option<Qop>, method: &[u8], uri: &str, body: &[u8]) -> HexDigest {
    match qop {
        Some(Qop::AuthInt) => hash(algorithm, &[method, uri.as_bytes(), hash(algorithm, &[body]).as_bytes()]),
        Some(Qop::Auth) | None => hash(algorithm, &[method, uri.as_bytes()]),
    }
}

/// `KD(H(A1), …)`, the hash of A2 given.
pub(crate) fn response(
    ha1: &Ha1,
    session: bool,
    nonce: &str,
    protection: Option<Protection<'_>>,
    a2: &HexDigest,
) -> HexDigest {
    let algorithm = ha1.algorithm();
    let Some(Protection { qop, nc, cnonce }) = protection else {
        // RFC 2069 compatibility: KD(H(A1), unq(nonce) ":" H(A2)).
        return hash(algorithm, &[ha1.as_bytes(), nonce.as_bytes(), a2.as_bytes()]);
    };
    let session_a1 = session.then(|| hash(algorithm, &[ha1.as_bytes(), nonce.as_bytes(), cnonce.as_bytes()]));
    let a1 = session_a1.as_ref().map_or(ha1.as_bytes(), HexDigest::as_bytes);
    hash(algorithm, &[a1, nonce.as_bytes(), nc.as_bytes(), cnonce.as_bytes(), qop.as_str().as_bytes(), a2.as_bytes()])
}

/// The hash of the parts with colons between them.
pub(crate) fn hash(algorithm: Algorithm, parts: &[&[u8]]) -> HexDigest {
    match algorithm.base() {
        Algorithm::Sha256 | Algorithm::Sha256Sess => hash_with::<Sha256>(parts),
        Algorithm::Sha512_256 | Algorithm::Sha512_256Sess => hash_with::<Sha512_256>(parts),
        Algorithm::Md5 | Algorithm::Md5Sess => hash_with::<Md5>(parts),
    }
}

fn hash_with<D: Digest>(parts: &[&[u8]]) -> HexDigest {
    let mut hasher = D::new();
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            hasher.update(b":");
        }
        hasher.update(part);
    }
    HexDigest::of_hash(&hasher.finalize())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use crate::ha1::Password;
    use alloc::format;
    use alloc::string::String;

    const CNONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    const RFC7616: DigestInput<'_> = DigestInput {
        session: false,
        nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        protection: Some(Protection { qop: Qop::Auth, nc: "00000001", cnonce: CNONCE }),
        method: b"GET",
        uri: "/dir/index.html",
        body: b"",
    };
    const JASON: &str = "J\u{e4}s\u{f8}n Doe";
    const RFC7616_JASON: DigestInput<'_> = DigestInput {
        nonce: "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
        protection: Some(Protection {
            qop: Qop::Auth,
            nc: "00000001",
            cnonce: "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
        }),
        uri: "/doe.json",
        ..RFC7616
    };

    fn mufasa(algorithm: Algorithm) -> Ha1 {
        Ha1::of(algorithm, "Mufasa", "http-auth@example.org", &Password::new("Circle of Life"))
    }

    #[test]
    fn rfc7616_section_3_9_1_md5() {
        assert_eq!(RFC7616.response(&mufasa(Algorithm::Md5)).as_str(), "8ca523f5e9506fed4657c9700eebdbec");
    }

    #[test]
    fn rfc7616_section_3_9_1_sha_256() {
        let response = RFC7616.response(&mufasa(Algorithm::Sha256));
        assert_eq!(response.as_str(), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
    }

    /// The example's figures come from SHA-512 cut off at 256 bits (erratum 4897 of RFC 7616 tells it and gives these);
    /// the next test shows that those of the text do.
    #[test]
    fn rfc7616_section_3_9_2_sha_512_256_with_its_erratum() {
        let ha1 = Ha1::of(Algorithm::Sha512_256, JASON, "api@example.org", &Password::new("Secret, or not?"));
        assert_eq!(
            RFC7616_JASON.response(&ha1).as_str(),
            "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
        );
        assert_eq!(
            hash(Algorithm::Sha512_256, &[JASON.as_bytes(), b"api@example.org"]).as_str(),
            "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
        );
    }

    #[test]
    fn rfc7616_section_3_9_2_as_printed_is_sha_512_cut_off() {
        let cut = |parts: &[&str]| -> String {
            let hash = sha2::Sha512::digest(parts.join(":").as_bytes());
            hash.iter().take(32).map(|byte| format!("{byte:02x}")).collect()
        };
        assert_eq!(
            cut(&[JASON, "api@example.org"]),
            "488869477bf257147b804c45308cd62ac4e25eb717b12b298c79e62dcea254ec"
        );
        let a1 = cut(&[JASON, "api@example.org", "Secret, or not?"]);
        let a2 = cut(&["GET", "/doe.json"]);
        let cnonce = RFC7616_JASON.protection.unwrap().cnonce;
        let response = cut(&[&a1, RFC7616_JASON.nonce, "00000001", cnonce, "auth", &a2]);
        assert_eq!(response, "ae66e67d6b427bd3f120414a82e4acff38e8ecd9101d6c861229025f607a79dd");
    }

    #[test]
    fn session_variants_hash_both_nonces_into_a1() {
        let session = DigestInput { session: true, ..RFC7616 };
        for algorithm in [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512_256] {
            let ha1 = mufasa(algorithm);
            let a1 = hash(algorithm, &[ha1.as_bytes(), RFC7616.nonce.as_bytes(), CNONCE.as_bytes()]);
            let of_session = Ha1::from_hex(algorithm, a1.as_bytes()).unwrap();
            assert_eq!(session.response(&ha1), RFC7616.response(&of_session));
            assert_ne!(session.response(&ha1), RFC7616.response(&ha1));
        }
    }

    /// Compared with another implementation, the one of Python's `hashlib`.
    #[test]
    fn auth_int_covers_the_body() {
        let protection = Some(Protection { qop: Qop::AuthInt, nc: "00000001", cnonce: "0a4f113b" });
        let input = DigestInput { protection, nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093", ..RFC7616 };
        let ha1 = Ha1::from_hex(Algorithm::Md5, b"939e7578ed9e3c518a452acee763bce9").unwrap();
        assert_eq!(input.response(&ha1).as_str(), AUTH_INT_EMPTY);
        assert_eq!(DigestInput { body: b"v=0\r\n", ..input }.response(&ha1).as_str(), AUTH_INT_V0);
    }

    const AUTH_INT_EMPTY: &str = "5e6610ecf9ba3017a4870ad48e3ad30b";
    const AUTH_INT_V0: &str = "151b6cabb7e59e0ac757207a039ff3d0";

    #[test]
    fn rfc8760_section_2_6_the_hash_of_no_body() {
        assert_eq!(
            hash(Algorithm::Sha256, &[b""]).as_str(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        let a2 = hash_a2(Algorithm::Sha256, Some(Qop::AuthInt), b"BYE", "sip:a", b"");
        let spelt_out = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(a2, hash(Algorithm::Sha256, &[b"BYE", b"sip:a", spelt_out.as_bytes()]));
    }

    #[test]
    fn without_qop_it_is_that_of_rfc_2069() {
        let input = DigestInput { protection: None, nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093", ..RFC7616 };
        let ha1 = Ha1::of(Algorithm::Md5, "Mufasa", "testrealm@host.com", &Password::new("CircleOfLife"));
        // RFC 2069 with its erratum 749.
        assert_eq!(input.response(&ha1).as_str(), "1949323746fe6a43ef61f9606e7febea");
    }

    #[test]
    fn comparison_ignores_case_and_debug_shows_nothing() {
        let digest = hash(Algorithm::Md5, &[b""]);
        assert_eq!(digest.as_str(), "d41d8cd98f00b204e9800998ecf8427e");
        assert!(bool::from(digest.is_text("D41D8CD98F00B204E9800998ECF8427E")));
        for other in [
            "",
            "d41d8cd98f00b204e9800998ecf8427",
            "d41d8cd98f00b204e9800998ecf8427e0",
            "e41d8cd98f00b204e9800998ecf8427e",
        ] {
            assert!(!bool::from(digest.is_text(other)));
        }
        assert_eq!(format!("{digest:?}"), "HexDigest");
    }
}
