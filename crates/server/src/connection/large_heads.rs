//! The limit on large heads of requests. A head may have up to 64 KiB, and hyper keeps it in memory while it arrives and
//! while its request is handled. Usual heads are much smaller. So only a limited number of connections may have a large
//! head at the same time, and all heads together take little memory even if strangers open as many connections as the
//! system allows.
use crate::seldom::Seldom;
use std::{io, sync::Arc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The number of bytes up to which the head of a request is not large.
pub const LARGE_HEAD_BYTES: usize = 16 << 10;
/// The greatest number of connections that may have had a large head. A connection is no longer counted when it ends,
/// or when a shard takes its stream.
pub const MAX_LARGE_HEADS: usize = 1_024;

/// The permits for large heads, which all connections of a server share.
#[derive(Clone, Debug)]
pub(crate) struct LargeHeads(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    permits: Arc<Semaphore>,
    refused: Seldom,
}

/// The permit of one connection; none as long as no head of the connection was large.
#[derive(Debug)]
pub(super) struct HeadPermit {
    heads: LargeHeads,
    permit: Option<OwnedSemaphorePermit>,
}

impl LargeHeads {
    /// Returns permits for `count` connections.
    pub(crate) fn new(count: usize) -> Self {
        Self(Arc::new(Shared { permits: Arc::new(Semaphore::new(count)), refused: Seldom::default() }))
    }

    /// Returns the permit of a new connection, which needs none yet.
    pub(super) fn permit(&self) -> HeadPermit {
        HeadPermit { heads: self.clone(), permit: None }
    }
}

impl HeadPermit {
    /// Notes that a head has `bytes` bytes so far.
    ///
    /// # Errors
    /// If the head is large, and too many other connections have a large head.
    pub(super) fn reached(&mut self, bytes: usize) -> io::Result<()> {
        if bytes > LARGE_HEAD_BYTES && self.permit.is_none() {
            let Shared { permits, refused } = &*self.heads.0;
            let Ok(permit) = permits.clone().try_acquire_owned() else {
                if refused.is_due() {
                    tracing::warn!(
                        "too many connections have sent heads of more than {LARGE_HEAD_BYTES} bytes: another such \
                         connection was closed"
                    );
                }
                return Err(io::Error::other("too many large heads"));
            };
            self.permit = Some(permit);
        }
        Ok(())
    }
}
