//! The limit on large heads of requests. A head may have up to 64 KiB, and hyper keeps it in memory while it arrives and
//! while its request is handled. Usual heads are much smaller. So only a limited number of connections may have a large
//! head at the same time, and all heads together take little memory even if strangers open as many connections as the
//! system allows.
use crate::seldom::Seldom;
use std::{io, sync::Arc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The number of bytes up to which the head of a request is not large.
pub const LARGE_HEAD_BYTES: usize = 16 << 10;
/// The greatest number of connections that may have a large head at the same time. A connection is no longer counted
/// when it ends, or when a shard takes its stream. It ends after the answer to the request with the large head: until
/// then, hyper keeps the memory of the head.
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
    /// The number of bytes of the head that is being received.
    bytes: usize,
    /// The number of bytes that came behind the head, together with its end; 0 if they are few.
    behind: usize,
}

impl LargeHeads {
    /// Returns permits for `count` connections.
    pub(crate) fn new(count: usize) -> Self {
        Self(Arc::new(Shared { permits: Arc::new(Semaphore::new(count)), refused: Seldom::default() }))
    }

    /// Returns the permit of a new connection, which needs none yet.
    pub(super) fn permit(&self) -> HeadPermit {
        HeadPermit { heads: self.clone(), permit: None, bytes: 0, behind: 0 }
    }
}

impl HeadPermit {
    /// Notes that the next byte is the first one of a head.
    pub(super) fn begin_head(&mut self) {
        (self.bytes, self.behind) = (0, 0);
    }

    /// True if a head of the connection was large.
    pub(super) fn is_held(&self) -> bool {
        self.permit.is_some()
    }

    /// True if so much came behind the head that it would be a large head, if it belongs to a head.
    pub(super) fn is_large_behind(&self) -> bool {
        self.behind > LARGE_HEAD_BYTES
    }

    /// Notes that these bytes have come while a head is received. A body may have come with them.
    ///
    /// # Errors
    /// If the head is large, and too many other connections have a large head.
    pub(super) fn came(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes += bytes.len();
        if self.bytes > LARGE_HEAD_BYTES
            && self.permit.is_none()
            && let Some(end) = end_of_head(bytes)
        {
            self.behind = bytes.len() - end;
            self.bytes -= self.behind;
        }
        if self.bytes > LARGE_HEAD_BYTES && self.permit.is_none() {
            let Shared { permits, refused } = &*self.heads.0;
            let Ok(permit) = permits.clone().try_acquire_owned() else {
                if refused.is_due() {
                    tracing::warn!(
                        "too many requests with a head of more than {LARGE_HEAD_BYTES} bytes: another such connection \
                         was closed"
                    );
                }
                return Err(io::Error::other("too many large heads"));
            };
            self.permit = Some(permit);
        }
        Ok(())
    }
}

/// Returns the number of bytes up to the end of the head, if it ends within these bytes.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let line_ends = (0..bytes.len()).filter(|index| bytes[*index] == b'\n');
    let is_empty = |rest: &[u8]| rest.starts_with(b"\n") || rest.starts_with(b"\r\n");
    line_ends.map(|index| index + 1).find(|next| is_empty(&bytes[*next..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_large_heads_need_a_permit() {
        let heads = LargeHeads::new(1);
        let mut with_body = b"POST / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec();
        with_body.resize(4 * LARGE_HEAD_BYTES, b'\n');
        let (mut body, mut first, mut second) = (heads.permit(), heads.permit(), heads.permit());
        for _ in 0..3 {
            body.begin_head();
            body.came(&with_body).unwrap();
            assert!(body.is_large_behind());
            body.begin_head();
            body.came(&with_body[..LARGE_HEAD_BYTES]).unwrap();
            assert!(!body.is_large_behind() && !body.is_held());
        }
        let half = [b'x'; LARGE_HEAD_BYTES / 2];
        for permit in [&mut first, &mut second] {
            permit.begin_head();
            (0..2).for_each(|_| permit.came(&half).unwrap());
        }
        first.came(b"x").unwrap();
        assert!(second.came(b"x").is_err(), "there is one permit");
        drop(first);
        second.came(b"x").unwrap();
        assert!(body.came(&[b'x'; LARGE_HEAD_BYTES]).is_err());
    }
}
