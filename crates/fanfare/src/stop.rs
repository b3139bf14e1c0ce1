//! The signals to stop: Ctrl-C in a terminal, SIGTERM from a service manager. Who asks twice does not want to wait.
use crate::exit::Exit;
use std::{future::pending, io, process, thread, time::Duration};
use tokio::{
    runtime,
    sync::oneshot,
    time::{Instant, sleep, sleep_until},
};

/// The time that a process may stay that was told to stop. Docker kills after 10 s.
const DEADLINE: Duration = Duration::from_secs(8);

/// The time that a process has in any case to end by itself. A terminal signals all processes of a command at once, and
/// some of them, such as npm, pass the signal on: that is one wish and not two.
const GRACE: Duration = Duration::from_millis(100);

/// Resolves when the process is told to stop. The signals are caught from this call on, not only when it is awaited. A
/// second signal ends the process at once, with the exit code that shells give to one that a signal has ended.
///
/// # Errors
/// [`io::Error`] if the signals cannot be caught, or no thread can be started.
pub(crate) fn stop() -> io::Result<impl Future<Output = ()>> {
    stop_within(None)
}

/// Does the same for a process that has much to finish. It ends [`DEADLINE`] after it was told to stop, whatever holds
/// it up: a disk that does not answer, or a pipe that takes no more lines of the log.
///
/// # Errors
/// As [`stop`].
pub(crate) fn stop_in_time() -> io::Result<impl Future<Output = ()>> {
    stop_within(Some(DEADLINE))
}

/// Waits for signals in a thread for this alone, because what holds up the process may hold up every other one.
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
            // Nobody waits for it any more if the process ends by itself.
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

    /// Waits for the next one, and returns the exit code that tells it.
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

/// Ctrl-C, which is all that there is elsewhere.
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
