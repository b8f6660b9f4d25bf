//! Devices and their flows. `[RFC 5626, Section 6]`

use alloc::boxed::Box;
use alloc::vec::Vec;

use ringback_message::header::Contact;
use ringback_message::{HeaderId, NameAddr};

use crate::binding::Binding;

/// One flow of one device: what an outbound binding is known by, whatever its URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FlowKey {
    instance: Box<[u8]>,
    reg_id: u32,
}

impl FlowKey {
    /// `None` where one of the two is missing or malformed: "a reg-id but no instance-id is not valid". `[RFC 5626, Section 6]`
    pub(crate) fn of(address: &NameAddr<&[u8]>) -> Option<FlowKey> {
        let contact = Contact::Address(address.clone());
        let reg_id = contact.reg_id().filter(|reg_id| *reg_id > 0)?;
        Some(FlowKey { instance: comparable(&contact.instance()?), reg_id })
    }
}

impl Binding {
    /// The device that registered, by its URN, in a form that can be compared. `[RFC 5626, Section 4.1]`
    #[must_use]
    pub fn instance(&self) -> Option<Box<[u8]>> {
        let value = self.value()?;
        let contact = Contact::Address(NameAddr::parse_only(HeaderId::Contact, &value, 0).ok()?);
        contact.instance().map(|urn| comparable(&urn))
    }

    /// Whether it is a flow of a device, and not just an address: outbound applied when it was registered.
    #[must_use]
    pub fn is_flow(&self) -> bool {
        self.flow_key().is_some()
    }

    pub(crate) fn flow_key(&self) -> Option<FlowKey> {
        FlowKey::of(&NameAddr::parse_only(HeaderId::Contact, &self.value()?, 0).ok()?)
    }

    /// The Contact value; `None` where it names no device.
    fn value(&self) -> Option<Vec<u8>> {
        const NAME: &[u8] = b"+sip.instance";
        self.params.windows(NAME.len()).any(|part| part.eq_ignore_ascii_case(NAME)).then_some(())?;
        Some([b"<", &*self.contact, b">", &*self.params].concat())
    }
}

/// The scheme and the namespace of a URN have no case, and of a UUID nothing has.
fn comparable(urn: &[u8]) -> Box<[u8]> {
    let is_uuid = urn.get(..9).is_some_and(|start| start.eq_ignore_ascii_case(b"urn:uuid:"));
    if is_uuid { urn.to_ascii_lowercase().into() } else { urn.into() }
}
