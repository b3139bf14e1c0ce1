//! Recognises events that the upstream sends again although the hub already has them as updates.
//!
//! An event of the upstream and an update of the hub are the same if they have the same ID, type and data, and the
//! update has exactly the topics of the relay. The ID alone is not enough: an upstream may count from 1 again after a
//! restart and give new events the old IDs, and another upstream of the same hub may use the same IDs.
use super::batch::{Item, MAX_BATCH_BYTES, MAX_BATCH_EVENTS};
use fanfare_event_stream::EventType;
use fanfare_hub::topic::Topic;
use serde::Deserialize;
use std::{borrow::Cow, collections::VecDeque};

/// The longest line of a hub's answer that is read, in bytes: a line with the largest update is not longer, even if all
/// of its data is escaped.
const MAX_LINE_BYTES: usize = 128 << 20;

/// The newest updates of this relay that are in the hub's log after a position, in order. No more than one batch is
/// kept: a relay saves its state before it publishes the next batch, so at most one batch in the hub's log is not yet
/// in the state.
#[derive(Debug)]
pub(super) struct Held {
    topics: Vec<Topic>,
    updates: VecDeque<Published>,
    bytes: usize,
    /// The beginning of a line whose end has not arrived.
    line: Vec<u8>,
}

/// An update, as a JSON line of a hub represents it.
#[derive(Debug, Deserialize)]
struct Published {
    id: String,
    #[serde(rename = "type")]
    event_type: String,
    data: String,
    topics: Vec<String>,
}

/// The hub sent a line that is longer than any update.
#[derive(Debug)]
pub(super) struct LineTooLong;

impl Held {
    /// Makes an empty list for a relay to `topics`.
    pub(super) fn new(topics: &[Topic]) -> Self {
        Self { topics: topics.to_vec(), updates: VecDeque::new(), bytes: 0, line: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.updates.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.updates.clear();
        self.bytes = 0;
    }

    /// Reads the next bytes of the JSON lines.
    ///
    /// # Errors
    /// [`LineTooLong`] if a line is longer than any update.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> Result<(), LineTooLong> {
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            self.line.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end + 1..];
            // Lines that are not updates are ignored: a gap has no topics, and a heartbeat is a blank line.
            if let Ok(update) = serde_json::from_slice::<Published>(&self.line) {
                self.push(update);
            }
            self.line.clear();
        }
        if self.line.len() + bytes.len() > MAX_LINE_BYTES {
            return Err(LineTooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn push(&mut self, update: Published) {
        if !update.topics.iter().map(String::as_str).eq(self.topics.iter().map(Topic::as_str)) {
            return;
        }
        self.bytes += update.size();
        self.updates.push_back(update);
        while self.updates.len() > MAX_BATCH_EVENTS || (self.updates.len() > 1 && self.bytes > MAX_BATCH_BYTES) {
            self.bytes -= self.updates.pop_front().map_or(0, |update| update.size());
        }
    }

    /// Returns true if the list has the update of `item`. If so, removes this update and all updates before it from the
    /// list.
    pub(super) fn take(&mut self, item: &Item) -> bool {
        let Some(place) = self.updates.iter().position(|update| update.is(item)) else { return false };
        let gone = self.updates.drain(..=place);
        self.bytes -= gone.map(|update| update.size()).sum::<usize>();
        true
    }
}

impl Published {
    fn is(&self, Item { update, .. }: &Item) -> bool {
        let id_fits = match update.id() {
            Some(id) => self.id == id.as_str(),
            None => self.id.starts_with('#'),
        };
        let event_type = update.event_type().map_or(Cow::Borrowed("message"), |name: &EventType| name.as_str().into());
        id_fits && self.event_type == event_type && self.data == update.data()
    }

    /// Returns the size of the update in bytes, as [`Batch`](super::batch::Batch) counts it. If the hub has replaced
    /// the ID of the event, the ID is not counted.
    fn size(&self) -> usize {
        let id = if self.id.starts_with('#') { 0 } else { self.id.len() };
        self.data.len() + self.event_type.len() + id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fanfare_hub::update::{Update, UpdateFields};

    fn item(id: Option<&str>, data: &str) -> Item {
        let topics = vec![Topic::new("a").unwrap()];
        let fields = UpdateFields { topics, data: data.into(), id: id.map(str::to_owned), ..UpdateFields::default() };
        Item { update: Update::new(fields).unwrap(), sets_id: true, is_gap: false, told_id: None }
    }

    fn line(id: &str, topic: &str, data: &str) -> String {
        format!("{{\"id\":\"{id}\",\"topics\":[\"{topic}\"],\"type\":\"message\",\"data\":\"{data}\"}}\n")
    }

    fn held(lines: &str) -> Held {
        let mut held = Held::new(&[Topic::new("a").unwrap()]);
        // The bytes may be cut anywhere.
        lines.as_bytes().chunks(7).for_each(|chunk| held.read(chunk).unwrap());
        held
    }

    #[test]
    fn the_same_is_what_has_the_same_id_type_data_and_topics() {
        let lines =
            [line("1", "a", "x"), line("2", "b", "y"), "\n{\"gap\":1}\n".into(), line("#k-3", "a", "z")].concat();
        for (id, data, there) in [
            (Some("1"), "x", true),
            (Some("1"), "y", false),
            (Some("2"), "y", false),
            (None, "x", false),
            (None, "z", true),
        ] {
            assert_eq!(held(&lines).take(&item(id, data)), there, "{id:?} {data}");
        }
        let mut held = held(&lines);
        assert!(held.take(&item(None, "z")) && !held.take(&item(Some("1"), "x")), "the updates before it are removed");
    }

    #[test]
    fn as_much_as_a_batch_is_kept_and_the_last_of_it() {
        let many =
            |count: usize, data: &str| held(&(0..count).map(|id| line(&id.to_string(), "a", data)).collect::<String>());
        assert!(many(MAX_BATCH_EVENTS, "x").take(&item(Some("0"), "x")));
        assert!(!many(MAX_BATCH_EVENTS + 1, "x").take(&item(Some("0"), "x")));
        // Together with type and ID, half of the bytes that a batch may have.
        let half = "x".repeat(MAX_BATCH_BYTES / 2 - "message0".len());
        assert!(many(2, &half).take(&item(Some("0"), &half)));
        assert!(!many(2, &format!("{half}x")).take(&item(Some("0"), &format!("{half}x"))));
        let whole = "x".repeat(2 * MAX_BATCH_BYTES);
        assert!(many(1, &whole).take(&item(Some("0"), &whole)), "one update alone may have more bytes");
    }
}
