//! Publishes to the hub in this process.
use super::failure::{Closed, Failure};
use crate::relay::{batch::Item, held::Held};
use fanfare_hub::{
    Hub,
    audience_key::AudienceKey,
    grant::Matchers,
    log::writer::AppendError,
    representation::Representation,
    subscription::Start,
    topic::{Topic, matcher::Matcher},
};

/// The hub that a relay publishes to, if it is in the same process as the relay.
#[derive(Debug)]
pub(crate) struct LocalSink {
    hub: Hub,
    key: AudienceKey,
}

impl LocalSink {
    /// Makes a sink to `hub` for updates whose first topic is `topic`.
    pub(crate) fn new(hub: Hub, topic: &Topic) -> Self {
        let matcher = Matcher::exact(topic.as_str()).expect("a topic is a valid exact matcher");
        let key = AudienceKey::new([matcher].into_iter().collect(), Matchers::any(), Representation::JsonLines);
        Self { hub, key }
    }

    pub(super) async fn publish(&self, items: &[Item]) -> Result<String, Failure> {
        let updates = items.iter().map(|item| item.update.clone()).collect();
        match self.hub.publish(updates).await {
            Ok(entries) => Ok(entries.last().map(|entry| entry.position.to_string()).unwrap_or_default()),
            Err(AppendError::Closed) => Err(Failure::Final(Closed::Ended)),
            Err(error) => Err(Failure::Passing(error.to_string())),
        }
    }

    pub(super) async fn look_up(&self, after: Option<&str>, held: &mut Held) -> Result<String, Failure> {
        let start = after.map_or(Start::Now, |id| Start::After(id.to_owned()));
        let passing = |error: &dyn std::fmt::Display| Failure::Passing(error.to_string());
        let mut opening = self.hub.open(self.key.clone(), start).await.map_err(|error| passing(&error))?;
        let position = opening.resumed_from().to_owned();
        let mut replay = opening.replay(false).await;
        while let Some(bytes) = replay.next().await.map_err(|error| passing(&error))? {
            held.read(&bytes).map_err(|_| passing(&"a line with an update is too long"))?;
        }
        Ok(position)
    }
}
