//! A publication in the queue to the log's writer.
use crate::{entry::Entry, log::LogError, update::Update};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Updates that are appended together: either all or none.
#[derive(Debug)]
pub(in crate::log) struct Publication {
    pub(in crate::log) updates: Vec<Update>,
    /// The size of the updates as stored, in bytes.
    pub(in crate::log) bytes: usize,
    /// The number of places that the publication takes in the queue.
    pub(in crate::log) places: usize,
    /// True if the writer may wait for other publications.
    pub(in crate::log) can_wait: bool,
    pub(in crate::log) acknowledgement: Acknowledgement,
}

/// The channel to the publisher: it gets the entries when they are in the log, or the error.
pub(in crate::log) type Acknowledgement = oneshot::Sender<Result<Vec<Arc<Entry>>, Arc<LogError>>>;
