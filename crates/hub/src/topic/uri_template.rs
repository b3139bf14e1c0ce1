//! URI Templates used as matchers: a topic matches if the template can expand to it, with some values for its
//! variables.
//!
//! All four levels of [RFC 6570](https://www.rfc-editor.org/rfc/rfc6570) are implemented. A template becomes one
//! regular expression. Every expansion matches. In addition, a topic may percent-encode octets that an expansion would
//! not encode, and literal text outside ASCII also matches without encoding, because topics are often written
//! unencoded.
use super::{
    Topic,
    linear_regex::{CompileError, LinearRegex, MAX_COMPILED_BYTES},
    pattern::Pattern,
};
use std::{cmp::Ordering, fmt, hash};

mod expression;
mod syntax;

/// A compiled URI Template.
pub struct UriTemplate {
    source: Box<str>,
    /// The number of bytes of fixed text at the beginning of the source, with which every expansion begins. They are
    /// compared without the automaton: each different character of this text would make every state of the automaton
    /// larger.
    prefix: usize,
    /// The regular expression for the text after the prefix.
    expansions: LinearRegex,
}

/// The reason why a text was not compiled to a URI Template.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidUriTemplate {
    /// The text is not a URI Template.
    Syntax,
    /// The regular expression of the template is larger than [`MAX_COMPILED_BYTES`] when compiled.
    TooComplex {
        /// The largest compiled form allowed, in bytes.
        limit: usize,
    },
}

impl UriTemplate {
    /// Compiles `source`.
    ///
    /// # Errors
    /// [`InvalidUriTemplate`]
    pub fn compile(source: &str) -> Result<Self, InvalidUriTemplate> {
        const TOO_COMPLEX: InvalidUriTemplate = InvalidUriTemplate::TooComplex { limit: MAX_COMPILED_BYTES };
        let mut regex = String::from("^(?:");
        let prefix = source.find(|character: char| character == '{' || !character.is_ascii()).unwrap_or(source.len());
        for (place, part) in syntax::parse(source).ok_or(InvalidUriTemplate::Syntax)?.into_iter().enumerate() {
            match part {
                syntax::Part::Literal(text) if place == 0 => push_literal(&mut regex, &text[prefix..]),
                syntax::Part::Literal(text) => push_literal(&mut regex, text),
                syntax::Part::Expression(expression) => expression.push_regex(&mut regex),
            }
            // The limit is checked before the regular expression is complete, because an expression of n variables
            // becomes n² / 2 terms. Each byte of the regular expression compiles to more than one byte, so a longer
            // regular expression exceeds the limit.
            if regex.len() > MAX_COMPILED_BYTES {
                return Err(TOO_COMPLEX);
            }
        }
        regex.push_str(")$");
        match LinearRegex::compile(&regex) {
            Ok(expansions) => Ok(Self { source: source.into(), prefix, expansions }),
            Err(CompileError::TooLarge) => Err(TOO_COMPLEX),
            Err(CompileError::Syntax(reason)) => unreachable!("{source} became the invalid regex {regex}: {reason}"),
        }
    }

    /// True if `topic` is an expansion of the template, or the template itself.
    #[must_use]
    pub fn matches(&self, topic: &Topic) -> bool {
        let behind = topic.as_str().strip_prefix(self.literal_beginning());
        *self.source == *topic.as_str() || behind.is_some_and(|text| self.expansions.is_match(text))
    }

    /// True if the template may match a topic that begins with `beginning`. The result is true in case of doubt.
    pub(crate) fn may_match_below(&self, beginning: &str) -> bool {
        let fixed = &self.source[..self.prefix];
        match beginning.strip_prefix(fixed) {
            Some(rest) => self.source.starts_with(beginning) || self.expansions.may_begin_with(rest),
            None => fixed.starts_with(beginning),
        }
    }

    /// The text with which each topic begins that the template matches.
    pub(crate) fn literal_beginning(&self) -> &str {
        &self.source[..self.prefix]
    }

    /// The template's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// An upper bound of the size of the compiled form, in bytes.
    #[must_use]
    pub fn compiled_bytes(&self) -> usize {
        self.expansions.compiled_bytes()
    }
}

/// Appends a regular expression that matches literal text, and, for characters outside ASCII, also their
/// percent-encoded form.
fn push_literal(regex: &mut String, text: &str) {
    let mut utf8 = [0; 4];
    for character in text.chars() {
        let bytes = character.encode_utf8(&mut utf8);
        let literal = regex::escape(bytes);
        if character.is_ascii() {
            regex.push_str(&literal);
        } else {
            let encoded: String = bytes.bytes().map(|byte| format!("%{byte:02X}")).collect();
            *regex += &format!("(?:{literal}|{encoded})");
        }
    }
}

impl Pattern for UriTemplate {
    fn held_bytes(&self) -> usize {
        size_of::<Self>() + self.source.len() + self.compiled_bytes()
    }
}

impl fmt::Debug for UriTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UriTemplate").field(&self.source).finish()
    }
}

impl PartialEq for UriTemplate {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for UriTemplate {}

impl hash::Hash for UriTemplate {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.source.hash(state);
    }
}

impl PartialOrd for UriTemplate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for UriTemplate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.source.cmp(&other.source)
    }
}

#[cfg(test)]
mod tests;
