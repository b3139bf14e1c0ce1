//! What a draft of the protocol says, word for word, and how much it asks for. A verdict is by such a sentence and by
//! nothing else, so a hub is never held to what its revision does not say.
use crate::target::Revision;
use std::fmt;

/// How much a sentence asks of a hub, in the words of RFC 2119.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A choice. A hub that chooses otherwise lacks a feature and breaks nothing.
    May,
    /// A recommendation. A hub may have its reasons to differ.
    Should,
    /// A requirement.
    Must,
}

/// A sentence, or the parts of it that matter; `[…]` stands for what is left out, and references are left out silently.
#[derive(Clone, Copy, Debug)]
pub struct Sentence {
    /// How much it asks for.
    pub level: Level,
    /// True if the sentence defines something in plain words, without a word of RFC 2119. Such a sentence binds as well
    /// (RFC 8174: "normative text does not require the use of these key words").
    pub is_definition: bool,
    /// The section of the draft; or the section of the RFC that the draft builds on.
    pub section: &'static str,
    /// Its words.
    pub text: &'static str,
}

/// What both revisions say of one thing. A revision without a sentence leaves it open.
#[derive(Debug)]
pub struct Rule {
    /// The sentence of draft 07.
    pub legacy: Option<Sentence>,
    /// The sentence of draft 08.
    pub modern: Option<Sentence>,
}

impl Rule {
    /// The sentence in this revision.
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
    /// Where the sentence stands, for a reader who wants to look it up.
    #[must_use]
    pub fn place(&self, revision: Revision) -> String {
        match revision {
            _ if self.section.starts_with("RFC ") => self.section.to_owned(),
            Revision::Legacy => format!("draft 07, {}", self.section),
            Revision::Modern => format!("draft 08, {}", self.section),
        }
    }

    /// The level, and whether it is that of a definition.
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
