//! The servers that are compared: their names, how they are started, and the scenarios that they can run.
mod mercure;
mod nchan;
mod paths;

use crate::bare_uring;
use fanfare_load::{meter::Meter, process::HubProcess, recipe::Recipe, scenario::Scenario, target::Target};
use std::{
    env, fs, io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The number of subscribers in addition to those of the scenario: for the warm-up, and for subscribers that have left,
/// if the server has not noticed yet that they have left.
const OTHER_SUBSCRIBERS: u32 = 100;

/// A server, or one way to run it.
#[derive(Clone, Copy, Debug)]
pub struct Server {
    /// The name of the server in the table and on the command line.
    pub name: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// A baseline, which this program runs when it is started with this argument.
    Bare(&'static str),
    /// Fanfare's hub, with these additional arguments.
    Fanfare(&'static [&'static str]),
    /// Nginx with Nchan, with this many workers.
    Nchan(u32),
    /// The Mercure hub in Go.
    Mercure,
}

/// The servers that can be compared. The first of them is the baseline for the others.
pub const SERVERS: &[Server] = &[
    Server { name: "bare-write", kind: Kind::Bare("bare-write") },
    Server { name: "bare-io-uring", kind: Kind::Bare("bare-io-uring") },
    Server { name: "fanfare", kind: Kind::Fanfare(&[]) },
    Server { name: "fanfare-epoll", kind: Kind::Fanfare(&["--delivery", "epoll"]) },
    Server { name: "fanfare-io-uring", kind: Kind::Fanfare(&["--delivery", "io-uring"]) },
    Server { name: "fanfare-hyper", kind: Kind::Fanfare(&["--delivery", "hyper"]) },
    Server { name: SUBSCRIPTIONS, kind: Kind::Fanfare(&["--subscriptions"]) },
    Server { name: "nchan", kind: Kind::Nchan(1) },
    Server { name: "nchan-2-workers", kind: Kind::Nchan(2) },
    Server { name: "mercure", kind: Kind::Mercure },
];

/// The name of the hub that publishes active subscriptions.
pub const SUBSCRIPTIONS: &str = "fanfare-presence";

/// The surroundings in which servers run: an address, and a command that starts them.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The IP address where the server listens.
    pub address: IpAddr,
    /// Words in front of the command that starts a server, such as `ip netns exec NAME` for a network namespace.
    pub prefix: Vec<String>,
}

/// A running server, and its own directory. When this value is dropped, the server is ended and the directory is
/// removed.
#[derive(Debug)]
pub struct Running {
    // The process must end before its directory is removed.
    process: HubProcess,
    _directory: Directory,
    /// The URLs and the format by which clients use the server.
    pub target: Target,
}

#[derive(Debug)]
struct Directory(PathBuf);

