//! H.264: profiles that are one though their bytes differ, and levels. The rules are RFC 6184's.

use alloc::boxed::Box;
use alloc::format;

use crate::negotiate::fmtp::Parameters;

/// What a side can decode, from three bytes in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq)]
struct ProfileLevel {
    profile: Profile,
    profile_idc: u8,
    profile_iop: u8,
    level_idc: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Profile {
    ConstrainedBaseline,
    Baseline,
    Main,
    Extended,
    ConstrainedHigh,
    High,
    /// One that is told by its bytes alone.
    Other(u8, u8),
}

/// The parameters that answer an offer: profile and packetization mode must be the same; the lower level stands, or each side's
/// own where both allow for it.
pub(crate) fn agree(mine: Parameters<'_>, theirs: Parameters<'_>) -> Option<Box<str>> {
    let (own, other) = (ProfileLevel::of(mine)?, ProfileLevel::of(theirs)?);
    let mode = mine.number("packetization-mode")?;
    if own.profile != other.profile || Some(mode) != theirs.number("packetization-mode") {
        return None;
    }
    const ASYMMETRY: &str = "level-asymmetry-allowed";
    let is_asymmetric = mine.number(ASYMMETRY) == Some(1) && theirs.number(ASYMMETRY) == Some(1);
    let level = if is_asymmetric || own.level() <= other.level() { own } else { other };
    let profile = format!("{:02x}{:02x}{:02x}", level.profile_idc, level.profile_iop, level.level_idc);
    Some(mine.with(&["profile-level-id", "sprop-parameter-sets"], &[("profile-level-id", &profile)]))
}

/// Profile and level are three bytes, and the mode is one of three: what isn't so, if anything isn't.
pub(crate) fn defect(side: Parameters<'_>) -> Option<&'static str> {
    match (ProfileLevel::of(side), side.number("packetization-mode")) {
        (None, _) => Some("a profile-level-id that isn't three bytes in hexadecimal"),
        (_, Some(0..=2)) => None,
        _ => Some("a packetization-mode that isn't 0, 1 or 2"),
    }
}

impl ProfileLevel {
    /// Baseline at level 1, where nothing is said.
    fn of(side: Parameters<'_>) -> Option<ProfileLevel> {
        let text = side.text("profile-level-id").unwrap_or("42000a");
        let is_hexadecimal = text.len() == 6 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u32::from_str_radix(text, 16).ok().filter(|_| is_hexadecimal)?;
        let [_, profile_idc, profile_iop, level_idc] = number.to_be_bytes();
        Some(ProfileLevel { profile: profile(profile_idc, profile_iop), profile_idc, profile_iop, level_idc })
    }

    /// In halves, because level 1b stands between 1 and 1.1.
    fn level(self) -> u16 {
        let is_old = matches!(self.profile_idc, 0x42 | 0x4d | 0x58);
        match self.level_idc {
            11 if is_old && self.profile_iop & 0x10 != 0 => 21,
            9 if !is_old => 21,
            level => u16::from(level).saturating_mul(2),
        }
    }
}

/// The profile that two bytes stand for: in some, bits of the second are of no account.
fn profile(idc: u8, iop: u8) -> Profile {
    match (idc, iop) {
        (0x42, iop) if iop & 0x4f == 0x40 => Profile::ConstrainedBaseline,
        (0x4d, iop) if iop & 0x8f == 0x80 => Profile::ConstrainedBaseline,
        (0x58, iop) if iop & 0xcf == 0xc0 => Profile::ConstrainedBaseline,
        (0x42, iop) if iop & 0x4f == 0 => Profile::Baseline,
        (0x58, iop) if iop & 0xcf == 0x80 => Profile::Baseline,
        (0x4d, iop) if iop & 0xaf == 0 => Profile::Main,
        (0x58, iop) if iop & 0xcf == 0 => Profile::Extended,
        (0x64, 0) => Profile::High,
        (0x64, 0x0c) => Profile::ConstrainedHigh,
        (idc, iop) => Profile::Other(idc, iop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(own: &str, offered: &str) -> Option<Box<str>> {
        agree(Parameters(own), Parameters(offered))
    }

    #[test]
    fn profiles_are_compared_by_what_they_mean() {
        assert_eq!(profile(0x42, 0xe0), Profile::ConstrainedBaseline);
        assert_eq!(profile(0x42, 0xc0), Profile::ConstrainedBaseline);
        assert_eq!(profile(0x4d, 0x80), Profile::ConstrainedBaseline);
        assert_eq!(profile(0x42, 0x00), Profile::Baseline);
        assert_eq!(profile(0x4d, 0x00), Profile::Main);
        assert_ne!(profile(0x64, 0x00), profile(0x64, 0x0c));
    }

    #[test]
    fn the_lower_level_stands() {
        for (own, offered, answered) in [
            ("profile-level-id=42e01f", "profile-level-id=42c014", Some("profile-level-id=42c014")),
            ("profile-level-id=42e014", "profile-level-id=42c01f", Some("profile-level-id=42e014")),
            ("profile-level-id=42e01f", "profile-level-id=42001f", None),
            ("profile-level-id=42e01f", "", None),
            ("", "", Some("profile-level-id=42000a")),
            ("profile-level-id=42e01f;packetization-mode=1", "profile-level-id=42e01f", None),
            (
                "profile-level-id=42e01f;packetization-mode=1",
                "packetization-mode=1;profile-level-id=42E00B;sprop-parameter-sets=Z0,a",
                Some("profile-level-id=42e00b;packetization-mode=1"),
            ),
            (
                "profile-level-id=42e01f;level-asymmetry-allowed=1",
                "level-asymmetry-allowed=1;profile-level-id=42e00b",
                Some("profile-level-id=42e01f;level-asymmetry-allowed=1"),
            ),
            ("profile-level-id=42e00b", "profile-level-id=42f00b", Some("profile-level-id=42f00b")),
            ("profile-level-id=42e01f", "profile-level-id=42e0", None),
            ("profile-level-id=42e01f", "profile-level-id=+2e01f", None),
        ] {
            assert_eq!(answer(own, offered).as_deref(), answered, "{own:?} {offered:?}");
        }
    }
}
