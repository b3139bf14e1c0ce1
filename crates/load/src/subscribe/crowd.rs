//! All subscribers of a run, in one thread of this process, or in as many processes as their connections need.
use super::{
    report::Report,
    socket::Sources,
    worker::{self, Answer, Command, Commander, Setup, Worker},
};
use crate::{
    epoch::Epoch,
    process_tree::{self, Stat},
    progress::Progress,
    publish::Counts,
    target::{Naming, Target},
};
use std::{
    env,
    io::{self, BufRead, BufReader, Write},
    process::{Child, ChildStdin, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// The number of files that a worker has open in addition to the sockets of its subscribers: standard streams, the
/// poll, publishers, the pipes of child processes.
const OTHER_FILES: u32 = 256;

/// The subscribers of a run.
pub struct Crowd {
    workers: Vec<Handle>,
    answers: mpsc::Receiver<(usize, Answer)>,
    total: Report,
    /// The address of the server, for messages.
    server: String,
}

/// A worker, the greatest number of subscribers that it may have, and the number that it has so far.
struct Handle {
    reach: Reach,
    most: u32,
    count: u32,
}

enum Reach {
    Thread(Commander),
    Process { child: Child, commands: ChildStdin },
}

/// The number of subscribers, and what they subscribe to.
#[derive(Clone, Copy, Debug)]
pub struct Audience {
    /// The greatest number of subscribers that will ever be connected.
    pub subscribers: u32,
    /// The number of topics, to which the subscribers are assigned in turn.
    pub topics: u32,
    /// The way in which subscribers select topics: by name or by pattern.
    pub naming: Naming,
}

impl Crowd {
    /// Creates a crowd with room for all subscribers, of which none is connected yet. If they need more open files than
    /// one process may have, this program starts itself again as worker processes, with the argument
    /// [`worker::COMMAND`].
    ///
    /// # Errors
    /// If a worker cannot be started.
    pub fn new(target: &Target, audience: Audience, epoch: Epoch) -> io::Result<Self> {
        // Each subscriber's socket is an open file, and often a process may have only 1,024 open files (the soft
        // limit).
        let limit = rlimit::increase_nofile_limit(u64::MAX)?;
        let most = u32::try_from(limit).unwrap_or(u32::MAX).saturating_sub(OTHER_FILES).max(1);
        let alone = audience.subscribers <= most;
        let sources = Sources::of(epoch.since_unix() + epoch.elapsed());
        let (sender, answers) = mpsc::channel();
        let mut workers = Vec::new();
        for (index, count) in parts(audience.subscribers.max(1), most).enumerate() {
            let setup = Setup {
                target: target.clone(),
                naming: audience.naming,
                topics: audience.topics.max(1),
                since_unix: epoch.since_unix(),
                sources,
                first: workers.iter().map(|worker: &Handle| worker.most).sum(),
            };
            let sender = sender.clone();
            let send = move |answer| sender.send((index, answer)).map_err(|_| io::ErrorKind::BrokenPipe.into());
            let reach = if alone { Reach::thread(setup, send)? } else { Reach::process(&setup, send)? };
            workers.push(Handle { reach, most: count, count: 0 });
        }
        let server = target.subscribe_endpoint(audience.naming)?.name();
        Ok(Self { workers, answers, total: Report::default(), server })
    }

    /// Connects `count` more subscribers, and waits until each has the head of its response. They must receive every
    /// event that is published from now on; `counts` says how many events were published before. The first `narrow` of
    /// all subscribers get connections with small buffers.
    ///
    /// # Errors
    /// If a subscriber cannot connect or is refused.
    pub fn connect(&mut self, phase: &str, count: u32, narrow: u32, counts: &Counts) -> io::Result<Report> {
        let mut left = count;
        let mut shares = Vec::new();
        for worker in &mut self.workers {
            let share = left.min(worker.most - worker.count);
            worker.count += share;
            left -= share;
            shares.push(share);
        }
        let narrow = self.shares(narrow);
        let command = |index: usize| Command::Connect {
            count: shares[index] as usize,
            narrow: narrow[index],
            counts: counts.clone(),
        };
        let (report, remaining) = self.all(phase, command)?;
        if remaining > 0 {
            let error = format!("{remaining} of {count} subscribers got no answer from {}", self.server);
            return Err(io::Error::new(io::ErrorKind::TimedOut, error));
        }
        Ok(report)
    }

    /// Makes the first `count` subscribers stop reading.
    ///
    /// # Errors
    /// If a worker fails.
    pub fn pause(&mut self, count: u32) -> io::Result<Report> {
        let shares = self.shares(count);
        self.all("pausing", |index| Command::Pause { count: shares[index] }).map(|(report, _)| report)
    }

    /// Makes the paused subscribers read again, and waits until each has received an event that was published after
    /// that. Also returns the number of subscribers that have not received such an event when nothing arrives any more;
    /// usually 0.
    ///
    /// # Errors
    /// If a worker fails.
    pub fn resume(&mut self, phase: &str) -> io::Result<(Report, u64)> {
        self.all(phase, |_| Command::Resume)
    }

    /// Makes the first `count` subscribers leave.
    ///
    /// # Errors
    /// If a worker fails.
    pub fn leave(&mut self, phase: &str, count: u32) -> io::Result<Report> {
        let shares = self.shares(count);
        self.all(phase, |index| Command::Leave { count: shares[index] }).map(|(report, _)| report)
    }

    /// Makes the subscribers that have left come back with their last event IDs; otherwise the same as
    /// [`resume`](Self::resume).
    ///
    /// # Errors
    /// If a worker fails.
    pub fn come_back(&mut self, phase: &str) -> io::Result<(Report, u64)> {
        self.all(phase, |_| Command::ComeBack)
    }

    /// Waits until all subscribers have received everything that was published, or nothing arrives any more. Events
    /// that are then missing are faults.
    ///
    /// # Errors
    /// If a worker fails.
    pub fn receive(&mut self, phase: &str, counts: &Counts) -> io::Result<Report> {
        self.all(phase, |_| Command::Receive { counts: counts.clone() }).map(|(report, _)| report)
    }

    /// Returns a report of what has been received. Its latencies are those since the last report, whichever method
    /// returned it.
    ///
    /// # Errors
    /// If a worker fails.
    pub fn report(&mut self) -> io::Result<Report> {
        self.all("reporting", |_| Command::Report).map(|(report, _)| report)
    }

    /// Returns the report of everything that was received so far.
    #[must_use]
    pub fn total(&self) -> &Report {
        &self.total
    }

    /// Returns the CPU time of this process and of its workers.
    ///
    /// # Errors
    /// If a worker has ended.
    pub fn cpu(&self) -> io::Result<Duration> {
        let mut cpu = process_tree::own_cpu()?;
        for worker in &self.workers {
            if let Reach::Process { child, .. } = &worker.reach {
                cpu += process_tree::tree(child.id())?.iter().map(Stat::cpu).sum();
            }
        }
        Ok(cpu)
    }

    /// Returns how many of the first `count` subscribers each worker has.
    fn shares(&self, count: u32) -> Vec<usize> {
        let mut left = count;
        let take = |worker: &Handle| {
            let share = left.min(worker.count);
            left -= share;
            share as usize
        };
        self.workers.iter().map(take).collect()
    }

    /// Sends a command to all workers, and waits until all are done. Returns the sum of their reports, and the amount
    /// of work that they have not done.
    fn all(&mut self, phase: &str, command: impl Fn(usize) -> Command) -> io::Result<(Report, u64)> {
        for (index, worker) in self.workers.iter_mut().enumerate() {
            worker.reach.send(command(index))?;
        }
        let mut progress = Progress::new(phase);
        let mut remaining: Vec<Option<u64>> = vec![None; self.workers.len()];
        let (mut report, mut left, mut done) = (Report::default(), 0, 0);
        while done < self.workers.len() {
            let (index, answer) =
                self.answers.recv().map_err(|_| io::Error::other("the worker processes have ended"))?;
            match answer {
                Answer::Remaining(count) => remaining[index] = Some(count),
                Answer::Done { report: part, remaining: count } => {
                    (remaining[index], done, left) = (Some(0), done + 1, left + count);
                    report.merge(*part);
                }
                Answer::Failed(reason) => return Err(io::Error::other(reason)),
            }
            progress.show(format_args!("{} to go", remaining.iter().flatten().sum::<u64>()));
        }
        // The counts of a report are totals, so they replace the earlier counts. Its latencies are only those since the
        // last report, so the earlier latencies are added.
        let mut total = report.clone();
        total.connects.merge(&self.total.connects);
        total.steady.merge(&self.total.steady);
        total.troubled.merge(&self.total.troubled);
        self.total = total;
        Ok((report, left))
    }
}

impl Reach {
    fn thread(setup: Setup, send: impl FnMut(Answer) -> io::Result<()> + Send + 'static) -> io::Result<Self> {
        let (worker, commander) = Worker::new(setup)?;
        // The thread ends when the worker's `Commander` is dropped.
        thread::spawn(move || worker.run(send));
        Ok(Self::Thread(commander))
    }

    fn process(setup: &Setup, mut send: impl FnMut(Answer) -> io::Result<()> + Send + 'static) -> io::Result<Self> {
        let mut command = std::process::Command::new(env::current_exe()?);
        let mut child = command.arg(worker::COMMAND).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(mut commands), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        write_line(&mut commands, setup)?;
        thread::spawn(move || -> io::Result<()> {
            for line in BufReader::new(output).lines() {
                send(serde_json::from_str(&line?)?)?;
            }
            send(Answer::Failed("a worker has ended".into()))
        });
        Ok(Self::Process { child, commands })
    }

    fn send(&mut self, command: Command) -> io::Result<()> {
        match self {
            Self::Thread(commander) => commander.send(command),
            Self::Process { commands, .. } => write_line(commands, &command),
        }
    }
}

impl Drop for Reach {
    fn drop(&mut self) {
        if let Self::Process { child, .. } = self {
            // `kill` fails if the process has already ended, which is not an error here.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

fn write_line(pipe: &mut ChildStdin, value: &impl serde::Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    pipe.write_all(&line)
}

/// Splits `count` into nearly equal parts, each at most `most`.
fn parts(count: u32, most: u32) -> impl Iterator<Item = u32> {
    let parts = count.div_ceil(most);
    (0..parts).map(move |part| count / parts + u32::from(part < count % parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscribers_are_shared_out_evenly() {
        let cases = [(1, 10, vec![1]), (10, 10, vec![10]), (11, 10, vec![6, 5]), (30, 10, vec![10; 3])];
        for (count, most, expected) in cases {
            assert_eq!(parts(count, most).collect::<Vec<_>>(), expected);
        }
    }
}
