//! The scenarios that are run on a server: each scenario is a module, with the figures that it measures.
mod broadcast;
mod burst;
mod connect_storm;
mod disconnect_storm;
mod figure;
mod idle;
mod patterns;
mod presence;
mod resume_storm;
mod size;
mod slow_readers;
mod stage;
mod topics;

pub use figure::{Figure, Outcome};
pub use size::{Size, SizeArgs};
pub use stage::Stage;

use clap::ValueEnum;
use std::io;

/// A kind of load that is run on a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Many subscribers connect, nothing is published, and then all disconnect. Measures the CPU time of a connection,
    /// the memory of a subscriber, and the memory that remains afterwards
    Idle,
    /// Subscribers of one topic all get its events, at a steady rate. Measures the CPU time and the latency of a
    /// delivery
    Broadcast,
    /// Each subscriber has its own topic. Measures the CPU time of a publication, first with a hundred subscribers,
    /// then with all of them
    Topics,
    /// Subscribers subscribe to URL patterns. There are as many topics as patterns, and each topic matches one pattern.
    /// Measures the CPU time of a publication and of a delivery
    Patterns,
    /// Publishers publish as fast as the server answers. Measures the deliveries per second of CPU time, and the
    /// deliveries per read
    Burst,
    /// Subscribers connect as fast as the server answers, then all leave, and connect once more. Measures the
    /// connections per second, and the CPU time of a connection
    ConnectStorm,
    /// Half of the subscribers disconnect at once while events continue. Measures the latency of the other subscribers,
    /// and the time until the server has closed the connections
    DisconnectStorm,
    /// Some subscribers stop reading while events continue, and then read again. Measures the latency of the other
    /// subscribers, the memory, and the time that the slow subscribers need to catch up
    SlowReaders,
    /// All subscribers disconnect at once, and reconnect with their last event IDs while events continue. Measures the
    /// time until all of them are up to date again
    ResumeStorm,
    /// Many subscribers connect and disconnect, again and again, while one other subscriber gets events. Measures the
    /// latency of that one subscriber, and the CPU time of each visit
    Presence,
}

impl Scenario {
    /// All scenarios.
    pub const ALL: [Self; 10] = [
        Self::Idle,
        Self::Broadcast,
        Self::Topics,
        Self::Patterns,
        Self::Burst,
        Self::ConnectStorm,
        Self::DisconnectStorm,
        Self::SlowReaders,
        Self::ResumeStorm,
        Self::Presence,
    ];

    /// Returns the name of the scenario on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Broadcast => "broadcast",
            Self::Topics => "topics",
            Self::Patterns => "patterns",
            Self::Burst => "burst",
            Self::ConnectStorm => "connect-storm",
            Self::DisconnectStorm => "disconnect-storm",
            Self::SlowReaders => "slow-readers",
            Self::ResumeStorm => "resume-storm",
            Self::Presence => "presence",
        }
    }

    /// Returns the scenario's default size, with which servers are compared.
    #[must_use]
    pub fn size(self) -> Size {
        let base = Size::BASE;
        match self {
            Self::Idle | Self::ConnectStorm => Size { subscribers: 15_000, ..base },
            Self::Broadcast => base,
            Self::Topics => Size { subscribers: 10_000, topics: 10_000, publishers: 16, rate: 1_000, ..base },
            Self::Patterns => Size { subscribers: 10_000, topics: 100, rate: 100, ..base },
            Self::Burst => Size { subscribers: 1_000, publishers: 16, ..base },
            Self::DisconnectStorm => Size { subscribers: 10_000, troubled: 5_000, rate: 5, ..base },
            Self::SlowReaders => Size { troubled: 1_000, rate: 5, seconds: 30, bytes: 8_192, ..base },
            Self::ResumeStorm => Size { subscribers: 10_000, troubled: 10_000, rate: 2, seconds: 3, ..base },
            Self::Presence => Size { subscribers: 10_000, topics: 10_000, rate: 200, seconds: 10, ..base },
        }
    }

    /// Returns the keys of the most important figures.
    #[must_use]
    pub fn measures(self) -> &'static [&'static str] {
        match self {
            Self::Idle => idle::MEASURES,
            Self::Broadcast => broadcast::MEASURES,
            Self::Topics => topics::MEASURES,
            Self::Patterns => patterns::MEASURES,
            Self::Burst => burst::MEASURES,
            Self::ConnectStorm => connect_storm::MEASURES,
            Self::DisconnectStorm => disconnect_storm::MEASURES,
            Self::SlowReaders => slow_readers::MEASURES,
            Self::ResumeStorm => resume_storm::MEASURES,
            Self::Presence => presence::MEASURES,
        }
    }

    /// Runs the scenario on a server.
    ///
    /// # Errors
    /// If subscribers or publishers are refused, or the server has ended. Events that subscribers miss are faults in
    /// the outcome.
    pub fn run(self, stage: &mut Stage) -> io::Result<Outcome> {
        match self {
            Self::Idle => idle::run(stage),
            Self::Broadcast => broadcast::run(stage),
            Self::Topics => topics::run(stage),
            Self::Patterns => patterns::run(stage),
            Self::Burst => burst::run(stage),
            Self::ConnectStorm => connect_storm::run(stage),
            Self::DisconnectStorm => disconnect_storm::run(stage),
            Self::SlowReaders => slow_readers::run(stage),
            Self::ResumeStorm => resume_storm::run(stage),
            Self::Presence => presence::run(stage),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_command_line() {
        for scenario in Scenario::ALL {
            assert_eq!(Scenario::from_str(scenario.name(), false), Ok(scenario));
            assert!(!scenario.measures().is_empty());
        }
        assert_eq!(Scenario::value_variants(), Scenario::ALL);
    }
}
