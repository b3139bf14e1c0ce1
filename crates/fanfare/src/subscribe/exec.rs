//! Runs a command for each event.
use super::{SubscribeError, received::Received};
use std::process::{ExitStatus, Stdio};
use tokio::{io::AsyncWriteExt as _, process::Command};

/// Runs `command` in the shell, gives it `event`, and waits until the command ends.
///
/// # Errors
/// [`SubscribeError`] if the command cannot be run, or fails.
pub(super) async fn run(command: &str, event: &Received, origin: &str) -> Result<(), SubscribeError> {
    let mut child = shell(command)
        .env("FANFARE_EVENT_TYPE", environment(&event.event_type))
        .env("FANFARE_EVENT_ID", environment(&event.id))
        .env("FANFARE_EVENT_ORIGIN", origin)
        .stdin(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(SubscribeError::Exec)?;
    let mut stdin = child.stdin.take().expect("standard input is piped");
    // The data is written while the command runs. An error of writing is ignored: a command need not read its standard
    // input, and when it ends, the pipe is closed.
    let feed = async {
        let _ = stdin.write_all(event.data.as_bytes()).await;
        drop(stdin);
    };
    let (status, ()) = tokio::join!(child.wait(), feed);
    match status.map_err(SubscribeError::Exec)? {
        status if status.success() => Ok(()),
        status => Err(failed(status)),
    }
}

fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command);
    shell
}

/// Removes the character NUL, which no environment variable can contain. An ID never contains NUL, but an event type
/// may.
fn environment(text: &str) -> String {
    text.replace('\0', "")
}

fn failed(status: ExitStatus) -> SubscribeError {
    SubscribeError::Command { code: status.code() }
}
