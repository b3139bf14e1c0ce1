//! `fanfare log import`: appends updates from JSON lines.
use super::{
    arguments::{Directory, EXIT_CODES},
    error::LogCommandError,
    given::{Given, InvalidLine, with_ttl},
    output,
    progress::Bar,
    quantity::updates,
};
use fanfare_hub::{
    entry::Timestamp,
    log::{
        Log as _, LogError, Retention, SegmentLog, ViewError,
        writer::{MAX_BATCH_BYTES, MAX_BATCH_ENTRIES},
    },
    position::Position,
    update::Update,
};
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _},
    path::{Path, PathBuf},
};

/// The length of the longest line that is imported, in bytes.
const MAX_LINE_BYTES: usize = 32 << 20;
const STDIN: &str = "-";
/// The way to add updates while a hub uses the log.
const INSTEAD: &str = "fanfare publish";

const ABOUT: &str = "\
The lines are those of `fanfare log export`; optional fields are id, type, private, time_ms, time, position, \
retry_ms and ttl_ms. The updates get new positions, after the updates that the log already has. An update keeps its \
time, unless the time is before that of the update before it, or in the future. Then it gets the time of the update \
before it, or the time now. An update that has expired is left out.

A line that is not an update ends the import. Lines are appended in batches of up to 4,096; the message says up to \
which line the import succeeded.";

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{ABOUT}\n\n{}", EXIT_CODES))]
pub(super) struct ImportArgs {
    /// Directory of the log, which is made if it does not exist
    #[command(flatten)]
    directory: Directory,

    /// File with the lines; `-`, or no file, is standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// An import that is running.
struct Import<'a> {
    log: &'a SegmentLog,
    now: Timestamp,
    /// The time of the newest update in the log or in the batch. No update after it may get an earlier time.
    newest: Timestamp,
    batch: Vec<(Timestamp, Update)>,
    batch_bytes: usize,
    /// The numbers of the first and the last line of the batch that is not yet appended.
    lines: (u64, u64),
    /// The number of the last line that was appended to the log.
    imported: Option<u64>,
    positions: Option<(Position, Position)>,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    updates: u64,
    expired: u64,
    lost: u64,
}

/// Appends the updates to the log.
///
/// # Errors
/// [`LogCommandError`] says which lines were not imported.
pub(super) fn run(args: &ImportArgs) -> Result<(), LogCommandError> {
    let dir = &args.directory.dir;
    let from = args.file.as_deref().filter(|file| *file != Path::new(STDIN));
    let name = from.map_or_else(|| "standard input".to_owned(), |file| file.display().to_string());
    let failed = |error| LogCommandError::Read { from: name.clone(), error };
    let (input, total): (Box<dyn BufRead>, u64) = match from {
        Some(file) => {
            let file = File::open(file).map_err(failed)?;
            let bytes = file.metadata().map_err(failed)?.len();
            (Box::new(BufReader::new(file)), bytes)
        }
        None => (Box::new(io::stdin().lock()), 0),
    };
    if dir.exists() && !dir.is_dir() {
        return Err(ViewError::NotADirectory(dir.clone()).into());
    }
    let log = SegmentLog::open(dir, Retention::default()).map_err(|error| match error {
        LogError::InUse => LogCommandError::InUse { dir: dir.clone(), instead: INSTEAD },
        error => LogCommandError::Log { dir: dir.clone(), error },
    })?;
    let mut import = Import::new(&log);
    import.take_all(input, total, failed)?;
    output::line(&import.summary())
}

impl<'a> Import<'a> {
    fn new(log: &'a SegmentLog) -> Self {
        Self {
            log,
            now: Timestamp::now(),
            newest: log.newest(),
            batch: Vec::new(),
            batch_bytes: 0,
            lines: (1, 0),
            imported: None,
            positions: None,
            counts: Counts::default(),
        }
    }

    fn take_all(
        &mut self,
        mut input: Box<dyn BufRead>,
        total: u64,
        failed: impl Fn(io::Error) -> LogCommandError,
    ) -> Result<(), LogCommandError> {
        let (bar, mut done, mut line) = (Bar::new(), 0, Vec::new());
        for number in 1.. {
            line.clear();
            let read = input.by_ref().take(MAX_LINE_BYTES as u64 + 1).read_until(b'\n', &mut line);
            let read = read.map_err(&failed)?;
            if read == 0 {
                break;
            }
            done += read as u64;
            let given = parse(&line);
            let given = given.map_err(|error| LogCommandError::Line { number, error, imported: self.imported })?;
            match given {
                Some(Given::Update { update, time }) => self.update(number, update, time)?,
                Some(Given::Lost(updates)) => self.counts.lost = self.counts.lost.saturating_add(updates),
                None => {}
            }
            if total > 0 {
                bar.bytes(done, total);
            }
        }
        self.append()
    }

    /// Adds an update to the batch. An update that has already expired is only counted.
    fn update(&mut self, number: u64, update: Update, given: Option<Timestamp>) -> Result<(), LogCommandError> {
        let given = given.unwrap_or(self.now);
        let time = given.min(self.now).max(self.newest);
        let update = match update.ttl_ms().map(|ttl| given.0.saturating_add(ttl)) {
            Some(expires) if expires <= self.now.0 => {
                self.counts.expired += 1;
                return Ok(());
            }
            // If the update gets another time than the line says, its time to live is changed too, so that it still
            // expires at the same moment.
            Some(expires) if time != given => with_ttl(&update, expires.saturating_sub(time.0)),
            _ => update,
        };
        let bytes = update.stored_bytes();
        if self.batch.len() == MAX_BATCH_ENTRIES || self.batch_bytes + bytes > MAX_BATCH_BYTES {
            self.append()?;
        }
        if self.batch.is_empty() {
            self.lines.0 = number;
        }
        (self.lines.1, self.newest) = (number, time);
        self.batch_bytes += bytes;
        self.batch.push((time, update));
        Ok(())
    }

    fn append(&mut self) -> Result<(), LogCommandError> {
        let batch = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        let (lines, imported) = (self.lines, self.imported);
        let appended = self.log.append_with_times(batch);
        let appended = appended.map_err(|error| LogCommandError::Append { lines, error, imported })?;
        if let (Some(first), Some(last)) = (appended.first(), appended.last()) {
            let first = self.positions.map_or(first.position, |(first, _)| first);
            self.positions = Some((first, last.position));
            self.imported = Some(lines.1);
        }
        self.counts.updates += appended.len() as u64;
        Ok(())
    }

    fn summary(&self) -> String {
        let Counts { updates: imported, expired, lost } = self.counts;
        let mut text = format!("imported {}", updates(imported));
        if let Some((first, last)) = self.positions {
            text += &if first == last { format!(", {first}") } else { format!(", {first} to {last}") };
        }
        if expired > 0 {
            text += &format!("; {} had already expired", updates(expired));
        }
        if lost > 0 {
            text += &format!("; {} had been lost before", updates(lost));
        }
        text
    }
}

/// Parses a line; `None` if it is blank.
fn parse(line: &[u8]) -> Result<Option<Given>, InvalidLine> {
    if line.len() > MAX_LINE_BYTES && !line.ends_with(b"\n") {
        return Err(InvalidLine::TooLong { limit: MAX_LINE_BYTES });
    }
    let line = str::from_utf8(line).map_err(|_| InvalidLine::NotText)?.trim_ascii();
    if line.is_empty() { Ok(None) } else { Given::parse(line).map(Some) }
}