impl Server {
    /// Returns the server with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        SERVERS.iter().find(|server| server.name == name).copied()
    }

    /// Returns the reason why the server cannot run on this machine, if there is one.
    #[must_use]
    pub fn missing(self) -> Option<String> {
        match self.kind {
            Kind::Bare("bare-io-uring") if !bare_uring::is_available() => {
                Some("the kernel has no io_uring, or does not allow it".into())
            }
            Kind::Bare(_) => None,
            Kind::Fanfare(arguments) => missing_in_fanfare(arguments),
            Kind::Nchan(_) => nchan::missing(),
            Kind::Mercure => mercure::missing(),
        }
    }

    /// Returns true if the server supports everything that the scenario needs.
    #[must_use]
    pub fn bears(self, scenario: Scenario) -> bool {
        match self.kind {
            // A baseline has one topic and no IDs, and ends if a socket is full. Only when a baseline sends an event
            // does it notice that a subscriber has left.
            Kind::Bare(_) => {
                matches!(scenario, Scenario::Idle | Scenario::Broadcast | Scenario::Burst | Scenario::DisconnectStorm)
            }
            Kind::Fanfare(_) if self.name == SUBSCRIPTIONS => scenario == Scenario::Presence,
            Kind::Nchan(_) => scenario != Scenario::Patterns,
            Kind::Fanfare(_) | Kind::Mercure => true,
        }
    }

    /// Starts the server, ready for this many subscribers.
    ///
    /// # Errors
    /// Returns an error if the server cannot be started. Nchan and Mercure start only on loopback and without a prefix.
    pub fn start(self, subscribers: u32, surroundings: &Surroundings) -> io::Result<Running> {
        let directory = Directory::new(self.name)?;
        let subscribers = subscribers + OTHER_SUBSCRIBERS;
        let (process, recipe) = match self.kind {
            Kind::Bare(argument) => {
                let mut command = surroundings.command(&env::current_exe()?);
                command.args([argument, "--address", &surroundings.address.to_string()]);
                (HubProcess::launch(command)?, Recipe::Fanfare)
            }
            Kind::Fanfare(arguments) => {
                let (data, most) = (directory.0.join("log"), subscribers.to_string());
                let data = data.to_string_lossy();
                let listen = SocketAddr::new(surroundings.address, 0).to_string();
                let mut command = surroundings.command(&fanfare());
                command.args(["serve", "--listen", &listen, "--clock", "false", "--log-level", "error"]);
                command.args(["--data", &data, "--max-subscribers", &most]).args(arguments);
                if !surroundings.address.is_loopback() {
                    // Without a key, the hub refuses to listen on an address that is not a loopback address.
                    command.args(["--key", mercure::KEY, "--anonymous"]);
                }
                (HubProcess::launch(command)?, Recipe::Fanfare)
            }
            Kind::Nchan(_) | Kind::Mercure if !surroundings.are_plain() => {
                return Err(io::Error::other("this server can be started only on loopback and without --prefix"));
            }
            Kind::Nchan(workers) => (nchan::start(&directory.0, workers, subscribers)?, Recipe::Nchan),
            Kind::Mercure => (mercure::start(&directory.0)?, Recipe::Mercure),
        };
        let target = recipe.target(&format!("http://{}", process.address));
        let mut target = target.map_err(|error| io::Error::other(error.to_string()))?;
        if matches!(self.kind, Kind::Mercure) || !surroundings.address.is_loopback() {
            target.headers.push(format!("Authorization: Bearer {}", mercure::TOKEN));
        }
        Ok(Running { process, _directory: directory, target })
    }
}

impl Surroundings {
    /// Returns the command that runs a program in these surroundings.
    fn command(&self, program: &Path) -> Command {
        match self.prefix.split_first() {
            None => Command::new(program),
            Some((first, others)) => {
                let mut command = Command::new(first);
                command.args(others).arg(program);
                command
            }
        }
    }

    fn are_plain(&self) -> bool {
        self.prefix.is_empty() && self.address.is_loopback()
    }
}

impl Running {
    /// Returns the meter of the server's costs.
    #[must_use]
    pub fn meter(&self) -> Meter {
        self.process.meter()
    }
}

impl Directory {
    fn new(name: &str) -> io::Result<Self> {
        let path = env::current_dir()?.join(format!("target/bench-data-{}-{name}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // If the directory cannot be removed, it stays in the target directory.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Returns the path of the hub's program.
#[must_use]
pub fn fanfare() -> PathBuf {
    env::var_os("TEST_FANFARE_BIN").map_or_else(|| PathBuf::from("target/release/fanfare"), PathBuf::from)
}

fn missing_in_fanfare(arguments: &[&str]) -> Option<String> {
    let binary = fanfare();
    let shown = Command::new(&binary).args(["serve", "--check"]).args(arguments).stderr(Stdio::null()).output();
    match shown {
        Err(error) => Some(format!("{}: {error}", binary.display())),
        Ok(output) if output.status.success() => None,
        Ok(_) => Some(format!("this build of fanfare does not know {}", arguments.join(" "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_is_found_by_its_name() {
        for server in SERVERS {
            assert_eq!(Server::named(server.name).map(|found| found.name), Some(server.name));
        }
        assert!(Server::named("apache").is_none());
    }
}
