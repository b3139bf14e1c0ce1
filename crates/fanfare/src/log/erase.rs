//! `fanfare log erase`: erases updates that nobody may see any more, also from the files.
use super::{
    arguments::{Directory, EXIT_CODES},
    error::LogCommandError,
    output,
    quantity::updates,
};
use crate::{moment::Moment, stderr, topic::selector};
use fanfare_event_stream::EventId;
use fanfare_hub::{
    entry::Timestamp,
    log::{
        Log as _, LogError, LogView, Retention, SegmentLog,
        erase::{Erase, Erased},
    },
    topic::{Topic, matcher::Matcher},
};
use std::io::{self, BufRead as _, IsTerminal as _};

/// The way to erase updates while a hub uses the log.
const INSTEAD: &str = "its own API: DELETE /topics/TOPIC";

const ABOUT: &str = "\
Erases the updates that match all of the options. This cannot be undone. Backups still have the updates. Without \
--yes, the command prints how many updates match; on a terminal it asks, and otherwise it ends with exit code 2.";

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{ABOUT}\n\n{}", EXIT_CODES))]
#[command(group = clap::ArgGroup::new("what").multiple(true).required(true).args(["topic", "id", "before"]))]
pub(super) struct EraseArgs {
    #[command(flatten)]
    directory: Directory,

    /// Updates with this topic, or with a topic that this URI Template matches; `*` is every topic
    #[arg(long, value_name = "TOPIC", value_parser = selector)]
    topic: Option<Matcher>,

    /// Updates with this ID
    #[arg(long, value_name = "ID", value_parser = id)]
    id: Option<EventId>,

    /// Updates from before this time: 2026-01-31T12:00:00Z, or how long ago, such as 90m
    #[arg(long, value_name = "TIME")]
    before: Option<Moment>,

    /// Erase without asking
    #[arg(long)]
    yes: bool,
}

fn id(text: &str) -> Result<EventId, String> {
    EventId::new(text).map_err(|_| "an ID cannot contain a line end or NUL".to_owned())
}

/// Erases the updates, after the user has confirmed it.
///
/// # Errors
/// [`LogCommandError`] if the updates cannot be erased, or if the user has not confirmed it.
pub(super) fn run(args: &EraseArgs) -> Result<(), LogCommandError> {
    let dir = &args.directory.dir;
    // Fails if there is no log, because [`SegmentLog::open`] would make one.
    drop(LogView::open(dir)?);
    let failed = |error| match error {
        LogError::InUse => LogCommandError::InUse { dir: dir.clone(), instead: INSTEAD },
        error => LogCommandError::Log { dir: dir.clone(), error },
    };
    let log = SegmentLog::open(dir, Retention::default()).map_err(failed)?;
    if !args.yes {
        let fitting = erase(args, &log, false).map_err(failed)?.kept;
        if fitting > 0 && !confirm(fitting)? {
            return Err(LogCommandError::Unconfirmed { updates: fitting });
        }
    }
    let erased = erase(args, &log, true).map_err(failed)?.erased;
    log.remove_dead().map_err(failed)?;
    output::line(&format!("erased {}", updates(erased)))
}

/// Erases the updates that fit the options, or only counts them if `really` is false.
fn erase(args: &EraseArgs, log: &SegmentLog, really: bool) -> Result<Erased, LogError> {
    let now = Timestamp::now();
    let (exact, pattern) = match &args.topic {
        Some(Matcher::Exact(topic)) => (Some(topic), None),
        pattern => (None, pattern.as_ref()),
    };
    let fits = |topics: &[Topic]| pattern.is_none_or(|pattern| topics.iter().any(|topic| pattern.matches(topic)));
    let before = args.before.map(|time| time.at(now));
    let counted = std::cell::Cell::new(0);
    let may = |topics: &[Topic]| {
        let fits = fits(topics);
        counted.set(counted.get() + u64::from(fits));
        fits && really
    };
    let erased = log.erase(&Erase { topic: exact, id: args.id.as_ref(), before, may: &may }, now)?;
    Ok(Erased { erased: erased.erased, kept: counted.get() - erased.erased })
}

/// Asks the user on a terminal. Without a terminal, nobody can be asked, and the answer is no.
fn confirm(fitting: u64) -> Result<bool, LogCommandError> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    let mut answer = String::new();
    stderr::print(format_args!("Erase {}? This cannot be undone. [y/N] ", updates(fitting)));
    let read = io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| LogCommandError::Read { from: "the answer".to_owned(), error })?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
