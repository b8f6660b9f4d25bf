//! The payload types that have a meaning without `rtpmap`. `[RFC 3551, Section 6]`

/// Payload type, encoding, clock rate, channels of sound.
const STATIC: &[(u8, &str, u32, u32)] = &[
    (0, "PCMU", 8_000, 1),
    (3, "GSM", 8_000, 1),
    (4, "G723", 8_000, 1),
    (5, "DVI4", 8_000, 1),
    (6, "DVI4", 16_000, 1),
    (7, "LPC", 8_000, 1),
    (8, "PCMA", 8_000, 1),
    // Its clock runs at 8000 though it takes 16000 samples: an error of old that all keep to. [RFC 3551, Section 4.5.2]
    (9, "G722", 8_000, 1),
    (10, "L16", 44_100, 2),
    (11, "L16", 44_100, 1),
    (12, "QCELP", 8_000, 1),
    (13, "CN", 8_000, 1),
    (14, "MPA", 90_000, 1),
    (15, "G728", 8_000, 1),
    (16, "DVI4", 11_025, 1),
    (17, "DVI4", 22_050, 1),
    (18, "G729", 8_000, 1),
    (25, "CelB", 90_000, 1),
    (26, "JPEG", 90_000, 1),
    (28, "nv", 90_000, 1),
    (31, "H261", 90_000, 1),
    (32, "MPV", 90_000, 1),
    (33, "MP2T", 90_000, 1),
    (34, "H263", 90_000, 1),
];

/// Encoding, clock rate and channels of a payload type that needs no `rtpmap`.
pub(crate) fn of(payload_type: u8) -> Option<(&'static str, u32, u32)> {
    let row = STATIC.iter().find(|row| row.0 == payload_type)?;
    Some((row.1, row.2, row.3))
}

/// True where RTCP on the port of RTP leaves a payload type no room. `[RFC 5761, Section 4]`
pub(crate) fn is_rtcp(payload_type: u8) -> bool {
    (64..=95).contains(&payload_type)
}

/// The payload type that an encoding has without `rtpmap`.
pub(crate) fn payload_type(encoding: &str, clock_rate: u32, channels: u32) -> Option<u8> {
    let mut rows = STATIC.iter();
    let row = rows.find(|row| row.1.eq_ignore_ascii_case(encoding) && row.2 == clock_rate && row.3 == channels)?;
    Some(row.0)
}
