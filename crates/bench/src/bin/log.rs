//! The measurement of the hub's log alone: the bytes that it writes, the times to open it, to find entries and to read,
//! and the memory and files that it takes.
//!
//! `cargo run --release -p fanfare-bench --bin log [-- --smoke]`. Prints a table of figures with their limits, and one
//! line of JSON. The written bytes are counted with `strace`; without `strace` these figures are left out. The commands
//! `fill`, `resume` and `locate` start a worker alone, for a profiler. This worker keeps its log open until its input
//! ends.
use clap::Parser;
use fanfare_bench::{
    log::{
        alone,
        figure::{self, Figure},
        million,
        scale::Scale,
        scratch::Scratch,
        segments,
        worker::Task,
        written,
    },
    report,
};
use serde_json::json;
use std::io;

/// Measures the costs of the log on disk, and compares them with their limits.
#[derive(Parser)]
struct Options {
    /// Run only for a short time with few entries, to see that everything works. The figures then mean nothing
    #[arg(long)]
    smoke: bool,
    #[command(subcommand)]
    task: Option<Task>,
}

fn main() -> io::Result<()> {
    let options = Options::parse();
    if let Some(task) = options.task {
        return task.run();
    }
    let scale = if options.smoke { Scale::SMOKE } else { Scale::FULL };
    let scratch = Scratch::new()?;
    println!(
        "{} entries of 100 bytes with {} topics, each entry with an ID of its own; times are medians of {} rounds",
        scale.entries, scale.topics, scale.rounds
    );
    println!("{}", figure::heading());
    let mut figures = Vec::new();
    let mut show = |more: Vec<Figure>| {
        more.iter().for_each(|figure| println!("{figure}"));
        figures.extend(more);
    };
    show(written::measure(&scratch, &scale)?);
    show(million::measure(&scratch, &scale)?);
    show(vec![segments::measure(&scratch, &scale)?]);
    show(alone::measure(&scratch, &scale)?);
    let missed = figures.iter().filter(|figure| figure.is_missed()).count();
    println!("{missed} limits were missed");
    println!("{}", json!({ "bench": "log", "run": report::circumstances(), "missed": missed, "figures": figures }));
    Ok(())
}
