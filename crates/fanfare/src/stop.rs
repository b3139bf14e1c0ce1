//! The signals to stop: Ctrl-C in a terminal, SIGTERM from a service manager. A second signal ends the process at once.
use crate::exit::Exit;
use std::{future::pending, io, process, thread, time::Duration};
use tokio::{
    runtime,
    sync::oneshot,
    time::{Instant, sleep, sleep_until},
};

/// The longest time that a process may take to end after it was told to stop. It is shorter than the 10 s after which
/// Docker kills a container.
const DEADLINE: Duration = Duration::from_secs(8);

/// The time after the first signal in which a second signal does not yet end the process, so that the process can end
/// by itself. A terminal signals all processes of a command at once, and some of them, such as npm, pass the signal on.
/// So one Ctrl-C can arrive as two signals.
const GRACE: Duration = Duration::from_millis(100);

/// Returns a future that resolves when the process is told to stop. The signals are caught from this call on, not only
/// while the future is awaited. A second signal ends the process at once, with the exit code that shells give to a
/// process that a signal has ended.
///
/// # Errors
/// [`io::Error`] if the signals cannot be caught, or no thread can be started.
pub(crate) fn stop() -> io::Result<impl Future<Output = ()>> {
    stop_within(None)
}

/// Works as [`stop`] for a process that has much to finish. The process ends at the latest [`DEADLINE`] after it was
/// told to stop, even if something blocks it: a disk that does not answer, or a pipe that takes no more lines of the
/// log.
///
/// # Errors
/// The same as those of [`stop`].
pub(crate) fn stop_in_time() -> io::Result<impl Future<Output = ()>> {
    stop_within(Some(DEADLINE))
}

/// Ends the process with this exit code after `deadline`, unless it has ended by then, even if all other threads are
/// blocked.
///
/// # Errors
/// [`io::Error`] if no thread can be started.
pub(crate) fn end_in_time(deadline: Duration, exit: Exit) -> io::Result<()> {
    let end = move || {
        thread::sleep(deadline);
        process::exit(exit as i32);
    };
    thread::Builder::new().name("fanfare-deadline".to_owned()).spawn(end).map(drop)
}

/// Waits for signals in a separate thread. A blocked disk or pipe may block all other threads, but not this thread.
fn stop_within(deadline: Option<Duration>) -> io::Result<impl Future<Output = ()>> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let mut signals = {
        let _entered = runtime.enter();
        Signals::catch()?
    };
    let (tell, told) = oneshot::channel();
    thread::Builder::new().name("fanfare-stop".to_owned()).spawn(move || {
        let code = runtime.block_on(async {
            signals.next().await;
            // Sending fails if the receiver was dropped, because the process is already ending by itself.
            _ = tell.send(());
            let earliest = Instant::now() + GRACE;
            tokio::select! {
                code = signals.next() => {
                    sleep_until(earliest).await;
                    code
                }
                () = async { if let Some(time) = deadline { sleep(time).await } else { pending().await } } => {
                    Exit::Failed as i32
                }
            }
        });
        process::exit(code);
    })?;
    Ok(async {
        _ = told.await;
        tracing::info!("stopping");
    })
}

/// The signals that tell a process to stop.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn catch() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next signal, and returns the exit code for it.
    async fn next(&mut self) -> i32 {
        use tokio::signal::unix::SignalKind;
        const BY_SIGNAL: i32 = 128;
        let kind = tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
        };
        BY_SIGNAL + kind.as_raw_value()
    }
}

/// The signals that tell a process to stop, on systems other than Unix: only Ctrl-C.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn catch() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> i32 {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!("cannot wait for Ctrl-C: {error}");
            pending::<()>().await;
        }
        Exit::Failed as i32
    }
}
