//! The workload: updates of one size, spread over topics, with own IDs.
use clap::Args;
use fanfare_hub::{
    entry::Timestamp,
    log::{Log, Retention, SegmentLog},
    topic::Topic,
    update::{Update, UpdateFields},
};
use std::{io, path::Path};

/// The time of all entries.
pub const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// The share that one worker appends.
#[derive(Args, Clone, Copy, Debug)]
pub struct Workload {
    /// The number of updates
    pub entries: u64,
    /// The number of updates in an append
    pub batch: u64,
    /// The bytes of data in each update
    pub data_bytes: usize,
    /// The number of topics, which take turns
    pub topics: u64,
}

impl Workload {
    /// Opens the log in a directory, with everything kept.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(directory: &Path) -> io::Result<SegmentLog> {
        SegmentLog::open(directory, Retention::default()).map_err(io::Error::other)
    }

    /// Appends everything, from the first number on.
    ///
    /// # Errors
    /// If the log refuses.
    pub fn fill(&self, log: &dyn Log) -> io::Result<()> {
        let mut next = 1;
        while next <= self.entries {
            let behind = (next + self.batch).min(self.entries + 1);
            log.append((next..behind).map(|number| self.update(number)).collect(), NOW).map_err(io::Error::other)?;
            next = behind;
        }
        Ok(())
    }

    /// The update with this number, which is its offset in a log that was empty.
    ///
    /// # Panics
    /// If it is not valid, which all numbers are.
    #[must_use]
    pub fn update(&self, number: u64) -> Update {
        let topics = vec![topic(number % self.topics)];
        let id = Some(own_id(number));
        Update::new(UpdateFields { topics, data: "x".repeat(self.data_bytes), id, ..UpdateFields::default() })
            .expect("the fields are valid")
    }
}

/// The topic with this number.
///
/// # Panics
/// If it is not valid, which all numbers are.
#[must_use]
pub fn topic(number: u64) -> Topic {
    Topic::new(&format!("https://example.com/orders/{number}")).expect("it is a topic")
}

/// The own ID of the update with this number.
#[must_use]
pub fn own_id(number: u64) -> String {
    format!("own-{number}")
}
