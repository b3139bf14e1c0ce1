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

    /// Data of the update. `-`, or nothing in a pipe: each line of standard input that is not blank is one update, in
    /// order. A line that is longer than the hub allows is skipped with a warning, and the exit code is 4. Bytes that
    /// are not UTF-8 are replaced, with a warning. With --every, {count}, {time} and {unix_ms} in it are replaced;
    /// without data, {time} is published
    pub data: Option<String>,

    /// Publish at this interval, the first at once
    #[arg(long, value_name = "DURATION")]
    pub every: Option<HumanDuration>,

    /// Publish this many updates with --every [default: until stopped]
    #[arg(short = 'n', long, value_name = "COUNT", requires = "every", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,

    /// Ask a hub again that cannot be reached or fails, with lines or --every: never; once something was published (so
    /// that a wrong address is told at once); or always. Lines wait meanwhile, in order. They have IDs that only this
    /// process makes (urn:uuid:…, without them with never), by which they are looked up in the hub's log if their
    /// answer was lost; a warning says where that cannot tell, and a line may be there twice
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
