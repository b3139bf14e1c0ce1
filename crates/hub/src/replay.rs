//! A replay: the updates that the log holds after a position, up to the newest update at the time when the replay
//! begins.
use crate::{
    audience_key::AudienceKey, budget::Room, ending::EndReason, log::LogError, position::Offset, rewind::Rewind,
    shared::Shared,
};
use bytes::Bytes;
use std::{fmt, sync::Arc};

/// A replay for one reader. It reads the log step by step, and does not join an audience.
pub struct Replay {
    hub: Arc<Shared>,
    key: Arc<AudienceKey>,
    /// The offset up to which everything has been returned.
    cursor: Offset,
    /// The newest offset of the log when the replay began.
    end: Offset,
    /// The bytes to return first: a start event, and a gap event if updates that were asked for are missing, or the
    /// beginning of a rewind (the newest updates of each topic); empty if there are none.
    opening: Bytes,
    /// The updates of a rewind for which `opening` has no room. They are returned after `opening` and before the
    /// entries after `cursor`.
    rewind: Option<Rewind>,
    /// True if the event that tells the end of the replay has still to be returned.
    tells_end: bool,
    /// True if the last step has found nothing.
    is_barren: bool,
    /// The error with which the replay ends after the event that tells the subscriber to come back later; `None` if
    /// there is none.
    error: Option<LogError>,
    /// The room that the buffers of the connection take; `None` if they are not charged to the budgets.
    _connection: Option<Room>,
}

impl Replay {
    pub(crate) fn new(
        hub: Arc<Shared>,
        key: Arc<AudienceKey>,
        cursor: Offset,
        opening: Bytes,
        rewind: Option<Rewind>,
        tells_end: bool,
        connection: Option<Room>,
    ) -> Self {
        let end = hub.bounds().head;
        Self {
            hub,
            key,
            cursor,
            end,
            opening,
            rewind,
            tells_end,
            is_barren: false,
            error: None,
            _connection: connection,
        }
    }

    /// Returns the next encoded events; `None` when there are no more. The last of them may be events of entries that
    /// were appended after the replay began.
    ///
    /// # Errors
    /// [`LogError`] if the log cannot be read, or if what is read would exceed a budget. In the second case the last
    /// bytes before the error tell the subscriber to come back later.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost.
    pub async fn next(&mut self) -> Result<Option<Bytes>, LogError> {
        if self.error.is_some() {
            // The last bytes can be sent before the error ends the body.
            tokio::task::yield_now().await;
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        match self.read_next().await {
            Err(error @ LogError::OverBudget(_)) => {
                let reached = self.rewind.as_ref().and_then(Rewind::begins_after).unwrap_or(self.cursor);
                self.error = Some(error);
                Ok(Some(self.ending(EndReason::Later, reached)))
            }
            read => read,
        }
    }

    /// Returns the event that says why the replay ends, for a subscriber that has reached the position `reached`.
    fn ending(&self, reason: EndReason, reached: Offset) -> Bytes {
        let mut bytes = Vec::new();
        self.key.encode_ending(reason, &mut fastrand::Rng::new(), &self.hub.place(reached), &mut bytes);
        bytes.into()
    }

    async fn read_next(&mut self) -> Result<Option<Bytes>, LogError> {
        if !self.opening.is_empty() {
            return Ok(Some(std::mem::take(&mut self.opening)));
        }
        while let Some(rewind) = self.rewind.clone() {
            let (bytes, rest) = self.hub.clone().rewind(self.key.clone(), rewind).await?;
            self.rewind = Some(rest).filter(|rest| !rest.is_over());
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
        }
        while self.cursor < self.end {
            let step = self.hub.clone().read_on(self.key.clone(), self.cursor, self.is_barren).await?;
            self.is_barren = step.run.is_none();
            // If a step ends where it began, although `end` is not reached, the replay ends, so that it does not loop
            // forever.
            if step.cursor == self.cursor {
                self.end = self.cursor;
            }
            self.cursor = step.cursor;
            if let Some(run) = step.run {
                return Ok(Some(run.bytes().clone()));
            }
        }
        Ok(std::mem::take(&mut self.tells_end).then(|| self.ending(EndReason::Now, self.cursor)))
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").field("cursor", &self.cursor).field("end", &self.end).finish_non_exhaustive()
    }
}
