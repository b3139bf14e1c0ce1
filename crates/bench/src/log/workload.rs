//! The workload: updates of one size, spread over topics, with IDs that their publisher chose.
use clap::Args;
use fanfare_hub::{
    entry::Timestamp,
    log::{Log, Retention, SegmentLog},
    topic::Topic,
    update::{Update, UpdateFields},
};
use std::{io, path::Path};

/// The time at which all entries are appended.
pub const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// The updates that one worker appends.
#[derive(Args, Clone, Copy, Debug)]
pub struct Workload {
    /// The number of updates
    pub entries: u64,
    /// The number of updates in each batch that is appended
    pub batch: u64,
    /// The bytes of data in each update
    pub data_bytes: usize,
    /// The number of topics, to which the updates go in turn
    pub topics: u64,
}

impl Workload {
    /// Opens the log in a directory, with a retention that keeps everything.
    ///
    /// # Errors
    /// The error with which the log cannot be opened.
    pub fn open(directory: &Path) -> io::Result<SegmentLog> {
        SegmentLog::open(directory, Retention::default()).map_err(io::Error::other)
    }

    /// Appends all updates, beginning with number 1.
    ///
    /// # Errors
    /// If the log fails.
    pub fn fill(&self, log: &dyn Log) -> io::Result<()> {
        let mut next = 1;
        while next <= self.entries {
            let behind = (next + self.batch).min(self.entries + 1);
            log.append((next..behind).map(|number| self.update(number)).collect(), NOW).map_err(io::Error::other)?;
            next = behind;
        }
        Ok(())
    }

    /// Returns the update with this number. In a log that was empty, the number is also the update's offset.
    ///
    /// # Panics
    /// Never, because the result is valid for all numbers.
    #[must_use]
    pub fn update(&self, number: u64) -> Update {
        let topics = vec![topic(number % self.topics)];
        let id = Some(own_id(number));
        Update::new(UpdateFields { topics, data: "x".repeat(self.data_bytes), id, ..UpdateFields::default() })
            .expect("the fields are valid")
    }
}

/// Returns the topic with this number.
///
/// # Panics
/// Never, because the result is valid for all numbers.
#[must_use]
pub fn topic(number: u64) -> Topic {
    Topic::new(&format!("https://example.com/orders/{number}")).expect("the text is a topic")
}

/// Returns the ID of the update with this number, as its publisher would choose it.
#[must_use]
pub fn own_id(number: u64) -> String {
    format!("own-{number}")
}
