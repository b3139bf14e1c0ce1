//! A worker: one thread of subscribers, in this process or in another one, which carries out commands.
use super::{report::Report, socket::Sources, subscribers::Subscribers};
use crate::{
    epoch::Epoch,
    publish::Counts,
    target::{Naming, Target},
};
use mio::Waker;
use serde::{Deserialize, Serialize};
use std::{
    io::{self, BufRead, Write},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

/// The argument with which a program that generates load starts itself again as a worker. The new process must call
/// [`serve`].
pub const COMMAND: &str = "load-worker";

/// The longest time that one call of [`Subscribers::turn`] waits until a socket is ready.
const TURN: Duration = Duration::from_millis(100);
/// The time between two messages about how much remains to be done.
const TELLING: Duration = Duration::from_millis(200);
/// The least time between two counts of the subscribers that are not up to date, because each count looks at all
/// subscribers.
const COUNTING: Duration = Duration::from_millis(5);
/// The time after which a task is given up if the amount of remaining work has not decreased.
const STALL: Duration = Duration::from_secs(10);

/// The data that a worker needs to start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Setup {
    pub(super) target: Target,
    pub(super) naming: Naming,
    pub(super) topics: u32,
    /// The time from the Unix epoch to the run's epoch.
    pub(super) since_unix: Duration,
    pub(super) sources: Sources,
    /// The number of the worker's first subscriber.
    pub(super) first: u32,
}

/// The commands to a worker. A worker carries out one command at a time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Command {
    /// Connects `count` more subscribers. They must receive every event that is published from now on; `counts` says
    /// how many events were published before. The first `narrow` of all subscribers have small buffers.
    Connect { count: usize, narrow: usize, counts: Counts },
    /// Makes the first `count` subscribers stop reading.
    Pause { count: usize },
    /// Makes all paused subscribers read again. The command is done when each of them has received an event that was
    /// published after it began to read again.
    Resume,
    /// Makes the first `count` subscribers leave.
    Leave { count: usize },
    /// Makes all subscribers that have left come back. The command is done when each of them has received an event that
    /// was published after it came back.
    ComeBack,
    /// Waits until all subscribers have received everything that was published.
    Receive { counts: Counts },
    /// Asks for a report, which is sent at once.
    Report,
}

/// The messages that a worker sends in answer to a command.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// The amount of work that remains of the current task: a number of subscribers or of events.
    Remaining(u64),
    /// The task is done, or the remaining amount no longer decreases.
    Done { report: Box<Report>, remaining: u64 },
    /// The worker cannot continue, for this reason.
    Failed(String),
}

/// A worker that has been set up.
pub(super) struct Worker {
    subscribers: Subscribers,
    commands: mpsc::Receiver<Command>,
}

/// The task that the worker is doing, and its progress.
struct Task {
    command: Command,
    /// The number of events that all subscribers together must have received or missed when a task `Receive` is done.
    due: u64,
    remaining: u64,
    counted: Instant,
    told: Instant,
    /// The time when the remaining amount last decreased.
    moved: Instant,
}

/// The sending side of a worker's queue of commands.
pub(super) struct Commander {
    commands: mpsc::Sender<Command>,
    waker: Arc<Waker>,
}

/// Runs a worker process: reads commands from standard input, and writes answers to standard output.
///
/// # Errors
/// If a command cannot be read, or an answer cannot be written.
pub fn serve() -> io::Result<()> {
    let mut lines = io::stdin().lock().lines();
    let setup = lines.next().ok_or(io::ErrorKind::UnexpectedEof)??;
    let (worker, commander) = Worker::new(serde_json::from_str(&setup)?)?;
    drop(lines);
    thread::spawn(move || -> io::Result<()> {
        for line in io::stdin().lock().lines() {
            commander.send(serde_json::from_str(&line?)?)?;
        }
        Ok(())
    });
    worker.run(|answer| {
        let mut output = io::stdout().lock();
        serde_json::to_writer(&mut output, &answer)?;
        output.write_all(b"\n")?;
        output.flush()
    })
}

