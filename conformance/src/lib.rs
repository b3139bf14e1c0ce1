//! Every rule of the [Mercure protocol](https://mercure.rocks/spec), tried on a hub over its sockets, by the rules of
//! either revision. `README.md` says how to run it against any hub; `tests/own_hub.rs` runs it against this
//! repository's.
//!
//! An [`Entry`] tries a few sentences of the drafts, each a [`Rule`]; its [`Trial`] is a hub and a revision; what comes
//! of it is a [`Report`]: a [`Verdict`] for each sentence. Rules for publishers and clients are tried on a publisher of
//! ours, `examples/discovery/`, together with the hub.
#[path = "../../examples/discovery/backend.rs"]
pub mod backend;
pub mod entries;
pub mod http;
mod judging;
pub mod outcome;
pub mod report;
pub mod rule;
#[allow(missing_docs, reason = "each rule is its sentence, word for word")]
pub mod rules;
pub mod stream;
pub mod target;
pub mod token;
pub mod trial;

pub use entries::{ENTRIES, Entry};
pub use outcome::Fault;
pub use report::{Finding, Report, Verdict};
pub use rule::{Level, Rule, Sentence};
pub use target::{Issuer, Revision, Secret, Target};
pub use trial::Trial;

use std::time::Duration;
use tokio::time::timeout;

/// The longest time that one entry may take.
const ENTRY_TIMEOUT: Duration = Duration::from_secs(60);

/// Tries one entry on a hub. The report is empty if the revision has none of the entry's sentences.
pub async fn run(entry: &Entry, target: &Target, revision: Revision) -> Report {
    // Nobody else's topics: a hub may hold those of earlier runs, and of other users.
    let prefix = format!("https://example.com/conformance/{:016x}/{}", fastrand::u64(..), entry.name);
    let http = match http::client(&target.hub) {
        Ok(http) => http,
        Err(error) => return entry.not_tried(revision, &error.to_string()),
    };
    let trial = Trial::start(target, revision, &http, prefix).await;
    let fault = match timeout(ENTRY_TIMEOUT, (entry.run)(&trial)).await {
        Ok(outcome) => outcome.err(),
        Err(_) => Some(Fault::Broken(format!("it takes more than {ENTRY_TIMEOUT:?}"))),
    };
    trial.finish(entry, fault)
}
