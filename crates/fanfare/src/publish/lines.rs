//! Standard input, line by line, in order.
//!
//! One batch is under way at a time, which keeps the order; what arrives meanwhile becomes the next batch. A slow source is
//! published line by line without delay, a fast one in batches that grow with the time that an answer takes. A hub that is
//! gone for a while is asked again, and what it has already is not published again ([`super::lookup`]).
use super::{
    PublishError, When,
    publisher::{self, Body, Lookup, Publisher},
    reader::{Input, Line, Lines, MAX_LINE_BYTES},
};
use crate::{relay::Backoff, stop, warning};
use hyper::StatusCode;
use std::{slice, time::Duration};
use tokio::{sync::watch, time::timeout};

/// How many lines one batch has at most.
const MAX_BATCH_LINES: usize = 1_000;
/// A batch of this many bytes is sent: well below the body that a hub accepts by default.
const BATCH_BYTES: usize = 256 << 10;
/// The shortest and the longest wait until a hub that is down is asked again.
const DELAYS: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(10)];
/// How long publishing what was read may take when the command is told to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a line may be on its way from the thread that reads.
const HANDOVER_TIMEOUT: Duration = Duration::from_millis(100);

/// Publishes each line of standard input that is not blank, until it ends, or until the command is told to stop: then what
/// was read by that time.
///
/// # Errors
/// [`PublishError`] names the lines that were not published.
pub(super) async fn publish(publisher: &Publisher, reconnect: When) -> Result<(), PublishError> {
    let (stopping, stopped) = watch::channel(false);
    let told = stop::stop().map_err(PublishError::Runtime)?;
    let mut work = Work {
        publisher,
        reconnect,
        stopped,
        last_id: None,
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
    reconnect: When,
    stopped: watch::Receiver<bool>,
    /// The ID of the last line that was published in this run.
    last_id: Option<String>,
    /// The first and the last line of the batch that is under way.
    under_way: Option<(u64, u64)>,
    /// How many lines held bytes that are not UTF-8.
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
            while batch.len() < MAX_BATCH_LINES && bytes < BATCH_BYTES && carried.is_none() {
                match lines.inputs.try_recv() {
                    Ok(Input::Line(line)) if bytes + line.text.len() <= BATCH_BYTES => {
                        bytes += line.text.len();
                        batch.extend(self.line(Input::Line(line))?);
                    }
                    Ok(input) => carried = Some(input),
                    Err(_) => break,
                }
            }
            self.deliver(&batch).await?;
        }
    }

    /// The next input; `None` at the end, and when everything was taken that had been read before the stop.
    async fn next(&mut self, lines: &mut Lines) -> Option<Input> {
        if !*self.stopped.borrow() {
            tokio::select! {
                input = lines.inputs.recv() => return input,
                _ = self.stopped.wait_for(|stopped| *stopped) => {}
            }
        }
        lines.stop();
        timeout(HANDOVER_TIMEOUT, lines.inputs.recv()).await.ok().flatten()
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

    /// Publishes the lines in one request; one by one where one of them is refused.
    async fn deliver(&mut self, batch: &[Line]) -> Result<(), PublishError> {
        match self.send(batch).await {
            // Nothing of a batch that is refused was published. Those before the line at fault are.
            Err(PublishError::LinesRefused { refusal, .. }) if batch.len() > 1 && refusal.is_of_content() => {
                for line in batch {
                    self.deliver_one(line).await?;
                }
                Ok(())
            }
            Err(error) if batch.len() == 1 => self.skip_or(&batch[0], error),
            sent => sent,
        }
    }

    async fn deliver_one(&mut self, line: &Line) -> Result<(), PublishError> {
        match self.send(slice::from_ref(line)).await {
            Err(error) => self.skip_or(line, error),
            Ok(()) => Ok(()),
        }
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
        let texts: Vec<&str> = batch.iter().map(|line| line.text.as_str()).collect();
        let lines = (batch[0].number, batch[batch.len() - 1].number);
        self.under_way = Some(lines);
        let mut backoff = Backoff::new(DELAYS);
        let (mut is_told, mut may_be_there) = (false, false);
        loop {
            match self.publisher.publish(Body::lines(&texts)).await {
                Ok(ids) => {
                    if is_told {
                        warning::print("the hub answers again");
                    }
                    return self.took(&ids);
                }
                Err(error) if error.is_passing() && self.reconnect.asks_again(self.last_id.is_some()) => {
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
            while may_be_there {
                match self.publisher.look_up(self.last_id.as_deref(), &texts).await {
                    Ok(Lookup::Found(ids)) => return self.took(&ids),
                    Ok(Lookup::Missing) => may_be_there = false,
                    Ok(Lookup::Unknown(why)) => {
                        may_be_there = false;
                        warning::print(&format!("{} may be in the log twice: {why}", shown(lines)));
                    }
                    Err(_) => backoff.wait().await,
                }
            }
        }
    }

    fn took(&mut self, ids: &str) -> Result<(), PublishError> {
        self.last_id = ids.lines().next_back().map(str::to_owned).or(self.last_id.take());
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

/// `line 7`, `the lines 7 to 9`.
pub(super) fn shown((first, last): (u64, u64)) -> String {
    if first == last { format!("line {first}") } else { format!("the lines {first} to {last}") }
}
