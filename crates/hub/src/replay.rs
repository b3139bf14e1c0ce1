//! A replay: what the log holds behind a place up to where it ends now, and nothing of what comes later.
use crate::{audience_key::AudienceKey, log::LogError, position::Offset, rewind::Rewind, shared::Shared};
use bytes::Bytes;
use std::{fmt, sync::Arc};

/// Reads the log for one reader, piece by piece. It joins no audience.
pub struct Replay {
    hub: Arc<Shared>,
    key: Arc<AudienceKey>,
    /// Everything up to here has been handed out.
    cursor: Offset,
    /// The place where the log ended.
    end: Offset,
    /// The gap between what was requested and what can be had, if there is one: handed out first.
    gap: Option<Bytes>,
    /// The rest of a rewind, which comes next.
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

    /// The next wire events; `None` when there are no more. What was appended after the replay began may be among the
    /// last.
    ///
    /// # Errors
    /// [`LogError`] if the log cannot be read.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
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
            // A log that has nothing more, although it said so, has ended all the same.
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
