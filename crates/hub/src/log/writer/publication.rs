//! A publication in the queue to the log's writer.
use crate::{entry::Entry, log::LogError, update::Update};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Updates that are appended together, or not at all.
#[derive(Debug)]
pub(in crate::log) struct Publication {
    pub(in crate::log) updates: Vec<Update>,
    /// The size as stored.
    pub(in crate::log) bytes: usize,
    /// The number of places that it takes in the queue.
    pub(in crate::log) places: usize,
    /// True if others may be waited for.
    pub(in crate::log) can_wait: bool,
    pub(in crate::log) acknowledgement: Acknowledgement,
}

/// Tells a publisher that its entries are in the log, or why not.
pub(in crate::log) type Acknowledgement = oneshot::Sender<Result<Vec<Arc<Entry>>, Arc<LogError>>>;
