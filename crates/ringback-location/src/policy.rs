//! What a registrar grants.

/// The registrar's limits, one set per domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The shortest interval that is granted, in seconds. A shorter request gets 423, unless it asks for an hour or more. Default 60.
    pub min_expires_secs: u32,
    /// The longest interval that is granted, in seconds, at least 1; longer requests are shortened to it. Default 7200.
    ///
    /// Two hours, because a phone that went away without a word stays in the table, and is rung, until its binding runs out.
    pub max_expires_secs: u32,
    /// The interval for a client that leaves it to us, in seconds, kept within the two above. Default 3600.
    pub default_expires_secs: u32,
    /// How many bindings an address of record may have. Default 10.
    pub bindings_per_aor_max: usize,
    /// How many bytes the URI and the parameters of one contact may have together. Default 1024, which holds the tokens of RFC 8599.
    pub contact_bytes_max: usize,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            min_expires_secs: 60,
            max_expires_secs: 7_200,
            default_expires_secs: 3_600,
            bindings_per_aor_max: 10,
            contact_bytes_max: 1_024,
        }
    }
}

/// From here on no request is too brief, whatever the minimum.
const ONE_HOUR_SECS: u32 = 3_600;

impl Policy {
    /// The interval for a contact that asks for `requested` seconds, or for nothing; 0 asks for its removal.
    ///
    /// # Errors
    /// The minimum, where the request is below it.
    pub(crate) fn grant_secs(&self, requested: Option<u32>) -> Result<u32, u32> {
        let longest = self.max_expires_secs.max(1);
        match requested {
            None => Ok(self.default_expires_secs.max(self.min_expires_secs).clamp(1, longest)),
            // "If and only if the requested expiration interval is greater than zero AND smaller than one hour AND
            // less than a registrar-configured minimum" [RFC 3261, Section 10.3]
            Some(secs) if secs > 0 && secs < ONE_HOUR_SECS && secs < self.min_expires_secs => {
                Err(self.min_expires_secs)
            }
            Some(secs) => Ok(secs.min(longest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals() {
        let policy = Policy::default();
        assert_eq!(policy.grant_secs(None), Ok(3_600));
        assert_eq!(policy.grant_secs(Some(0)), Ok(0));
        assert_eq!(policy.grant_secs(Some(1)), Err(60));
        assert_eq!(policy.grant_secs(Some(59)), Err(60));
        assert_eq!(policy.grant_secs(Some(60)), Ok(60));
        assert_eq!(policy.grant_secs(Some(7_201)), Ok(7_200));
        assert_eq!(policy.grant_secs(Some(u32::MAX)), Ok(7_200));
    }

    #[test]
    fn an_hour_is_never_too_brief_and_the_default_obeys_the_limits() {
        let strict =
            Policy { min_expires_secs: 10_000, max_expires_secs: 20_000, default_expires_secs: 5, ..Policy::default() };
        assert_eq!(strict.grant_secs(Some(3_599)), Err(10_000));
        assert_eq!(strict.grant_secs(Some(3_600)), Ok(3_600));
        assert_eq!(strict.grant_secs(None), Ok(10_000));
        let odd = Policy { max_expires_secs: 0, ..Policy::default() };
        assert_eq!(odd.grant_secs(None), Ok(1));
        assert_eq!(odd.grant_secs(Some(600)), Ok(1));
    }
}
