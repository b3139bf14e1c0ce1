//! Finds and formats values in JSON text, without parsing numbers: a parser would print numbers such as 10^20 + 1, 1.10
//! or 1e400 in another form.
use serde::de::IgnoredAny;
use std::iter;

/// The greatest depth of nesting of a value that is indented. The limit keeps the output small: each level adds spaces
/// to every line within it.
const MAX_INDENTS: usize = 128;

/// A text that is a valid JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// Returns `text` as a value; `None` if it is not JSON.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str::<IgnoredAny>(text).ok()?;
        Some(Self(text.trim_matches([' ', '\t', '\r', '\n'])))
    }

    /// Returns the value of the field with this name, if this value is an object. If several fields have the name,
    /// returns the last of them, as most parsers do.
    pub(super) fn member(self, name: &str) -> Option<Self> {
        let is_it = |key: Self| key.0.get(1..key.0.len() - 1) == Some(name) || key.string().as_deref() == Some(name);
        let members = self.0.starts_with('{').then(|| Parts::of(self.0))?;
        members.filter_map(|(key, value)| key.is_some_and(is_it).then_some(value)).last()
    }

    /// Returns the element at this index, if this value is an array.
    pub(super) fn element(self, index: usize) -> Option<Self> {
        self.0.starts_with('[').then(|| Parts::of(self.0))?.nth(index).map(|(_, value)| value)
    }

    /// Returns the field with this name, or, in an array, the element whose index is `name`.
    pub(super) fn step(self, name: &str) -> Option<Self> {
        self.member(name).or_else(|| self.element(name.parse().ok()?))
    }

    /// Returns the text, if this value is a string; otherwise `None`.
    pub(super) fn string(self) -> Option<String> {
        let within = self.0.strip_prefix('"')?.strip_suffix('"')?;
        // The escape of half a surrogate pair is valid JSON, but not a character. A string with such an escape stays as
        // it is written.
        Some(serde_json::from_str(self.0).unwrap_or_else(|_| within.to_owned()))
    }

    /// Returns the text, if this value is a string; otherwise the value as JSON on one line.
    pub(super) fn text(self) -> String {
        self.string().unwrap_or_else(|| self.compact())
    }

    pub(super) fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// Returns true if the value is null, false, zero, or an empty string, object or array, which servers use for "no
    /// error".
    pub(super) fn is_nothing(self) -> bool {
        matches!(self.compact().as_str(), "null" | "false" | "0" | "\"\"" | "{}" | "[]")
    }

    pub(super) fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// Returns the value on one line, without white space between its parts.
    pub(super) fn compact(self) -> String {
        tokens(self.0).collect()
    }

    /// Returns the value with a line for each field and element, and with characters in place of the escapes that JSON
    /// does not need. Returns `None` if the value is nested too deeply.
    pub(super) fn indented(self) -> Option<String> {
        let mut out = String::with_capacity(self.0.len() * 2);
        let (mut depth, mut before) = (0_usize, "");
        for token in tokens(self.0) {
            let [opens, closes] = [["{", "["], ["}", "]"]].map(|brackets| brackets.contains(&token));
            depth -= usize::from(closes);
            let is_first = matches!(before, "{" | "[");
            if before == "," || is_first != closes {
                out.push('\n');
                out.extend(iter::repeat_n("  ", depth));
            }
            depth += usize::from(opens);
            if depth > MAX_INDENTS {
                return None;
            }
            match token {
                ":" => out.push_str(": "),
                text if text.starts_with('"') => out.push_str(&shown(text)),
                other => out.push_str(other),
            }
            before = token;
        }
        Some(out)
    }
}

/// Returns the JSON string `text`, with characters in place of the escapes that JSON does not need.
fn shown(text: &str) -> String {
    let decoded = serde_json::from_str::<String>(text).ok();
    decoded.and_then(|decoded| serde_json::to_string(&decoded).ok()).unwrap_or_else(|| text.to_owned())
}

/// Iterates over the tokens of valid JSON, without the white space between them.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let (token, after) = rest.split_at(token_end(rest));
        rest = after;
        (!token.is_empty()).then_some(token)
    })
}

