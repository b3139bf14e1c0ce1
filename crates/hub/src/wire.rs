//! The wire event: the bytes that go to subscribers, encoded once and shared by everyone who gets it. In a plain event stream
//! that is everybody; where topics are named, it is everybody who sees the same topics.
use crate::{
    audience::AudienceKey,
    ending::Ending,
    entry::{Entry, Timestamp},
    gap::Gap,
    visible::{Sight, Visible},
};
use bytes::Bytes;
use fanfare_event_stream::{EventId, EventType, Fields};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::HashMap;

/// How a subscriber wants its updates written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Representation {
    /// An event stream in which each update is an event of its own type.
    #[default]
    EventStream,
    /// An event stream of unnamed events whose data is the update as JSON, with its topics and time: for those who
    /// subscribe to many topics or to event types that they do not know beforehand. Of the topics it names those that the
    /// subscriber asked for or is granted.
    Envelope,
    /// The same JSON, one object a line.
    JsonLines,
}

impl Representation {
    /// What keeps an idle connection alive: bytes that a subscriber ignores. A comment has no blank line after it, since
    /// some clients take that for the end of an event.
    #[must_use]
    pub fn heartbeat(self) -> &'static [u8] {
        match self {
            Self::EventStream | Self::Envelope => b":\n",
            Self::JsonLines => b"\n",
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
                let data = Data::Text(data);
                json_line(&Envelope { id, topics: vec![], r#type, data, private: false, time_ms: now.0 }, out);
            }
        }
    }
}

impl AudienceKey {
    /// Appends `entry`, which is for this audience, to `out`.
    pub(crate) fn encode(&self, entry: &Entry, out: &mut Vec<u8>) {
        if self.representation == Representation::EventStream {
            return event(entry, out);
        }
        let visible = Sight::of(&entry.update).visible(self);
        enveloped(self.representation, entry, &visible, None, out);
    }
}

/// An entry's wire events, each made when the first audience asks for it.
pub(crate) struct WireEvents<'a> {
    entry: &'a Entry,
    plain: Option<Bytes>,
    enveloped: Option<Enveloped<'a>>,
}

/// Those that name topics.
struct Enveloped<'a> {
    sight: Sight<'a>,
    /// One for each representation and each set of topics that some audience sees.
    made: HashMap<(Representation, Visible), Bytes>,
    /// The data as JSON, if there may be several with it.
    data: Option<Box<RawValue>>,
}

impl<'a> WireEvents<'a> {
    pub(crate) fn of(entry: &'a Entry) -> Self {
        Self { entry, plain: None, enveloped: None }
    }

    /// The one for the audience with this key.
    pub(crate) fn get(&mut self, key: &'a AudienceKey) -> Bytes {
        let Self { entry, plain, enveloped } = self;
        if key.representation == Representation::EventStream {
            return plain.get_or_insert_with(|| encoded(|out| event(entry, out))).clone();
        }
        enveloped.get_or_insert_with(|| Enveloped::of(entry)).get(entry, key)
    }
}

impl<'a> Enveloped<'a> {
    fn of(entry: &'a Entry) -> Self {
        Self { sight: Sight::of(&entry.update), made: HashMap::new(), data: None }
    }

    fn get(&mut self, entry: &Entry, key: &'a AudienceKey) -> Bytes {
        let seen = (key.representation, self.sight.visible(key));
        if let Some(bytes) = self.made.get(&seen) {
            return bytes.clone();
        }
        let (representation, visible) = &seen;
        let data = match visible {
            Visible::All => None,
            Visible::Some(_) => Some(&**self.data.get_or_insert_with(|| raw(entry.update.data()))),
        };
        let bytes = encoded(|out| enveloped(*representation, entry, visible, data, out));
        self.made.insert(seen, bytes.clone());
        bytes
    }
}

fn encoded(encode: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut bytes = Vec::new();
    encode(&mut bytes);
    bytes.into()
}

/// An update as an event of its own type.
fn event(entry: &Entry, out: &mut Vec<u8>) {
    let update = &entry.update;
    let (event_type, retry_ms, id) = (update.event_type(), update.retry_ms(), Some(entry.id()));
    Fields { event_type, retry_ms, id, data: update.data() }.encode_into(out);
}

