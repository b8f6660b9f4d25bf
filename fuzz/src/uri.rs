//! A URI: read, written, copied, compared.

use ringback_message::{HeaderId, Uri};

pub(crate) fn check(data: &[u8]) {
    let Ok(uri) = Uri::parse(data, HeaderId::Contact, 0) else { return };
    let mut written = Vec::new();
    uri.write(&mut written);
    let again = Uri::parse(&written, HeaderId::Contact, 0).unwrap_or_else(|error| panic!("{error}: {uri}"));
    assert_eq!(again, uri);
    let owned = uri.to_owned_text();
    assert_eq!(owned.to_string(), uri.to_string());
    assert!(uri.equivalent(&owned) && owned.equivalent(&uri), "{uri} is not itself");
    if let Some(Ok(tel)) = uri.as_tel() {
        assert!(tel.digits().count() <= data.len());
    }
    let Uri::Sip(sip) = owned else { return };
    assert!(sip.user_unescaped().unwrap_or_default().len() <= data.len());
    assert!(sip.header_fields().map(|(name, value)| name.len() + value.len()).sum::<usize>() <= data.len());
    assert!(sip.params.iter().all(|(name, _)| !name.is_empty()), "{uri}");
    let changed = sip.secured().with_user(data).with_param("x", Some("a;b")).with_header("Subject", data);
    match Uri::try_from(&changed) {
        Ok(read) => assert_eq!(read.as_sip().and_then(|read| read.user_unescaped()).as_deref(), Some(data)),
        // What is read and not sent: a broken escape, a parameter that stands twice.
        Err(error) => {
            let is_unsent = Uri::parse_strict(data, HeaderId::Contact, 0).is_err();
            assert!(is_unsent || changed.params.repeated().is_some(), "{error}: {changed}");
        }
    }
}
