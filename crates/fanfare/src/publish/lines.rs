//! Standard input, line by line, in order.
//!
//! One batch is under way at a time, which keeps the order; what arrives meanwhile becomes the next batch. A slow source is
//! published line by line without delay, a fast one in batches that grow with the time that an answer takes.
use super::{
    PublishError,
    publisher::{self, Body, Publisher},
};
use hyper::StatusCode;
use std::{
    io::{self, BufRead, Read as _},
    slice, thread,
};
use tokio::sync::mpsc;

/// How many lines wait while a batch is under way, and how many one batch has at most.
const MAX_LINES: usize = 1_000;
/// A batch of this many bytes is sent: well below the body that a hub accepts by default.
const BATCH_BYTES: usize = 256 << 10;
/// The longest line, in bytes: the largest body that a hub may be told to accept.
const MAX_LINE_BYTES: u64 = 16 << 20;

/// A line that is not blank, ended by LF.
#[derive(Debug)]
struct Line {
    number: u64,
    text: Vec<u8>,
}

/// Publishes each line of standard input that is not blank.
///
/// # Errors
/// [`PublishError`] names the lines that were not published; none after them was.
pub(super) async fn publish(publisher: &Publisher) -> Result<(), PublishError> {
    let (sender, mut lines) = mpsc::channel(MAX_LINES);
    // A thread, which ends with the process: a read of standard input cannot be cancelled.
    thread::spawn(move || read(io::stdin().lock(), &sender));
    let mut carried = None;
    loop {
        let first = match carried.take() {
            Some(line) => line,
            None => match lines.recv().await {
                Some(line) => line?,
                None => return Ok(()),
            },
        };
        let mut bytes = first.text.len();
        let mut batch = vec![first];
        let mut failed = None;
        while batch.len() < MAX_LINES && bytes < BATCH_BYTES {
            match lines.try_recv() {
                Ok(Ok(line)) if bytes + line.text.len() <= BATCH_BYTES => {
                    bytes += line.text.len();
                    batch.push(line);
                }
                Ok(Ok(line)) => {
                    carried = Some(line);
                    break;
                }
                // What was read before the source failed comes first.
                Ok(Err(error)) => {
                    failed = Some(error);
                    break;
                }
                Err(_) => break,
            }
        }
        send(publisher, &batch).await?;
        if let Some(error) = failed {
            return Err(error);
        }
    }
}

/// Publishes the lines in one request; one by one where the hub is told to accept less than a batch.
async fn send(publisher: &Publisher, batch: &[Line]) -> Result<(), PublishError> {
    match send_together(publisher, batch).await {
        Err(PublishError::LinesRefused { refusal, .. })
            if refusal.status == StatusCode::PAYLOAD_TOO_LARGE && batch.len() > 1 =>
        {
            // Nothing of a batch that is refused was published.
            for line in batch {
                send_together(publisher, slice::from_ref(line)).await?;
            }
            Ok(())
        }
        sent => sent,
    }
}

async fn send_together(publisher: &Publisher, batch: &[Line]) -> Result<(), PublishError> {
    let texts: Vec<&[u8]> = batch.iter().map(|line| line.text.as_slice()).collect();
    match publisher.publish(Body::Lines(texts.concat())).await {
        Ok(ids) => publisher::print(&ids),
        Err(PublishError::Refused(refusal)) => {
            let [first, last] = [batch.first(), batch.last()].map(|line| line.map_or(0, |line| line.number));
            Err(PublishError::LinesRefused { first, last, refusal })
        }
        Err(error) => Err(error),
    }
}

/// Hands over the lines until the source ends, fails, or nobody wants more.
fn read(mut source: impl BufRead, sender: &mpsc::Sender<Result<Line, PublishError>>) {
    for number in 1.. {
        let line = read_line(&mut source, number);
        let last = !matches!(line, Ok(Some(_)));
        if let Some(line) = line.transpose()
            && !line.as_ref().is_ok_and(Line::is_blank)
            && sender.blocking_send(line).is_err()
        {
            return;
        }
        if last {
            return;
        }
    }
}

fn read_line(source: &mut impl BufRead, number: u64) -> Result<Option<Line>, PublishError> {
    let mut text = Vec::new();
    let bytes = source.take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut text).map_err(PublishError::Read)?;
    if bytes == 0 {
        return Ok(None);
    }
    if text.len() as u64 > MAX_LINE_BYTES {
        return Err(PublishError::LineTooLong { line: number, limit: MAX_LINE_BYTES });
    }
    let content = text.len() - text.iter().rev().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    text.truncate(content);
    text.push(b'\n');
    Ok(Some(Line { number, text }))
}

impl Line {
    fn is_blank(&self) -> bool {
        self.text.trim_ascii().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(source: &[u8]) -> Vec<Result<(u64, String), String>> {
        let (sender, mut receiver) = mpsc::channel(MAX_LINES);
        read(source, &sender);
        drop(sender);
        std::iter::from_fn(|| receiver.blocking_recv())
            .map(|line| match line {
                Ok(Line { number, text }) => Ok((number, String::from_utf8(text).unwrap())),
                Err(error) => Err(error.to_string()),
            })
            .collect()
    }

    #[test]
    fn lines_keep_their_numbers_and_blank_ones_are_left_out() {
        let read = lines(b"one\r\n\n  \ntwo\nlast without an end");
        let wanted = [(1, "one\n"), (4, "two\n"), (5, "last without an end\n")];
        assert_eq!(read, wanted.map(|(number, text)| Ok((number, text.to_owned()))));
        assert!(lines(b"").is_empty());
    }

    #[test]
    fn a_line_beyond_the_limit_is_an_error() {
        let limit = usize::try_from(MAX_LINE_BYTES).unwrap();
        let mut source = vec![b'x'; limit - 1];
        source.push(b'\n');
        assert!(lines(&source)[0].is_ok());
        source.insert(0, b'x');
        assert_eq!(lines(&source), [Err(format!("line 1 is longer than {limit} bytes"))]);
    }
}
