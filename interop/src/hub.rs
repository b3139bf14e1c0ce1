//! Our own hub, which can be killed and started again.
use crate::{directory::Directory, http, installed, program::Program};
use std::{io, time::Duration};

/// What it sends when there is nothing else to send: as often as it can be told to.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

/// `fanfare serve` with a durable log in a directory of its own. Both are gone when this is dropped.
#[derive(Debug)]
pub struct Hub {
    // Ends before its directory goes.
    program: Option<Program>,
    directory: Directory,
    options: Vec<String>,
    /// `http://ADDRESS`, the same after each start.
    pub url: String,
}

impl Hub {
    /// Starts one with an empty log on a free port of loopback.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same, with these options of `fanfare serve`.
    #[must_use]
    pub fn start_with(options: &[&str]) -> Self {
        let directory = Directory::new("hub");
        let options: Vec<String> = options.iter().map(ToString::to_string).collect();
        let (program, url) = serve("127.0.0.1:0", &directory, &options);
        Self { program: Some(program), directory, options, url }
    }

    /// Ends the process with SIGKILL, wherever it is.
    pub fn kill(&mut self) {
        self.program = None;
    }

    /// Starts it again, on the same port and with the same log.
    pub fn restart(&mut self) {
        let address = self.url.trim_start_matches("http://");
        self.program = Some(serve(address, &self.directory, &self.options).0);
    }

    /// Where a topic is published and subscribed to.
    #[must_use]
    pub fn topic(&self, topic: &str) -> String {
        format!("{}/topics/{topic}", self.url)
    }

    /// Where the Mercure protocol is spoken.
    #[must_use]
    pub fn mercure(&self) -> String {
        format!("{}/.well-known/mercure", self.url)
    }

    /// Publishes to a topic with a query, such as `?type=a`, and returns the ID.
    ///
    /// # Errors
    /// If it was not acknowledged.
    pub fn publish(&self, topic_and_query: &str, data: &str) -> io::Result<String> {
        Ok(http::post(&self.topic(topic_and_query), data)?.trim_end().to_owned())
    }
}

fn serve(listen: &str, directory: &Directory, options: &[String]) -> (Program, String) {
    let mut command = installed::fanfare();
    command.args(["serve", "--clock", "false", "--log-level", "warn", "--listen", listen]);
    command.arg("--heartbeat-interval").arg(format!("{}s", HEARTBEAT_INTERVAL.as_secs()));
    command.arg("--data").arg(directory.0.join("log")).args(options);
    Program::serve(command)
}
