//! The permit to join an audience.
use tokio::sync::OwnedSemaphorePermit;

/// Allows to join an audience. Those who were allowed and have not been seen by the router are bounded by it.
#[derive(Debug)]
pub struct JoinPermit {
    _permit: OwnedSemaphorePermit,
}

impl From<OwnedSemaphorePermit> for JoinPermit {
    fn from(permit: OwnedSemaphorePermit) -> Self {
        Self { _permit: permit }
    }
}
