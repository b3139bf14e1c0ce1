//! Prints a range of a log as JSON lines, and warns of updates in it that are lost.
use super::{
    error::LogCommandError,
    line::{LostLine, UpdateLine},
    output::Output,
};
use crate::warning;
use fanfare_hub::{
    entry::{Entry, Timestamp},
    log::{Found, LogView, Query, ReadLimit},
    position::Offset,
    topic::{Topic, matcher::Matcher},
};
use std::ops::ControlFlow;

/// The greatest number of updates, and of bytes, that are read from the log at a time.
const LIMIT: ReadLimit = ReadLimit { entries: 1_000, bytes: 4 << 20 };

/// Prints updates, and counts those that are lost.
pub(super) struct Printing {
    output: Output,
    /// The matchers of the updates to print: those with a topic that at least one matcher matches. Without matchers,
    /// all updates are printed.
    matchers: Vec<Matcher>,
    lost: u64,
}

impl Printing {
    pub(super) fn new(matchers: Vec<Matcher>) -> Self {
        Self { output: Output::new(), matchers, lost: 0 }
    }

    /// Prints the updates after the offset `after`, up to and including the offset `until`. Reads them in batches, and
    /// after each batch calls `at` with the last offset of the batch, to show the progress. Returns
    /// [`ControlFlow::Break`] if the reader has closed the output.
    ///
    /// # Errors
    /// [`LogCommandError`] if the log cannot be read, or if an update cannot be printed.
    pub(super) fn print(
        &mut self,
        view: &mut LogView,
        (mut after, until): (Offset, Offset),
        mut at: impl FnMut(Offset),
    ) -> Result<ControlFlow<()>, LogCommandError> {
        let topics = self.exact_topics();
        while after < until {
            let query = Query { after, until, topics: topics.as_deref(), now: Timestamp::now(), limit: LIMIT };
            let read = view.read(&query)?;
            if read.up_to <= after {
                break;
            }
            after = read.up_to;
            for found in &read.found {
                let printed = match found {
                    Found::Entry(entry) => self.entry(entry)?,
                    Found::Lost(first, last) => self.lost(*first, *last)?,
                    // Presence updates that are gone are not lost: a log keeps only the newest of them.
                    Found::Discarded(_) | Found::Erased(_) | Found::PresenceLost(..) => ControlFlow::Continue(()),
                };
                if printed.is_break() {
                    return Ok(printed);
                }
            }
            at(after);
        }
        self.output.flush()
    }

    fn entry(&mut self, entry: &Entry) -> Result<ControlFlow<()>, LogCommandError> {
        let fits = |matcher: &Matcher| entry.update.topics().iter().any(|topic| matcher.matches(topic));
        if !self.matchers.is_empty() && !self.matchers.iter().any(fits) {
            return Ok(ControlFlow::Continue(()));
        }
        self.output.json(&UpdateLine::of(entry))
    }

    fn lost(&mut self, first: Offset, last: Offset) -> Result<ControlFlow<()>, LogCommandError> {
        self.lost += last.0 - first.0 + 1;
        match first == last {
            true => warning::print(&format!("the update {first} is lost")),
            false => warning::print(&format!("the updates {first} to {last} are lost")),
        }
        self.output.json(&LostLine::of(first, last))
    }

    /// Returns the topics by which the index of the log finds all updates to print; `None` if a matcher is a pattern,
    /// or if there are no matchers.
    fn exact_topics(&self) -> Option<Vec<Topic>> {
        let exact = |matcher: &Matcher| match matcher {
            Matcher::Exact(topic) => Some(topic.clone()),
            _ => None,
        };
        if self.matchers.is_empty() { None } else { self.matchers.iter().map(exact).collect() }
    }

    /// Returns the result of the verb, after all updates were printed.
    ///
    /// # Errors
    /// [`LogCommandError::Lost`] if updates were lost.
    pub(super) fn end(&self) -> Result<(), LogCommandError> {
        match self.lost {
            0 => Ok(()),
            updates => Err(LogCommandError::Lost { updates }),
        }
    }
}
