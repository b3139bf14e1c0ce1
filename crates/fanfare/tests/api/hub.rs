//! A running hub.
use crate::program::{Ended, Lines, PATIENCE, end, fanfare, signal};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::{Child, Stdio},
};

/// `fanfare serve` on a free port; ends with the test.
pub(crate) struct Hub {
    child: Option<Child>,
    /// The URL where it is.
    pub url: String,
    /// The lines that it prints after its address.
    pub lines: Lines,
}

impl Hub {
    /// An open hub with its log in memory, and without the clock.
    pub(crate) fn start() -> Self {
        Self::with(&["--memory", "--clock=false"])
    }

    /// A hub with these options.
    pub(crate) fn with(options: &[&str]) -> Self {
        Self::started("127.0.0.1:0", options, &[])
    }

    /// A hub at this address.
    pub(crate) fn listening(address: &str, options: &[&str]) -> Self {
        Self::started(address, options, &[])
    }

    /// A hub with these options and variables.
    pub(crate) fn with_environment(options: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::started("127.0.0.1:0", options, variables)
    }

    fn started(address: &str, options: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = fanfare();
        command.args(["serve", "--listen", address]).args(options).envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = Lines::of(child.stdout.take().unwrap());
        let first = lines.next();
        let url = first[first.find("http").expect("the URL first")..].to_owned();
        Self { child: Some(child), url, lines }
    }

    /// The status and the body of what it answers to a `GET` with these header lines.
    pub(crate) fn get(&self, path: &str, headers: &str) -> (u16, String) {
        let address = self.url.trim_start_matches("http://");
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(socket, "GET {path} HTTP/1.0\r\nHost: {address}\r\n{headers}\r\n").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), body.to_owned())
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        signal(i32::try_from(self.child.as_ref().unwrap().id()).unwrap(), name);
    }

    /// Stops it as a service manager does.
    pub(crate) fn stop(mut self) -> Ended {
        let child = self.child.take().unwrap();
        signal(i32::try_from(child.id()).unwrap(), "TERM");
        end(child)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Already ended is as good.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
