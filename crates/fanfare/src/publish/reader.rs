//! The lines of standard input, read by a thread of its own: a read cannot be cancelled.
use std::{
    io::{self, BufRead, BufReader, Read},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};
use tokio::sync::mpsc;

/// How many lines wait while a batch is under way.
const MAX_WAITING: usize = 1_000;
/// The longest line, in bytes: the largest body that a hub may be told to accept.
pub(super) const MAX_LINE_BYTES: usize = 16 << 20;
/// How much is read at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// A line that is not blank, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its number, from 1.
    pub number: u64,
    pub text: String,
    /// Whether bytes were replaced that are not UTF-8.
    pub is_replaced: bool,
}

/// What comes from standard input.
#[derive(Debug)]
pub(super) enum Input {
    Line(Line),
    /// This line is longer than [`MAX_LINE_BYTES`]. It is passed over.
    TooLong {
        number: u64,
    },
    /// Nothing more can be read.
    Failed(io::Error),
}

/// Lines as they come.
pub(super) struct Lines {
    pub(super) inputs: mpsc::Receiver<Input>,
    stop: Arc<AtomicBool>,
}

impl Lines {
    /// Begins to read standard input. The thread ends with the process.
    pub(super) fn of_stdin() -> Self {
        let (sender, inputs) = mpsc::channel(MAX_WAITING);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        thread::spawn(move || read(BufReader::with_capacity(CHUNK_BYTES, io::stdin().lock()), &sender, &stopped));
        Self { inputs, stop }
    }

    /// Ends with the last whole line that was taken from standard input already.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Hands over the lines until the source ends, fails, or nobody wants more.
fn read(mut source: BufReader<impl Read>, sender: &mpsc::Sender<Input>, stopped: &AtomicBool) {
    for number in 1.. {
        if stopped.load(Ordering::Relaxed) && !source.buffer().contains(&b'\n') {
            return;
        }
        let input = match read_line(&mut source, number) {
            Ok(Some(Input::Line(line))) if line.text.trim_ascii().is_empty() => continue,
            Ok(Some(input)) => input,
            Ok(None) => return,
            Err(error) => Input::Failed(error),
        };
        let is_last = matches!(input, Input::Failed(_));
        if sender.blocking_send(input).is_err() || is_last {
            return;
        }
    }
}

fn read_line(source: &mut impl BufRead, number: u64) -> io::Result<Option<Input>> {
    let mut text = Vec::new();
    // With room for the end of the longest line.
    let most = MAX_LINE_BYTES as u64 + 2;
    if source.by_ref().take(most).read_until(b'\n', &mut text)? == 0 {
        return Ok(None);
    }
    let is_whole = text.last() == Some(&b'\n');
    let end = text.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
    text.truncate(end);
    if text.len() > MAX_LINE_BYTES {
        if !is_whole {
            pass_over(source)?;
        }
        return Ok(Some(Input::TooLong { number }));
    }
    let (text, is_replaced) = match String::from_utf8(text) {
        Ok(text) => (text, false),
        Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), true),
    };
    Ok(Some(Input::Line(Line { number, text, is_replaced })))
}

/// Reads the rest of a line, and keeps nothing of it.
fn pass_over(source: &mut impl BufRead) -> io::Result<()> {
    loop {
        let bytes = match source.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            filled => filled?,
        };
        let (length, is_end) = match bytes.iter().position(|&byte| byte == b'\n') {
            Some(newline) => (newline + 1, true),
            None => (bytes.len(), bytes.is_empty()),
        };
        source.consume(length);
        if is_end {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(source: &[u8]) -> Vec<(u64, Option<(String, bool)>)> {
        let (sender, mut receiver) = mpsc::channel(MAX_WAITING);
        read(BufReader::new(source), &sender, &AtomicBool::new(false));
        drop(sender);
        std::iter::from_fn(|| receiver.blocking_recv())
            .map(|input| match input {
                Input::Line(line) => (line.number, Some((line.text, line.is_replaced))),
                Input::TooLong { number } => (number, None),
                Input::Failed(error) => panic!("{error}"),
            })
            .collect()
    }

    #[test]
    fn lines_keep_their_numbers_and_blank_ones_are_left_out() {
        let wanted = [(1, "one"), (4, "two"), (5, "nul \0"), (6, "last without an end")];
        let wanted = wanted.map(|(number, text)| (number, Some((text.to_owned(), false))));
        assert_eq!(lines(b"one\r\n\n  \ntwo\nnul \0\nlast without an end"), wanted);
        assert!(lines(b"").is_empty());
        assert!(lines(b"\n\r\n").is_empty());
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        let read = lines(b"a\xffb\n\xe2\x82\nc\n");
        let wanted = [(1, "a\u{fffd}b", true), (2, "\u{fffd}", true), (3, "c", false)];
        assert_eq!(read, wanted.map(|(number, text, replaced)| (number, Some((text.to_owned(), replaced)))));
    }

    #[test]
    fn a_line_beyond_the_limit_is_passed_over() {
        let longest = "x".repeat(MAX_LINE_BYTES);
        for (source, wanted) in [
            (format!("{longest}\r\nb\n"), [1, 2]),
            (format!("{longest}\nb"), [1, 2]),
            (longest.clone() + "\n\nb", [1, 3]),
        ] {
            let read = lines(source.as_bytes());
            assert!(read.iter().all(|(_, line)| line.is_some()), "it is not beyond");
            assert_eq!(read.iter().map(|(number, _)| *number).collect::<Vec<_>>(), wanted);
        }
        for beyond in ["x\n", "x\r\n", "xx\n", "xxx\n", &format!("{longest}\n")] {
            let read = lines(format!("a\n{longest}{beyond}b\n").as_bytes());
            let is_line = read.iter().map(|(number, line)| (*number, line.is_some()));
            assert_eq!(is_line.collect::<Vec<_>>(), [(1, true), (2, false), (3, true)]);
        }
        assert_eq!(lines(format!("{longest}xxx").as_bytes()), [(1, None)], "also without an end");
    }

    #[test]
    fn what_was_read_is_handed_over_after_the_stop() {
        let (sender, mut receiver) = mpsc::channel(MAX_WAITING);
        let mut source = BufReader::new(io::Cursor::new(b"one\ntwo\npart".to_vec()));
        source.fill_buf().unwrap();
        read(source, &sender, &AtomicBool::new(true));
        drop(sender);
        let numbers = std::iter::from_fn(|| receiver.blocking_recv()).count();
        assert_eq!(numbers, 2, "whole lines alone");
    }
}
