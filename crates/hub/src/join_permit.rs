//! The permit that a subscriber needs to join an audience.
use tokio::sync::OwnedSemaphorePermit;

/// Allows one subscriber to join an audience. The number of permits limits how many subscribers may be joining before
/// the router has handled their requests.
#[derive(Debug)]
pub struct JoinPermit {
    _permit: OwnedSemaphorePermit,
}

impl From<OwnedSemaphorePermit> for JoinPermit {
    fn from(permit: OwnedSemaphorePermit) -> Self {
        Self { _permit: permit }
    }
}
