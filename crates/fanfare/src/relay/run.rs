//! The main loop of a relay. Each event goes from the upstream into a batch, then into the hub, and then its ID goes
//! into the state.
//!
//! Only one batch is sent at a time, and its last ID is saved before the next batch is sent. So, however this process
//! ends, the hub has at most one batch whose ID is not yet saved. The relay looks this batch up when it starts again.
//! If the hub refuses an event, the relay sends it again without its ID, and if the event without its ID is refused
//! too, a gap event takes its place. An event that was too large to be read counts as acknowledged when the hub has its
//! gap event.
//!
//! While a batch is being sent, nothing is read from the upstream, and the flow control of TCP makes the upstream wait.
//! So the relay needs no queue of events.
use super::{
    backoff::Backoff,
    batch::{Batch, LastEvent, Made, Template},
    delivery::{Counts, Delivery},
    error::RelayError,
    sink::Sink,
    state::State,
    upstream::Upstream,
    voice::Voice,
};
use crate::{
    http::{Ending, LatestAddress},
    shown::shown_id,
};
use fanfare_client::{Error, MessageEvent, Signal, Signals, Text, Warning};
use futures_util::{FutureExt as _, StreamExt as _};
use std::time::Duration;

/// The shortest and the longest wait before a request that the upstream refused is repeated. The client does not repeat
/// such a request by itself.
const UPSTREAM_DELAYS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// The reaction to an upstream that has never answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// The relay ends, so that a wrong address is reported at once.
    AfterOpen,
    /// The relay tries again until the upstream answers.
    Always,
}

/// The parts from which a relay is made.
#[derive(Debug)]
pub(crate) struct Parts {
    pub upstream: Upstream,
    pub template: Template,
    pub sink: Sink,
    pub state: State,
    pub voice: Voice,
    pub patience: Patience,
}

/// A running relay.
pub(crate) struct Relay {
    upstream: Upstream,
    /// The address of the latest request to the upstream. After a redirect, it differs from the URL of the upstream.
    latest: LatestAddress,
    template: Template,
    voice: Voice,
    patience: Patience,
    delivery: Delivery,
    signals: Option<Signals>,
    opened: bool,
    /// `Some` from the end of the stream on, until all events before this end are published. The inner value is the
    /// error with which the stream ended; `None` if it ended without an error.
    ended: Option<Option<Error>>,
    /// An event for which the last batch had no room. It is the first event of the next batch.
    carried: Option<MessageEvent>,
    /// The last event ID that was acknowledged.
    acknowledged: Option<Text>,
    /// True if the warning that the hub replaces IDs was already given.
    told_of_ids: bool,
}

