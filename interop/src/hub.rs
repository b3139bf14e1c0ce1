//! The hub of this repository, which a test can kill and start again.
use crate::{directory::Directory, http, installed, program::Program};
use fanfare_load::port;
use std::{io, time::Duration};

/// The interval between the hub's heartbeats, which is the shortest that its option allows.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

/// A running `fanfare serve` with a durable log in its own directory. Process and directory are removed when this value
/// is dropped.
#[derive(Debug)]
pub struct Hub {
    // The process ends before its directory is removed.
    program: Option<Program>,
    directory: Directory,
    options: Vec<String>,
    /// The URL of the hub: `http://ADDRESS`, the same after each restart.
    pub url: String,
}

impl Hub {
    /// Starts a hub with an empty log on a free port of the loopback interface.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a hub with an empty log and these options of `fanfare serve`.
    #[must_use]
    pub fn start_with(options: &[&str]) -> Self {
        let directory = Directory::new("hub");
        let options: Vec<String> = options.iter().map(ToString::to_string).collect();
        let (program, url) = serve(&port::reserve().unwrap().to_string(), &directory, &options);
        Self { program: Some(program), directory, options, url }
    }

    /// Ends the process with SIGKILL, whatever it is doing.
    pub fn kill(&mut self) {
        self.program = None;
    }

    /// Starts the hub again, on the same port and with the same log.
    pub fn restart(&mut self) {
        let address = self.url.trim_start_matches("http://");
        self.program = Some(serve(address, &self.directory, &self.options).0);
    }

    /// Returns the URL at which a topic is published and subscribed to.
    #[must_use]
    pub fn topic(&self, topic: &str) -> String {
        format!("{}/topics/{topic}", self.url)
    }

    /// Returns the URL of the hub for the Mercure protocol.
    #[must_use]
    pub fn mercure(&self) -> String {
        format!("{}/.well-known/mercure", self.url)
    }

    /// Publishes to a topic with a query, such as `?type=a`, and returns the ID.
    ///
    /// # Errors
    /// If the hub did not acknowledge the update.
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
