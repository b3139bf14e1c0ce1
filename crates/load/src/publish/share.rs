//! The share of one thread of publishers.
use super::plan::{Counts, Plan};
use crate::{epoch::Epoch, target::Target};
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

/// The longest time that a server may take to acknowledge a publication.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The share that one thread publishes.
pub(super) struct Share {
    pub target: Target,
    pub plan: Plan,
    pub epoch: Epoch,
    pub end: Arc<AtomicBool>,
    pub counts: Counts,
    /// The number of its publisher, of those that have a thread each.
    pub publisher: u32,
}
