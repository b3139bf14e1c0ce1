//! `fanfare log verify`: checks every byte of a log.
use super::{
    arguments::{Directory, EXIT_CODES},
    error::LogCommandError,
    output::Output,
    progress::Bar,
    quantity::size,
};
use fanfare_hub::log::{Finding, Flaw, LogView, Verified};
use serde_json::{Value, json};
use std::ops::ControlFlow;

const ABOUT: &str = "\
Reads all files and compares them with their checksums, and compares the indexes with the updates. It may run while a \
hub uses the log: data that the hub is just writing is not reported as damage. It repairs nothing. A hub can also open \
a damaged log, and reports lost updates to subscribers as a gap.";

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{ABOUT}\n\n{}", EXIT_CODES))]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    directory: Directory,

    /// Print one JSON object, for programs
    #[arg(long)]
    json: bool,
}

/// Prints what is wrong with the log, and how much was checked.
///
/// # Errors
/// [`LogCommandError`] if something is wrong with the log, or if it cannot be read.
pub(super) fn run(args: &VerifyArgs) -> Result<(), LogCommandError> {
    let bar = Bar::new();
    let verified = LogView::verify(&args.directory.dir, &mut |progress| bar.bytes(progress.done, progress.total));
    drop(bar);
    let verified = verified?;
    let mut output = Output::new();
    let printed = if args.json { output.json(&as_json(&verified))? } else { text(&mut output, &verified)? };
    if printed.is_continue() {
        _ = output.flush()?;
    }
    match verified.findings.len() as u64 + verified.more {
        0 => Ok(()),
        findings => Err(LogCommandError::Unsound { findings }),
    }
}

fn text(output: &mut Output, verified: &Verified) -> Result<ControlFlow<()>, LogCommandError> {
    for finding in &verified.findings {
        if output.text(&finding.to_string())?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    if verified.more > 0 && output.text(&format!("and {} more", verified.more))?.is_break() {
        return Ok(ControlFlow::Break(()));
    }
    let counts = &verified.counts;
    let all = if verified.is_sound() { ": no damage" } else { "" };
    output.text(&format!(
        "checked {} files with {}, {} segments, {} frames and {} records{all}",
        counts.files,
        size(counts.bytes),
        counts.segments,
        counts.frames,
        counts.records,
    ))
}

fn as_json(verified: &Verified) -> Value {
    let counts = &verified.counts;
    json!({
        "sound": verified.is_sound(),
        "findings": verified.findings.iter().map(finding_json).collect::<Vec<_>>(),
        "more_findings": verified.more,
        "files": counts.files,
        "bytes": counts.bytes,
        "segments": counts.segments,
        "frames": counts.frames,
        "records": counts.records,
    })
}

fn finding_json(finding: &Finding) -> Value {
    let lost = match finding.flaw {
        Flaw::Missing { first, last } => Some(json!({ "first": first.0, "last": last.0 })),
        _ => None,
    };
    json!({ "file": finding.file, "byte": finding.at, "what": finding.flaw.to_string(), "lost": lost })
}
