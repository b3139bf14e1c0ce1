//! All audiences whose members are polled. The router knows each by one message, however many members it has.
use crate::{
    audience::{Audience, MemberKey},
    audience_key::AudienceKey,
    join_permit::JoinPermit,
    position::Offset,
    router::Router,
    routes::Outlet,
    window::WindowLimit,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

#[derive(Debug)]
pub(crate) struct Audiences {
    /// Taken by who joins and leaves, never by the router. Lock order: this before any audience's, and before the
    /// log's.
    by_key: Mutex<HashMap<Arc<AudienceKey>, Arc<Audience>>>,
    window: WindowLimit,
}

impl Audiences {
    pub(crate) fn new(window: WindowLimit) -> Self {
        Self { by_key: Mutex::default(), window }
    }

    /// Makes a subscriber a member of its audience. `head` reads the head of the log.
    pub(crate) fn join(
        &self,
        key: &Arc<AudienceKey>,
        router: &Router,
        permit: JoinPermit,
        head: impl Fn() -> Offset,
    ) -> (Arc<Audience>, MemberKey) {
        let mut by_key = self.lock();
        let audience = match by_key.get(key) {
            Some(audience) => audience.clone(),
            None => {
                let audience = Arc::new(Audience::new(key.clone(), self.window));
                router.follow(key.clone(), Outlet::Polled(audience.clone()), permit);
                // In this order: whatever is appended behind that head will be delivered.
                audience.begin(head());
                by_key.insert(key.clone(), audience.clone());
                audience
            }
        };
        let member = audience.join();
        (audience, member)
    }

    /// Takes a subscriber out, and its audience too if nobody is left in it.
    pub(crate) fn leave(&self, audience: &Arc<Audience>, member: MemberKey, router: &Router) {
        let mut by_key = self.lock();
        if audience.leave(member) {
            by_key.remove(&audience.key);
            if by_key.is_empty() {
                *by_key = HashMap::new();
            }
            router.unfollow(audience.key.clone(), Outlet::Polled(audience.clone()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<AudienceKey>, Arc<Audience>>> {
        // Nothing in here panics halfway through a change, so a poisoned map is still a whole one.
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
