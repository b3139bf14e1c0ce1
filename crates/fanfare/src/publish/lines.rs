//! Standard input, line by line, in order.
//!
//! One batch is under way at a time, which keeps the order; what arrives meanwhile becomes the next batch. A slow
//! source is published line by line without delay, a fast one in batches that grow with the time that an answer takes.
//! A hub that is gone for a while is asked again, and what it has already is not published again ([`super::identity`]).
//! Where the token may not subscribe, nobody can tell: what was not answered is published again, with a warning.
use super::{
    PublishError,
    error::shown,
    identity::{self, Identity},
    publisher::{self, Lookup, Publisher},
    reader::{Input, Line, Lines, MAX_LINE_BYTES},
};
use crate::{reconnect::Reconnect, relay::Backoff, stop, warning};
use hyper::StatusCode;
use std::time::Duration;
use tokio::{sync::watch, time::timeout};

/// The most lines of one batch.
const MAX_BATCH_LINES: usize = 1_000;
/// A batch of this many bytes is sent: well below the body that a hub accepts by default.
const BATCH_BYTES: usize = 256 << 10;
/// The shortest and the longest wait until a hub that is down is asked again.
const DELAYS: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(10)];
/// The time in which everything that was read must be published when the command is told to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// The time for which a line may be on its way from the thread that reads.
const HANDOVER_TIMEOUT: Duration = Duration::from_millis(100);

/// Publishes each line of standard input that is not blank, until it ends, or until the command is told to stop: then
/// what was read by that time.
///
/// # Errors
/// [`PublishError`] names the lines that were not published.
pub(super) async fn publish(publisher: &Publisher, reconnect: Reconnect) -> Result<(), PublishError> {
    let (stopping, stopped) = watch::channel(false);
    let told = stop::stop().map_err(PublishError::Runtime)?;
    let mut work = Work {
        publisher,
        reconnect,
        stopped,
        identity: (reconnect != Reconnect::Never).then(Identity::random),
        was_there: false,
        batch_bytes: BATCH_BYTES,
        under_way: None,
        replaced: 0,
        skipped: Skipped::default(),
    };
    let too_late = async {
        told.await;
        stopping.send_replace(true);
        tokio::time::sleep(STOP_TIMEOUT).await;
    };
    let ended = tokio::select! {
        ended = work.run(Lines::of_stdin()) => ended,
        () = too_late => Err(PublishError::Stopped { lines: work.under_way }),
    };
    work.summarize();
    ended.and_then(|()| work.skipped.into_result())
}

/// The way of lines into the hub.
struct Work<'a> {
    publisher: &'a Publisher,
    reconnect: Reconnect,
    stopped: watch::Receiver<bool>,
    /// The IDs by which lines can be looked up; `None` if they need not be, or the hub gives others.
    identity: Option<Identity>,
    /// True once lines were published in this run.
    was_there: bool,
    /// The size of a batch at which it is sent: less where the hub, or a proxy before it, takes less.
    batch_bytes: usize,
    /// The first and the last line of the batch that is under way.
    under_way: Option<(u64, u64)>,
    /// The number of lines that held bytes that are not UTF-8.
    replaced: u64,
    skipped: Skipped,
}

/// Lines that were left out.
#[derive(Clone, Copy, Debug, Default)]
struct Skipped {
    /// Beyond what is read.
    too_long: u64,
    /// Beyond what the hub takes.
    refused: u64,
}

