//! The template of the updates in one body: the fields that the URL of the request gives to each of these updates.
use super::{form, retry_ms, ttl_ms};
use crate::{path::topic_of_path, problem::Problem};
use fanfare_hub::{
    topic::Topic,
    update::{Update, UpdateFields},
};
use http::Uri;

/// The fields that the path and the query give to every update in the body.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    fields: UpdateFields,
    /// The prefix of the updates' IDs in a body of lines. The ID of an update is this prefix and the number of its
    /// line; `None` if the hub makes the IDs.
    id_prefix: Option<String>,
}

impl Template {
    pub(super) fn of(uri: &Uri) -> Result<Self, Problem> {
        let query = form(uri.query().unwrap_or_default().as_bytes())?;
        let in_path = topic_of_path(uri)?;
        let topics = in_path.as_deref().into_iter().chain(query.all("topic"));
        let fields = UpdateFields {
            topics: topics.map(Topic::new).collect::<Result<_, _>>()?,
            data: String::new(),
            id: query.get("id").map(str::to_owned),
            event_type: query.get("type").map(str::to_owned),
            retry_ms: query.get("retry").map(retry_ms).transpose()?,
            ttl_ms: query.get("ttl").map(ttl_ms).transpose()?,
            private: query.has("private"),
        };
        let id_prefix = query.get("id-prefix").filter(|prefix| !prefix.is_empty()).map(str::to_owned);
        Ok(Self { fields, id_prefix })
    }

    /// Returns the number of topics that each update gets.
    pub(crate) fn topics(&self) -> usize {
        self.fields.topics.len()
    }

    /// Returns this template, for a body with many updates. Fails if the template has an ID, because many updates
    /// cannot have the same ID.
    pub(super) fn of_many(self) -> Result<Self, Problem> {
        if self.fields.id.is_some() { Err(Problem::IdOfMany) } else { Ok(self) }
    }

    /// Returns this template, for a body that does not have one update in each line. Fails if the template has a prefix
    /// for IDs.
    pub(super) fn without_lines(self) -> Result<Self, Problem> {
        if self.id_prefix.is_some() { Err(Problem::IdPrefixWithoutLines) } else { Ok(self) }
    }

    /// Makes an update with this data and the template's fields.
    pub(crate) fn update(&self, data: String) -> Result<Update, Problem> {
        Ok(Update::new(UpdateFields { data, ..self.fields.clone() })?)
    }

    /// Makes an update from one line of the body: from its data and its number, counted from 1.
    pub(crate) fn line(&self, number: usize, data: String) -> Result<Update, Problem> {
        let id = self.id_prefix.as_ref().map(|prefix| format!("{prefix}{number}"));
        Ok(Update::new(UpdateFields { data, id, ..self.fields.clone() })?)
    }

    /// Makes the update of one event from the event's data and other fields. A field of the event has priority over the
    /// same field of the template.
    pub(crate) fn event(&self, data: String, event: EventSays) -> Result<Update, Problem> {
        let fields = self.fields.clone();
        Ok(Update::new(UpdateFields {
            data,
            id: event.id,
            event_type: event.event_type.or(fields.event_type),
            retry_ms: event.retry_ms.or(fields.retry_ms),
            ..fields
        })?)
    }
}

/// The fields of an event in a body of the type `text/event-stream`.
#[derive(Debug, Default)]
pub(crate) struct EventSays {
    pub(crate) id: Option<String>,
    pub(crate) event_type: Option<String>,
    pub(crate) retry_ms: Option<u64>,
}
