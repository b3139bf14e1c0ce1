//! The report on an entry: a verdict for each sentence that was tried, and one verdict for the whole entry.
use crate::{
    rule::{Level, Sentence},
    target::Revision,
};
use std::fmt;

/// A verdict on a hub, for one sentence or for one entry. Only a broken MUST is a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The hub does what the sentence says.
    Pass,
    /// The hub breaks a MUST.
    Fail,
    /// The hub does not do what a sentence with SHOULD says.
    Differs,
    /// The hub does not have an optional feature.
    NotSupported,
    /// The suite could not try the sentence: a key is missing, or the hub lacks something that the sentence depends on.
    NotTried,
}

/// The verdict for one sentence, with the reason for it.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The sentence of the draft that the verdict is about.
    pub sentence: Sentence,
    /// The verdict for this sentence.
    pub verdict: Verdict,
    /// The reason: what the hub did, or why nothing was tried. Empty for a pass.
    pub what: String,
}

/// The findings of one entry by the rules of one revision.
#[derive(Clone, Debug)]
pub struct Report {
    /// The revision whose rules were tried.
    pub revision: Revision,
    /// A finding for each sentence that the entry tries.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// Returns the verdict on a hub that does not do what a sentence of this level says.
    #[must_use]
    pub fn of_otherwise(level: Level) -> Self {
        match level {
            Level::Must => Self::Fail,
            Level::Should => Self::Differs,
            Level::May => Self::NotSupported,
        }
    }

    /// Returns the gravity of this verdict. If one sentence has several verdicts, the verdict with the greatest gravity
    /// counts.
    pub(crate) fn gravity(self) -> u8 {
        match self {
            Self::NotTried => 0,
            Self::Pass => 1,
            Self::NotSupported => 2,
            Self::Differs => 3,
            Self::Fail => 4,
        }
    }

    /// Returns the weight of this verdict. The verdict on an entry is the verdict of the greatest weight among its
    /// sentences. A pass outweighs a missing optional feature, so the entry shows that its other sentences were tried
    /// and passed.
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
    /// Returns the verdict on the entry: the first of its sentences' verdicts in this order: FAIL, differs, pass, not
    /// supported, not tried.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let verdicts = self.findings.iter().map(|finding| finding.verdict);
        verdicts.max_by_key(|verdict| verdict.weight()).unwrap_or(Verdict::NotTried)
    }

    /// Returns the findings with this verdict.
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

/// Prints one line for each sentence: the verdict, the level, the section of the draft, and the text. A second line
/// says the reason.
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
