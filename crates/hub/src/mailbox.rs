//! A mailbox: how one thread that owns many subscribers, a shard, gets the events of all audiences that it has a part
//! of.
//!
//! The router puts a letter per batch into it and never anything per subscriber. It is bounded: a shard that does not
//! come to empty its mailbox holds the router, and so the publishers, back. A shard's subscribers cannot do that, since
//! the shard waits for none of them.
pub use crate::postbox::{Events, MAILBOX_BATCHES, PartKey};
use crate::{
    audience_key::AudienceKey,
    bell::Bell,
    catch_up::Step,
    join_permit::JoinPermit,
    log::LogError,
    position::Offset,
    postbox::{Letter, Postbox, Wake},
    routes::Outlet,
    shared::Shared,
};
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::{fmt, io, sync::Arc};
use tokio::runtime::Handle;

/// The shard's end. None of its methods waits for anything.
pub struct Mailbox {
    hub: Arc<Shared>,
    /// The router's number for this shard.
    shard: usize,
    letters: Receiver<Letter>,
    /// Bounded by what the owner asks for.
    steps: Receiver<(PartKey, ReadStep)>,
    step_sender: Sender<(PartKey, ReadStep)>,
    bell: Arc<Bell<Wake>>,
    runtime: Handle,
}

/// The result of reading the log for a part.
pub type ReadStep = Result<Step, LogError>;

impl Mailbox {
    /// One whose owner is woken by `wake`, from other threads, whenever something is in it.
    pub(crate) fn new(hub: Arc<Shared>, wake: Box<Wake>, runtime: Handle) -> Self {
        let bell = Arc::new(Bell::new(false.into(), wake));
        let (postbox, letters) = Postbox::new(bell.clone());
        let shard = hub.router.add_shard(postbox);
        let (step_sender, steps) = unbounded();
        Self { hub, shard, letters, steps, step_sender, bell, runtime }
    }

    /// Says that the owner is awake and will take everything that is in the mailbox. To be called before it does.
    pub fn heard(&self) {
        self.bell.heard();
    }

    /// The next letter, if there is one: the events of a batch, for each part that they reach.
    #[must_use]
    pub fn take_letter(&self) -> Option<Vec<(PartKey, Events)>> {
        self.letters.try_recv().ok()
    }

    /// The next result of [`read`](Self::read), if there is one.
    #[must_use]
    pub fn take_step(&self) -> Option<(PartKey, ReadStep)> {
        self.steps.try_recv().ok()
    }

    /// Asks for the events of the audience with this key, for `part`. Gives the head of the log: every matching
    /// event behind it will come, and some before it may.
    pub fn follow(&self, key: &Arc<AudienceKey>, part: PartKey, permit: JoinPermit) -> Offset {
        self.hub.router.follow(key.clone(), Outlet::Shard(self.shard, part), permit);
        self.head()
    }

    /// Asks for no more events for `part`. Some may still come.
    pub fn unfollow(&self, key: &Arc<AudienceKey>, part: PartKey) {
        self.hub.router.unfollow(key.clone(), Outlet::Shard(self.shard, part));
    }

    /// The head of the log.
    #[must_use]
    pub fn head(&self) -> Offset {
        self.hub.bounds().head
    }

    /// The ID that stands for the place behind `offset`.
    #[must_use]
    pub fn id_behind(&self, offset: Offset) -> String {
        self.hub.id_behind(offset)
    }

    /// Has the log read behind `cursor` for `part`, whose audience has this key. The result comes as a step, once it is
    /// this reader's turn. The owner bounds how many it asks for at a time.
    pub fn read(&self, key: Arc<AudienceKey>, part: PartKey, cursor: Offset) {
        let (hub, steps, bell) = (self.hub.clone(), self.step_sender.clone(), self.bell.clone());
        let reading = self.runtime.spawn(hub.read_on(key, cursor));
        self.runtime.spawn(async move {
            // The owner counts on an answer, whatever becomes of the reading.
            let step = reading.await.unwrap_or_else(|error| Err(LogError::Io(io::Error::other(error))));
            // Who is gone needs no answer.
            _ = steps.send((part, step));
            bell.ring();
        });
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").field("shard", &self.shard).finish_non_exhaustive()
    }
}
