//! The verdicts of a trial. Every check belongs to a rule. If the check fails, the level of the rule's sentence decides
//! the verdict.
use crate::{
    entries::Entry,
    outcome::{Fault, Outcome},
    report::{Finding, Report, Verdict},
    rule::{Level, Rule, Sentence},
    rules,
    trial::Trial,
};
use std::{
    future::Future,
    sync::{MutexGuard, PoisonError},
};

impl Trial<'_> {
    fn findings(&self) -> MutexGuard<'_, Vec<Finding>> {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a verdict. If one sentence is tried several times, the report keeps the gravest of its verdicts.
    fn note(&self, sentence: &Sentence, verdict: Verdict, what: &str) {
        let finding = Finding { sentence: *sentence, verdict, what: what.to_owned() };
        let mut findings = self.findings();
        match findings.iter_mut().find(|known| known.sentence.text == sentence.text) {
            Some(known) if known.verdict.gravity() < verdict.gravity() => *known = finding,
            Some(_) => {}
            None => findings.push(finding),
        }
    }

    /// Runs a check of one rule and records the verdict. Returns the result of the check if the hub passes. If this
    /// revision does not have the rule, runs nothing and returns `None`: the hub is free in what its draft leaves open.
    ///
    /// # Errors
    /// [`Fault::Reported`] if the hub breaks a MUST, because the state of the trial is then unknown. If the hub does
    /// not follow a SHOULD, the trial goes on.
    pub async fn by<T>(&self, rule: &Rule, tried: impl Future<Output = Outcome<T>>) -> Outcome<Option<T>> {
        let Some(sentence) = rule.sentence(self.revision) else { return Ok(None) };
        match tried.await {
            Ok(result) => {
                self.note(sentence, Verdict::Pass, "");
                Ok(Some(result))
            }
            Err(Fault::Broken(what)) => {
                self.note(sentence, Verdict::of_otherwise(sentence.level), &what);
                if sentence.level == Level::Must { Err(Fault::Reported) } else { Ok(None) }
            }
            Err(fault) => Err(fault),
        }
    }

    /// Records that the hub does not have the feature of this rule, and returns the fault that ends the trial.
    #[must_use]
    pub fn unsupported(&self, rule: &Rule, why: &str) -> Fault {
        if let Some(sentence) = rule.sentence(self.revision) {
            self.note(sentence, Verdict::NotSupported, why);
        }
        Fault::Reported
    }

    /// Records that a rule was not tried, and why.
    pub fn not_tried(&self, rule: &Rule, why: &str) {
        if let Some(sentence) = rule.sentence(self.revision) {
            self.note(sentence, Verdict::NotTried, why);
        }
    }

    /// Ends the trial of an entry and returns the report. `fault` is the reason why the trial stopped early, if it did.
    /// A sentence that has no verdict yet gets `not tried`.
    pub(crate) fn finish(self, entry: &Entry, fault: Option<Fault>) -> Report {
        let mut rest = "the trial ended before this sentence was tried";
        let why;
        match fault {
            None => rest = "the suite found nothing to try this sentence on",
            Some(Fault::Reported) => {}
            Some(Fault::NotTried(reason)) => {
                why = reason;
                rest = &why;
            }
            // The fault happened outside the check of a rule: the hub fails in something that every trial needs.
            Some(Fault::Broken(what)) => {
                if let Some(sentence) = rules::HUB.sentence(self.revision) {
                    self.note(sentence, Verdict::Fail, &what);
                }
            }
        }
        for rule in entry.rules {
            let is_known =
                |sentence: &Sentence| self.findings().iter().any(|known| known.sentence.text == sentence.text);
            if let Some(sentence) = rule.sentence(self.revision).filter(|sentence| !is_known(sentence)) {
                self.note(sentence, Verdict::NotTried, rest);
            }
        }
        Report { revision: self.revision, findings: self.findings.into_inner().unwrap_or_else(PoisonError::into_inner) }
    }
}
