//! A token that expires while the program reads a stream: `cargo run -p fanfare-client --example token [URL]`.
mod scripted;

use fanfare_client::{Attempt, EventSource, HookError, Verdict};
use futures_util::TryStreamExt as _;
use http::{HeaderValue, StatusCode, header::AUTHORIZATION};
use scripted::{Answer, Request};
use std::{
    error::Error,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

/// The token that is in use, until the server refuses it.
#[derive(Default)]
struct Tokens {
    current: Mutex<Option<HeaderValue>>,
    /// True if the server has accepted the current token before.
    accepted: AtomicBool,
}

impl Tokens {
    async fn current(&self) -> Result<HeaderValue, Box<dyn Error + Send + Sync>> {
        if let Some(token) = self.current.lock().expect("no panic").clone() {
            return Ok(token);
        }
        let token = HeaderValue::try_from(format!("Bearer {}", issue().await?))?;
        self.accepted.store(false, Relaxed);
        Ok(self.current.lock().expect("no panic").insert(token).clone())
    }

    fn judge(&self, status: StatusCode) -> Verdict {
        match status {
            // The token was accepted before, so it has expired: the next attempt gets a new one at once. If the server
            // also refuses the new token, the event source ends.
            StatusCode::UNAUTHORIZED if self.accepted.load(Relaxed) => {
                *self.current.lock().expect("no panic") = None;
                return Verdict::RetryAfter(Duration::ZERO);
            }
            StatusCode::OK => self.accepted.store(true, Relaxed),
            _ => {}
        }
        Verdict::ByPolicy
    }
}

/// Returns a new token. A real program would ask its identity provider for one.
async fn issue() -> Result<&'static str, Box<dyn Error + Send + Sync>> {
    println!("asked for a token");
    Ok("fresh")
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let current = HeaderValue::from_static("Bearer stale");
    let tokens = Arc::new(Tokens { current: Mutex::new(Some(current)), ..Tokens::default() });
    let judge = Arc::clone(&tokens);
    let mut source = EventSource::builder(scripted::url(answer)?)
        .before_attempt(move |mut attempt: Attempt| {
            let tokens = Arc::clone(&tokens);
            async move {
                let token = tokens.current().await.map_err(HookError::Retry)?;
                attempt.request.headers_mut().insert(AUTHORIZATION, token);
                Ok(attempt)
            }
        })
        .on_response(move |response| judge.judge(response.status))
        .build()?;
    while let Some(event) = source.try_next().await? {
        println!("{}", event.data);
    }
    Ok(())
}

fn answer(request: &Request) -> Answer {
    match (request.number, request.header("authorization")) {
        (1, "Bearer stale") => Answer::Events("retry: 100\nid: 1\ndata: with the old token\n\n".into()),
        (_, "Bearer stale") => Answer::Status("401 Unauthorized"),
        (3, "Bearer fresh") => Answer::Events("id: 2\ndata: with the new token\n\n".into()),
        _ => Answer::Status("204 No Content"),
    }
}
