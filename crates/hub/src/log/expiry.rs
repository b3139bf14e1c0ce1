//! Expiry: decides whether a reader still gets an entry at a given time, or whether the entry has expired or is
//! discarded.
use super::{
    engine::{Retention, TopicRetention},
    found::{Discarded, Erasure, Found},
};
use crate::entry::{Entry, Timestamp};
use std::sync::Arc;

impl Entry {
    /// Returns the time at which the entry expires according to its publisher; `None` if it never does.
    #[must_use]
    pub fn expires(&self) -> Option<Timestamp> {
        Some(Timestamp(self.time.0.saturating_add(self.update.ttl_ms()?)))
    }
}

impl Retention {
    /// Returns what a reader gets for `entry` at `now`: the entry, [`Found::Erased`] if its time to live is over, or
    /// [`Found::Discarded`] if the age limit of one of its topics is exceeded. If both limits are exceeded, the limit
    /// that was exceeded first decides.
    pub(crate) fn judge(&self, entry: Arc<Entry>, now: Timestamp) -> Found {
        let (offset, private) = (entry.position.offset, entry.update.is_private());
        let (expires, discarded) = (entry.expires(), self.discards_at(&entry));
        match [expires, discarded].into_iter().flatten().min().filter(|dies| *dies <= now) {
            None => Found::Entry(entry),
            dies if dies == expires => Found::Erased(Erasure { offset, private }),
            _ => {
                let topics = entry.update.topics().into();
                Found::Discarded(Arc::new(Discarded { offset, topics, private }))
            }
        }
    }

    /// Returns the first time at which readers do not get `entry` any more; the largest timestamp if there is no such
    /// time.
    pub(crate) fn dies(&self, entry: &Entry) -> Timestamp {
        [entry.expires(), self.discards_at(entry)].into_iter().flatten().min().unwrap_or(Timestamp(u64::MAX))
    }

    /// Returns the time at which `entry` exceeds the lowest age limit of its topics, and is discarded; `None` if none
    /// of its topics has an age limit.
    fn discards_at(&self, entry: &Entry) -> Option<Timestamp> {
        let fits = |rule: &&TopicRetention| entry.update.topics().iter().any(|topic| rule.topics.matches(topic));
        let age_ms = self.topics.iter().filter(fits).map(|rule| rule.age_ms).min()?;
        Some(Timestamp(entry.time.0.saturating_add(age_ms).saturating_add(1)))
    }
}
