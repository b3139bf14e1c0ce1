//! Finds a part of JSON data by a path such as `choices.0.delta.content`.
use super::json::Json;
use std::{convert::Infallible, fmt, str::FromStr};

/// A path to a value in JSON: the names of fields and the indexes of elements, the outermost first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldPath(Vec<String>);

/// The result of the search for the value at a path in the data of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The value as text.
    Text(String),
    /// There is no value, or it is null.
    Nothing,
    /// The data is not JSON.
    NotJson,
}

impl FromStr for FieldPath {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.split('.').map(str::to_owned).collect()))
    }
}

impl FieldPath {
    /// Returns the value at this path in `data`: a string as it is, anything else as JSON on one line.
    pub(super) fn find(&self, data: &str) -> Found {
        let Some(document) = Json::parse(data) else { return Found::NotJson };
        match self.0.iter().try_fold(document, |value, name| value.step(name)) {
            Some(value) if !value.is_null() => Found::Text(value.text()),
            _ => Found::Nothing,
        }
    }

    /// Returns the first name of the path.
    pub(super) fn first(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_through_members_and_elements() {
        let data = "{\"a\":[{\"b\":\"x\\ny\"},{\"b\":{\"c\":\n1.10}}],\"0\":true,\"\":\"empty\",\"n\":null}";
        let cases = [
            ("a.0.b", Some("x\ny")),
            ("a.1.b", Some(r#"{"c":1.10}"#)),
            ("a.1.b.c", Some("1.10")),
            ("0", Some("true")),
            ("", Some("empty")),
            ("n", None),
            ("a.2", None),
            ("a.x", None),
            ("a.0.b.c", None),
        ];
        for (path, found) in cases {
            let path: FieldPath = path.parse().unwrap();
            let found = found.map_or(Found::Nothing, |text| Found::Text(text.into()));
            assert_eq!(path.find(data), found, "{path:?}");
        }
        let path = FieldPath(vec!["a".into()]);
        for (data, found) in [("", Found::NotJson), ("x", Found::NotJson), ("{\"a\":", Found::NotJson)] {
            assert_eq!(path.find(data), found, "{data}");
        }
        for data in ["7", "\"a\"", "[1]"] {
            assert_eq!(path.find(data), Found::Nothing, "{data}");
        }
    }
}
