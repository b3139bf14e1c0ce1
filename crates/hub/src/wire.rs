//! The encoded event: the bytes that are sent to subscribers, encoded once and shared by all subscribers that get the
//! same bytes. All subscribers of plain event streams get the same bytes. In a format that names topics, all
//! subscribers that see the same topics get the same bytes.
use crate::{
    audience_key::AudienceKey,
    ending::{EndReason, Ending},
    entry::{Entry, Timestamp},
    framing::{CHUNK_END, Framing, chunk_head},
    gap::Gap,
    representation::Representation,
    start_event::StartEvent,
    visible::{Sight, Visible},
};
use bytes::Bytes;
use fanfare_event_stream::{EventId, EventType, Fields};
use serde::Serialize;
use std::collections::HashMap;

impl Representation {
    /// Appends the event that reports `gap`. In an event stream it is an event with its own type even if updates are
    /// sent as envelopes, so that a page can listen for this type.
    pub fn encode_gap(self, gap: &Gap, now: Timestamp, out: &mut Vec<u8>) {
        self.encode_notice((Gap::EVENT_TYPE, None), &gap.resumed_from, &json(gap), now, out);
    }

    /// Appends the event that says why the stream ends, for a subscriber that has reached the position with the ID
    /// `reached`. An event stream is told the reconnection time `retry_ms`, if there is one.
    pub fn encode_ending(
        self,
        ending: &Ending,
        retry_ms: Option<u64>,
        reached: &str,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) {
        self.encode_notice((Ending::EVENT_TYPE, retry_ms), reached, &json(ending), now, out);
    }

    /// Appends a start event. Only event streams have such events: a reader of JSON lines learns its place from the
    /// head of the response.
    pub fn encode_start(self, start: &StartEvent, now: Timestamp, out: &mut Vec<u8>) {
        if self.has_start_events() {
            self.encode_notice((StartEvent::EVENT_TYPE, None), &start.place, &json(start), now, out);
        }
    }