fn token_end(text: &str) -> usize {
    match text.bytes().next() {
        None => 0,
        Some(b'{' | b'}' | b'[' | b']' | b',' | b':') => 1,
        Some(b'"') => {
            let mut escaped = false;
            let closes = |byte: u8| {
                let closes = byte == b'"' && !escaped;
                escaped = byte == b'\\' && !escaped;
                closes
            };
            text.bytes().skip(1).position(closes).map_or(text.len(), |at| at + 2)
        }
        Some(_) => text.find([',', ':', '}', ']', ' ', '\t', '\r', '\n']).unwrap_or(text.len()),
    }
}

/// An iterator over the fields of an object with their keys, or over the elements of an array.
struct Parts<'a> {
    rest: &'a str,
    keyed: bool,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        Self { rest: &text[1..], keyed: text.starts_with('{') }
    }

    /// Returns the next token without consuming it.
    fn peek(&mut self) -> &'a str {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
        &self.rest[..token_end(self.rest)]
    }

    fn take(&mut self) -> &'a str {
        let token = self.peek();
        self.rest = &self.rest[token.len()..];
        token
    }

    fn value(&mut self) -> Json<'a> {
        self.peek();
        let (all, mut depth) = (self.rest, 0_usize);
        loop {
            match self.take() {
                "{" | "[" => depth += 1,
                "}" | "]" => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 || self.rest.is_empty() {
                return Json(&all[..all.len() - self.rest.len()]);
            }
        }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = (Option<Json<'a>>, Json<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.peek() == "," {
            self.take();
        }
        if matches!(self.peek(), "" | "}" | "]") {
            return None;
        }
        let key = self.keyed.then(|| {
            let key = Json(self.take());
            self.take();
            key
        });
        Some((key, self.value()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "\t{\"a\" : [1.10, {\"b\":\"x\\ny\"} ,-0,[]],\"\\u0061b\":1e400,\"n\":null,\"a}\":\"]\\\"\",\
                            \"big\":100000000000000000001,\"s\":\"\\ud83d\",\"twice\":1,\"twice\":{ }}\n";

    #[test]
    fn parts_are_found_as_they_are_written() {
        let document = Json::parse(DOCUMENT).unwrap();
        let cases = [
            (&["a", "0"][..], Some("1.10")),
            (&["a", "1", "b"], Some("\"x\\ny\"")),
            (&["a", "2"], Some("-0")),
            (&["a", "3"], Some("[]")),
            (&["a", "4"], None),
            (&["a", "b"], None),
            (&["ab"], Some("1e400")),
            (&["a}"], Some("\"]\\\"\"")),
            (&["big"], Some("100000000000000000001")),
            (&["twice"], Some("{ }")),
            (&["n", "x"], None),
            (&["x"], None),
        ];
        for (path, found) in cases {
            let value = path.iter().try_fold(document, |value, name| value.step(name));
            assert_eq!(value.map(|value| value.0), found, "{path:?}");
        }
        assert_eq!(document.member("s").unwrap().string().unwrap(), "\\ud83d");
        assert_eq!(document.step("a").unwrap().compact(), r#"[1.10,{"b":"x\ny"},-0,[]]"#);
        for text in ["", "x", "{", "[1,]", "1 2", "{\"a\":}", "[DONE]", "\"a"] {
            assert_eq!(Json::parse(text), None, "{text}");
        }
    }

    #[test]
    fn it_is_laid_out_as_everybody_does_it() {
        let indented = |text: &str| Json::parse(text).unwrap().indented();
        for text in [r#"{"a":[1,[],{},[{}],{"b":"x"}],"c":{"d":null}}"#, "[]", "{}", "7", "[[[1]]]", r#"["\n\"é"]"#] {
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(indented(text), Some(serde_json::to_string_pretty(&value).unwrap()), "{text}");
        }
        let numbers = "[\n  1.10,\n  -0,\n  1e400,\n  100000000000000000001\n]";
        assert_eq!(indented("[1.10,-0,1e400,100000000000000000001]").as_deref(), Some(numbers));
        assert_eq!(indented(r#"["\u00e9\/\ud800"]"#).as_deref(), Some("[\n  \"\\u00e9\\/\\ud800\"\n]"));
        assert_eq!(indented(r#"["\u00e9\/"]"#).as_deref(), Some("[\n  \"é/\"\n]"));
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(indented(&nested(MAX_INDENTS)).is_some() && indented(&nested(MAX_INDENTS + 1)).is_none());
    }
}
