//! The arguments of `fanfare lint`.
use crate::{exit, http, quantity::HumanDuration, request::RequestArgs, topic};
use clap::ValueEnum;

const EXAMPLES: &str = "\
Examples:
  fanfare lint https://example.com/events               check the stream for 30 seconds
  fanfare lint URL -n 10 --format json                  until 10 events arrived, as JSON
  fanfare lint news --hub URL --last-event-id earliest  a topic of a hub, from its first update on";

#[derive(Debug, clap::Args)]
#[command(
    after_help = format!("{EXAMPLES}\n\n{}\n\n{}\n\n{}", http::HABITS, http::HELP, exit::HELP),
    // `lint` has no option `--state` and never reconnects, so `--last` and `--since` need other help texts than in
    // other commands.
    mut_arg("last", |arg| arg.help(
        "Begin with the newest COUNT updates of each topic; with `*`, the newest COUNT updates of all topics. If a URL \
         is given, this option becomes its parameter `last`, and --since becomes `since`; other servers may not know \
         these parameters"
    )),
    mut_arg("since", |arg| arg.help(
        "Begin with the updates that were published at this time or later: 2026-01-31T12:00:00Z, or how long ago, such \
         as 90m"
    )),
)]
pub(crate) struct LintArgs {
    /// URL (http or https) of an event stream, of any server; or topics of the hub, `*` for all
    #[arg(required_unless_present = "topics", value_name = "URL|TOPIC", value_parser = topic::matcher)]
    pub from: Vec<String>,

    /// A topic, also one that looks like a URL; repeatable
    #[arg(long = "topic", value_name = "TOPIC", value_parser = topic::matcher)]
    pub topics: Vec<String>,

    /// Check the stream for this long, or until -n events have arrived, or until it ends
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub time: HumanDuration,

    /// Stop after this many events
    #[arg(short = 'n', long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,

    /// Print the report in this form
    #[arg(long, default_value = "pretty")]
    pub format: Format,

    /// Print nothing except errors on standard error
    #[arg(short, long)]
    pub quiet: bool,

    #[command(flatten)]
    pub request: RequestArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for people: each finding with what was seen, why it matters, and what to do
    Pretty,
    /// JSON for programs: one object on one line
    Json,
}
