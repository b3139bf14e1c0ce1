//! A worker that does each job at least once, however often it or the server falls over:
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
    // The next start, of this program or of this machine, goes on with the job that was not done.
    work(&url, FileStore::new(&path), None).await?;
    Ok(fs::remove_file(&path)?)
}

async fn work(url: &str, store: FileStore, too_hard: Option<&str>) -> Result<(), Box<dyn Error>> {
    let mut jobs = EventSource::builder(url)
        .store(store)
        .acknowledge(Acknowledge::Manual)
        // Deploys and overload pass: 503 and the like are no reason to give up.
        .reconnect(Reconnect::resilient())
        // The server sends a comment every 15 s. Three that did not come are a connection that is no more.
        .idle_timeout(Duration::from_secs(45))
        .build()?;
    while let Some(job) = jobs.try_next().await? {
        if let Err(error) = perform(&job, too_hard) {
            jobs.flush().await?;
            return Err(error);
        }
        jobs.acknowledge(&job);
    }
    // Without an error the stream ends only after all that was acknowledged is kept.
    Ok(())
}

fn perform(job: &MessageEvent, too_hard: Option<&str>) -> Result<(), Box<dyn Error>> {
    if job.id() == too_hard {
        return Err(format!("job {} is too hard", job.data).into());
    }
    println!("did {}", job.data);
    Ok(())
}

/// Keeps five jobs, and is overloaded now and then.
fn answer(request: &Request) -> Answer {
    let done: u32 = request.header("last-event-id").parse().unwrap_or(0);
    let jobs = (done + 1..=5).take(2).map(|id| format!("id: {id}\ndata: {id}\n\n")).collect::<String>();
    match request.number {
        2 => Answer::Status("503 Service Unavailable"),
        _ if jobs.is_empty() => Answer::Status("204 No Content"),
        _ => Answer::Events(format!("retry: 100\n: hello\n\n{jobs}")),
    }
}
