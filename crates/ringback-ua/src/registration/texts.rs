//! What a registration keeps as text, in as few blocks as can be: there are many of them, and they last.

use alloc::boxed::Box;
use alloc::string::String;

use super::binding::Binding;
use super::config::RegistrationConfig;

/// What each registration has, in one block.
#[derive(Debug)]
pub(super) struct Texts {
    all: Box<str>,
    /// Where the address of record, the Call-ID and the tag end; the registrar follows.
    ends: [u32; 3],
}

impl Texts {
    pub(super) fn new(aor: &str, call_id: &str, from_tag: &str, registrar: &str) -> Texts {
        let mut all = String::with_capacity([aor, call_id, from_tag, registrar].iter().map(|text| text.len()).sum());
        let ends = [aor, call_id, from_tag].map(|text| {
            all.push_str(text);
            u32::try_from(all.len()).unwrap_or(u32::MAX)
        });
        all.push_str(registrar);
        Texts { all: all.into(), ends }
    }

    /// With another registrar.
    pub(super) fn set_registrar(&mut self, registrar: &str) {
        *self = Texts::new(self.aor(), self.call_id(), self.tag(), registrar);
    }

    pub(super) fn aor(&self) -> &str {
        let [end, ..] = self.ends;
        self.between(0, end)
    }

    pub(super) fn call_id(&self) -> &str {
        let [start, end, _] = self.ends;
        self.between(start, end)
    }

    pub(super) fn tag(&self) -> &str {
        let [_, start, end] = self.ends;
        self.between(start, end)
    }

    pub(super) fn registrar(&self) -> &str {
        let [.., start] = self.ends;
        self.between(start, u32::try_from(self.all.len()).unwrap_or(u32::MAX))
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.all.len()
    }

    fn between(&self, start: u32, end: u32) -> &str {
        let place = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
        self.all.get(place(start)..place(end)).unwrap_or_default()
    }
}

/// What few registrations have: a plain one keeps no block for it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Further {
    pub(super) from: Option<Box<str>>,
    pub(super) routes: Box<[Box<str>]>,
    pub(super) instance: Option<Box<str>>,
    pub(super) service_route: Box<[Box<[u8]>]>,
    pub(super) path: Box<[Box<[u8]>]>,
    pub(super) flow_timer_secs: Option<u32>,
}

impl Further {
    pub(super) fn of(config: &RegistrationConfig) -> Option<Box<Further>> {
        let further = Further {
            from: config.from.as_deref().map(Box::from),
            routes: config.routes.iter().map(|route| Box::from(route.as_str())).collect(),
            instance: config.instance.as_deref().map(Box::from),
            ..Further::default()
        };
        further.kept()
    }

    /// Without what the last 200 has taught.
    pub(super) fn without_learnt(self) -> Option<Box<Further>> {
        let Further { from, routes, instance, .. } = self;
        Further { from, routes, instance, ..Further::default() }.kept()
    }

    /// With what a 200 teaches.
    pub(super) fn learning(
        self,
        service_route: Box<[Box<[u8]>]>,
        path: Box<[Box<[u8]>]>,
        flow_timer_secs: Option<u32>,
    ) -> Option<Box<Further>> {
        Further { service_route, path, flow_timer_secs, ..self }.kept()
    }

    fn kept(self) -> Option<Box<Further>> {
        (self != Further::default()).then(|| Box::new(self))
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let texts = self.from.iter().chain(&self.instance).chain(&self.routes).map(|text| text.len());
        let lists = self.service_route.iter().chain(&self.path).map(|value| value.len());
        let pointers = self.routes.len().saturating_add(self.service_route.len()).saturating_add(self.path.len());
        let own = size_of::<Further>().saturating_add(pointers.saturating_mul(size_of::<Box<str>>()));
        texts.chain(lists).fold(own, usize::saturating_add)
    }
}

/// Contacts; nearly always there is one, which then has no block of its own.
#[derive(Debug)]
pub(super) enum Bindings {
    One(Binding),
    Several(Box<[Binding]>),
}

impl Bindings {
    pub(super) fn take(&mut self) -> alloc::vec::Vec<Binding> {
        match core::mem::replace(self, Bindings::Several(Box::default())) {
            Bindings::One(binding) => alloc::vec::Vec::from([binding]),
            Bindings::Several(bindings) => bindings.into_vec(),
        }
    }

    pub(super) fn retain(&mut self, keeps: impl Fn(&Binding) -> bool) {
        if !self.iter().all(&keeps) {
            *self = self.take().into_iter().filter(keeps).collect();
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let own = match self {
            Bindings::One(_) => 0,
            Bindings::Several(bindings) => size_of_val(&**bindings),
        };
        self.iter().fold(own, |sum, binding| sum.saturating_add(binding.heap_bytes()))
    }
}

impl core::ops::Deref for Bindings {
    type Target = [Binding];

    fn deref(&self) -> &[Binding] {
        match self {
            Bindings::One(binding) => core::slice::from_ref(binding),
            Bindings::Several(bindings) => bindings,
        }
    }
}

impl core::ops::DerefMut for Bindings {
    fn deref_mut(&mut self) -> &mut [Binding] {
        match self {
            Bindings::One(binding) => core::slice::from_mut(binding),
            Bindings::Several(bindings) => bindings,
        }
    }
}

impl FromIterator<Binding> for Bindings {
    fn from_iter<I: IntoIterator<Item = Binding>>(bindings: I) -> Bindings {
        let mut all: alloc::vec::Vec<Binding> = bindings.into_iter().collect();
        match (all.pop(), all.is_empty()) {
            (Some(only), true) => Bindings::One(only),
            (last, _) => Bindings::Several(all.into_iter().chain(last).collect()),
        }
    }
}
