//! Facsimile over UDPTL: the attributes that ITU-T Recommendation T.38 defines for `image` streams.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::attribute::Attribute;
use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::line::Line;
use crate::section::Section;

words! {
    /// Who checks the training of the modems.
    RateManagement {
        /// Each gateway by itself: over reliable transports.
        LocalTcf = "localTCF",
        /// The terminals: over UDP.
        TransferredTcf = "transferredTCF",
    }
}

words! {
    /// How lost packets are made up for.
    UdpErrorCorrection {
        /// Parity packets.
        Fec = "t38UDPFEC",
        /// Earlier packets again.
        Redundancy = "t38UDPRedundancy",
        /// Not at all.
        NoEc = "t38UDPNoEC",
    }
}

/// All of them; what is `None` or false is not written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct T38 {
    /// The version of T.38; 0 where it isn't said.
    pub version: Option<u32>,
    /// Bits per second.
    pub max_bit_rate: Option<u32>,
    /// Fill bits may be taken away.
    pub fill_bit_removal: bool,
    /// MMR coding may be used.
    pub transcoding_mmr: bool,
    /// JBIG coding may be used.
    pub transcoding_jbig: bool,
    /// Who checks the training.
    pub rate_management: Option<RateManagement>,
    /// Bytes that the receiver can hold.
    pub max_buffer: Option<u32>,
    /// Bytes of the largest datagram that the receiver takes.
    pub max_datagram: Option<u32>,
    /// Bytes of the largest IFP packet that the receiver takes.
    pub max_ifp: Option<u32>,
    /// How losses are made up for.
    pub error_correction: Option<UdpErrorCorrection>,
    /// How many earlier or parity packets come along: the fewest and, if it is said, the most.
    pub error_correction_depth: Option<(u8, Option<u8>)>,
    /// Who made the device.
    pub vendor: Option<T38VendorInfo>,
}

/// Who made a facsimile device, by the numbers of ITU-T Recommendation T.35.
///
/// It is no attribute of an RFC: its form is that of T.38, three numbers with blanks between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct T38VendorInfo {
    /// The country.
    pub country: u8,
    /// The extension of the country's number; 0 as a rule.
    pub extension: u8,
    /// The maker, as that country counts them.
    pub manufacturer: u16,
}

impl T38VendorInfo {
    fn read_value(cursor: &mut Cursor<'_>) -> Result<T38VendorInfo, ParseError> {
        let country = cursor.number("a country from 0 to 255")?;
        cursor.space("a blank and the extension")?;
        let extension = cursor.number("an extension from 0 to 255")?;
        cursor.space("a blank and the maker")?;
        let manufacturer = cursor.number("a maker from 0 to 65535")?;
        Ok(T38VendorInfo { country, extension, manufacturer })
    }
}

impl fmt::Display for T38VendorInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.country, self.extension, self.manufacturer)
    }
}

attribute!(T38VendorInfo, "T38VendorInfo", "RFC 8866, Section 5.13");

impl T38 {
    /// Reads them from a media description; what can't be read is passed over. Letters count in either case, because devices
    /// don't agree on it.
    #[must_use]
    pub fn of(section: &Section) -> T38 {
        let mut t38 = T38::default();
        for line in section.with_letter('a') {
            let Some((name, value)) = line.as_attribute() else { continue };
            let (Ok(name), Ok(value)) = (core::str::from_utf8(name), core::str::from_utf8(value.unwrap_or_default()))
            else {
                continue;
            };
            t38.take(name, value.trim());
        }
        t38
    }

