//! `fanfare log export`: prints updates as JSON lines.
use super::{
    arguments::{Directory, EXIT_CODES},
    error::LogCommandError,
    place::{End, Place},
    printing::Printing,
    progress::Bar,
};
use crate::topic::selector;
use fanfare_hub::{entry::Timestamp, log::LogView, position::Offset, topic::matcher::Matcher};
use std::io::{self, IsTerminal as _};

const ABOUT: &str = "\
Each line is an update: id, topics, type, data, private, time_ms (milliseconds since 1970), time, position, and, if it \
has them, retry_ms and ttl_ms. Instead of updates that are lost there is a line {\"lost\":{\"first\":7,\"last\":9}}, a \
warning, and exit code 1. Updates that were erased or have expired are left out.

Examples:
  fanfare log export /var/lib/fanfare > updates.jsonl
  fanfare log export /var/lib/fanfare --topic 'orders/{id}' --from 24h
  fanfare log export OLD | fanfare log import NEW";

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{ABOUT}\n\n{}", EXIT_CODES))]
pub(super) struct ExportArgs {
    #[command(flatten)]
    directory: Directory,

    /// Print only updates with this topic, or with a topic that this URI Template matches; repeatable
    #[arg(long = "topic", value_name = "TOPIC", value_parser = selector)]
    topics: Vec<Matcher>,

    /// Begin with the update that has this ID, or with the first update at this time or later. A time is
    /// 2026-01-31T12:00:00Z, or how long ago, such as 90m
    #[arg(long, value_name = "ID|TIME")]
    from: Option<Place>,

    /// End with the update that has this ID, or before this time [default: the newest update in the log now]
    #[arg(long, value_name = "ID|TIME")]
    until: Option<Place>,
}

/// Prints the updates.
///
/// # Errors
/// [`LogCommandError`] if the updates cannot be read or printed, or if some are lost.
pub(super) fn run(args: &ExportArgs) -> Result<(), LogCommandError> {
    let mut view = LogView::open(&args.directory.dir)?;
    let (now, bounds) = (Timestamp::now(), view.bounds());
    let mut find = |place: &Place, end: End| place.find(&mut view, end, now)?.map_err(LogCommandError::Place);
    let first = args.from.as_ref().map_or(Ok(bounds.oldest), |place| find(place, End::First))?;
    let until = args.until.as_ref().map_or(Ok(bounds.head), |place| find(place, End::Last))?;
    let after = Offset(first.0.saturating_sub(1));
    let bar = (!io::stdout().is_terminal()).then(Bar::new);
    let mut printing = Printing::new(args.topics.clone());
    let printed = printing.print(&mut view, (after, until), |at| {
        if let Some(bar) = &bar {
            bar.updates(at.0 - after.0, until.0 - after.0);
        }
    });
    drop(bar);
    if printed?.is_break() {
        return Ok(());
    }
    printing.end()
}
