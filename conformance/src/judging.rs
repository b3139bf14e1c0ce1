//! How a trial comes to verdicts: what is tried is tried by a rule, and the level of the rule's sentence decides.
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

    /// Notes a verdict. One sentence is often tried several times: of its verdicts the gravest stays.
    fn note(&self, sentence: &Sentence, verdict: Verdict, what: &str) {
        let finding = Finding { sentence: *sentence, verdict, what: what.to_owned() };
        let mut findings = self.findings();
        match findings.iter_mut().find(|known| known.sentence.text == sentence.text) {
            Some(known) if known.verdict.gravity() < verdict.gravity() => *known = finding,
            Some(_) => {}
            None => findings.push(finding),
        }
    }

    /// Tries what a rule says, and notes the verdict; the result if the hub does it. Nothing is tried if this revision
    /// does not have the rule: what its draft leaves open is no fault.
    ///
    /// # Errors
    /// [`Fault::Reported`] if the hub breaks a MUST, after which the state of the trial is unknown. After a SHOULD it
    /// goes on.
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

    /// Notes that the hub has no such feature, and gives the end of the trial.
    #[must_use]
    pub fn unsupported(&self, rule: &Rule, why: &str) -> Fault {
        if let Some(sentence) = rule.sentence(self.revision) {
            self.note(sentence, Verdict::NotSupported, why);
        }
        Fault::Reported
    }

    /// Notes that a rule was not tried, for this reason.
    pub fn not_tried(&self, rule: &Rule, why: &str) {
        if let Some(sentence) = rule.sentence(self.revision) {
            self.note(sentence, Verdict::NotTried, why);
        }
    }

    /// The report on an entry whose trial ended in this way.
    pub(crate) fn finish(self, entry: &Entry, fault: Option<Fault>) -> Report {
        let mut rest = "the trial ended before it";
        let why;
        match fault {
            None => rest = "nothing here to try it on",
            Some(Fault::Reported) => {}
            Some(Fault::NotTried(reason)) => {
                why = reason;
                rest = &why;
            }
            // Not in the trial of a rule: the hub fails in what every trial needs.
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