    fn encode_notice(
        self,
        (r#type, retry_ms): (&str, Option<u64>),
        id: &str,
        data: &str,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) {
        match self {
            Self::EventStream | Self::Envelope => {
                let (event_type, id) = (EventType::new(r#type).ok(), EventId::new(id).ok());
                Fields { event_type: event_type.as_ref(), retry_ms, id: id.as_ref(), data }.encode_into(out);
            }
            Self::JsonLines => {
                json_begin(&Names { id, topics: vec![], r#type }, out);
                json_finish(data, false, now, out);
                out.push(b'\n');
            }
        }
    }
}

impl AudienceKey {
    /// Appends the encoded event of `entry` to `out`, as this audience gets it. The audience must be one that gets the
    /// update of the entry.
    pub(crate) fn encode(&self, entry: &Entry, out: &mut Vec<u8>) {
        self.framing.frame(out, |out| {
            if self.representation == Representation::EventStream {
                return event(entry, out);
            }
            begin(self.representation, entry, &Visible::to(self, &entry.update), out);
            finish(self.representation, entry, out);
        });
    }

    /// Appends the event that reports `gap`, as this audience gets it.
    pub(crate) fn encode_gap(&self, gap: &Gap, now: Timestamp, out: &mut Vec<u8>) {
        self.framing.frame(out, |out| self.representation.encode_gap(gap, now, out));
    }

    /// Appends a start event with this place, as this audience gets it: nothing if its format has no start events.
    pub(crate) fn encode_start(&self, place: String, out: &mut Vec<u8>) {
        self.framing.frame(out, |out| self.representation.encode_start(&StartEvent { place }, Timestamp::now(), out));
    }

    /// Appends the event that says why the stream ends, as this audience gets it. `reached` is the ID of the position
    /// that the subscriber has reached. `random` chooses the reconnection time, if the reason needs one.
    pub(crate) fn encode_ending(
        &self,
        reason: EndReason,
        random: &mut fastrand::Rng,
        reached: &str,
        out: &mut Vec<u8>,
    ) {
        let (ending, retry_ms, now) = (Ending { reason }, reason.retry_ms(random), Timestamp::now());
        self.framing.frame(out, |out| self.representation.encode_ending(&ending, retry_ms, reached, now, out));
    }

    /// The heartbeat of an idle connection, as this audience gets it.
    #[must_use]
    pub fn heartbeat(&self) -> &'static [u8] {
        self.representation.heartbeat_in(self.framing)
    }
}

/// The smallest size of an update's data, in bytes, at which the envelopes that have only some of the update's topics
/// share the data as their second piece. Smaller data is encoded again for each envelope, which costs less than a
/// second piece.
const SHARED_BYTES: usize = 512;

/// An encoded event, in one piece or in two. The second piece is the same for all audiences with this representation
/// that see only some of the topics.
#[derive(Clone, Debug)]
pub(crate) struct WireEvent {
    pub(crate) bytes: Bytes,
    /// The second piece; `None` if the event has one piece.
    pub(crate) rest: Option<Bytes>,
}

/// The encoded events of an entry. Each is encoded when the first audience needs it.
pub(crate) struct WireEvents<'a> {
    entry: &'a Entry,
    /// The event with the type of the update, plain and as a chunk.
    events: [Option<Bytes>; 2],
    enveloped: Option<Enveloped<'a>>,
}

/// The encoded events of an entry in the representations that name topics.
struct Enveloped<'a> {
    sight: Sight<'a>,
    /// The events that are encoded already, by format and set of visible topics.
    made: HashMap<(Format, Visible), WireEvent>,
    /// The second piece for each format. It begins after the topics and contains the data.
    rests: HashMap<Format, Bytes>,
}

type Format = (Representation, Framing);

impl<'a> WireEvents<'a> {
    pub(crate) fn of(entry: &'a Entry) -> Self {
        Self { entry, events: [None, None], enveloped: None }
    }

    /// Returns the encoded event for the audience with this key.
    pub(crate) fn get(&mut self, key: &'a AudienceKey) -> WireEvent {
        let Self { entry, events, enveloped } = self;
        if key.representation == Representation::EventStream {
            let framed = || encoded(|out| key.framing.frame(out, |out| event(entry, out)));
            let bytes = events[key.framing as usize].get_or_insert_with(framed).clone();
            return WireEvent { bytes, rest: None };
        }
        enveloped.get_or_insert_with(|| Enveloped::of(entry)).get(entry, key)
    }
}

impl<'a> Enveloped<'a> {
    fn of(entry: &'a Entry) -> Self {
        Self { sight: Sight::of(&entry.update), made: HashMap::new(), rests: HashMap::new() }
    }

    fn get(&mut self, entry: &Entry, key: &'a AudienceKey) -> WireEvent {
        let seen = ((key.representation, key.framing), self.sight.visible(key));
        if let Some(event) = self.made.get(&seen) {
            return event.clone();
        }
        let (format @ (representation, framing), visible) = (seen.0, &seen.1);
        let event = match visible {
            Visible::Some(_) if entry.update.data().len() >= SHARED_BYTES => {
                let rest = self.rest(format, entry);
                let bytes = encoded(|out| {
                    begin(representation, entry, visible, out);
                    if framing == Framing::Chunked {
                        // The chunk consists of both pieces, and its end is a part of the second piece.
                        out.splice(..0, chunk_head(out.len() + rest.len() - CHUNK_END.len()));
                    }
                });
                WireEvent { bytes, rest: Some(rest) }
            }
            // An event with all topics is the same for every audience that sees all of them, so it need not be split.
            // An event with little data is not split either.
            _ => {
                let bytes = encoded(|out| {
                    framing.frame(out, |out| {
                        begin(representation, entry, visible, out);
                        finish(representation, entry, out);
                    });
                });
                WireEvent { bytes, rest: None }
            }
        };
        self.made.insert(seen, event.clone());
        event
    }

    fn rest(&mut self, format: Format, entry: &Entry) -> Bytes {
        let (representation, framing) = format;
        let make = || {
            encoded(|out| {
                finish(representation, entry, out);
                if framing == Framing::Chunked {
                    out.extend_from_slice(CHUNK_END);
                }
            })
        };
        self.rests.entry(format).or_insert_with(make).clone()
    }
}

fn encoded(encode: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut bytes = Vec::new();
    encode(&mut bytes);
    bytes.into()
}

/// Appends an update as an event with the type of the update.
fn event(entry: &Entry, out: &mut Vec<u8>) {
    let update = &entry.update;
    let (event_type, retry_ms, id) = (update.event_type(), update.retry_ms(), Some(entry.id()));
    Fields { event_type, retry_ms, id, data: update.data() }.encode_into(out);
}

/// The bytes after the data of an event.
const EVENT_END: &[u8] = b"\n\n";

/// Appends the beginning of an update as JSON, up to its data. The JSON is a line of text, or the data of an event
/// without a type.
fn begin(representation: Representation, entry: &Entry, visible: &Visible, out: &mut Vec<u8>) {
    let update = &entry.update;
    if representation == Representation::Envelope {
        Fields { event_type: None, retry_ms: update.retry_ms(), id: Some(entry.id()), data: "" }.encode_into(out);
        // The end of the event is removed, so that the JSON can be appended as the data of the event. JSON has no line
        // end, so the data is one line.
        out.truncate(out.len() - EVENT_END.len());
    }
    let r#type = update.event_type().map_or("message", EventType::as_str);
    json_begin(&Names { id: entry.id().as_str(), topics: visible.of(update.topics()), r#type }, out);
}

/// Appends the rest of an update as JSON, from its data on. This rest is the same for every set of visible topics.
fn finish(representation: Representation, entry: &Entry, out: &mut Vec<u8>) {
    json_finish(entry.update.data(), entry.update.is_private(), entry.time, out);
    out.extend_from_slice(if representation == Representation::Envelope { EVENT_END } else { b"\n" });
}

/// The fields of an update as JSON that come before its data.
#[derive(Serialize)]
struct Names<'a> {
    id: &'a str,
    topics: Vec<&'a str>,
    r#type: &'a str,
}

fn json_begin(names: &Names<'_>, out: &mut Vec<u8>) {
    write_json(names, out);
    assert_eq!(out.pop(), Some(b'}'), "a JSON object ends with a brace");
    out.extend_from_slice(br#","data":"#);
}

fn json_finish(data: &str, is_private: bool, time: Timestamp, out: &mut Vec<u8>) {
    out.reserve(data.len());
    write_json(&data, out);
    out.extend_from_slice(br#","private":"#);
    write_json(&is_private, out);
    out.extend_from_slice(br#","time_ms":"#);
    write_json(&time.0, out);
    out.push(b'}');
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("text and numbers always serialize")
}

fn write_json(value: &impl Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("text and numbers always serialize");
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
        AudienceKey::new(matchers, Matchers::default(), representation)
    }

    fn text(representation: Representation, topics: &[&str]) -> String {
        let (entry, key) = (entry(), key(representation, topics));
        let WireEvent { bytes, rest } = WireEvents::of(&entry).get(&key);
        assert!(rest.is_none(), "little data is not shared");
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let mut alone = Vec::new();
        key.encode(&entry, &mut alone);
        assert_eq!(alone, text.as_bytes(), "a reader of the log gets the same bytes");
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

    /// A plain event is encoded once for all audiences, and an envelope once for each set of topics that an audience
    /// sees.
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
            let addresses: HashSet<_> = made.iter().map(|event| event.bytes.as_ptr()).collect();
            assert_eq!(addresses.len(), sets, "{representation:?}");
        }
    }

    /// Audiences that see different topics share the data. Only the topics are encoded for each of them.
    #[test]
    fn data_is_held_once_for_all_who_see_different_topics() {
        const AUDIENCES: usize = 300;
        let names: Vec<_> = (0..AUDIENCES).map(|number| format!("/u/{number}")).collect();
        let data = "a \"quoted\" line\n".repeat(1 << 16);
        for (data, most_bytes) in [(data.as_str(), 3 * data.len()), ("x", AUDIENCES * 300)] {
            let topics = names.iter().map(|name| Topic::new(name).unwrap()).collect();
            let fields = UpdateFields { topics, data: data.into(), retry_ms: Some(5), ..UpdateFields::default() };
            let position = Position { epoch: Epoch::from_bits(0), offset: Offset(7) };
            let entry = Entry::new(position, Timestamp(99), Update::new(fields).unwrap());
            let of = |representation| names.iter().map(move |name| key(representation, &[name]));
            let keys: Vec<_> = of(Representation::Envelope).chain(of(Representation::JsonLines)).collect();
            let mut wire = WireEvents::of(&entry);
            let mut held = HashMap::new();
            for key in &keys {
                let WireEvent { bytes, rest } = wire.get(key);
                let mut alone = Vec::new();
                key.encode(&entry, &mut alone);
                let pieces = [bytes, rest.unwrap_or_default()];
                assert!(pieces.concat() == alone, "a reader of the log gets the same bytes");
                held.extend(pieces.map(|piece| (piece.as_ptr(), piece.len())));
            }
            let bytes: usize = held.values().sum();
            assert!(bytes < most_bytes, "{bytes} bytes for {} of data", data.len());
        }
    }
}
