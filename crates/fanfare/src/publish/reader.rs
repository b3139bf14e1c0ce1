//! The lines of standard input, read by a separate thread, because a read cannot be cancelled.
use std::{
    io::{self, BufRead, BufReader, Read},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// The greatest number of lines that are read in advance while a batch is being sent.
const MAX_WAITING: usize = 1_000;
/// The greatest number of bytes of the lines that are read in advance. A single line may have more.
const MAX_WAITING_BYTES: usize = 32 << 20;
/// The longest line, in bytes: as long as the largest body that a hub can be configured to accept.
pub(super) const MAX_LINE_BYTES: usize = 16 << 20;
/// The number of bytes that are read at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// A line that is not blank, without its line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The number of the line, from 1.
    pub number: u64,
    pub text: String,
    /// True if the line contained bytes that are not UTF-8, which were replaced.
    pub is_replaced: bool,
}

/// An input from the thread that reads standard input: a line, a line that is too long, or an error.
#[derive(Debug)]
pub(super) enum Input {
    Line(Line),
    /// A line that is longer than [`MAX_LINE_BYTES`], and was skipped.
    TooLong {
        number: u64,
    },
    /// Reading has failed, so there are no more lines.
    Failed(io::Error),
}

/// The lines of standard input, as they arrive.
pub(super) struct Lines {
    inputs: UnboundedReceiver<Input>,
    room: Arc<Room>,
    stop: Arc<AtomicBool>,
}

impl Lines {
    /// Starts a thread that reads standard input. The thread ends with the process.
    pub(super) fn of_stdin() -> Self {
        let (lines, sender) = Self::new();
        let stopped = lines.stop.clone();
        thread::spawn(move || read(BufReader::with_capacity(CHUNK_BYTES, io::stdin().lock()), &sender, &stopped));
        lines
    }

    fn new() -> (Self, Sender) {
        let (inputs, receiver) = mpsc::unbounded_channel();
        let room = Arc::new(Room::default());
        (Self { inputs: receiver, room: room.clone(), stop: Arc::default() }, Sender { inputs, room })
    }

    /// Waits for the next input; `None` at the end.
    ///
    /// # Cancel safety
    /// Dropping the future loses no input.
    pub(super) async fn next(&mut self) -> Option<Input> {
        let input = self.inputs.recv().await?;
        self.room.leave(size(&input));
        Some(input)
    }

    /// Returns the next input if it has already been read, and `None` otherwise. Does not wait.
    pub(super) fn try_next(&mut self) -> Option<Input> {
        let input = self.inputs.try_recv().ok()?;
        self.room.leave(size(&input));
        Some(input)
    }

    /// Makes the reading thread stop after it has sent all complete lines that its buffer already contains.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.room.close();
    }
}

/// The sender of the lines that [`Lines`] receives. `room` limits the number of waiting lines and their bytes.
struct Sender {
    inputs: UnboundedSender<Input>,
    room: Arc<Room>,
}

impl Sender {
    /// Sends an input as soon as there is room for it. Fails if [`Lines`] was dropped.
    fn send(&self, input: Input) -> Result<(), Closed> {
        self.room.enter(size(&input))?;
        self.inputs.send(input).map_err(|_| Closed)
    }
}

/// The error that [`Lines`] was dropped, so that nobody receives input any more.
struct Closed;

/// Counts the lines that the reading thread has sent and that the publishing thread has not yet received, and their
/// bytes.
#[derive(Default)]
struct Room {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: usize,
    bytes: usize,
    is_closed: bool,
}

impl Room {
    /// Waits until there is room for a line of `bytes` bytes. If no line waits, there is room for any line.
    fn enter(&self, bytes: usize) -> Result<(), Closed> {
        let is_full = |waiting: &mut Waiting| !waiting.is_closed && !waiting.has_room_for(bytes);
        let mut waiting = self.changed.wait_while(self.waiting(), is_full).unwrap_or_else(PoisonError::into_inner);
        waiting.lines += 1;
        waiting.bytes += bytes;
        if waiting.is_closed { Err(Closed) } else { Ok(()) }
    }

    fn leave(&self, bytes: usize) {
        let mut waiting = self.waiting();
        waiting.lines -= 1;
        waiting.bytes -= bytes;
        self.changed.notify_one();
    }

    fn close(&self) {
        self.waiting().is_closed = true;
        self.changed.notify_one();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn has_room_for(&self, bytes: usize) -> bool {
        self.lines == 0 || (self.lines < MAX_WAITING && self.bytes + bytes <= MAX_WAITING_BYTES)
    }
}

fn size(input: &Input) -> usize {
    match input {
        Input::Line(line) => line.text.len(),
        Input::TooLong { .. } | Input::Failed(_) => 0,
    }
}

/// Reads the lines of `source` and sends them, until the source ends or fails, `stopped` is true, or nobody receives
/// the lines any more.
fn read(mut source: BufReader<impl Read>, sender: &Sender, stopped: &AtomicBool) {
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
        if sender.send(input).is_err() || is_last {
            return;
        }
    }
}