    fn take(&mut self, name: &str, value: &str) {
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
        // As a property it says yes; some write a number.
        let flag = value.is_empty() || value == "1";
        let number = || value.parse().ok();
        match () {
            () if is("T38FaxVersion") => self.version = number(),
            () if is("T38MaxBitRate") || is("T38FaxMaxRate") => self.max_bit_rate = number(),
            () if is("T38FaxFillBitRemoval") => self.fill_bit_removal = flag,
            () if is("T38FaxTranscodingMMR") => self.transcoding_mmr = flag,
            () if is("T38FaxTranscodingJBIG") => self.transcoding_jbig = flag,
            () if is("T38FaxRateManagement") => self.rate_management = RateManagement::from_word(value),
            () if is("T38FaxMaxBuffer") => self.max_buffer = number(),
            () if is("T38FaxMaxDatagram") => self.max_datagram = number(),
            () if is("T38FaxMaxIFP") => self.max_ifp = number(),
            () if is("T38FaxUdpECDepth") => self.error_correction_depth = depth(value),
            () if is(T38VendorInfo::NAME) => self.vendor = T38VendorInfo::parse(value).ok(),
            () if is("T38FaxUdpEC") => self.error_correction = UdpErrorCorrection::from_word(value),
            () => {}
        }
    }

    /// The attributes.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut push = |name: &str, value: Option<&dyn core::fmt::Display>| {
            let text = value.map_or_else(|| name.into(), |value| format!("{name}:{value}"));
            lines.push(Line::own(b'a', &text));
        };
        for (name, number) in [("T38FaxVersion", self.version), ("T38MaxBitRate", self.max_bit_rate)] {
            number.iter().for_each(|number| push(name, Some(number)));
        }
        for (name, flag) in [
            ("T38FaxFillBitRemoval", self.fill_bit_removal),
            ("T38FaxTranscodingMMR", self.transcoding_mmr),
            ("T38FaxTranscodingJBIG", self.transcoding_jbig),
        ] {
            flag.then(|| push(name, None));
        }
        self.rate_management.iter().for_each(|word| push("T38FaxRateManagement", Some(word)));
        for (name, number) in [
            ("T38FaxMaxBuffer", self.max_buffer),
            ("T38FaxMaxDatagram", self.max_datagram),
            ("T38FaxMaxIFP", self.max_ifp),
        ] {
            number.iter().for_each(|number| push(name, Some(number)));
        }
        self.error_correction.iter().for_each(|word| push("T38FaxUdpEC", Some(word)));
        if let Some((fewest, most)) = self.error_correction_depth {
            let most = most.map_or_else(String::new, |most| format!(" {most}"));
            push("T38FaxUdpECDepth", Some(&format!("{fewest}{most}")));
        }
        self.vendor.iter().for_each(|vendor| push(T38VendorInfo::NAME, Some(vendor)));
        lines
    }

    /// What answers an offer, for one who can do what `self` says: the lower version and rate, what both can do of the
    /// options, the offered rate management; what a receiver can hold is its own affair. Of error corrections the offered one
    /// stands, or the one that `self` names where it is the lesser.
    #[must_use]
    pub fn answer(&self, offered: &T38) -> T38 {
        let version = self.version.unwrap_or(0).min(offered.version.unwrap_or(0));
        let max_bit_rate = match (self.max_bit_rate, offered.max_bit_rate) {
            (Some(own), Some(other)) => Some(own.min(other)),
            (own, other) => own.or(other),
        };
        let error_correction = match (self.error_correction, offered.error_correction) {
            // Whoever can do FEC can do redundancy.
            (Some(UdpErrorCorrection::Fec), other) => other,
            (Some(UdpErrorCorrection::Redundancy), Some(UdpErrorCorrection::Fec)) => self.error_correction,
            (Some(UdpErrorCorrection::Redundancy), other) => other,
            (own, _) => own,
        };
        T38 {
            version: Some(version),
            max_bit_rate,
            fill_bit_removal: self.fill_bit_removal && offered.fill_bit_removal,
            transcoding_mmr: self.transcoding_mmr && offered.transcoding_mmr,
            transcoding_jbig: self.transcoding_jbig && offered.transcoding_jbig,
            rate_management: offered.rate_management.or(self.rate_management),
            error_correction,
            ..self.clone()
        }
    }
}

/// One number or two.
fn depth(value: &str) -> Option<(u8, Option<u8>)> {
    let mut numbers = value.split_ascii_whitespace().map(str::parse);
    let fewest = numbers.next()?.ok()?;
    match numbers.next() {
        None => Some((fewest, None)),
        Some(most) => Some((fewest, Some(most.ok()?))),
    }
}
