//! The messages that the service sends about a stream.
use serde::Deserialize;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Message {
    Event { event: Event },
    Comment { comment: String },
    Error { error: String },
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Event {
    pub r#type: String,
    pub data: String,
    pub id: String,
}

/// Returns the message of an event of the default type, without an ID.
pub fn data(data: impl Into<String>) -> Message {
    Message::Event { event: Event { r#type: "message".to_owned(), data: data.into(), id: String::new() } }
}

pub fn comment(comment: &str) -> Message {
    Message::Comment { comment: comment.to_owned() }
}

impl Message {
    pub fn with_type(self, name: &str) -> Self {
        let event = self.event();
        Self::Event { event: Event { r#type: name.to_owned(), ..event } }
    }

    pub fn with_id(self, id: &str) -> Self {
        let event = self.event();
        Self::Event { event: Event { id: id.to_owned(), ..event } }
    }

    pub fn event(self) -> Event {
        match self {
            Self::Event { event } => event,
            other => panic!("this is no event: {other:?}"),
        }
    }

    pub fn is_error(&self) -> bool {
        matches!(self, Self::Error { .. })
    }
}
