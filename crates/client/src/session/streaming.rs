//! The open stream: chunks come in, and signals go out.
use super::{
    machine::{Phase, Session},
    reading::{Comments, Read},
};
use crate::{Cause, Error, MessageEvent, Signal, Text, Warning};
use bytes::Bytes;
use std::time::Duration;

impl Session {
    /// An event that has come whole already: the way of most events. `None` if there is none, or something else is to
    /// be told.
    #[inline(always)] // As with making the event.
    pub(crate) fn event_at_hand(&mut self) -> Option<MessageEvent> {
        let Phase::Open(reading) = &mut self.phase else { return None };
        let event = reading.event_at_hand(&mut self.parser)?;
        self.backoff.event();
        Some(event)
    }

    /// True if the stream is open, has nothing to tell before the next chunk, and may be silent for ever.
    pub(crate) fn is_dry(&self) -> bool {
        matches!(&self.phase, Phase::Open(reading) if reading.is_empty()) && self.rules.idle_timeout.is_none()
    }

    /// The next thing to tell, of all that has happened and of the chunk that is read.
    pub(crate) fn next_signal(&mut self, comments: Comments) -> Option<Signal> {
        loop {
            if let Some(signal) = self.signals.pop_front() {
                return Some(signal);
            }
            let Phase::Open(reading) = &mut self.phase else { return None };
            let comments = match comments {
                Comments::Skip if self.progress.is_some() => Comments::SkipButBlocks,
                comments => comments,
            };
            let read = reading.next(&mut self.parser, comments)?;
            let signal = self.has_read(read);
            if signal.is_some() {
                return signal;
            }
        }
    }

    fn has_read(&mut self, read: Read) -> Option<Signal> {
        match read {
            Read::Event(event) => {
                self.backoff.event();
                if let Some(progress) = &mut self.progress {
                    progress.given(&event);
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
                    progress.skipped(&last_event_id);
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

    /// Frees the chunk that is read.
    #[inline]
    pub(crate) fn free_chunk(&mut self) {
        if let Phase::Open(reading) = &mut self.phase {
            reading.free();
        }
    }

    /// A piece of the response's body has come, and all before it is read. Returns true if more is wanted: else it has
    /// to end, with [`body_ended`](Self::body_ended).
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

    /// Nothing has come, although it is waited for.
    pub(crate) fn silent(&mut self, now: Duration) {
        if let Phase::Open(reading) = &mut self.phase {
            reading.silent_since.get_or_insert(now);
        }
    }

    /// The body ends for this reason: the event that its end ends too is a signal, if the program wants that. Once all
    /// signals are told, [`body_ended`](Self::body_ended) is due.
    ///
    /// What the connection ends within is not given otherwise: an event is one only with the blank line after it.
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

    /// The body has ended, or enough of it has come.
    pub(crate) fn body_ended(&mut self, cause: Cause, now: Duration) {
        match self.phase {
            Phase::Open(_) => self.failed(cause, now),
            Phase::Refusing(_) => self.refused(now),
            _ => {}
        }
    }
}
