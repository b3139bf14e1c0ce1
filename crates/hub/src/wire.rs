//! The wire event: the bytes that go to subscribers, encoded once per representation and shared by everyone who gets it.
use crate::{
    ending::Ending,
    entry::{Entry, Timestamp},
    gap::Gap,
};
use bytes::Bytes;
use fanfare_event_stream::{EventId, EventType, Fields};
use serde::Serialize;

/// How a subscriber wants its updates written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Representation {
    /// An event stream in which each update is an event of its own type.
    #[default]
    EventStream,
    /// An event stream of unnamed events whose data is the update as JSON, with its topics and time: for those who
    /// subscribe to many topics or to event types that they do not know beforehand.
    Envelope,
    /// The same JSON, one object a line.
    JsonLines,
}

impl Representation {
    const COUNT: usize = 3;

    /// What keeps an idle connection alive: bytes that a subscriber ignores. A comment has no blank line after it, since
    /// some clients take that for the end of an event.
    #[must_use]
    pub fn heartbeat(self) -> &'static [u8] {
        match self {
            Self::EventStream | Self::Envelope => b":\n",
            Self::JsonLines => b"\n",
        }
    }

    /// Appends `entry` to `out`.
    pub fn encode(self, entry: &Entry, out: &mut Vec<u8>) {
        let update = &entry.update;
        match self {
            Self::EventStream => {
                let (event_type, retry_ms, id) = (update.event_type(), update.retry_ms(), Some(entry.id()));
                Fields { event_type, retry_ms, id, data: update.data() }.encode_into(out);
            }
            Self::Envelope => {
                let data = json(&Envelope::of(entry));
                Fields { event_type: None, retry_ms: update.retry_ms(), id: Some(entry.id()), data: &data }
                    .encode_into(out);
            }
            Self::JsonLines => json_line(&Envelope::of(entry), out),
        }
    }

    /// Appends what tells a subscriber of `gap`. It is never wrapped in an envelope: a page listens for its type.
    pub fn encode_gap(self, gap: &Gap, now: Timestamp, out: &mut Vec<u8>) {
        self.encode_notice(Gap::EVENT_TYPE, &gap.resumed_from, &json(gap), now, out);
    }

    /// Appends what tells a subscriber that has reached the place with the ID `reached` why its stream ends.
    pub fn encode_ending(self, ending: &Ending, reached: &str, now: Timestamp, out: &mut Vec<u8>) {
        self.encode_notice(Ending::EVENT_TYPE, reached, &json(ending), now, out);
    }

    fn encode_notice(self, r#type: &str, id: &str, data: &str, now: Timestamp, out: &mut Vec<u8>) {
        match self {
            Self::EventStream | Self::Envelope => {
                let (event_type, id) = (EventType::new(r#type).ok(), EventId::new(id).ok());
                Fields { event_type: event_type.as_ref(), retry_ms: None, id: id.as_ref(), data }.encode_into(out);
            }
            Self::JsonLines => {
                json_line(&Envelope { id, topics: vec![], r#type, data, private: false, time_ms: now.0 }, out);
            }
        }
    }
}

/// An entry's wire events, each made when the first audience asks for it.
pub(crate) struct WireEvents<'a> {
    entry: &'a Entry,
    made: [Option<Bytes>; Representation::COUNT],
}

impl<'a> WireEvents<'a> {
    pub(crate) fn of(entry: &'a Entry) -> Self {
        Self { entry, made: [const { None }; Representation::COUNT] }
    }

    pub(crate) fn get(&mut self, representation: Representation) -> Bytes {
        self.made[representation as usize]
            .get_or_insert_with(|| {
                let mut bytes = Vec::new();
                representation.encode(self.entry, &mut bytes);
                Bytes::from(bytes)
            })
            .clone()
    }
}

/// An update as JSON.
#[derive(Serialize)]
struct Envelope<'a> {
    id: &'a str,
    topics: Vec<&'a str>,
    r#type: &'a str,
    data: &'a str,
    private: bool,
    time_ms: u64,
}

impl<'a> Envelope<'a> {
    fn of(entry: &'a Entry) -> Self {
        let update = &entry.update;
        Self {
            id: entry.id().as_str(),
            topics: update.topics().iter().map(|topic| topic.as_str()).collect(),
            r#type: update.event_type().map_or("message", EventType::as_str),
            data: update.data(),
            private: update.is_private(),
            time_ms: entry.time.0,
        }
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("text and numbers always serialize")
}

fn json_line(value: &impl Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(&mut *out, value).expect("text and numbers always serialize");
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        position::{Epoch, Offset, Position},
        topic::Topic,
        update::{Update, UpdateFields},
    };

    fn entry() -> Entry {
        let fields = UpdateFields {
            topics: vec![Topic::new("a").unwrap(), Topic::new("b").unwrap()],
            data: "one\n\"two\"".into(),
            event_type: Some("news".into()),
            retry_ms: Some(1500),
            ..UpdateFields::default()
        };
        let position = Position { epoch: Epoch::from_bits(0), offset: Offset(7) };
        Entry::new(position, Timestamp(99), Update::new(fields).unwrap())
    }

    fn text(representation: Representation) -> String {
        let entry = entry();
        String::from_utf8(WireEvents::of(&entry).get(representation).to_vec()).unwrap()
    }

    #[test]
    fn an_event_stream_carries_the_update_as_it_is() {
        let expected = "event: news\nretry: 1500\nid: #00000000-7\ndata: one\ndata: \"two\"\n\n";
        assert_eq!(text(Representation::EventStream), expected);
    }

    #[test]
    fn an_envelope_carries_what_the_event_cannot() {
        let json = r##"{"id":"#00000000-7","topics":["a","b"],"type":"news","data":"one\n\"two\"","private":false,"time_ms":99}"##;
        assert_eq!(text(Representation::JsonLines), format!("{json}\n"));
        assert_eq!(text(Representation::Envelope), format!("retry: 1500\nid: #00000000-7\ndata: {json}\n\n"));
    }
}