impl Work<'_> {
    async fn run(&mut self, mut lines: Lines) -> Result<(), PublishError> {
        let mut carried = None;
        loop {
            let first = match carried.take() {
                Some(input) => input,
                None => match self.next(&mut lines).await {
                    Some(input) => input,
                    None => return Ok(()),
                },
            };
            let Some(first) = self.line(first)? else { continue };
            let mut bytes = first.text.len();
            let mut batch = vec![first];
            // What is no line comes after those that were read before it.
            while batch.len() < MAX_BATCH_LINES && bytes < self.batch_bytes && carried.is_none() {
                match lines.try_next() {
                    Some(Input::Line(line)) if bytes + line.text.len() <= self.batch_bytes => {
                        bytes += line.text.len();
                        batch.extend(self.line(Input::Line(line))?);
                    }
                    Some(input) => carried = Some(input),
                    None => break,
                }
            }
            self.deliver(&batch).await?;
        }
    }

    /// The next input; `None` at the end, and when everything was taken that had been read before the stop.
    async fn next(&mut self, lines: &mut Lines) -> Option<Input> {
        if !*self.stopped.borrow() {
            tokio::select! {
                input = lines.next() => return input,
                _ = self.stopped.wait_for(|stopped| *stopped) => {}
            }
        }
        lines.stop();
        timeout(HANDOVER_TIMEOUT, lines.next()).await.ok().flatten()
    }

    /// The line, if it is one; tells what else it is.
    fn line(&mut self, input: Input) -> Result<Option<Line>, PublishError> {
        match input {
            Input::Line(line) => {
                if line.is_replaced {
                    self.replaced += 1;
                    if self.replaced == 1 {
                        warning::print(&format!(
                            "line {} is not valid UTF-8: the bytes that are not were replaced by U+FFFD; further such lines \
                             are counted",
                            line.number
                        ));
                    }
                }
                Ok(Some(line))
            }
            Input::TooLong { number } => {
                self.skipped.too_long += 1;
                warning::print(&format!("line {number} is longer than {MAX_LINE_BYTES} bytes: it is not published"));
                Ok(None)
            }
            Input::Failed(error) => Err(PublishError::Read(error)),
        }
    }

    /// Publishes the lines in one request, or in halves where one of them is refused.
    async fn deliver(&mut self, batch: &[Line]) -> Result<(), PublishError> {
        // What is left to do, the next at the end.
        let mut parts = vec![batch];
        while let Some(lines) = parts.pop() {
            match self.send(lines).await {
                // Nothing of a batch that is refused was published. What comes before the line at fault is.
                Err(PublishError::LinesRefused { refusal, .. }) if lines.len() > 1 && refusal.is_of_content() => {
                    if refusal.status == StatusCode::PAYLOAD_TOO_LARGE {
                        let bytes: usize = lines.iter().map(|line| line.text.len()).sum();
                        self.batch_bytes = self.batch_bytes.min(bytes / 2);
                    }
                    let (first, second) = lines.split_at(lines.len() / 2);
                    parts.extend([second, first]);
                }
                Err(error) if lines.len() == 1 => self.skip_or(&lines[0], error)?,
                sent => sent?,
            }
        }
        Ok(())
    }

    /// Passes over a line that is too long for this hub; what else is wrong is wrong with every line.
    fn skip_or(&mut self, line: &Line, error: PublishError) -> Result<(), PublishError> {
        match error {
            PublishError::LinesRefused { refusal, .. } if refusal.status == StatusCode::PAYLOAD_TOO_LARGE => {
                self.skipped.refused += 1;
                warning::print(&format!("line {}: {refusal}; it is not published", line.number));
                Ok(())
            }
            error => Err(error),
        }
    }

    /// Publishes the lines all or none, however often the hub is gone in between.
    async fn send(&mut self, batch: &[Line]) -> Result<(), PublishError> {
        let lines = (batch[0].number, batch[batch.len() - 1].number);
        self.under_way = Some(lines);
        let prefix = self.identity.as_ref().map(|identity| identity.prefix(lines.0));
        let mut backoff = Backoff::new(DELAYS);
        let (mut is_told, mut may_be_there) = (false, false);
        loop {
            match self.publisher.publish_lines(batch, prefix.as_deref()).await {
                Ok(ids) => {
                    if is_told {
                        warning::print("the hub answers again");
                    }
                    if prefix.is_some_and(|prefix| !ids.starts_with(&prefix)) {
                        self.identity = None;
                    }
                    return self.took(&ids);
                }
                Err(error) if error.is_passing() && self.reconnect.asks_again(self.was_there) => {
                    may_be_there |= error.is_unanswered();
                    if !is_told {
                        warning::print(&format!(
                            "{error}; trying again until the hub answers; line {} is next",
                            lines.0
                        ));
                        is_told = true;
                    }
                }
                Err(PublishError::Refused(refusal)) => {
                    return Err(PublishError::LinesRefused { first: lines.0, last: lines.1, refusal });
                }
                Err(error) => return Err(error.of_lines(lines)),
            }
            backoff.wait().await;
            if std::mem::take(&mut may_be_there) && self.is_there(lines, prefix.as_deref(), batch.len()).await {
                return self.took(&prefix.map(|prefix| identity::ids(&prefix, batch.len())).unwrap_or_default());
            }
        }
    }

    /// Asks if lines are in the log whose answer was lost, however long the hub gives none. Where that cannot be told
    /// they are sent again: rather twice than not at all.
    async fn is_there(&self, lines: (u64, u64), id_prefix: Option<&str>, count: usize) -> bool {
        let twice = |why: &str| {
            warning::print(&format!("{} may be in the log twice: the answer was lost, and {why}", shown(lines)));
            false
        };
        let Some(prefix) = id_prefix else { return twice("the hub gives the lines other IDs than they had") };
        let mut backoff = Backoff::new(DELAYS);
        loop {
            // They are published all or none.
            match self.publisher.look_up(&format!("{prefix}{count}")).await {
                Ok(Lookup::Found) => return true,
                Ok(Lookup::Missing) => return false,
                Ok(Lookup::Refused(status)) => {
                    return twice(&format!("the hub does not let the token subscribe ({status})"));
                }
                Err(_) => backoff.wait().await,
            }
        }
    }

    fn took(&mut self, ids: &str) -> Result<(), PublishError> {
        self.was_there = true;
        self.under_way = None;
        publisher::print(ids).map(drop)
    }

    fn summarize(&self) {
        if self.replaced > 1 {
            warning::print(&format!(
                "{} lines were not valid UTF-8: bytes of them were replaced by U+FFFD",
                self.replaced
            ));
        }
    }
}

impl Skipped {
    fn into_result(self) -> Result<(), PublishError> {
        match self {
            Self { too_long: 0, refused: 0 } => Ok(()),
            Self { too_long, refused } => Err(PublishError::Skipped { lines: too_long + refused, refused }),
        }
    }
}
