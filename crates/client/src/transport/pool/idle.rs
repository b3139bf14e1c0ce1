//! HTTP/1.1 connections that carry no request at the moment, and the task that closes connections that are idle for too
//! long.
use super::{
    origin::Origin,
    taken::{IDLE_TIMEOUT, MAX_IDLE_PER_ORIGIN, Sender, Taken, lock},
};
use crate::transport::{RequestBody, wire::Wire};
use hyper::client::conn::http1;
use std::sync::{Arc, Weak, atomic::Ordering::Relaxed};
use tokio::time::Instant;

/// An HTTP/1.1 connection without a request.
pub(super) struct Idle {
    pub(super) sender: http1::SendRequest<RequestBody>,
    pub(super) wire: Arc<Wire>,
    pub(super) is_forwarded: bool,
    pub(super) since: Instant,
}

impl Idle {
    pub(super) fn is_over(&self) -> bool {
        !self.sender.is_ready() || self.since.elapsed() >= IDLE_TIMEOUT
    }

    /// Returns the connection for use by the next request.
    pub(super) fn take(self) -> Taken {
        let Self { sender, wire, is_forwarded, .. } = self;
        Taken { sender: Sender::Http1(sender), wire, is_kept: true, is_forwarded }
    }
}

impl Origin {
    /// Keeps a connection for later requests, once its response is read to the end. If the connection closes before
    /// that, it is not kept.
    pub(super) fn keep(self: &Arc<Self>, mut idle: Idle) {
        if idle.sender.is_closed() {
            return;
        }
        let weak = Arc::downgrade(self);
        self.lent.fetch_add(1, Relaxed);
        tokio::spawn(async move {
            let is_free = idle.sender.ready().await.is_ok();
            let Some(origin) = Weak::upgrade(&weak) else { return };
            origin.lent.fetch_sub(1, Relaxed);
            let mut kept = lock(&origin.kept);
            if is_free && kept.idle.len() < MAX_IDLE_PER_ORIGIN {
                idle.since = Instant::now();
                kept.idle.push(idle);
                drop(kept);
                origin.watch();
            }
        });
    }

    /// Starts the task that closes connections that are idle for too long, unless the task is running.
    pub(super) fn watch(self: &Arc<Self>) {
        if std::mem::replace(&mut lock(&self.kept).is_watched, true) {
            return;
        }
        let origin = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(IDLE_TIMEOUT / 2).await;
                let Some(origin) = Weak::upgrade(&origin) else { return };
                let mut kept = lock(&origin.kept);
                kept.forget_idle();
                if kept.is_empty() {
                    kept.is_watched = false;
                    return;
                }
            }
        });
    }
}