impl Commander {
    pub(super) fn send(&self, command: Command) -> io::Result<()> {
        self.commands.send(command).map_err(|_| io::ErrorKind::BrokenPipe)?;
        self.waker.wake()
    }
}

impl Drop for Commander {
    fn drop(&mut self) {
        // This drops the sender of commands. The worker, which is then woken, finds that there is no sender any more,
        // and ends.
        self.commands = mpsc::channel().0;
        drop(self.waker.wake());
    }
}

impl Worker {
    pub(super) fn new(setup: Setup) -> io::Result<(Self, Commander)> {
        let epoch = Epoch::of(setup.since_unix);
        let subscribers =
            Subscribers::new(setup.target, setup.naming, setup.topics, epoch, setup.sources, setup.first)?;
        let (sender, commands) = mpsc::channel();
        let waker = subscribers.waker()?;
        Ok((Self { subscribers, commands }, Commander { commands: sender, waker }))
    }

    /// Carries out commands until the worker's [`Commander`] is dropped.
    pub(super) fn run(mut self, mut answer: impl FnMut(Answer) -> io::Result<()>) -> io::Result<()> {
        let mut task = None;
        loop {
            if task.is_none() {
                match self.commands.try_recv() {
                    Ok(command) => task = Some(self.begin(command)),
                    Err(mpsc::TryRecvError::Empty) => {}
                    Err(mpsc::TryRecvError::Disconnected) => return Ok(()),
                }
            }
            let result = match task.take() {
                Some(Ok(begun)) => self.go_on(begun, &mut answer),
                Some(Err(error)) => Err(error),
                None => self.subscribers.turn(TURN).map(|()| None),
            };
            match result {
                Ok(rest) => task = rest.map(Ok),
                Err(error) => return answer(Answer::Failed(error.to_string())),
            }
        }
    }

    fn begin(&mut self, command: Command) -> io::Result<Task> {
        match &command {
            Command::Connect { count, narrow, counts } => self.subscribers.connect(*count, *narrow, counts),
            Command::Pause { count } => self.subscribers.pause(*count)?,
            Command::Resume => self.subscribers.resume()?,
            Command::Leave { count } => self.subscribers.leave(*count),
            Command::ComeBack => self.subscribers.come_back(),
            Command::Receive { .. } | Command::Report => {}
        }
        let due = if let Command::Receive { counts } = &command { self.subscribers.due(counts) } else { 0 };
        let now = Instant::now();
        let mut task = Task { command, due, remaining: u64::MAX, counted: now, told: now, moved: now };
        self.count(&mut task, now);
        Ok(task)
    }

    /// Works on a task for one turn. Returns the task, unless it is done.
    fn go_on(&mut self, mut task: Task, answer: &mut impl FnMut(Answer) -> io::Result<()>) -> io::Result<Option<Task>> {
        let stalled = task.moved.elapsed() > STALL;
        if task.remaining == 0 || stalled {
            if let (true, Command::Receive { counts }) = (task.remaining > 0, &task.command) {
                self.subscribers.give_up(counts);
            }
            let report = Box::new(self.subscribers.report.take());
            return answer(Answer::Done { report, remaining: task.remaining }).map(|()| None);
        }
        self.subscribers.turn(TURN)?;
        let now = Instant::now();
        let costly = matches!(task.command, Command::Resume | Command::ComeBack);
        if !costly || now - task.counted > COUNTING {
            self.count(&mut task, now);
        }
        if now - task.told > TELLING {
            task.told = now;
            answer(Answer::Remaining(task.remaining))?;
        }
        Ok(Some(task))
    }

    fn count(&self, task: &mut Task, now: Instant) {
        let remaining = match task.command {
            Command::Connect { .. } | Command::Leave { .. } => self.subscribers.moving() as u64,
            Command::Resume | Command::ComeBack => self.subscribers.behind() as u64,
            Command::Receive { .. } => task.due.saturating_sub(self.subscribers.accounted()),
            Command::Pause { .. } | Command::Report => 0,
        };
        task.counted = now;
        if remaining < task.remaining {
            (task.remaining, task.moved) = (remaining, now);
        }
    }
}
