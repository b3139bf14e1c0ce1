//! Structs that are read only from JSON objects. serde by itself would also read a struct from a JSON array, by the
//! order of the fields.
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use std::{fmt, marker::PhantomData};

/// A struct that is read from a JSON object and from no other JSON value.
#[derive(Debug, Default)]
pub(super) struct Object<T>(pub T);

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Named {
        name: Option<String>,
    }

    #[test]
    fn an_array_is_not_an_object() {
        let read = serde_json::from_str::<Object<Named>>;
        assert_eq!(read(r#"{"name": "a", "other": 1}"#).unwrap().0.name.as_deref(), Some("a"));
        assert_eq!(
            serde_json::from_str::<Named>(r#"["a"]"#).unwrap().name.as_deref(),
            Some("a"),
            "this is serde's way"
        );
        for text in [r#"["a"]"#, "[]", "null", r#""a""#, r#"{"name": "a", "name": "b"}"#] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
