//! `fanfare log backup`: makes a copy of a log, which a hub can open as its log.
use super::{
    arguments::{Directory, EXIT_CODES},
    error::LogCommandError,
    output,
    progress::Bar,
    quantity::{size, updates},
};
use fanfare_hub::log::LogView;
use std::path::PathBuf;

const ABOUT: &str = "\
The backup is a log: `fanfare serve --data TO` opens it. It contains everything that was acknowledged before the \
command began, except what was erased. It is made as TO.partial, and renamed to TO when all of it is on disk.

On the same file system, finished segments are not copied: the backup has the same files. This takes no space, and \
does not help if the disk fails. For this case, copy the backup to another disk, or give a TO on another disk.

After you restore a backup, the hub uses some offsets a second time, for other updates. Their IDs have another epoch, \
so subscribers that have received the earlier updates receive a gap event.";

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{ABOUT}\n\n{}", EXIT_CODES))]
pub(super) struct BackupArgs {
    #[command(flatten)]
    directory: Directory,

    /// Directory of the backup, which must be empty or not exist
    #[arg(value_name = "TO")]
    to: PathBuf,
}

/// Makes the backup.
///
/// # Errors
/// [`LogCommandError`] if the backup cannot be made.
pub(super) fn run(args: &BackupArgs) -> Result<(), LogCommandError> {
    let bar = Bar::new();
    let made = LogView::backup(&args.directory.dir, &args.to, &mut |progress| bar.bytes(progress.done, progress.total));
    drop(bar);
    let made = made.map_err(LogCommandError::Backup)?;
    let held = (made.head.0 + 1).saturating_sub(made.oldest.0);
    let held = if held == 0 { "no updates".to_owned() } else { format!("{}, up to {}", updates(held), made.head) };
    output::line(&format!(
        "the backup {} has {held}; {} were linked, and {} were copied",
        args.to.display(),
        size(made.linked_bytes),
        size(made.copied_bytes)
    ))
}
