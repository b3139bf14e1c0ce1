//! The part of the plan that one thread publishes.
use super::plan::{Counts, Plan};
use crate::{epoch::Epoch, target::Target};
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

/// The longest time that a server may take to acknowledge a publication.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The part of the plan that one thread publishes, with everything that the thread needs.
pub(super) struct Share {
    pub target: Target,
    pub plan: Plan,
    pub epoch: Epoch,
    pub end: Arc<AtomicBool>,
    pub counts: Counts,
    /// The number of the thread's publisher; 0 if one thread has all publishers.
    pub publisher: u32,
}
