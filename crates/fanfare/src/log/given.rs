//! A JSON line to import: an update, or a note that updates were lost.
use super::line::{OF_SUBSCRIPTION, Stretch};
use fanfare_event_stream::EventType;
use fanfare_hub::{
    entry::Timestamp,
    topic::{InvalidTopic, Topic},
    update::{InvalidUpdate, MAX_RETRY_MS, MAX_TOPICS_PER_UPDATE, Update, UpdateFields},
};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, SeqAccess, Visitor},
};
use std::fmt;

fn parse_time(text: &str) -> Result<Timestamp, InvalidLine> {
    let time: jiff::Timestamp = text.parse().map_err(|_| InvalidLine::Time)?;
    Ok(Timestamp(u64::try_from(time.as_millisecond()).unwrap_or(0)))
}

/// A line to import.
#[derive(Debug)]
pub(super) enum Given {
    Update {
        update: Update,
        time: Option<Timestamp>,
    },
    /// The number of updates that were lost in the log that was exported.
    Lost(u64),
}

/// The fields that the JSON object of a line may have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    id: Option<String>,
    topics: Option<Topics>,
    r#type: Option<String>,
    data: Option<String>,
    private: Option<bool>,
    time_ms: Option<u64>,
    time: Option<String>,
    /// The position in the log that was exported. The import gives the update another position.
    position: Option<String>,
    retry_ms: Option<u64>,
    ttl_ms: Option<u64>,
    /// The field `origin` of a line that `fanfare subscribe` has printed. An import ignores it.
    #[serde(rename = "origin")]
    _origin: Option<IgnoredAny>,
    lost: Option<Stretch>,
}

/// The reason why a line is not an update.
#[derive(Debug)]
pub(crate) enum InvalidLine {
    /// The line is longer than `limit` bytes.
    TooLong { limit: usize },
    /// The line is not UTF-8.
    NotText,
    /// The line is not JSON, or does not have the fields of an update.
    Json(serde_json::Error),
    /// The line has no field with this name.
    Lacks(&'static str),
    /// The field `time` is not a time.
    Time,
    /// A topic is not valid.
    Topic(InvalidTopic),
    /// The values of the fields are not those of a valid update.
    Update(InvalidUpdate),
}

impl Given {
    /// Parses a line.
    ///
    /// # Errors
    /// [`InvalidLine`] says why the line is not an update.
    pub(super) fn parse(line: &str) -> Result<Self, InvalidLine> {
        let fields: Fields = serde_json::from_str(line).map_err(InvalidLine::Json)?;
        if let Some(Stretch { first, last }) = fields.lost {
            return Ok(Self::Lost(last.saturating_sub(first).saturating_add(1)));
        }
        let time = match (fields.time_ms, &fields.time) {
            (Some(milliseconds), _) => Some(Timestamp(milliseconds)),
            (None, Some(text)) => Some(parse_time(text)?),
            (None, None) => None,
        };
        Ok(Self::Update { update: fields.update()?, time })
    }
}

impl Fields {
    fn update(self) -> Result<Update, InvalidLine> {
        let topics = self.topics.ok_or(InvalidLine::Lacks("topics"))?.0;
        let data = self.data.ok_or(InvalidLine::Lacks("data"))?;
        let topics = topics.iter().map(|topic| Topic::new(topic)).collect::<Result<Vec<_>, _>>();
        let topics = topics.map_err(InvalidLine::Topic)?;
        // An ID that a hub made is the position of the update in the exported log. It is left out, because the import
        // gives the update another position.
        let is_own = |id: &String| !id.starts_with('#') && self.position.as_ref() != Some(id);
        let (id, private) = (self.id.filter(is_own), self.private.unwrap_or(false));
        if self.r#type.as_deref() == Some(OF_SUBSCRIPTION) && private && topics.len() == 1 && id.is_none() {
            let topic = topics.into_iter().next().expect("there is at least one topic");
            return Ok(Update::of_hub(topic, data, EventType::new(OF_SUBSCRIPTION).ok()));
        }
        let event_type = self.r#type.filter(|name| name != "message");
        // A log of an earlier version may have a longer reconnection time. It is cut, as when a log is read.
        let retry_ms = self.retry_ms.map(|retry_ms| retry_ms.min(MAX_RETRY_MS));
        let fields = UpdateFields { topics, data, id, event_type, retry_ms, ttl_ms: self.ttl_ms, private };
        Update::new(fields).map_err(InvalidLine::Update)
    }
}

/// Returns the same update with another time to live, in milliseconds.
pub(super) fn with_ttl(update: &Update, ttl_ms: u64) -> Update {
    let fields = UpdateFields {
        topics: update.topics().to_vec(),
        data: update.data().to_owned(),
        id: update.id().map(|id| id.as_str().to_owned()),
        event_type: update.event_type().map(|name| name.as_str().to_owned()),
        retry_ms: update.retry_ms(),
        ttl_ms: Some(ttl_ms),
        private: update.is_private(),
    };
    Update::new(fields).unwrap_or_else(|_| update.clone())
}

/// The topics of a line. Reading stops with an error as soon as the line has more topics than an update may have.
#[derive(Debug)]
struct Topics(Vec<String>);

