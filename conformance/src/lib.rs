//! A suite that tries every rule of the [Mercure protocol](https://mercure.rocks/spec) on a running hub, over its
//! sockets, by the rules of either revision. `README.md` says how to run the suite against any hub; `tests/own_hub.rs`
//! runs it against the hub of this repository.
//!
//! An [`Entry`] tries a few [`Rule`]s. A [`Trial`] runs one entry on one hub by the rules of one revision, and ends
//! with a [`Report`]: a [`Verdict`] for each sentence of the rules. Rules for publishers and clients are tried on this
//! repository's example publisher, `examples/discovery/`, together with the hub.
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
    // A new prefix for the topics of each run: the hub may hold topics of earlier runs and of other users.
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
