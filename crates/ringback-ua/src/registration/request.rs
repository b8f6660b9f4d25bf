//! The REGISTER. `[RFC 3261, Section 10.2]`

use alloc::string::String;
use alloc::vec::Vec;

use ringback_message::header::{Contact, Param};
use ringback_message::{HeaderId, Method, RequestBuilder};

use super::binding::Binding;
use super::{Purpose, Registration};

impl Registration {
    /// The next REGISTER, without Via.
    pub(super) fn build(&mut self, purpose: Purpose) -> RequestBuilder {
        self.cseq = self.cseq.saturating_add(1);
        let from = self.from().unwrap_or(self.aor());
        let builder = RequestBuilder::new(Method::Register, self.texts.registrar())
            .from("", from, Some(self.texts.tag()))
            .to("", self.aor(), None)
            .call_id(self.call_id())
            .cseq(self.cseq, Method::Register);
        let builder = self.routes().iter().fold(builder, |builder, route| builder.route(route));
        let builder = self.contacts(purpose, builder);
        builder.supported_tags(self.supported())
    }

    /// "MUST include the outbound option tag", "by including the 'path' option-tag" `[RFC 5626, Section 4.2.1]`; "MUST include
    /// "gruu" as one of the option tags". `[RFC 5627, Section 4.1]`
    fn supported(&self) -> Vec<String> {
        let of_instance = self.instance().is_some().then_some("gruu");
        let of_flow = (self.reg_id != 0).then_some("outbound");
        ["path"].into_iter().chain(of_flow).chain(of_instance).map(String::from).collect()
    }

    fn contacts(&self, purpose: Purpose, builder: RequestBuilder) -> RequestBuilder {
        match purpose {
            Purpose::Fetch => builder,
            // It "MUST NOT be used unless the Expires header field is present with a value of "0"". `[RFC 3261, Section 10.2.2]`
            Purpose::RemoveAll => builder.raw(HeaderId::Contact, "*").expires_seconds(0),
            Purpose::Bind | Purpose::Remove => self.bindings.iter().fold(builder, |builder, binding| {
                let is_removed = purpose == Purpose::Remove || binding.is_going;
                let expires = if is_removed { Some(0) } else { self.wanted_secs(binding) };
                match self.contact(binding, expires) {
                    Some(contact) => builder.header(contact),
                    None => builder,
                }
            }),
        }
    }

    /// How long a contact shall last: what was asked for, or the least that the registrar takes. `[RFC 3261, Section 10.2.8]`
    pub(super) fn wanted_secs(&self, binding: &Binding) -> Option<u32> {
        let wanted = binding.expires_secs.or(self.expires_secs);
        let least = (self.expires_min_secs > 0).then_some(self.expires_min_secs);
        wanted.max(least)
    }

    /// Removing and refreshing "use the same instance-id and reg-id values as the corresponding initial registration".
    /// `[RFC 5626, Section 4.2.2]` Somebody else's contact has neither. `[RFC 5626, Section 4.2.3]`
    fn contact(&self, binding: &Binding, expires: Option<u32>) -> Option<Contact> {
        let mut contact = Contact::new(&*binding.uri).ok()?;
        if let Some(q) = binding.q {
            contact = contact.with_q(q);
        }
        if let Some(expires) = expires {
            contact = contact.with_expires(expires);
        }
        if let Some(instance) = self.instance().filter(|_| self.from().is_none()) {
            contact = contact.with_instance(instance);
            if self.reg_id != 0 {
                contact = contact.with_param(Param::number("reg-id", self.reg_id));
            }
        }
        Some(contact)
    }
}
