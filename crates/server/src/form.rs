//! The parser of `application/x-www-form-urlencoded`, for query strings and bodies. It follows the [URL
//! standard](https://url.spec.whatwg.org/#urlencoded-parsing), except that bytes that are not UTF-8 are an error. The
//! standard replaces them by U+FFFD, so that two different topics could become one.
use percent_encoding::percent_decode;
use std::{borrow::Cow, fmt};

/// The greatest number of fields of one form or query string. An update may have a thousand topics.
pub const MAX_FIELDS: usize = 2_048;

/// The fields of a form, in order, decoded.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

/// The reason why some bytes are not a valid form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidForm {
    /// A name or a value is not UTF-8 after decoding.
    NotUtf8,
    /// There are more than [`MAX_FIELDS`] fields.
    TooManyFields {
        /// The largest number of fields that is allowed.
        limit: usize,
    },
}

impl Form {
    /// Reads the fields of a form from its encoded bytes.
    ///
    /// # Errors
    /// [`InvalidForm`].
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidForm> {
        Self::parse_with(bytes, |_| false)
    }

    /// Reads the fields of a form. If `is_lenient` is true for the name of a field, the value of this field may be any
    /// bytes: a value that is not UTF-8 is read as Latin-1.
    ///
    /// # Errors
    /// [`InvalidForm`] for an error in any other field.
    pub(crate) fn parse_with(bytes: &[u8], is_lenient: impl Fn(&str) -> bool) -> Result<Self, InvalidForm> {
        let mut fields = Vec::new();
        for field in bytes.split(|&byte| byte == b'&').filter(|field| !field.is_empty()) {
            if fields.len() == MAX_FIELDS {
                return Err(InvalidForm::TooManyFields { limit: MAX_FIELDS });
            }
            let mut halves = field.splitn(2, |&byte| byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = halves.next().unwrap_or_default();
            let value = if is_lenient(&name) { decode_lenient(value) } else { decode(value)? };
            fields.push((name, value));
        }
        Ok(Self(fields))
    }

    /// Reads the query string of a request. Without a query string the form is empty.
    ///
    /// # Errors
    /// [`InvalidForm`].
    pub fn of_query(uri: &http::Uri) -> Result<Self, InvalidForm> {
        Self::parse(uri.query().unwrap_or_default().as_bytes())
    }

    /// Appends the fields of `other` to the fields of this form.
    ///
    /// # Errors
    /// [`InvalidForm::TooManyFields`].
    pub fn and(mut self, other: Self) -> Result<Self, InvalidForm> {
        self.0.extend(other.0);
        if self.0.len() > MAX_FIELDS { Err(InvalidForm::TooManyFields { limit: MAX_FIELDS }) } else { Ok(self) }
    }

    /// Returns the first value of the field `name`; `None` if the form does not have the field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    /// Returns every value of the field `name`, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(field, _)| *field == name).map(|(_, value)| value)
    }

    /// Returns true if the form has the field `name`, even without a value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Returns the name and the value of every field.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

fn decode(bytes: &[u8]) -> Result<String, InvalidForm> {
    percent_decode(&spaced(bytes)).decode_utf8().map(Cow::into_owned).map_err(|_| InvalidForm::NotUtf8)
}

fn decode_lenient(bytes: &[u8]) -> String {
    let bytes: Vec<u8> = percent_decode(&spaced(bytes)).collect();
    String::from_utf8(bytes).unwrap_or_else(|invalid| latin_1(invalid.as_bytes()))
}

/// Reads bytes as ISO 8859-1, in which every byte is a character.
pub(crate) fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn spaced(bytes: &[u8]) -> Cow<'_, [u8]> {
    if bytes.contains(&b'+') {
        bytes.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect::<Vec<u8>>().into()
    } else {
        bytes.into()
    }
}

impl fmt::Display for InvalidForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("a field's name or value is not valid UTF-8"),
            Self::TooManyFields { limit } => write!(f, "there are more than {limit} fields"),
        }
    }
}

impl std::error::Error for InvalidForm {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_the_url_standard_says() {
        let cases: [(&str, &[(&str, &str)]); 6] = [
            ("a=1&b=2&a=3", &[("a", "1"), ("b", "2"), ("a", "3")]),
            ("a+b=c%20d+e", &[("a b", "c d e")]),
            // "If bytes contains no 0x3D (=), then let name have the value of bytes and let value be the empty
            // sequence."
            ("name&&=value&", &[("name", ""), ("", "value")]),
            ("a=b=c", &[("a", "b=c")]),
            ("a=%zz%4", &[("a", "%zz%4")]),
            ("t=%E2%80%A6", &[("t", "…")]),
        ];
        for (text, expected) in cases {
            assert_eq!(Form::parse(text.as_bytes()).unwrap().iter().collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_utf_8_is_refused() {
        for text in [&b"a=%ff"[..], b"%c3=1", b"a=\xc3\x28"] {
            assert_eq!(Form::parse(text), Err(InvalidForm::NotUtf8));
        }
    }

    #[test]
    fn a_lenient_field_may_be_any_bytes() {
        let read = |text: &[u8]| Form::parse_with(text, |name| name == "odd");
        for (text, value) in [(&b"odd=caf%C3%A9"[..], "café"), (b"odd=caf%e9", "café"), (b"odd=%00+%ff", "\0 ÿ")] {
            assert_eq!(read(text).unwrap().get("odd"), Some(value));
        }
        for text in [&b"odd=%e9&a=%ff"[..], b"odd=%e9&%ff=a"] {
            assert_eq!(read(text), Err(InvalidForm::NotUtf8), "others stay as strict as they are");
        }
    }

    #[test]
    fn the_number_of_fields_is_bounded() {
        assert!(Form::parse("a&".repeat(MAX_FIELDS).as_bytes()).is_ok());
        let one_more = Form::parse("a&".repeat(MAX_FIELDS + 1).as_bytes());
        assert_eq!(one_more, Err(InvalidForm::TooManyFields { limit: MAX_FIELDS }));
        let form = |count| Form::parse("a&".repeat(count).as_bytes()).unwrap();
        assert!(form(MAX_FIELDS - 1).and(form(1)).is_ok());
        assert_eq!(form(MAX_FIELDS).and(form(1)), Err(InvalidForm::TooManyFields { limit: MAX_FIELDS }));
    }
}