fn read_line(source: &mut impl BufRead, number: u64) -> io::Result<Option<Input>> {
    let mut text = Vec::new();
    // The length of the longest line with its line end (CR LF).
    let most = MAX_LINE_BYTES as u64 + 2;
    if source.by_ref().take(most).read_until(b'\n', &mut text)? == 0 {
        return Ok(None);
    }
    let is_whole = text.last() == Some(&b'\n');
    let end = text.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
    text.truncate(end);
    if end > CHUNK_BYTES {
        // The buffer has grown by doubling, so it may be larger than the line. Only the length of the line counts
        // towards the limit of waiting bytes, so the unused part of the buffer is freed.
        text.shrink_to_fit();
    }
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

/// Reads the rest of a line and discards it.
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
    use std::time::{Duration, Instant};

    fn lines(source: &[u8]) -> Vec<(u64, Option<(String, bool)>)> {
        let (mut lines, sender) = Lines::new();
        read(BufReader::new(source), &sender, &AtomicBool::new(false));
        drop(sender);
        std::iter::from_fn(|| lines.try_next())
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
            assert!(read.iter().all(|(_, line)| line.is_some()), "no line is longer than the limit");
            assert_eq!(read.iter().map(|(number, _)| *number).collect::<Vec<_>>(), wanted);
        }
        for beyond in ["x\n", "x\r\n", "xx\n", "xxx\n", &format!("{longest}\n")] {
            let read = lines(format!("a\n{longest}{beyond}b\n").as_bytes());
            let is_line = read.iter().map(|(number, line)| (*number, line.is_some()));
            assert_eq!(is_line.collect::<Vec<_>>(), [(1, true), (2, false), (3, true)]);
        }
        assert_eq!(lines(format!("{longest}xxx").as_bytes()), [(1, None)], "the same for a line without an end");
    }

    #[test]
    fn what_waits_has_so_many_lines_and_bytes_and_one_line_always_may() {
        let waiting = |lines, bytes| Waiting { lines, bytes, is_closed: false };
        assert!(waiting(0, 0).has_room_for(MAX_WAITING_BYTES + 1), "one line alone may have more bytes");
        assert!(waiting(1, 1).has_room_for(MAX_WAITING_BYTES - 1));
        assert!(!waiting(1, 1).has_room_for(MAX_WAITING_BYTES));
        assert!(!waiting(1, MAX_WAITING_BYTES + 1).has_room_for(0));
        assert!(waiting(MAX_WAITING - 1, 0).has_room_for(1));
        assert!(!waiting(MAX_WAITING, 0).has_room_for(1));
    }

    /// A source that is faster than the hub waits, and nothing is lost.
    #[test]
    fn a_source_waits_while_there_is_no_room() {
        const LINE_BYTES: usize = 2 << 20;
        const FITTING: usize = MAX_WAITING_BYTES / LINE_BYTES;
        let (mut lines, sender) = Lines::new();
        let source = ("x".repeat(LINE_BYTES) + "\n").repeat(40);
        let reader = thread::spawn(move || read(BufReader::new(source.as_bytes()), &sender, &AtomicBool::new(false)));
        let waiting = || lines.room.waiting().lines;
        let deadline = Instant::now() + Duration::from_secs(60);
        while waiting() < FITTING && Instant::now() < deadline {
            thread::yield_now();
        }
        // The reader has enough time to continue, but must not.
        thread::sleep(Duration::from_millis(50));
        assert_eq!(waiting(), FITTING);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for taken in 0..40 {
            let (waiting, bytes) = {
                let waiting = lines.room.waiting();
                (waiting.lines, waiting.bytes)
            };
            assert!(waiting <= FITTING && bytes <= MAX_WAITING_BYTES, "{waiting} lines of {bytes} bytes after {taken}");
            assert!(runtime.block_on(lines.next()).is_some());
        }
        assert!(runtime.block_on(lines.next()).is_none());
        reader.join().unwrap();
        // A reader that waits for room ends when nobody takes lines any more.
        let (lines, sender) = Lines::new();
        let source = ("x".repeat(LINE_BYTES) + "\n").repeat(20);
        let reader = thread::spawn(move || read(BufReader::new(source.as_bytes()), &sender, &AtomicBool::new(false)));
        drop(lines);
        reader.join().unwrap();
    }

    #[test]
    fn what_was_read_is_handed_over_after_the_stop() {
        let (mut lines, sender) = Lines::new();
        let mut source = BufReader::new(io::Cursor::new(b"one\ntwo\npart".to_vec()));
        source.fill_buf().unwrap();
        read(source, &sender, &AtomicBool::new(true));
        drop(sender);
        let numbers = std::iter::from_fn(|| lines.try_next()).count();
        assert_eq!(numbers, 2, "only whole lines are read");
    }
}
