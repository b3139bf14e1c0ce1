//! A separate process with a log: it does one task, prints that it has done it, and keeps the log open until the worker
//! is ended or killed.
use super::{reading, workload::Workload};
use clap::Subcommand;
use fanfare_load::meter::Meter;
use std::{
    env,
    ffi::OsString,
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// The line that a worker prints when it has done its task.
const DONE: &str = "done";

/// The task of a worker.
#[derive(Clone, Debug, Subcommand)]
pub enum Task {
    /// Fill a log
    #[command(hide = true)]
    Fill {
        /// The directory of the log
        directory: PathBuf,
        /// The updates to append
        #[command(flatten)]
        workload: Workload,
    },
    /// Open a log and resume some topics
    #[command(hide = true)]
    Resume {
        /// The directory of the log
        directory: PathBuf,
        /// The number of topics
        topics: u64,
    },
    /// Open a log and find updates by their own IDs
    #[command(hide = true)]
    Locate {
        /// The directory of the log
        directory: PathBuf,
        /// The number of updates
        updates: u64,
    },
}

impl Task {
    /// Does the task, prints that it is done, and waits for the end of its input.
    ///
    /// # Errors
    /// If the log fails.
    pub fn run(&self) -> io::Result<()> {
        let (Self::Fill { directory, .. } | Self::Resume { directory, .. } | Self::Locate { directory, .. }) = self;
        let log = Workload::open(directory)?;
        match self {
            Self::Fill { workload, .. } => workload.fill(&log)?,
            Self::Resume { topics, .. } => {
                for topic in 0..*topics {
                    reading::resume(&log, topic, || {})?;
                }
            }
            Self::Locate { updates, .. } => {
                for number in 1..=*updates {
                    reading::locate(&log, number)?;
                }
            }
        }
        writeln!(io::stdout(), "{DONE}")?;
        io::stdin().read_to_end(&mut Vec::new())?;
        Ok(())
    }

    fn arguments(&self) -> Vec<OsString> {
        let text = |number: String| OsString::from(number);
        match self {
            Self::Fill { directory, workload: Workload { entries, batch, data_bytes, topics } } => vec![
                "fill".into(),
                directory.into(),
                text(entries.to_string()),
                text(batch.to_string()),
                text(data_bytes.to_string()),
                text(topics.to_string()),
            ],
            Self::Resume { directory, topics } => vec!["resume".into(), directory.into(), text(topics.to_string())],
            Self::Locate { directory, updates } => vec!["locate".into(), directory.into(), text(updates.to_string())],
        }
    }
}

/// A worker that has done its task.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    input: Option<ChildStdin>,
    _output: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts a worker, and waits until it has done its task. If `under` is not empty, it is the command of a program
    /// that runs the worker, such as `strace`.
    ///
    /// # Errors
    /// If the worker cannot be started, or ends before it has done its task.
    pub fn start(task: &Task, under: &[OsString]) -> io::Result<Self> {
        let this = env::current_exe()?;
        let mut command = match under {
            [] => Command::new(this),
            [program, arguments @ ..] => {
                let mut command = Command::new(program);
                command.args(arguments).arg(this);
                command
            }
        };
        command.args(task.arguments()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let input = child.stdin.take();
        let mut output = BufReader::new(child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?);
        let mut said = String::new();
        output.read_line(&mut said)?;
        let worker = Self { child, input, _output: output };
        if said.trim_end() == DONE { Ok(worker) } else { Err(io::Error::other("a worker has failed")) }
    }

    /// Returns the worker's memory in bytes.
    ///
    /// # Errors
    /// If the worker has ended.
    pub fn memory(&self) -> io::Result<u64> {
        Meter { process: self.child.id() }.pss()
    }

    /// Lets the worker close its log, and waits until it has ended.
    ///
    /// # Errors
    /// If the worker fails.
    pub fn end(mut self) -> io::Result<()> {
        drop(self.input.take());
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(io::Error::other(format!("a worker ended with {status}"))) }
    }

    /// Kills the worker while it has its log open.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Returns the memory, in bytes, of a worker that resumes topics of a log.
///
/// # Errors
/// If the worker fails.
pub fn memory_of_resuming(directory: &Path, topics: u64) -> io::Result<u64> {
    let worker = Worker::start(&Task::Resume { directory: directory.into(), topics }, &[])?;
    let memory = worker.memory()?;
    worker.end()?;
    Ok(memory)
}
