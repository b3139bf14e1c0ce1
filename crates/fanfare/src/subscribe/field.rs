//! A part of data that is JSON, by a path such as `choices.0.delta.content`.
use serde_json::Value;
use std::{convert::Infallible, str::FromStr};

/// Names of members and numbers of elements, from the outside in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldPath(Vec<String>);

impl FromStr for FieldPath {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.split('.').map(str::to_owned).collect()))
    }
}

impl FieldPath {
    /// What stands there: a string as it is, anything else as JSON. `None` if `data` is not JSON, or has nothing there, or
    /// null.
    pub(super) fn find(&self, data: &str) -> Option<String> {
        let document: Value = serde_json::from_str(data).ok()?;
        let step = |value: &Value, name: &String| match value {
            Value::Array(elements) => elements.get(name.parse::<usize>().ok()?).cloned(),
            value => value.get(name).cloned(),
        };
        match self.0.iter().try_fold(document, |value, name| step(&value, name))? {
            Value::Null => None,
            Value::String(text) => Some(text),
            value => Some(value.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_through_members_and_elements() {
        let data = r#"{"a":[{"b":"x\ny"},{"b":{"c":1}}],"0":true,"":"empty","n":null}"#;
        let cases = [
            ("a.0.b", Some("x\ny")),
            ("a.1.b", Some(r#"{"c":1}"#)),
            ("a.1.b.c", Some("1")),
            ("0", Some("true")),
            ("", Some("empty")),
            ("n", None),
            ("a.2", None),
            ("a.x", None),
            ("a.0.b.c", None),
        ];
        for (path, found) in cases {
            let path: FieldPath = path.parse().unwrap();
            assert_eq!(path.find(data).as_deref(), found, "{path:?}");
        }
        for data in ["", "x", "7", "\"a\"", "{\"a\":"] {
            assert_eq!(FieldPath(vec!["a".into()]).find(data), None, "{data}");
        }
    }
}