impl Relay {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { upstream, template, sink, state, voice, patience } = parts;
        let delivery = Delivery::new(sink, state, voice.clone(), &template.topics);
        Self {
            upstream,
            latest: LatestAddress::default(),
            template,
            voice,
            patience,
            delivery,
            signals: None,
            opened: false,
            ended: None,
            carried: None,
            acknowledged: None,
            told_of_ids: false,
        }
    }

    /// Relays until the upstream says that there are no more events (204).
    ///
    /// # Errors
    /// [`RelayError`] if the relay cannot continue.
    ///
    /// # Cancel safety
    /// If the upstream keeps its events, nothing is lost: an event that was not acknowledged comes again when the relay
    /// starts again from its state. Call [`flush`](Self::flush) after cancelling.
    pub(crate) async fn run(&mut self) -> Result<(), RelayError> {
        let mut backoff = Backoff::new(UPSTREAM_DELAYS);
        let mut after = String::new();
        loop {
            let signals = self.upstream.open(&after, &self.delivery.state, &self.latest)?;
            self.signals = Some(signals);
            let error = loop {
                if let Some(batch) = self.gather().await? {
                    backoff.reset();
                    self.deliver(batch).await?;
                } else if let Some(ended) = self.ended.take() {
                    break ended;
                }
            };
            // The last batch was acknowledged after the stream had ended. Its last event ID must be saved too.
            self.flush().await?;
            let Some(error) = error else { return Ok(()) };
            after =
                self.signals.as_mut().map(|signals| signals.source().last_event_id().to_owned()).unwrap_or_default();
            if matches!(error, Error::Store(_)) {
                return Err(RelayError::State(error));
            }
            let ending = Ending { party: self.latest.party(&self.upstream.party()), error };
            if !self.opened && self.patience == Patience::AfterOpen {
                return Err(RelayError::Upstream(Box::new(ending)));
            }
            let delay = backoff.next();
            self.voice.warn(&format!("{ending}; reconnecting in {:.1} s", delay.as_secs_f64()));
            tokio::time::sleep(delay).await;
        }
    }

    /// Waits until the last event ID that the hub has acknowledged is saved.
    ///
    /// # Errors
    /// [`RelayError::State`] if the ID cannot be saved.
    pub(crate) async fn flush(&mut self) -> Result<(), RelayError> {
        match &mut self.signals {
            Some(signals) => signals.source().flush().await.map_err(RelayError::State),
            None => Ok(()),
        }
    }

    /// Returns a summary, in words, of the events that were handled since the relay started.
    pub(crate) fn summary(&self) -> String {
        let Counts { relayed, refused, held } = self.delivery.counts;
        format!("{relayed} events were relayed, {held} were already in the hub's log, {refused} could not be relayed")
    }

    /// Waits for an event, and returns it in a batch with the other events that have arrived by then. Returns `None`
    /// when the stream has ended and all events were returned.
    async fn gather(&mut self) -> Result<Option<Batch>, RelayError> {
        let mut batch = Batch::default();
        if let Some(event) = self.carried.take() {
            self.add(&mut batch, event);
        }
        while self.ended.is_none() && self.carried.is_none() {
            let signals = self.signals.as_mut().expect("the upstream was opened before");
            let next = match batch.is_empty() {
                true => Some(signals.next().await),
                false => signals.next().now_or_never(),
            };
            match next {
                None => break,
                Some(None) => self.ended = Some(None),
                Some(Some(Err(error))) => self.ended = Some(Some(error)),
                Some(Some(Ok(Signal::Event(event)))) if batch.has_room_for(&event) => self.add(&mut batch, event),
                Some(Some(Ok(Signal::Event(event)))) => self.carried = Some(event),
                Some(Some(Ok(Signal::Warning(Warning::EventSkipped { error, bytes, last_event_id })))) => {
                    let reason = format!("{error}: it has {bytes} bytes");
                    // If the last event ID is the same as before this event, the event has no ID of its own.
                    let before = batch.last.as_ref().map(LastEvent::id).or(self.acknowledged.as_ref());
                    let id = if before == Some(&last_event_id) { "" } else { &last_event_id };
                    self.delivery.refused(id, &reason);
                    let gap = self.template.skipped(id, &reason);
                    batch.push_skipped(last_event_id, gap);
                }
                Some(Some(Ok(signal))) => self.signal(signal)?,
            }
        }
        Ok((!batch.is_empty()).then_some(batch))
    }

    fn add(&mut self, batch: &mut Batch, event: MessageEvent) {
        let item = match self.template.make(&event) {
            Made::Update(item, replaced) => {
                if let Some(reason) = replaced.filter(|_| !std::mem::replace(&mut self.told_of_ids, true)) {
                    self.voice.warn(&format!(
                        "the hub replaces some IDs of events, the first of them {}: {reason}",
                        shown_id(&event.last_event_id)
                    ));
                }
                Some(item)
            }
            Made::Gap(item, reason) => {
                self.delivery.refused(&event.last_event_id, &reason.to_string());
                Some(item)
            }
            Made::Nothing => None,
        };
        batch.push(event, item);
    }

    fn signal(&mut self, signal: Signal) -> Result<(), RelayError> {
        let Self { upstream, latest, voice, patience, .. } = self;
        let party = latest.party(&upstream.party());
        match signal {
            Signal::Open(opened) => {
                self.opened = true;
                let after = match opened.last_event_id.as_str() {
                    "" => String::new(),
                    id => format!(", after event {}", shown_id(id)),
                };
                voice.notice(&format!("connected to {}{after}", party.place()));
            }
            Signal::Reconnecting { cause, .. } if !self.opened && *patience == Patience::AfterOpen => {
                return Err(RelayError::NotOpened(Box::new(Ending { party, error: cause })));
            }
            Signal::Reconnecting { cause, delay } => {
                let ending = Ending { party, error: cause };
                voice.lost(&format!("{ending}; reconnecting in {:.1} s", delay.as_secs_f64()));
            }
            Signal::Warning(warning) => voice.warn(&warning.to_string()),
            _ => {}
        }
        Ok(())
    }

    /// Publishes `batch`, and then acknowledges its last event, whose ID is then saved.
    async fn deliver(&mut self, mut batch: Batch) -> Result<(), RelayError> {
        self.flush().await?;
        self.delivery.deliver(&mut batch).await?;
        let Some(last) = batch.last else { return Ok(()) };
        // An event that does not change the last event ID needs no acknowledgement.
        let id = last.id();
        if self.acknowledged.as_ref().is_none_or(|before| before != id)
            && (self.acknowledged.is_some() || !id.is_empty())
        {
            let source = self.signals.as_mut().expect("a batch comes from an open upstream").source();
            match &last {
                LastEvent::Read(event) => source.acknowledge(event),
                LastEvent::Skipped(id) => source.acknowledge_skipped(id),
            }
            self.acknowledged = Some(id.clone());
        }
        Ok(())
    }
}
