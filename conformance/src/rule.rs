//! The sentences of the protocol's drafts, word for word, and how strongly each of them binds a hub. Every verdict
//! rests on one of these sentences, so a hub is never judged by something that its revision does not say.
use crate::target::Revision;
use std::fmt;

/// The strength of a requirement, in the words of RFC 2119.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The hub may choose. A hub without the feature breaks no rule.
    May,
    /// The sentence is a recommendation (SHOULD). A hub may have reasons not to follow it.
    Should,
    /// The sentence is a requirement (MUST).
    Must,
}

/// A sentence of a draft, or the parts of it that matter. `[…]` marks omitted words. References to other sections are
/// omitted without a mark.
#[derive(Clone, Copy, Debug)]
pub struct Sentence {
    /// The strength of the requirement.
    pub level: Level,
    /// True if the sentence defines something in plain words, without a key word of RFC 2119. Hubs must follow such a
    /// sentence, too (RFC 8174: "normative text does not require the use of these key words").
    pub is_definition: bool,
    /// The title of the section in the draft, or the RFC that the draft builds on, with its section.
    pub section: &'static str,
    /// The words of the sentence.
    pub text: &'static str,
}

/// One rule, as each revision of the protocol states it. `None` means that the revision says nothing about it.
#[derive(Debug)]
pub struct Rule {
    /// The sentence of draft 07, the older Mercure revision; `None` if that draft has none.
    pub legacy: Option<Sentence>,
    /// The sentence of draft 08, the newer Mercure revision; `None` if that draft has none.
    pub modern: Option<Sentence>,
}

impl Rule {
    /// Returns the sentence of this revision, if it has one.
    #[must_use]
    pub fn sentence(&self, revision: Revision) -> Option<&Sentence> {
        match revision {
            Revision::Legacy => self.legacy.as_ref(),
            Revision::Modern => self.modern.as_ref(),
        }
    }

    pub(crate) const fn both(legacy: Sentence, modern: Sentence) -> Self {
        Self { legacy: Some(legacy), modern: Some(modern) }
    }

    pub(crate) const fn legacy(sentence: Sentence) -> Self {
        Self { legacy: Some(sentence), modern: None }
    }

    pub(crate) const fn modern(sentence: Sentence) -> Self {
        Self { legacy: None, modern: Some(sentence) }
    }
}

pub(crate) const fn must(section: &'static str, text: &'static str) -> Sentence {
    Sentence { level: Level::Must, is_definition: false, section, text }
}

pub(crate) const fn should(section: &'static str, text: &'static str) -> Sentence {
    Sentence { level: Level::Should, is_definition: false, section, text }
}

pub(crate) const fn may(section: &'static str, text: &'static str) -> Sentence {
    Sentence { level: Level::May, is_definition: false, section, text }
}

pub(crate) const fn defines(section: &'static str, text: &'static str) -> Sentence {
    Sentence { level: Level::Must, is_definition: true, section, text }
}

impl Sentence {
    /// Returns the draft and the section, or the RFC, where a reader finds the sentence.
    #[must_use]
    pub fn place(&self, revision: Revision) -> String {
        match revision {
            _ if self.section.starts_with("RFC ") => self.section.to_owned(),
            Revision::Legacy => format!("draft 07, {}", self.section),
            Revision::Modern => format!("draft 08, {}", self.section),
        }
    }

    /// Returns the level as text, which also says if the sentence is a definition.
    #[must_use]
    pub fn force(&self) -> &'static str {
        match (self.level, self.is_definition) {
            (Level::Must, true) => "MUST (definition)",
            (Level::Must, false) => "MUST",
            (Level::Should, _) => "SHOULD",
            (Level::May, _) => "MAY",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::May => "MAY",
        })
    }
}
