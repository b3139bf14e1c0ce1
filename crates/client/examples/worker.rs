//! A worker that does each job at least once, even if the worker or the server crashes:
//! `cargo run -p fanfare-client --example worker [URL]`.
mod scripted;

use fanfare_client::{Acknowledge, EventSource, FileStore, MessageEvent, Reconnect};
use futures_util::TryStreamExt as _;
use scripted::{Answer, Request};
use std::{env, error::Error, fs, process, time::Duration};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = scripted::url(answer)?;
    let path = env::temp_dir().join(format!("worker-{}.last-event-id", process::id()));
    if let Err(error) = work(&url, FileStore::new(&path), Some("3")).await {
        println!("fell over: {error}");
    }
    // The next run, which may be after a restart of the machine, continues with the job that was not done.
    work(&url, FileStore::new(&path), None).await?;
    Ok(fs::remove_file(&path)?)
}

async fn work(url: &str, store: FileStore, too_hard: Option<&str>) -> Result<(), Box<dyn Error>> {
    let mut jobs = EventSource::builder(url)
        .store(store)
        .acknowledge(Acknowledge::Manual)
        // The server is unavailable for a short time when it restarts or is overloaded, so the worker tries again after
        // a 503.
        .reconnect(Reconnect::resilient())
        // The server sends a comment every 15 s. If three are missing, the connection is broken.
        .idle_timeout(Duration::from_secs(45))
        .build()?;
    while let Some(job) = jobs.try_next().await? {
        if let Err(error) = perform(&job, too_hard) {
            jobs.flush().await?;
            return Err(error);
        }
        jobs.acknowledge(&job);
    }
    // If there is no error, the stream ends only after every acknowledged ID is saved.
    Ok(())
}

fn perform(job: &MessageEvent, too_hard: Option<&str>) -> Result<(), Box<dyn Error>> {
    if job.id() == too_hard {
        return Err(format!("job {} is too hard", job.data).into());
    }
    println!("did {}", job.data);
    Ok(())
}

/// Sends the jobs 1 to 5, at most two in one response, and answers the second request with 503.
fn answer(request: &Request) -> Answer {
    let done: u32 = request.header("last-event-id").parse().unwrap_or(0);
    let jobs = (done + 1..=5).take(2).map(|id| format!("id: {id}\ndata: {id}\n\n")).collect::<String>();
    match request.number {
        2 => Answer::Status("503 Service Unavailable"),
        _ if jobs.is_empty() => Answer::Status("204 No Content"),
        _ => Answer::Events(format!("retry: 100\n: hello\n\n{jobs}")),
    }
}