impl<'de> Deserialize<'de> for Topics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Self(Vec::new()))
    }
}

impl<'de> Visitor<'de> for Topics {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of topics")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<Self, A::Error> {
        while let Some(topic) = elements.next_element()? {
            if self.0.len() == MAX_TOPICS_PER_UPDATE {
                return Err(A::Error::custom(format!("an update has at most {MAX_TOPICS_PER_UPDATE} topics")));
            }
            self.0.push(topic);
        }
        Ok(self)
    }
}

impl fmt::Display for InvalidLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { limit } => write!(f, "the line is longer than {limit} bytes"),
            Self::NotText => f.write_str("the line is not UTF-8"),
            Self::Json(error) => write!(f, "the line is not an update as JSON: {error}"),
            Self::Lacks(field) => write!(f, "the line has no field '{field}', which every update must have"),
            Self::Time => f.write_str("'time' is not a time such as 2026-01-31T12:00:00Z"),
            Self::Topic(error) => error.fmt(f),
            Self::Update(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for InvalidLine {}

#[cfg(test)]
mod tests {
    use super::{
        super::line::{LostLine, UpdateLine},
        *,
    };
    use fanfare_hub::{
        entry::Entry,
        position::{Epoch, Offset, Position},
    };

    fn entry(update: Update) -> Entry {
        let position = Position { epoch: Epoch::from_bits(0), offset: Offset(7) };
        Entry::new(position, Timestamp(1_700_000_000_123), update)
    }

    fn imported(line: &str) -> (Update, Option<Timestamp>) {
        match Given::parse(line).unwrap() {
            Given::Update { update, time } => (update, time),
            Given::Lost(_) => panic!("{line} is an update"),
        }
    }

    #[test]
    fn what_is_exported_is_imported_as_it_was() {
        let topic = || Topic::new("a").unwrap();
        let plain = UpdateFields { topics: vec![topic()], data: "one\n\"two\"".into(), ..UpdateFields::default() };
        let full = UpdateFields {
            id: Some("mine".into()),
            event_type: Some("news".into()),
            retry_ms: Some(5),
            ttl_ms: Some(6),
            private: true,
            ..plain.clone()
        };
        let of_hub = Update::of_hub(topic(), "{}".into(), EventType::new("mercure").ok());
        let gap = Update::gap(vec![topic()], r#"{"reason":"discarded"}"#.into(), false).unwrap();
        let updates = [Update::new(plain).unwrap(), Update::new(full).unwrap(), of_hub, gap];
        for update in updates {
            let line = serde_json::to_string(&UpdateLine::of(&entry(update.clone()))).unwrap();
            assert_eq!(imported(&line), (update, Some(Timestamp(1_700_000_000_123))), "{line}");
        }
        let lost = serde_json::to_string(&LostLine::of(Offset(3), Offset(5))).unwrap();
        assert_eq!(lost, r#"{"lost":{"first":3,"last":5}}"#);
        assert!(matches!(Given::parse(&lost).unwrap(), Given::Lost(3)));
    }

    #[test]
    fn what_is_not_an_update_is_refused() {
        let many = format!(r#"{{"topics":[{}"a"],"data":""}}"#, r#""a","#.repeat(MAX_TOPICS_PER_UPDATE));
        let cases = [
            ("", "not an update as JSON"),
            ("[1]", "not an update as JSON"),
            (r#"{"topics":["a"]}"#, "no field 'data'"),
            (r#"{"data":"x"}"#, "no field 'topics'"),
            (r#"{"topics":[],"data":""}"#, "at least one topic"),
            (r#"{"topics":["*"],"data":""}"#, "matches every topic"),
            (r#"{"topics":["a"],"data":"","ttl":5}"#, "unknown field `ttl`"),
            (r#"{"topics":["a"],"data":"","type":"fanfare.end"}"#, "reserved for events that the hub itself sends"),
            (r#"{"topics":["a"],"data":"","time":"yesterday"}"#, "'time' is not a time"),
            (&many, "at most 1000 topics"),
        ];
        for (line, reason) in cases {
            let error = Given::parse(line).unwrap_err().to_string();
            assert!(error.contains(reason), "{error} lacks {reason}");
        }
    }

    #[test]
    fn a_reconnection_time_of_an_earlier_version_is_cut() {
        for (retry_ms, kept) in
            [(MAX_RETRY_MS, MAX_RETRY_MS), (MAX_RETRY_MS + 1, MAX_RETRY_MS), (u64::MAX, MAX_RETRY_MS)]
        {
            let (update, _) = imported(&format!(r#"{{"topics":["a"],"data":"","retry_ms":{retry_ms}}}"#));
            assert_eq!(update.retry_ms(), Some(kept), "{retry_ms}");
        }
    }

    #[test]
    fn a_time_may_be_given_in_either_form() {
        let line = |time: &str| format!(r#"{{"topics":["a"],"data":""{time}}}"#);
        assert_eq!(imported(&line("")).1, None);
        assert_eq!(imported(&line(r#","time":"1970-01-01T00:00:01.5Z""#)).1, Some(Timestamp(1_500)));
        assert_eq!(imported(&line(r#","time_ms":7,"time":"1970-01-01T00:00:01.5Z""#)).1, Some(Timestamp(7)));
    }
}
