//! HMAC-SHA-256, as RFC 2104 defines it.

use core::fmt;

use sha2::{Digest as _, Sha256};

/// The block of SHA-256 in bytes.
const BLOCK_BYTES: usize = 64;

/// A key with both its pads hashed, so that a short message costs two blocks and not four.
#[derive(Clone)]
pub(crate) struct HmacSha256 {
    inner: Sha256,
    outer: Sha256,
}

impl HmacSha256 {
    pub(crate) fn new(key: &[u8]) -> HmacSha256 {
        let mut block = [0_u8; BLOCK_BYTES];
        let hashed;
        let key = if key.len() > BLOCK_BYTES {
            hashed = Sha256::digest(key);
            hashed.as_slice()
        } else {
            key
        };
        block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
        let padded = |pad: u8| Sha256::new().chain_update(block.map(|byte| byte ^ pad));
        HmacSha256 { inner: padded(0x36), outer: padded(0x5c) }
    }

    pub(crate) fn of(&self, message: &[u8]) -> [u8; 32] {
        let inner = self.inner.clone().chain_update(message).finalize();
        self.outer.clone().chain_update(inner).finalize().into()
    }
}

impl fmt::Debug for HmacSha256 {
    /// Says nothing of the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacSha256")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use alloc::format;
    use alloc::string::String;

    fn hex(key: &[u8], message: &[u8]) -> String {
        HmacSha256::new(key).of(message).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn rfc4231_test_cases() {
        let counting: [u8; 25] = core::array::from_fn(|i| u8::try_from(i + 1).unwrap());
        let cases: [(&[u8], &[u8], &str); 7] = [
            (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            (&counting, &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
            (&[0x0c; 20], b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (
                &[0xaa; 131],
                b"This is a test using a larger than block-size key and a larger than block-size data. \
                  The key needs to be hashed before being used by the HMAC algorithm.",
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            ),
        ];
        for (key, message, expected) in cases {
            let mac = hex(key, message);
            assert!(mac.starts_with(expected), "{mac}");
        }
    }

    #[test]
    fn keys_of_a_block_are_not_hashed() {
        assert_ne!(hex(&[1; 64], b""), hex(&[1; 65], b""));
        assert_eq!(hex(&[1; 65], b""), hex(&Sha256::digest([1; 65]), b""));
        assert_eq!(format!("{:?}", HmacSha256::new(b"key")), "HmacSha256");
    }
}
