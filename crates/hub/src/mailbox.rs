//! A mailbox: delivers the events of all audiences of one shard to the thread that owns the shard's subscribers.
//!
//! The router puts one bundle per batch into the mailbox, or several if the batch is large, however many subscribers
//! the shard has. The number of bundles is bounded: if a shard does not empty its mailbox, the router waits, and so the
//! publishers wait. A slow subscriber cannot cause this, because a shard never waits for a subscriber.
pub use crate::bundle::{Events, PartKey};
use crate::{
    audience_key::AudienceKey,
    bundle::Bundle,
    catch_up::ReadStep,
    fan_out::Wanted,
    join_permit::JoinPermit,
    log::LogError,
    position::Offset,
    router::Recipient,
    shared::Shared,
    wakeup::{Wake, Wakeup},
};
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use std::{fmt, io, sync::Arc};
use tokio::runtime::Handle;

/// The number of bundles in a mailbox at which the router waits. A batch is one bundle, or several if it is large.
pub const MAILBOX_BUNDLES: usize = 16;

/// A shard's end of its mailbox. Its methods never wait.
pub struct Mailbox {
    hub: Arc<Shared>,
    /// The router's number for this shard.
    shard: usize,
    bundles: Receiver<Bundle>,
    /// The results of reading the log. The channel has no bound of its own, but the owner limits how many reads it asks
    /// for.
    steps: Receiver<(PartKey, ReadStep)>,
    step_sender: Sender<(PartKey, ReadStep)>,
    wakeup: Arc<Wakeup>,
    runtime: Handle,
}

/// Wakes the owner of a [`Mailbox`]. A call does nothing if the owner still has to [notice](Mailbox::noticed) an
/// earlier call, by the hub or by another caller. A caller must put its work for the owner in place before the call,
/// and the owner must look for the work after it has noticed the call.
#[derive(Clone, Debug)]
pub struct Caller(Arc<Wakeup>);

impl Caller {
    /// Wakes the owner of the mailbox, unless it still has to notice an earlier call.
    pub fn call(&self) {
        self.0.call();
    }
}

impl Mailbox {
    /// Returns a mailbox. `wake` is called from other threads when something was put into the mailbox, and must wake
    /// the mailbox's owner.
    pub(crate) fn new(hub: Arc<Shared>, wake: Box<Wake>, runtime: Handle) -> Self {
        let wakeup = Arc::new(Wakeup::new(false.into(), wake));
        let (sender, bundles) = bounded(MAILBOX_BUNDLES);
        let shard = hub.router.add_recipient(Recipient::Mailbox { bundles: sender, wakeup: wakeup.clone() });
        let (step_sender, steps) = unbounded();
        Self { hub, shard, bundles, steps, step_sender, wakeup, runtime }
    }

    /// Notes that the owner is awake and will take everything that is in the mailbox. The owner must call this before
    /// it takes anything.
    pub fn noticed(&self) {
        self.wakeup.noticed();
    }

    /// Returns a caller, with which another thread can wake the owner when it has work for the owner.
    #[must_use]
    pub fn caller(&self) -> Caller {
        Caller(self.wakeup.clone())
    }

    /// Takes out the next bundle, if there is one: the events of a batch, for each part that they reach.
    #[must_use]
    pub fn take_bundle(&self) -> Option<Bundle> {
        self.bundles.try_recv().ok()
    }

    /// Takes out the next result of [`read`](Self::read), if there is one.
    #[must_use]
    pub fn take_step(&self) -> Option<(PartKey, ReadStep)> {
        self.steps.try_recv().ok()
    }

    /// Asks the router to send the events of the audience with this key to `part`. Returns the newest offset of the
    /// log: the mailbox gets every event of the audience after this offset, and perhaps some earlier events.
    pub fn follow(&self, key: &Arc<AudienceKey>, part: PartKey, permit: JoinPermit) -> Offset {
        self.hub.router.follow(key.clone(), (self.shard, part), permit);
        self.head()
    }

    /// Asks the router to send no more events for `part`. A few events may still come.
    pub fn unfollow(&self, key: Arc<AudienceKey>, part: PartKey) {
        self.hub.router.unfollow(key, (self.shard, part));
    }

    /// The offset of the last entry of the log.
    #[must_use]
    pub fn head(&self) -> Offset {
        self.hub.bounds().head
    }

    /// The offset up to which the router has put every event for this mailbox into it. If the owner reads this offset
    /// first, and then empties the mailbox, it has all of its events up to this offset.
    #[must_use]
    pub fn routed(&self) -> Offset {
        self.hub.router.routed()
    }

    /// The number of entries that the log holds.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.hub.bounds().held
    }

    /// The ID of the position `offset`, `#<epoch>-<offset>`.
    #[must_use]
    pub fn place(&self, offset: Offset) -> String {
        self.hub.place(offset)
    }

    /// Asks for a read of the step `wanted`. The read begins as soon as a permit to read the log is free, and its
    /// result is put into the mailbox. [`take_step`](Self::take_step) takes the result out. The owner must limit how
    /// many reads it asks for at the same time.
    pub fn read(&self, wanted: Wanted) {
        let Wanted { part, key, cursor, is_barren } = wanted;
        let (hub, steps, wakeup) = (self.hub.clone(), self.step_sender.clone(), self.wakeup.clone());
        let reading = self.runtime.spawn(hub.read_on(key, cursor, is_barren));
        self.runtime.spawn(async move {
            // The owner expects an answer, even if reading fails.
            let step = reading.await.unwrap_or_else(|error| Err(LogError::Io(io::Error::other(error))));
            // If the owner is gone, nobody needs the answer.
            _ = steps.send((part, step));
            wakeup.call();
        });
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.hub.router.remove_recipient(self.shard);
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").field("shard", &self.shard).finish_non_exhaustive()
    }
}
