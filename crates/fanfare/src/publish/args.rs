//! The arguments of `fanfare publish`.
use crate::{
    exit,
    http::{self, ConnectArgs, Habits, HubArgs, PublishQuery},
    quantity::HumanDuration,
    reconnect::Reconnect,
    topic::topic,
};
use fanfare_hub::topic::Topic;

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{}\n\n{}\n\n{}", http::HABITS, http::HELP, exit::HELP))]
pub(crate) struct PublishArgs {
    /// Topic to publish under
    #[arg(value_parser = topic)]
    pub topic: Topic,

    /// Data of the update. With `-`, or without data in a pipe, each line of standard input that is not blank is one
    /// update, in order. A line that is longer than the hub allows is skipped with a warning, and the exit code is 4.
    /// Bytes that are not UTF-8 are replaced, with a warning. With --every, {count}, {time} and {unix_ms} in the data
    /// are replaced; without data, {time} is published
    pub data: Option<String>,

    /// Publish an update at this interval; the first at once
    #[arg(long, value_name = "DURATION")]
    pub every: Option<HumanDuration>,

    /// Stop after this many updates, with --every [default: continue until stopped]
    #[arg(short = 'n', long, value_name = "COUNT", requires = "every", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,

    /// Continue if the hub cannot be reached or fails (with lines or --every): never; only after something was
    /// published, so that a wrong address is reported at once; or always. A request with lines is repeated, and later
    /// lines wait, in order; with --every, the update is left out. If an answer was lost, the command looks for the
    /// lines in the hub's log, by their IDs (urn:uuid:…; with never, lines have no such IDs). If this is not possible,
    /// the command prints a warning, and a line may be in the log twice
    #[arg(long, value_name = "WHEN", default_value = "after-open")]
    pub reconnect: Reconnect,

    #[command(flatten)]
    pub query: PublishQuery,

    #[command(flatten)]
    pub hub: HubArgs,

    #[command(flatten, next_help_heading = "Connection")]
    pub connect: ConnectArgs,

    #[command(flatten)]
    pub habits: Habits,
}
