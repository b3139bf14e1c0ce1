//! `fanfare load`: runs a scenario with any server of event streams, and prints what the run cost.
mod error;
mod show;

pub(crate) use error::LoadError;

use crate::{
    http::{HubUrl, TokenArg, url_hint},
    notice::notice_each_once,
    secret::Secret,
};
use fanfare_load::{
    body::Body,
    meter::Meter,
    process::HubProcess,
    recipe::Recipe,
    scenario::{Scenario, Size, SizeArgs, Stage},
    subscribe::worker,
    target::{Endpoint, InvalidUrl, Target},
};
use fanfare_mask::MASK;
use std::{env, fmt, fs, io, time::Duration};

/// The time to wait after a change, such as new connections, before the server's memory is measured.
const SETTLE: Duration = Duration::from_secs(1);

/// The text under the help, followed by the sizes of the scenarios, and then by [`EXAMPLES`].
const ABOUT: &str = "\
Each subscriber checks every event: events that are missed, repeated, out of order or foreign are counted, and the \
first few are described. The last line is the same result as JSON; in a pipe only this line goes to standard output, \
and the table goes to standard error. Latency is counted from the time when an event was due, even if a slow server \
delayed its publication. CPU and memory are those of the server's processes (Linux, same user): measure another server \
at the same time to compare, because machines differ and are shared.

The sizes of the scenarios, unless you give others:";
const EXAMPLES: &str = "\
Examples:
  # Start a hub for the run, with 5,000 subscribers and 10 events a second
  fanfare load
  fanfare load http://127.0.0.1:3000 --subscribers 500
  fanfare load --scenario resume-storm --subscribers 2000
  fanfare load http://127.0.0.1:8080 --recipe nchan --scenario burst
  fanfare load http://127.0.0.1:3001 --recipe mercure --token \"$PUBLISHER_JWT\"
  # Use any server; without --publish-url, subscribers receive what the server publishes by itself
  fanfare load --rate 100 --subscribe-url 'http://127.0.0.1:4000/stream?channel={topic}' \\
               --publish-url 'http://127.0.0.1:4000/send?channel={topic}'
  fanfare load --subscribe-url http://127.0.0.1:4000/events --subscribers 1000 --seconds 60

Exit codes:
  0  done, and every subscriber got every event once and in order
  1  not every subscriber did, or the run failed
  2  wrong arguments
  5  the server cannot be reached";

fn help() -> String {
    let sizes = Scenario::ALL.map(|scenario| format!("  {}: {}\n", scenario.name(), scenario.size()));
    format!("{ABOUT}\n{}\n{EXAMPLES}", sizes.concat())
}

#[derive(Debug, clap::Args)]
#[command(after_help = help())]
pub(crate) struct LoadArgs {
    /// URL of the server (http). Without it, and without --subscribe-url, a hub is started for the run, with its log in
    /// memory
    url: Option<String>,

    /// Scenario to run
    #[arg(long, value_enum, default_value = "broadcast")]
    scenario: Scenario,

    /// Kind of server, which decides the URLs and formats
    #[arg(long, value_enum, default_value = "fanfare", help_heading = "Server")]
    recipe: Recipe,

    /// Subscribe at this URL instead of the URL of --recipe. `{topic}` is replaced by the topic, and may be omitted if
    /// there is only one topic
    #[arg(long, value_name = "URL", conflicts_with_all = ["url", "recipe"], help_heading = "Server")]
    subscribe_url: Option<String>,

    /// Publish at this URL, with POST. Without this option, subscribers only listen
    #[arg(long, value_name = "URL", requires = "subscribe_url", help_heading = "Server")]
    publish_url: Option<String>,

    /// Form of the body of a publication
    #[arg(long, value_enum, default_value = "data", requires = "publish_url", help_heading = "Server")]
    publish_body: Body,

    /// Header to send with every request, or @FILE with one header on each line, which other users of the machine
    /// cannot see; repeatable
    #[arg(long = "header", value_name = "NAME: VALUE|@FILE", value_parser = fields, help_heading = "Server")]
    headers: Vec<Fields>,

    /// The token to send with every request.
    #[command(flatten, next_help_heading = "Server")]
    token: TokenArg,

    /// Process whose CPU and memory are read, with its child processes [default: the process that listens at the
    /// address, if it is on this machine]
    #[arg(long, help_heading = "Server")]
    pid: Option<u32>,

    #[command(flatten)]
    size: SizeArgs,
}

