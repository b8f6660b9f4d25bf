//! The JSON view with its names in their order, to be shown to people.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

/// A value of the JSON view.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree {
    Nothing,
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// Its parts in one line: `transport UDP, host a.example, branch z9hG4bK1`. What is empty is left out, and a URI stays whole.
    pub(crate) fn line(&self) -> String {
        let mut parts = Vec::new();
        self.collect("", &mut parts);
        parts.join(", ")
    }

    fn collect(&self, path: &str, parts: &mut Vec<String>) {
        match self {
            Tree::Nothing => {}
            Tree::Text(text) if path.is_empty() => parts.push(text.clone()),
            Tree::Text(text) => parts.push(format!("{path} {text}")),
            Tree::List(list) => {
                let texts: Vec<_> = list.iter().map(Tree::line).filter(|line| !line.is_empty()).collect();
                if !texts.is_empty() {
                    Tree::Text(texts.join(" | ")).collect(path, parts);
                }
            }
            Tree::Map(map) => match self.uri() {
                Some(uri) => uri.collect(path, parts),
                None => map.iter().for_each(|(name, value)| value.collect_named(path, name, parts)),
            },
        }
    }

    fn collect_named(&self, path: &str, name: &str, parts: &mut Vec<String>) {
        match (name, self) {
            ("params", Tree::Map(map)) => map.iter().for_each(|(name, value)| match value {
                // A parameter without a value.
                Tree::Nothing => parts.push(joined(path, name)),
                value => value.collect(&joined(path, name), parts),
            }),
            _ => self.collect(&joined(path, &name.replace('_', " ")), parts),
        }
    }

    /// The text of a URI, whose other members are in it.
    fn uri(&self) -> Option<&Tree> {
        let Tree::Map(map) = self else { return None };
        map.iter().any(|(name, _)| name == "scheme").then_some(())?;
        map.iter().find(|(name, _)| name == "text").map(|(_, text)| text)
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path} {name}") }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Tree, D::Error> {
        from.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Nothing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = from.next_element()? {
            list.push(value);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Tree, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = from.next_entry()? {
            map.push(entry);
        }
        Ok(Tree::Map(map))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_and_what_is_empty_left_out() {
        let text = r#"{"z":"UDP","a":5060,"name":null,"params":{"rport":null,"branch":"x"},"list":[],"more_words":["p","q"],
            "uri":{"text":"sip:a@b","scheme":"sip","user":"a"}}"#;
        let tree: Tree = serde_json::from_str(text).unwrap();
        assert_eq!(tree.line(), "z UDP, a 5060, rport, branch x, more words p | q, uri sip:a@b");
    }
}
