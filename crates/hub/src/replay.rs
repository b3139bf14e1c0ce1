//! A replay: the updates that the log holds after a position, up to the newest update at the time when the replay
//! begins.
use crate::{audience_key::AudienceKey, log::LogError, position::Offset, rewind::Rewind, shared::Shared};
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
    /// The bytes to return first: a gap event if updates that were asked for are missing, or the beginning of a rewind
    /// (the newest updates of each topic); `None` if there is neither.
    gap: Option<Bytes>,
    /// The updates of a rewind for which `gap` has no room. They are returned after `gap` and before the entries after
    /// `cursor`.
    rewind: Option<Rewind>,
}

impl Replay {
    pub(crate) fn new(
        hub: Arc<Shared>,
        key: Arc<AudienceKey>,
        cursor: Offset,
        gap: Option<Bytes>,
        rewind: Option<Rewind>,
    ) -> Self {
        let end = hub.bounds().head;
        Self { hub, key, cursor, end, gap, rewind }
    }

    /// Returns the next encoded events; `None` when there are no more. The last of them may be events of entries that
    /// were appended after the replay began.
    ///
    /// # Errors
    /// [`LogError`] if the log cannot be read.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost.
    pub async fn next(&mut self) -> Result<Option<Bytes>, LogError> {
        if let Some(gap) = self.gap.take() {
            return Ok(Some(gap));
        }
        while let Some(rewind) = self.rewind.clone() {
            let (bytes, rest) = self.hub.clone().rewind(self.key.clone(), rewind).await?;
            self.rewind = Some(rest).filter(|rest| !rest.is_over());
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
        }
        while self.cursor < self.end {
            let step = self.hub.clone().read_on(self.key.clone(), self.cursor).await?;
            // If a step ends where it began, although `end` is not reached, the replay ends, so that it does not loop
            // forever.
            let at_the_end = step.cursor == self.cursor;
            self.cursor = if at_the_end { self.end } else { step.cursor };
            if let Some(run) = step.run {
                return Ok(Some(run.bytes().clone()));
            }
        }
        Ok(None)
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").field("cursor", &self.cursor).field("end", &self.end).finish_non_exhaustive()
    }
}
