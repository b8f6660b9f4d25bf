//! Parameters of SIP and SIPS URIs. Source: the "SIP/SIPS URI Parameters" of the IANA "Session Initiation Protocol
//! (SIP) Parameters".

/// One registered parameter of SIP and SIPS URIs. `[RFC 3261, Section 19.1.1]` `[RFC 3969, Section 4.1]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UriParameter {
    /// The name; names compare without regard to case. `[RFC 3261, Section 19.1.4]`
    pub name: &'static str,
    /// Whether its values are predefined, so that another value is unknown or wrong.
    pub predefined: bool,
    /// The numbers of the RFCs that define it.
    pub rfcs: &'static [u16],
    /// What it says, in one sentence.
    pub meaning: &'static str,
}

impl UriParameter {
    /// The rows of the table, sorted by name.
    pub const REGISTERED: &'static [UriParameter] = ROWS;

    /// The one of that name; `None` for one that the registry lacks.
    #[must_use]
    pub fn find(name: &[u8]) -> Option<&'static UriParameter> {
        ROWS.iter().find(|row| row.name.as_bytes().eq_ignore_ascii_case(name))
    }
}

macro_rules! uri_parameters {
    ($($name:literal $predefined:literal [$($rfc:literal),+]; $meaning:literal)*) => {
        static ROWS: &[UriParameter] = &[$(
            UriParameter { name: $name, predefined: $predefined, rfcs: &[$($rfc),+], meaning: $meaning }
        ),*];
    };
}

uri_parameters! {
    "aai" false [5552]; "Application-to-application information for a VoiceXML session."
    "bnc" false [6140]; "A registration binds all numbers of a PBX."
    "cause" true [4458, 8119]; "Why the call was sent on, as a response code."
    "ccxml" false [5552]; "The variables of a CCXML session, for VoiceXML."
    "comp" true [3486]; "Requests to this URI may be compressed."
    "content-type" false [4240]; "The type of the announcement at the play parameter's URL."
    "delay" false [4240]; "The pause between repetitions of an announcement, in milliseconds."
    "duration" false [4240]; "How long to play an announcement at most, in milliseconds."
    "extension" false [4240]; "Reserved for extensions of the announcement service."
    "gr" false [5627]; "The URI is a GRUU; a value tells one instance from others."
    "iotl" true [7549]; "On which leg between the networks of operators the request is."
    "locale" false [4240]; "The language and country of an announcement."
    "lr" false [3261]; "The element is a loose router."
    "m" true [6910]; "How calls are completed: on busy, without answer, or unreachable."
    "maddr" false [3261]; "The address to contact in place of the host."
    "maxage" false [5552]; "How old a cached VoiceXML document may be, in seconds."
    "maxstale" false [5552]; "How long after its expiry a cached VoiceXML document may be used, in seconds."
    "method" true [3261, 5552]; "The method of the request made from the URI; for VoiceXML, the HTTP method of its fetch."
    "ob" false [5626]; "Later requests of the dialog are to come over the same flow."
    "param[n]" false [4240]; "The n-th variable of an announcement."
    "play" false [4240]; "The URL of the announcement to play."
    "pn-param" false [8599]; "A detail that the push service needs."
    "pn-prid" false [8599]; "The device, as the push service knows it."
    "pn-provider" false [8599]; "The kind of push service."
    "pn-purr" false [8599]; "What ties requests within a dialog to the binding that gets pushes."
    "postbody" false [5552]; "The body that VoiceXML posts to fetch its document."
    "repeat" false [4240]; "How often to play an announcement."
    "sg" false [6140]; "The device behind a PBX that a temporary GRUU stands for."
    "sigcomp-id" false [5049]; "Names the application for SigComp, so that its state can be kept apart."
    "target" false [4458]; "Whose mailbox or service the call is for."
    "transport" true [3261, 7118]; "The transport protocol to use."
    "ttl" false [3261]; "How far a multicast packet may go."
    "user" true [3261, 4967]; "What the user part is: a telephone number, a dialled string, or a plain name."
    "voicexml" false [4240]; "The URL of the VoiceXML script to run."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_sorted() {
        assert!(ROWS.is_sorted_by(|a, b| a.name < b.name));
        for row in ROWS {
            assert_eq!(UriParameter::find(row.name.to_ascii_uppercase().as_bytes()), Some(row));
            assert!(row.rfcs.is_sorted() && row.meaning.ends_with('.'));
        }
        assert_eq!(UriParameter::find(b"x"), None);
    }
}