/// Runs the command.
///
/// # Errors
/// [`LoadError`] if the run failed, or a subscriber did not get every event once and in order.
pub(crate) fn run(args: &LoadArgs) -> Result<(), LoadError> {
    let mut size = args.scenario.size().with(&args.size);
    let hub = if args.url.is_none() && args.subscribe_url.is_none() { Some(start(size)?) } else { None };
    for url in [&args.url, &args.subscribe_url, &args.publish_url].into_iter().flatten() {
        if let Some(hint) = url_hint(url) {
            return Err(LoadError::NoScheme { url: url.clone(), hint });
        }
    }
    let mut target = target(args, hub.as_ref()).map_err(LoadError::Url)?;
    // Connects once before the run. So if the server cannot be reached, there is one error message and not one for each
    // subscriber.
    target.subscribe.connect().map_err(LoadError::Run)?;
    if size.publishers == 0 {
        target.publish = None;
    }
    if target.publish.is_none() {
        size.publishers = 0;
    }
    target.headers = args.headers.iter().flat_map(|Fields(fields)| fields.clone()).collect();
    // A hub that was started for this run accepts requests without a token. So a token from the environment is not
    // meant for it.
    if hub.is_none() || !args.token.is_of_environment() {
        give_token(&mut target, &args.token)?;
    }
    let meter = match args.pid {
        Some(process) => Some(Meter { process }),
        None => Meter::of_listener(target.subscribe.address),
    };
    if let Some(meter) = meter {
        meter.pss().map_err(|error| LoadError::Process { process: meter.process, error })?;
    }
    show::begin(args.scenario, size, &target, meter);
    let outcome = args.scenario.run(&mut Stage::new(target, meter, size, SETTLE)).map_err(LoadError::Run)?;
    show::end(args.scenario, size, &outcome).map_err(LoadError::Print)?;
    match outcome.faults.count() {
        0 => Ok(()),
        _ => Err(LoadError::Faults(outcome.faults.to_string())),
    }
}

/// Adds the token to the requests to each server that may get it, and prints a notice about each server that may not
/// get it.
fn give_token(target: &mut Target, token: &TokenArg) -> Result<(), LoadError> {
    let hub = HubUrl::of_environment().map_err(LoadError::Hub)?;
    let mut told: Vec<String> = Vec::new();
    for endpoint in target.endpoints_mut() {
        let given = token.for_server(&endpoint.server_url(), &hub);
        told.extend(given.as_ref().err().map(ToString::to_string));
        let given = given.ok().flatten().map(Secret::reveal).map(str::to_owned);
        *endpoint = endpoint.clone().with_token(given.as_deref());
    }
    notice_each_once(told);
    Ok(())
}

/// Does the work of one worker process of `fanfare load`. The process that started it says what to do.
///
/// # Errors
/// [`LoadError::Run`] if the work fails.
pub(crate) fn work() -> Result<(), LoadError> {
    worker::serve().map_err(LoadError::Run)
}

/// Starts a hub that is used only for this run, and that ends with this process.
fn start(size: Size) -> Result<HubProcess, LoadError> {
    // A subscriber may reconnect before the hub has noticed that its old connection ended. So the hub may count each
    // subscriber twice.
    let most = (2 * size.subscribers + 100).to_string();
    let binary = env::current_exe().map_err(LoadError::Run)?;
    let arguments = ["--memory", "--log-level", "error", "--max-subscribers", &most];
    HubProcess::start_tied(&binary, &arguments).map_err(LoadError::Run)
}

fn target(args: &LoadArgs, hub: Option<&HubProcess>) -> Result<Target, InvalidUrl> {
    let Some(subscribe) = &args.subscribe_url else {
        let own = hub.map(|hub| format!("http://{}", hub.address));
        return args.recipe.target(args.url.as_deref().or(own.as_deref()).unwrap_or_default());
    };
    Ok(Target {
        subscribe: Endpoint::parse(subscribe)?,
        subscribe_pattern: None,
        publish: args.publish_url.as_deref().map(Endpoint::parse).transpose()?,
        body: args.publish_body,
        headers: Vec::new(),
        run: std::process::id().to_string(),
    })
}

/// Header fields in the form in which they are sent.
#[derive(Clone)]
struct Fields(Vec<String>);

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Parses one header field, or `@FILE`, a file with one field on each line.
fn fields(text: &str) -> Result<Fields, io::Error> {
    let Some(path) = text.strip_prefix('@') else { return Ok(Fields(vec![header(text)?])) };
    let lines = fs::read_to_string(path)?;
    lines.lines().filter(|line| !line.trim().is_empty()).map(header).collect::<Result<_, _>>().map(Fields)
}

/// Returns a header field in the form in which it is sent.
fn header(text: &str) -> Result<String, io::Error> {
    let valid = |(name, value): (&str, &str)| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_graphic())
            && value.bytes().all(|byte| byte == b'\t' || byte >= b' ' && byte != 0x7f)
    };
    match text.split_once(':').filter(|field| valid(*field)) {
        Some((name, value)) => Ok(format!("{name}: {}", value.trim())),
        None => Err(io::Error::new(io::ErrorKind::InvalidInput, "expected NAME: VALUE, such as Accept-Language: en")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_name_and_a_value_on_one_line() {
        assert_eq!(header("X-Key:  a b ").unwrap(), "X-Key: a b");
        for text in ["X-Key", ": a", "a b: c", "a: b\r\nc: d"] {
            assert!(header(text).is_err(), "{text}");
        }
    }
}
