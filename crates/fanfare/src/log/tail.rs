//! `fanfare log tail`: prints the newest updates, and follows new ones.
use super::{
    arguments::{Directory, EXIT_CODES},
    error::LogCommandError,
    printing::Printing,
};
use fanfare_hub::{
    entry::Timestamp,
    log::{LogView, Query, ReadLimit, ViewError},
    position::Offset,
};
use std::{collections::VecDeque, thread, time::Duration};

/// The time between two checks for new updates.
const INTERVAL: Duration = Duration::from_millis(200);
/// The number of offsets that are read at a time to find the newest updates. The first of these reads is at the end of
/// the log, and each further one is directly before the previous one, until enough updates are found.
const STEP: u64 = 1_024;

#[derive(Debug, clap::Args)]
#[command(after_help = format!("The lines have the same form as those of `fanfare log export`.\n\n{}", EXIT_CODES))]
pub(super) struct TailArgs {
    #[command(flatten)]
    directory: Directory,

    /// Print this many updates
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 10)]
    count: usize,

    /// Also print updates that are appended later, until the command is stopped
    #[arg(short, long)]
    follow: bool,
}

/// Prints the updates.
///
/// # Errors
/// [`LogCommandError`] if the updates cannot be read or printed, or if some are lost.
pub(super) fn run(args: &TailArgs) -> Result<(), LogCommandError> {
    let mut view = LogView::open(&args.directory.dir)?;
    let mut printing = Printing::new(Vec::new());
    let mut after = before_last(&mut view, args.count)?;
    loop {
        let head = view.bounds().head;
        if printing.print(&mut view, (after, head), |_| {})?.is_break() {
            return Ok(());
        }
        after = after.max(head);
        if !args.follow {
            return printing.end();
        }
        while !view.refresh()? {
            thread::sleep(INTERVAL);
        }
        if view.bounds().head <= after {
            thread::sleep(INTERVAL);
        }
    }
}

/// Returns the offset directly before the first of the newest `count` updates.
fn before_last(view: &mut LogView, count: usize) -> Result<Offset, ViewError> {
    let (floor, mut until) = (view.bounds().floor(), view.bounds().head);
    let mut newest: VecDeque<Offset> = VecDeque::new();
    while newest.len() < count && until > floor {
        let from = Offset(until.0.saturating_sub(STEP).max(floor.0));
        let mut found = offsets(view, from, until)?;
        found.append(&mut newest);
        (newest, until) = (found, from);
    }
    let surplus = newest.len().saturating_sub(count);
    Ok(match newest.get(surplus) {
        Some(first) => Offset(first.0 - 1),
        // The log has no updates that can be read. Printing starts at the beginning of the log, so that lost updates
        // are reported.
        None if count > 0 => floor,
        None => view.bounds().head,
    })
}

/// Returns the offsets of the updates after the offset `after`, up to and including the offset `until`.
fn offsets(view: &mut LogView, mut after: Offset, until: Offset) -> Result<VecDeque<Offset>, ViewError> {
    let (mut offsets, limit) = (VecDeque::new(), ReadLimit { entries: usize::MAX, bytes: 4 << 20 });
    while after < until {
        let read = view.read(&Query { after, until, topics: None, now: Timestamp::now(), limit })?;
        if read.up_to <= after {
            break;
        }
        offsets.extend(read.entries().map(|entry| entry.position.offset));
        after = read.up_to;
    }
    Ok(offsets)
}
