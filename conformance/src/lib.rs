//! Every rule of the [Mercure protocol](https://mercure.rocks/spec), tried on a hub over its sockets, by the rules of either
//! revision. `README.md` says how to run it against any hub; `tests/own_hub.rs` runs it against this repository's.
//!
//! A rule is an [`Entry`]; its [`Trial`] is a hub and a revision; what comes of it is an [`Outcome`]. Rules for publishers and
//! clients are tried on a publisher of ours, `examples/discovery/`, together with the hub.
#[path = "../../examples/discovery/backend.rs"]
pub mod backend;
pub mod entries;
pub mod http;
pub mod outcome;
pub mod stream;
pub mod target;
pub mod token;
pub mod trial;

pub use entries::{ENTRIES, Entry};
pub use outcome::{Fault, Outcome};
pub use target::{Issuer, Revision, Secret, Target};
pub use trial::Trial;

use std::time::Duration;
use tokio::time::timeout;

/// How long one entry may take.
const ENTRY_TIMEOUT: Duration = Duration::from_secs(60);

/// Tries one entry on a hub.
pub async fn run(entry: &Entry, target: &Target, revision: Revision) -> Outcome {
    if !entry.revisions.contains(&revision) {
        return Err(Fault::not_applicable("this revision does not have the rule"));
    }
    let http = http::client(&target.hub).map_err(|error| Fault::Broken(error.to_string()))?;
    // Nobody else's topics: a hub may hold those of earlier runs, and of other users.
    let prefix = format!("https://example.com/conformance/{:016x}/{}", fastrand::u64(..), entry.name);
    let trial = Trial { target, revision, http: &http, prefix };
    match timeout(ENTRY_TIMEOUT, (entry.run)(&trial)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Fault::Broken(format!("it takes more than {ENTRY_TIMEOUT:?}"))),
    }
}
