//! From topics to audiences. The cost of routing an update follows its matches: exact topics are found in a hash index,
//! and each distinct pattern is tried once, however many audiences share it.
use crate::{
    audience::{Audience, AudienceKey, MemberKey},
    entry::Entry,
    position::Offset,
    topic::{Topic, matcher::Matcher},
    window::WindowLimit,
    wire::WireEvents,
};
use bytes::Bytes;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Knows every audience. One thread routes; any thread subscribes.
#[derive(Debug)]
pub(crate) struct Router {
    /// Lock order: this before any audience's.
    index: Mutex<Index>,
    window: WindowLimit,
}

#[derive(Debug)]
struct Index {
    /// The last offset that was routed. An audience made now gets everything behind it.
    routed: Offset,
    audiences: HashMap<AudienceKey, Arc<Audience>>,
    exact: HashMap<Topic, Vec<Arc<Audience>>>,
    patterns: HashMap<Matcher, Vec<Arc<Audience>>>,
}

/// The wire events of one batch for one audience.
struct Mail {
    audience: Arc<Audience>,
    events: Vec<(Offset, Bytes)>,
}

impl Router {
    /// A router that has seen the log up to `head`.
    pub(crate) fn new(head: Offset, window: WindowLimit) -> Self {
        let index = Index { routed: head, audiences: HashMap::new(), exact: HashMap::new(), patterns: HashMap::new() };
        Self { index: Mutex::new(index), window }
    }

    /// Makes a subscriber a member of its audience. Everything that is routed from now on reaches the audience's window.
    pub(crate) fn join(&self, key: AudienceKey) -> (Arc<Audience>, MemberKey) {
        let mut index = self.lock();
        let audience = match index.audiences.get(&key) {
            Some(audience) => audience.clone(),
            None => {
                let audience = Audience::new(key, index.routed, self.window);
                index.add(audience)
            }
        };
        let member = audience.join();
        (audience, member)
    }

    /// Takes a subscriber out, and its audience too if nobody is left in it.
    pub(crate) fn leave(&self, audience: &Arc<Audience>, member: MemberKey) {
        let mut index = self.lock();
        if audience.leave(member) {
            index.remove(audience);
        }
    }

    /// Hands a batch of entries, which follow each other and what was routed before, to every audience they reach.
    pub(crate) fn route(&self, entries: &[Arc<Entry>]) {
        // Matching happens under the lock, encoding and waking outside it. An audience that is made in between begins
        // behind this batch and reads it from the log.
        for mail in self.address(entries) {
            mail.audience.deliver(mail.events);
        }
    }

    fn address(&self, entries: &[Arc<Entry>]) -> Vec<Mail> {
        let mut mails: Vec<Mail> = Vec::new();
        let mut mail_of: HashMap<*const Audience, usize> = HashMap::new();
        let mut index = self.lock();
        for entry in entries {
            let offset = entry.position.offset;
            let mut wire = WireEvents::of(entry);
            for audience in index.matching(entry).filter(|audience| audience.key.may_receive(&entry.update)) {
                let place = *mail_of.entry(Arc::as_ptr(audience)).or_insert_with(|| {
                    mails.push(Mail { audience: audience.clone(), events: Vec::new() });
                    mails.len() - 1
                });
                let events = &mut mails[place].events;
                let reached_by_another_topic = events.last().is_some_and(|(last, _)| *last == offset);
                if !reached_by_another_topic {
                    events.push((offset, wire.get(audience.key.representation)));
                }
            }
            index.routed = offset;
        }
        mails
    }

    fn lock(&self) -> MutexGuard<'_, Index> {
        // Nothing in here panics halfway through a change, so a poisoned index is still a whole one.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    fn add(&mut self, audience: Audience) -> Arc<Audience> {
        let audience = Arc::new(audience);
        for matcher in audience.key.matchers.as_slice() {
            self.bucket(matcher).push(audience.clone());
        }
        self.audiences.insert(audience.key.clone(), audience.clone());
        audience
    }

    fn remove(&mut self, audience: &Arc<Audience>) {
        self.audiences.remove(&audience.key);
        for matcher in audience.key.matchers.as_slice() {
            let bucket = self.bucket(matcher);
            bucket.retain(|other| !Arc::ptr_eq(other, audience));
            if bucket.is_empty() {
                match matcher {
                    Matcher::Exact(topic) => drop(self.exact.remove(topic)),
                    pattern => drop(self.patterns.remove(pattern)),
                }
            }
        }
    }

    fn bucket(&mut self, matcher: &Matcher) -> &mut Vec<Arc<Audience>> {
        match matcher {
            Matcher::Exact(topic) => self.exact.entry(topic.clone()).or_default(),
            pattern => self.patterns.entry(pattern.clone()).or_default(),
        }
    }

    /// The audiences that subscribed to one of the entry's topics; one that did so in several ways comes several times.
    fn matching(&self, entry: &Entry) -> impl Iterator<Item = &Arc<Audience>> {
        let topics = entry.update.topics();
        let exact = topics.iter().filter_map(|topic| self.exact.get(topic));
        let by_pattern = self.patterns.iter().filter(|(pattern, _)| topics.iter().any(|topic| pattern.matches(topic)));
        exact.chain(by_pattern.map(|(_, audiences)| audiences)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{grant::Matchers, wire::Representation};

    #[test]
    fn nothing_stays_behind_when_everybody_has_left() {
        let router = Router::new(Offset::ZERO, WindowLimit::default());
        let texts = [&["a"][..], &["a", "b"], &["/{x}", "*"], &["/{x}"]];
        let join = |texts: &&[&str]| {
            let matchers = texts.iter().map(|text| Matcher::legacy_selector(text).unwrap()).collect();
            let granted = Matchers::default();
            router.join(AudienceKey { matchers, granted, representation: Representation::EventStream })
        };
        let members: Vec<_> = texts.iter().chain(&texts).map(join).collect();
        assert_eq!(router.lock().audiences.len(), texts.len(), "who subscribes alike is one audience");
        for (audience, member) in &members {
            router.leave(audience, *member);
        }
        let index = router.lock();
        assert_eq!((index.audiences.len(), index.exact.len(), index.patterns.len()), (0, 0, 0));
    }
}
