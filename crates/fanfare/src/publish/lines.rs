//! Publishes standard input line by line, in order.
//!
//! Only one batch is sent at a time, which keeps the order. The lines that are read meanwhile become the next batch. So
//! the lines of a slow source are published one by one without delay, and those of a fast source in batches that grow
//! with the time that the hub takes to answer. If the hub does not answer for a while, the request is repeated, and
//! lines that the hub already has are not published again ([`super::identity`]). If the token may not subscribe, the
//! command cannot find out which lines the hub has. Then it publishes all lines of an unanswered request again, with a
//! warning.
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

/// The greatest number of lines of one batch.
const MAX_BATCH_LINES: usize = 1_000;
/// The number of bytes at which a batch is sent: well below the largest body that a hub accepts by default.
const BATCH_BYTES: usize = 256 << 10;
/// The shortest and the longest wait before a request to a hub that is down is repeated.
const DELAYS: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(10)];
/// When the command is told to stop: the time that it still has to publish all lines that it has read.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// When the command is told to stop: the time to wait for a line that the reading thread has read but not yet handed
/// over.
const HANDOVER_TIMEOUT: Duration = Duration::from_millis(100);

/// Publishes each line of standard input that is not blank. Ends when the input ends, or when the command is told to
/// stop and the lines that were read by then are published.
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

/// The state of the command while it publishes lines.
struct Work<'a> {
    publisher: &'a Publisher,
    reconnect: Reconnect,
    stopped: watch::Receiver<bool>,
    /// The IDs by which lines can be looked up in the hub's log; `None` if requests are never repeated, or if the hub
    /// replaces the IDs by others.
    identity: Option<Identity>,
    /// True if this run of the command has already published lines.
    was_there: bool,
    /// The number of bytes at which a batch is sent. It becomes smaller if the hub, or a proxy in front of the hub,
    /// refuses a request of this size.
    batch_bytes: usize,
    /// The numbers of the first and the last line of the batch that is being sent.
    under_way: Option<(u64, u64)>,
    /// The number of lines with bytes that are not UTF-8.
    replaced: u64,
    skipped: Skipped,
}

/// Counts the lines that were left out, by the reason.
#[derive(Clone, Copy, Debug, Default)]
struct Skipped {
    /// The number of lines that are longer than [`MAX_LINE_BYTES`].
    too_long: u64,
    /// The number of lines that are longer than the hub accepts.
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
            // The batch ends before a line for which it has no room, a line that is too long, or an error of reading.
            // Such an input is handled after the batch is published.
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

    /// Waits for the next input. Returns `None` at the end of the input, or when the command was told to stop and all
    /// input that was read before was returned.
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

    /// Returns the line that `input` contains. For a line that is too long, prints a warning and returns `None`. If
    /// reading has failed, returns the error.
    fn line(&mut self, input: Input) -> Result<Option<Line>, PublishError> {
        match input {
            Input::Line(line) => {
                if line.is_replaced {
                    self.replaced += 1;
                    if self.replaced == 1 {
                        warning::print(&format!(
                            "line {} is not valid UTF-8: the wrong bytes were replaced by U+FFFD; further such lines \
                             are only counted",
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

    /// Publishes the lines in one request. If the hub refuses the content of the request, publishes each half of the
    /// lines in its own request, and so on.
    async fn deliver(&mut self, batch: &[Line]) -> Result<(), PublishError> {
        // The parts of the batch that are not yet sent, in reverse order: the last part is sent next.
        let mut parts = vec![batch];
        while let Some(lines) = parts.pop() {
            match self.send(lines).await {
                // If a batch is refused, none of its lines was published. The batch is halved again and again, so that
                // all lines before the refused line are published.
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

    /// Skips a line that is too long for this hub, with a warning. Returns any other error, because it would happen
    /// with every line.
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

    /// Publishes all of the lines or none, and repeats the request while the hub does not answer.
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
                            "{error}; repeating the request until the hub answers; line {} is next",
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

    /// Asks the hub whether its log has the lines of a request whose answer was lost. Repeats the question until the
    /// hub answers. If the hub cannot tell, returns false. Then the lines are sent again, because a line that is
    /// published twice is better than a line that is lost.
    async fn is_there(&self, lines: (u64, u64), id_prefix: Option<&str>, count: usize) -> bool {
        let twice = |why: &str| {
            warning::print(&format!(
                "{} may be in the log twice: the answer of the hub was lost, and {why}",
                shown(lines)
            ));
            false
        };
        let Some(prefix) = id_prefix else { return twice("the hub has given the lines other IDs") };
        let mut backoff = Backoff::new(DELAYS);
        loop {
            // The hub publishes all lines of a batch or none. So it is enough to look up the last line.
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
                "{} lines were not valid UTF-8: the wrong bytes were replaced by U+FFFD",
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
