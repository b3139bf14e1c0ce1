//! Terms: the keys by which the index finds an entry. A term is the hash of a topic or of an ID. These hashes depend on
//! the log's random number, so that nobody can choose topics whose hashes collide.
use crate::update::Update;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The hash of a topic or of an ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Term(pub(crate) u64);

/// The terms of one record: the hash of its ID, and the hash of each of its topics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) id: Option<Term>,
    pub(crate) topics: Vec<Term>,
}

/// Returns the terms by which an update is found.
pub(crate) fn of(update: &Update, log_seed: u64) -> Terms {
    Terms {
        id: update.id().map(|own| id(own.as_str(), log_seed)),
        topics: update.topics().iter().map(|name| topic(name.as_str(), log_seed)).collect(),
    }
}

/// Returns the term of a topic.
pub(crate) fn topic(topic: &str, log_seed: u64) -> Term {
    term(0, topic, log_seed)
}

/// Returns the term of a publisher's own ID.
pub(crate) fn id(id: &str, log_seed: u64) -> Term {
    term(1, id, log_seed)
}

/// Returns the term of a text. `kind` is 0 for a topic and 1 for an ID, so that a topic and an ID with the same text
/// have different terms. A later version may use more kinds.
fn term(kind: u64, text: &str, log_seed: u64) -> Term {
    Term(xxh3_64_with_seed(text.as_bytes(), log_seed.wrapping_add(kind)))
}
