//! When to stop: Ctrl-C in a terminal, SIGTERM from a service manager.
use crate::exit::Exit;
use std::{io, process, thread, time::Duration};
use tokio::{runtime, sync::oneshot};

/// How long a process that was told to stop may stay. Docker kills after 10 s.
const DEADLINE: Duration = Duration::from_secs(8);

/// Resolves when the process is told to stop. The signals are caught from this call on, not only when it is awaited.
///
/// # Errors
/// [`io::Error`] if they cannot be caught.
pub(crate) fn stop() -> io::Result<impl Future<Output = ()>> {
    let told = told()?;
    Ok(async {
        told.await;
        tracing::info!("stopping");
    })
}

/// The same for a process that has much to finish. It ends [`DEADLINE`] after it was told to stop, whatever holds it up: a disk
/// that does not answer, or a pipe that takes no more lines of the log. The signals have a thread of their own, because
/// these hold up every thread that comes upon them.
///
/// # Errors
/// [`io::Error`] if the signals cannot be caught, or there is no thread to be had.
pub(crate) fn stop_in_time() -> io::Result<impl Future<Output = ()>> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let signals = {
        let _entered = runtime.enter();
        told()?
    };
    let (tell, told) = oneshot::channel();
    thread::Builder::new().name("fanfare-stop".to_owned()).spawn(move || {
        runtime.block_on(signals);
        // Nobody waits for it any more if the hub ends by itself.
        _ = tell.send(());
        thread::sleep(DEADLINE);
        process::exit(Exit::Failed as i32);
    })?;
    Ok(async {
        _ = told.await;
        tracing::info!("stopping");
    })
}

#[cfg(unix)]
fn told() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn told() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!("cannot wait for Ctrl-C: {error}");
            std::future::pending::<()>().await;
        }
    })
}
