//! `fanfare log ls`: lists the segments of a log.
use super::{
    arguments::{Directory, EXIT_CODES},
    error::LogCommandError,
    line::rfc_3339,
    output::Output,
    quantity::{age, size, updates},
};
use fanfare_hub::{
    entry::Timestamp,
    log::{LogView, SegmentInfo},
    position::Epoch,
};
use serde_json::{Value, json};
use std::ops::ControlFlow;

/// The greatest number of epochs of a segment that are shown.
const MAX_EPOCHS: usize = 3;
const HEAD: [&str; 7] = ["OFFSETS", "RECORDS", "SIZE", "OLDEST", "NEWEST", "EPOCHS", ""];

#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct LsArgs {
    #[command(flatten)]
    directory: Directory,

    /// Print one JSON object, for programs
    #[arg(long)]
    json: bool,
}

/// Lists the segments.
///
/// # Errors
/// [`LogCommandError`] if the segments cannot be read or printed.
pub(super) fn run(args: &LsArgs) -> Result<(), LogCommandError> {
    let mut view = LogView::open(&args.directory.dir)?;
    let segments = view.segments()?;
    let mut output = Output::new();
    let printed = match args.json {
        true => output.json(&as_json(&view, &segments))?,
        false => table(&mut output, &view, &segments)?,
    };
    if printed.is_continue() {
        _ = output.flush()?;
    }
    Ok(())
}

fn table(output: &mut Output, view: &LogView, segments: &[SegmentInfo]) -> Result<ControlFlow<()>, LogCommandError> {
    let now = Timestamp::now();
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(segments.iter().map(|segment| row(segment, now)));
    let widths: [usize; 7] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    for row in rows {
        let [offsets, records, size, oldest, newest, epochs, rest] = row;
        let line = format!(
            "{offsets:<w0$}  {records:>w1$}  {size:>w2$}  {oldest:>w3$}  {newest:>w4$}  {epochs:<w5$}  {rest}",
            w0 = widths[0],
            w1 = widths[1],
            w2 = widths[2],
            w3 = widths[3],
            w4 = widths[4],
            w5 = widths[5],
        );
        if output.text(line.trim_end())?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    output.text(&total(view, segments))
}

fn row(segment: &SegmentInfo, now: Timestamp) -> [String; 7] {
    let offsets = match segment.last {
        Some(last) => format!("{}-{last}", segment.first),
        None => format!("{}-", segment.first),
    };
    let ago = |time: Timestamp| age(now.0.saturating_sub(time.0));
    let (oldest, newest) = segment.times.map_or_else(Default::default, |(first, last)| (ago(first), ago(last)));
    [
        offsets,
        segment.records.to_string(),
        size(segment.file_bytes),
        oldest,
        newest,
        epochs(&segment.epochs),
        remarks(segment),
    ]
}

fn epochs(epochs: &[Epoch]) -> String {
    let mut shown: Vec<_> = epochs.iter().take(MAX_EPOCHS).map(ToString::to_string).collect();
    if epochs.len() > MAX_EPOCHS {
        shown.push(format!("and {} more", epochs.len() - MAX_EPOCHS));
    }
    shown.join(" ")
}

/// Returns remarks about a segment that was rewritten, has presence updates or erased updates, or is withheld from
/// readers; otherwise an empty text.
fn remarks(segment: &SegmentInfo) -> String {
    let mut remarks = Vec::new();
    match segment.rewrites {
        0 => {}
        1 => remarks.push("rewritten once".to_owned()),
        times => remarks.push(format!("rewritten {times} times")),
    }
    if segment.presence > 0 {
        remarks.push(format!("{} of presence", updates(segment.presence)));
    }
    if segment.erased > 0 {
        remarks.push(format!("{} erased", segment.erased));
    }
    if segment.is_withheld {
        remarks.push("withheld from readers: run fanfare log verify".to_owned());
    }
    remarks.join(", ")
}

fn total(view: &LogView, segments: &[SegmentInfo]) -> String {
    let bytes = segments.iter().map(|segment| segment.file_bytes).sum();
    let bounds = view.bounds();
    let presence = match bounds.presence {
        0 => String::new(),
        count => format!(" and {} of presence", updates(count)),
    };
    let held = match bounds.held {
        0 if bounds.presence == 0 => "no updates".to_owned(),
        count => format!("{}{presence}, {} to {}", updates(count), bounds.oldest, bounds.head),
    };
    let segments = match segments.len() {
        1 => "one segment".to_owned(),
        count => format!("{count} segments"),
    };
    let process = view.holder().map(|process| format!("; process {process} has the log open")).unwrap_or_default();
    format!("{segments}, {}, {held}{process}", size(bytes))
}

fn as_json(view: &LogView, segments: &[SegmentInfo]) -> Value {
    let bounds = view.bounds();
    let epochs = view.epochs().to_vec();
    let epochs: Vec<_> =
        epochs.iter().map(|(epoch, first)| json!({ "epoch": epoch.as_str(), "first": first.0 })).collect();
    json!({
        "oldest": bounds.oldest.0,
        "head": bounds.head.0,
        "bytes": segments.iter().map(|segment| segment.file_bytes).sum::<u64>(),
        "process": view.holder(),
        "epochs": epochs,
        "segments": segments.iter().map(segment_json).collect::<Vec<_>>(),
    })
}

fn segment_json(segment: &SegmentInfo) -> Value {
    let times = segment.times;
    json!({
        "first": segment.first.0,
        "last": segment.last.map(|last| last.0),
        "records": segment.records,
        "presence": segment.presence,
        "bytes": segment.file_bytes,
        "oldest": times.and_then(|(first, _)| rfc_3339(first)),
        "newest": times.and_then(|(_, last)| rfc_3339(last)),
        "epochs": segment.epochs.iter().map(Epoch::as_str).collect::<Vec<_>>(),
        "rewrites": segment.rewrites,
        "erased": segment.erased,
        "index": segment.has_index,
        "withheld": segment.is_withheld,
    })
}
