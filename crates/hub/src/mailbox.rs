//! A mailbox: how one thread that owns many subscribers, a shard, gets the events of all audiences that it has a part
//! of.
//!
//! The router puts one bundle per batch into it and never anything per subscriber. It is bounded: a shard that does not
//! empty its mailbox holds back the router, and so the publishers. A shard's subscribers cannot do that, since the
//! shard waits for none of them.
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

/// The number of bundles that wait in a mailbox before the router waits. A batch is one bundle, or several if it is
/// large.
pub const MAILBOX_BUNDLES: usize = 16;

/// The shard's end. None of its methods waits for anything.
pub struct Mailbox {
    hub: Arc<Shared>,
    /// The router's number for this shard.
    shard: usize,
    bundles: Receiver<Bundle>,
    /// Bounded by what the owner asks for.
    steps: Receiver<(PartKey, ReadStep)>,
    step_sender: Sender<(PartKey, ReadStep)>,
    wakeup: Arc<Wakeup>,
    runtime: Handle,
}

impl Mailbox {
    /// A mailbox whose owner is woken by `wake`, from other threads, whenever something is in it.
    pub(crate) fn new(hub: Arc<Shared>, wake: Box<Wake>, runtime: Handle) -> Self {
        let wakeup = Arc::new(Wakeup::new(false.into(), wake));
        let (sender, bundles) = bounded(MAILBOX_BUNDLES);
        let shard = hub.router.add_recipient(Recipient::Mailbox { bundles: sender, wakeup: wakeup.clone() });
        let (step_sender, steps) = unbounded();
        Self { hub, shard, bundles, steps, step_sender, wakeup, runtime }
    }

    /// Says that the owner is awake and will take everything that is in the mailbox. To be called before it does.
    pub fn noticed(&self) {
        self.wakeup.noticed();
    }

    /// The next bundle, if there is one: the events of a batch, for each part that they reach.
    #[must_use]
    pub fn take_bundle(&self) -> Option<Bundle> {
        self.bundles.try_recv().ok()
    }

    /// The next result of [`read`](Self::read), if there is one.
    #[must_use]
    pub fn take_step(&self) -> Option<(PartKey, ReadStep)> {
        self.steps.try_recv().ok()
    }

    /// Asks for the events of the audience with this key, for `part`. Returns the head of the log: every matching
    /// event behind it will come, and some before it may.
    pub fn follow(&self, key: &Arc<AudienceKey>, part: PartKey, permit: JoinPermit) -> Offset {
        self.hub.router.follow(key.clone(), (self.shard, part), permit);
        self.head()
    }

    /// Asks for no more events for `part`. Some may still come.
    pub fn unfollow(&self, key: Arc<AudienceKey>, part: PartKey) {
        self.hub.router.unfollow(key, (self.shard, part));
    }

    /// The head of the log.
    #[must_use]
    pub fn head(&self) -> Offset {
        self.hub.bounds().head
    }

    /// The ID of the place behind `offset`.
    #[must_use]
    pub fn id_behind(&self, offset: Offset) -> String {
        self.hub.id_behind(offset)
    }

    /// Has the log read. The result comes as a step, once it is this reader's turn. The owner bounds how many it asks
    /// for at a time.
    pub fn read(&self, wanted: Wanted) {
        let Wanted { part, key, cursor } = wanted;
        let (hub, steps, wakeup) = (self.hub.clone(), self.step_sender.clone(), self.wakeup.clone());
        let reading = self.runtime.spawn(hub.read_on(key, cursor));
        self.runtime.spawn(async move {
            // The owner counts on an answer, whatever becomes of the reading.
            let step = reading.await.unwrap_or_else(|error| Err(LogError::Io(io::Error::other(error))));
            // An owner that is gone needs no answer.
            _ = steps.send((part, step));
            wakeup.call();
        });
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").field("shard", &self.shard).finish_non_exhaustive()
    }
}