/// An update as JSON, as a line or in an event without a type; `data` is its data as JSON, if that is at hand.
fn enveloped(
    representation: Representation,
    entry: &Entry,
    visible: &Visible,
    data: Option<&RawValue>,
    out: &mut Vec<u8>,
) {
    let envelope = Envelope::of(entry, visible, data);
    if representation == Representation::JsonLines {
        return json_line(&envelope, out);
    }
    let (retry_ms, data) = (entry.update.retry_ms(), json(&envelope));
    Fields { event_type: None, retry_ms, id: Some(entry.id()), data: &data }.encode_into(out);
}

/// An update as JSON.
#[derive(Serialize)]
struct Envelope<'a> {
    id: &'a str,
    topics: Vec<&'a str>,
    r#type: &'a str,
    data: Data<'a>,
    private: bool,
    time_ms: u64,
}

/// Data that is to be JSON, or is.
#[derive(Serialize)]
#[serde(untagged)]
enum Data<'a> {
    Text(&'a str),
    Json(&'a RawValue),
}

impl<'a> Envelope<'a> {
    fn of(entry: &'a Entry, visible: &Visible, data: Option<&'a RawValue>) -> Self {
        let update = &entry.update;
        Self {
            id: entry.id().as_str(),
            topics: visible.of(update.topics()),
            r#type: update.event_type().map_or("message", EventType::as_str),
            data: data.map_or(Data::Text(update.data()), Data::Json),
            private: update.is_private(),
            time_ms: entry.time.0,
        }
    }
}

fn raw(text: &str) -> Box<RawValue> {
    to_raw_value(text).expect("text always serializes")
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
        grant::Matchers,
        position::{Epoch, Offset, Position},
        topic::{Topic, matcher::Matcher},
        update::{Update, UpdateFields},
    };
    use std::collections::HashSet;

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

    fn key(representation: Representation, topics: &[&str]) -> AudienceKey {
        let matchers = topics.iter().map(|topic| Matcher::exact(topic).unwrap()).collect();
        AudienceKey { matchers, granted: Matchers::default(), representation }
    }

    fn text(representation: Representation, topics: &[&str]) -> String {
        let (entry, key) = (entry(), key(representation, topics));
        let text = String::from_utf8(WireEvents::of(&entry).get(&key).to_vec()).unwrap();
        let mut alone = Vec::new();
        key.encode(&entry, &mut alone);
        assert_eq!(alone, text.as_bytes(), "the same from the log");
        text
    }

    #[test]
    fn an_event_stream_carries_the_update_as_it_is() {
        let expected = "event: news\nretry: 1500\nid: #00000000-7\ndata: one\ndata: \"two\"\n\n";
        assert_eq!(text(Representation::EventStream, &["a"]), expected);
    }

    #[test]
    fn an_envelope_carries_what_the_event_cannot() {
        for (asked, topics) in [(&["a", "b"][..], r#""a","b""#), (&["*"], r#""a","b""#), (&["b"], r#""b""#)] {
            let json = format!(
                r##"{{"id":"#00000000-7","topics":[{topics}],"type":"news","data":"one\n\"two\"","private":false,"time_ms":99}}"##
            );
            assert_eq!(text(Representation::JsonLines, asked), format!("{json}\n"));
            let event = format!("retry: 1500\nid: #00000000-7\ndata: {json}\n\n");
            assert_eq!(text(Representation::Envelope, asked), event);
        }
    }

    /// Whatever number of audiences there is: a plain event is made once, and an envelope once for each set of topics that
    /// one of them sees.
    #[test]
    fn what_looks_the_same_is_encoded_once() {
        let entry = entry();
        let asked: [&[&str]; 6] = [&["a"], &["b"], &["a", "b"], &["*"], &["a", "x"], &["a", "y"]];
        for (representation, sets) in
            [(Representation::EventStream, 1), (Representation::Envelope, 3), (Representation::JsonLines, 3)]
        {
            let keys = asked.map(|topics| key(representation, topics));
            let mut wire = WireEvents::of(&entry);
            let made: Vec<_> = keys.iter().map(|key| wire.get(key)).collect();
            let places: HashSet<_> = made.iter().map(|bytes| bytes.as_ptr()).collect();
            assert_eq!(places.len(), sets, "{representation:?}");
        }
    }
}
