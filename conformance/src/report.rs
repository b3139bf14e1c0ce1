//! What a run says of a hub: a verdict for each sentence that was tried, and one for the entry as a whole.
use crate::{
    rule::{Level, Sentence},
    target::Revision,
};
use std::fmt;

/// A verdict. Only a broken MUST is a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The hub does what the sentence says.
    Pass,
    /// The hub breaks a MUST.
    Fail,
    /// The hub does otherwise where the sentence says SHOULD.
    Differs,
    /// The hub does not have the feature, and need not.
    NotSupported,
    /// The suite could not try it: a key is missing, or it depends on something that is not there.
    NotTried,
}

/// What became of one sentence.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The sentence.
    pub sentence: Sentence,
    /// The verdict by it.
    pub verdict: Verdict,
    /// What the hub did, or why nothing was tried; empty for a pass.
    pub what: String,
}

/// What became of an entry in one revision.
#[derive(Clone, Debug)]
pub struct Report {
    /// By whose rules.
    pub revision: Revision,
    /// A finding for each sentence that the entry tries.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// The verdict on a hub that does not do what a sentence of this level says.
    #[must_use]
    pub fn of_otherwise(level: Level) -> Self {
        match level {
            Level::Must => Self::Fail,
            Level::Should => Self::Differs,
            Level::May => Self::NotSupported,
        }
    }

    /// Which of several verdicts by one sentence counts: the greater one.
    pub(crate) fn gravity(self) -> u8 {
        match self {
            Self::NotTried => 0,
            Self::Pass => 1,
            Self::NotSupported => 2,
            Self::Differs => 3,
            Self::Fail => 4,
        }
    }

    /// Which of several sentences' verdicts is the entry's: the greater one. An optional feature that is missing does
    /// not hide that the rest was tried and holds.
    fn weight(self) -> u8 {
        match self {
            Self::NotTried => 0,
            Self::NotSupported => 1,
            Self::Pass => 2,
            Self::Differs => 3,
            Self::Fail => 4,
        }
    }
}

impl Report {
    /// The verdict on the entry: of its sentences' verdicts the first in this order: FAIL, differs, pass, not
    /// supported, not tried.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let verdicts = self.findings.iter().map(|finding| finding.verdict);
        verdicts.max_by_key(|verdict| verdict.weight()).unwrap_or(Verdict::NotTried)
    }

    /// The findings with this verdict.
    pub fn with(&self, verdict: Verdict) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.verdict == verdict)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::Differs => "differs",
            Self::NotSupported => "not supported",
            Self::NotTried => "not tried",
        })
    }
}

/// The sentences, each below its verdict, with its level and its place in the draft.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            let (sentence, place) = (&finding.sentence, finding.sentence.place(self.revision));
            writeln!(f, "    {:13} {}, {place}: \"{}\"", finding.verdict, sentence.force(), sentence.text)?;
            if !finding.what.is_empty() {
                writeln!(f, "                  {}", finding.what.replace(['\r', '\n'], " "))?;
            }
        }
        Ok(())
    }
}
