//! The open stream of a session: it takes chunks and returns signals.
use super::{
    machine::{Phase, Session},
    reading::{Comments, Read},
};
use crate::{Cause, Error, MessageEvent, Signal, Text, Warning};
use bytes::Bytes;
use std::time::Duration;

/// True if a Fanfare hub tells of the connection with an event of this type. Each of its streams begins with such an
/// event, so it does not show that a connection is a good one: a hub that ends right after each start sends one too.
fn is_about_the_connection(event_type: &str) -> bool {
    matches!(event_type, "fanfare.start" | "fanfare.end")
}

impl Session {
    /// Returns an event that has arrived completely. `None` if there is none, if another signal comes first, or if the
    /// attempt has brought no event yet: [`next_signal`](Self::next_signal) decides whether the first one shows that the
    /// connection is a good one. Most events are returned by this function.
    #[inline(always)] // For the reason that `Arrivals::own` gives.
    pub(crate) fn event_at_hand(&mut self) -> Option<MessageEvent> {
        if !self.backoff.has_event() {
            return None;
        }
        let Phase::Open(reading) = &mut self.phase else { return None };
        reading.event_at_hand(&mut self.parser)
    }

    /// Notes that the attempt has brought an event, unless it is about the connection.
    fn note(&mut self, event: &MessageEvent) {
        if !is_about_the_connection(&event.event_type) {
            self.backoff.event();
        }
    }

    /// Returns true if the stream is open, everything that was received is processed, and there is no idle timeout.
    /// Then the driver may read the next chunk without any other work.
    pub(crate) fn is_dry(&self) -> bool {
        matches!(&self.phase, Phase::Open(reading) if reading.is_empty()) && self.rules.idle_timeout.is_none()
    }

    /// Returns the next signal for the program: one that waits in the queue, or the next one in the received data.
    /// `None` if all received data was read.
    pub(crate) fn next_signal(&mut self, comments: Comments) -> Option<Signal> {
        let comments = match comments {
            Comments::Skip if self.progress.is_some() => Comments::SkipButBlocks,
            comments => comments,
        };
        loop {
            if let Some(signal) = self.signals.pop_front() {
                return Some(signal);
            }
            let Phase::Open(reading) = &mut self.phase else { return None };
            let read = reading.next(&mut self.parser, comments)?;
            if let Some(signal) = self.has_read(read) {
                return Some(signal);
            }
        }
    }

    fn has_read(&mut self, read: Read) -> Option<Signal> {
        match read {
            Read::Event(event) => {
                if !self.backoff.has_event() {
                    self.note(&event);
                }
                if let Some(progress) = &mut self.progress {
                    progress.given(&event.last_event_id);
                }
                Some(Signal::Event(event))
            }
            Read::Block(block) => {
                if let (Some(progress), Some(id)) = (&mut self.progress, &block.id) {
                    progress.passed(id);
                }
                self.rules.gives_blocks.then_some(Signal::Block(block))
            }
            Read::Comment(text) => Some(Signal::Comment(text)),
            Read::TooLarge(error) if self.rules.skips_large => {
                self.backoff.event();
                let last_event_id: Text = self.parser.last_event_id().into();
                if let Some(progress) = &mut self.progress {
                    progress.given(&last_event_id);
                }
                let bytes = self.parser.skipped_bytes();
                Some(Signal::Warning(Warning::EventSkipped { error, bytes, last_event_id }))
            }
            Read::TooLarge(error) => {
                self.end(Some(Error::Parse(error)));
                None
            }
        }
    }

    /// Frees the memory of the chunk that was read.
    #[inline]
    pub(crate) fn free_chunk(&mut self) {
        if let Phase::Open(reading) = &mut self.phase {
            reading.free();
        }
    }

    /// Takes the next piece of the response's body. All earlier pieces must have been read. Returns true if another
    /// piece is wanted. Otherwise the driver has to end the body with [`body_ended`](Self::body_ended).
    #[inline]
    pub(crate) fn receive(&mut self, chunk: Bytes) -> bool {
        match &mut self.phase {
            Phase::Open(reading) => {
                reading.receive(chunk);
                true
            }
            Phase::Refusing(refusal) => refusal.receive(&chunk),
            _ => false,
        }
    }

    /// Notes that the driver waits for the next chunk, and none has come yet.
    pub(crate) fn silent(&mut self, now: Duration) {
        if let Phase::Open(reading) = &mut self.phase {
            reading.silent_since.get_or_insert(now);
        }
    }

    /// Handles the end of a body, for this reason. If the program wants unfinished events, the event that the end cuts
    /// off becomes a signal. The driver calls [`body_ended`](Self::body_ended) after all signals were given to the
    /// program.
    ///
    /// If the program does not want unfinished events, they are dropped: an event is complete only with the blank line
    /// after it.
    pub(crate) fn finish_body(&mut self, cause: &Cause) {
        if let Phase::Open(reading) = &mut self.phase
            && self.rules.finishes
            && matches!(cause, Cause::EndOfStream)
            && let Some(read) = reading.finish(&mut self.parser)
        {
            let signal = self.has_read(read);
            self.signals.extend(signal);
        }
    }

    /// Decides what follows after a body has ended, or after enough of the body was read: another attempt, or the end
    /// of the event source.
    pub(crate) fn body_ended(&mut self, cause: Cause, now: Duration) {
        match self.phase {
            Phase::Open(_) => self.failed(cause, now),
            Phase::Refusing(_) => self.refused(now),
            _ => {}
        }
    }
}
