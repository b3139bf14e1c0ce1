//! One thread of subscribers, in this process or another, that does what it is told.
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

/// The argument by which a program that generates load starts itself again as a worker: it is to call [`serve`].
pub const COMMAND: &str = "load-worker";

/// The longest wait for anything to happen.
const TURN: Duration = Duration::from_millis(100);
/// The time between two messages of how much remains.
const TELLING: Duration = Duration::from_millis(200);
/// The time between two looks through all subscribers for those that are not done.
const COUNTING: Duration = Duration::from_millis(5);
/// The longest time in which what remains may not get less.
const STALL: Duration = Duration::from_secs(10);

/// The things that a worker needs to know from the start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Setup {
    pub(super) target: Target,
    pub(super) naming: Naming,
    pub(super) topics: u32,
    /// The epoch's time of day.
    pub(super) since_unix: Duration,
    pub(super) sources: Sources,
    /// The number of its first subscriber.
    pub(super) first: u32,
}

/// The tasks that a worker is given, one at a time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Command {
    /// Lets this many more connect, for what is published beyond `counts`; the first `narrow` of all take in little.
    Connect { count: usize, narrow: usize, counts: Counts },
    /// Lets the first `count` stop reading.
    Pause { count: usize },
    /// Lets all that do not read begin again; done when each has received something that was published since.
    Resume,
    /// Lets the first `count` leave.
    Leave { count: usize },
    /// Lets all that have left come back; done when each has received something that was published since.
    ComeBack,
    /// Done when all have received what was published.
    Receive { counts: Counts },
    /// Done at once.
    Report,
}

/// The messages of a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// The part of its task that remains.
    Remaining(u64),
    /// It is done, or nothing moves any more: then this remains.
    Done { report: Box<Report>, remaining: u64 },
    /// It cannot go on.
    Failed(String),
}

/// A worker that has been set up.
pub(super) struct Worker {
    subscribers: Subscribers,
    commands: mpsc::Receiver<Command>,
}

/// The task under way.
struct Task {
    command: Command,
    /// The events that were due when it began.
    due: u64,
    remaining: u64,
    counted: Instant,
    told: Instant,
    /// The time when less remained than ever before.
    moved: Instant,
}

/// The way to a worker.
pub(super) struct Commander {
    commands: mpsc::Sender<Command>,
    waker: Arc<Waker>,
}

/// Serves as a worker process: is told on standard input, and answers on standard output.
///
/// # Errors
/// If it is told nonsense, or cannot answer.
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
        // The worker ends when it finds nobody at the other end.
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

    /// Does what it is told until its commander is gone.
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

    /// One turn of a task. Gives it back unless it is done.
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
