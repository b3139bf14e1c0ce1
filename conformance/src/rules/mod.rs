//! The sentences of both drafts that the entries try, by subject. `draft 07` is draft-dunglas-mercure-07, `draft 08` is
//! draft-dunglas-mercure-08.
pub mod active_subscriptions;
pub mod authorization;
pub mod discovery;
pub mod matching;
pub mod publication;
pub mod reconciliation;
pub mod subscription;
pub mod token;

/// The rule that every hub dispatches updates. An entry fails by this rule if the hub fails outside the check of
/// another rule, for example while the entry is set up.
pub static HUB: crate::rule::Rule = crate::rule::Rule::both(
    crate::rule::defines("Publication", "When it receives an update, the hub dispatches it to subscribers"),
    crate::rule::defines("Publication", "When it receives an update, the hub dispatches it to subscribers"),
);

#[cfg(test)]
mod tests {
    use crate::{ENTRIES, Level, Revision, Sentence};

    fn sentences() -> impl Iterator<Item = &'static Sentence> {
        let rules = ENTRIES.iter().flat_map(|entry| entry.rules);
        rules.flat_map(|rule| [Revision::Legacy, Revision::Modern].into_iter().filter_map(|one| rule.sentence(one)))
    }

    #[test]
    fn a_sentence_has_the_word_of_its_level() {
        for sentence in sentences() {
            let words: &[&str] = match sentence.level {
                Level::Must if sentence.is_definition => continue,
                Level::Must => &["MUST"],
                Level::Should => &["SHOULD", "RECOMMENDED"],
                Level::May => &["MAY", "CAN", "optional"],
            };
            assert!(words.iter().any(|word| sentence.text.contains(word)), "{}: {}", sentence.level, sentence.text);
        }
    }
}
