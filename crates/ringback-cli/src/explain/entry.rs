//! What is told of one name: the same shape for everything, so that it is shown and serialised in one place.

use serde::ser::{Serialize, SerializeMap as _, Serializer};

/// What one name of a registry stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    /// As the registry writes it; of a code, the number.
    pub(crate) name: String,
    /// What stands beside the name, such as the phrase of a response code.
    pub(crate) title: Option<String>,
    pub(crate) meaning: String,
    /// The rest, under names that stay.
    pub(crate) facts: Vec<(&'static str, Value)>,
    pub(crate) causes: Vec<Cause>,
    /// A message that is legal, with CR LF.
    pub(crate) example: Option<String>,
    /// Such as `RFC 3261, Section 21.4.17`.
    pub(crate) sources: Vec<String>,
}

/// Of which registry a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Status,
    Method,
    Header,
    OptionTag,
    Event,
    Warning,
    ReasonProtocol,
    Q850Cause,
    UriParameter,
    HeaderParameter,
    Timer,
}

impl Kind {
    /// The name in JSON and in the tables of texts.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Kind::Status => "status",
            Kind::Method => "method",
            Kind::Header => "header",
            Kind::OptionTag => "option_tag",
            Kind::Event => "event",
            Kind::Warning => "warning",
            Kind::ReasonProtocol => "reason_protocol",
            Kind::Q850Cause => "q850_cause",
            Kind::UriParameter => "uri_parameter",
            Kind::HeaderParameter => "header_parameter",
            Kind::Timer => "timer",
        }
    }
}

/// One fact.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub(crate) enum Value {
    Flag(bool),
    Text(String),
    Texts(Vec<String>),
    Named(Vec<Named>),
}

/// A name that holds under a condition.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub(crate) struct Named {
    pub(crate) name: String,
    /// `None` where it always holds.
    pub(crate) when: Option<String>,
}

/// Why a code is met in practice.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub(crate) struct Cause {
    pub(crate) cause: String,
    pub(crate) check: String,
}

impl Entry {
    pub(crate) fn new(kind: Kind, name: impl Into<String>, meaning: impl Into<String>) -> Entry {
        Entry {
            kind,
            name: name.into(),
            title: None,
            meaning: meaning.into(),
            facts: Vec::new(),
            causes: Vec::new(),
            example: None,
            sources: Vec::new(),
        }
    }

    pub(crate) fn titled(mut self, title: impl Into<String>) -> Entry {
        self.title = Some(title.into());
        self
    }

    /// One fact more; an empty list is none.
    pub(crate) fn fact(mut self, key: &'static str, value: impl Into<Value>) -> Entry {
        let value = value.into();
        let empty = match &value {
            Value::Texts(list) => list.is_empty(),
            Value::Named(list) => list.is_empty(),
            _ => false,
        };
        if !empty {
            self.facts.push((key, value));
        }
        self
    }

    pub(crate) fn sources(mut self, sources: impl IntoIterator<Item = impl Into<String>>) -> Entry {
        self.sources = sources.into_iter().map(Into::into).collect();
        self
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Value {
        Value::Flag(flag)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<Vec<String>> for Value {
    fn from(texts: Vec<String>) -> Value {
        Value::Texts(texts)
    }
}

impl From<Vec<Named>> for Value {
    fn from(named: Vec<Named>) -> Value {
        Value::Named(named)
    }
}

impl Serialize for Entry {
    /// `kind`, `name`, `title`, `meaning`, the facts by their names, `causes`, `example` and `sources`; what is not known is left out.
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(None)?;
        map.serialize_entry("kind", &self.kind)?;
        map.serialize_entry("name", &self.name)?;
        if let Some(title) = &self.title {
            map.serialize_entry("title", title)?;
        }
        map.serialize_entry("meaning", &self.meaning)?;
        for (key, value) in &self.facts {
            map.serialize_entry(key, value)?;
        }
        if !self.causes.is_empty() {
            map.serialize_entry("causes", &self.causes)?;
        }
        if let Some(example) = &self.example {
            map.serialize_entry("example", example)?;
        }
        map.serialize_entry("sources", &self.sources)?;
        map.end()
    }
}
