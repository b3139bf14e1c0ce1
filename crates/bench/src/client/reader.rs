//! A process in which one contender reads one stream.
use super::{
    contender::Contender,
    tally::{Reading, Tally},
};
use std::{
    env, io,
    process::{Command, Stdio},
    time::Duration,
};
use tokio::{runtime, time};

/// The argument with which the benchmark starts itself again as a reader. The new process must call [`read`].
pub const COMMAND: &str = "read";

/// The longest time for one stream. No contender needs nearly as long; the limit ends a contender that waits for events
/// that never arrive.
const LIMIT: Duration = Duration::from_secs(60);

/// The environment variables for proxies, which some contenders would use.
const PROXIES: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];

/// Starts this program again as a process in which one contender reads a stream, and returns the result that it prints.
///
/// # Errors
/// If the process cannot be started, did not get all events, or printed nothing.
pub fn start(contender: Contender, url: &str, events: usize) -> io::Result<Reading> {
    let mut command = Command::new(env::current_exe()?);
    for proxy in PROXIES {
        command.env_remove(proxy);
    }
    command.args([COMMAND, contender.name(), url, &events.to_string()]).stdin(Stdio::null()).stderr(Stdio::piped());
    let output = command.output()?;
    if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout)?)
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(io::Error::other(format!("{}: {}", output.status, said.trim())))
    }
}

/// Reads `events` events from `url` on a runtime of this thread, and prints the cost to standard output.
///
/// # Errors
/// If the events do not arrive within a minute, or the contender fails.
pub fn read(contender: Contender, url: &str, events: u64) -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let mut tally = Tally::new(events);
    let reading = async { time::timeout(LIMIT, contender.read(url, &mut tally)).await };
    let result = runtime.block_on(reading).map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
    result.map_err(io::Error::other)?;
    serde_json::to_writer(io::stdout(), &tally.finish()?)?;
    Ok(())
}
