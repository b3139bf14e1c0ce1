//! A log that does not come back from an append holds up publishers alone. Whoever waits for one that does not come
//! back from a read hears from the hub all the same.
use super::{
    fixture::*,
    obstructed_log::{ObstructedLog, Use},
};
use fanfare_hub::{hub::SETTLE_TIMEOUT, log::Log};
use fanfare_server::auth::Authenticator;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// The control of a log whose appends or reads hang for as long as they are told to.
#[derive(Default)]
struct Hanging {
    appends: AtomicBool,
    reads: AtomicBool,
}

impl Hanging {
    fn new() -> (Arc<Self>, Arc<dyn Log>) {
        let hanging = Arc::<Self>::default();
        let told = hanging.clone();
        let log = ObstructedLog::new(move |what| {
            let hangs = match what {
                Use::Append => &told.appends,
                Use::Read(_) => &told.reads,
                _ => return Ok(()),
            };
            let begun = Instant::now();
            while hangs.load(Ordering::SeqCst) && begun.elapsed() < PATIENCE {
                thread::sleep(Duration::from_millis(10));
            }
            Ok(())
        });
        (hanging, log)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_holds_is_read_nevertheless() {
    let (hanging, log) = Hanging::new();
    let server = serve_over(log, Authenticator::open(), |_| {}).await;
    server.publish("/topics/a", "held").await;
    hanging.appends.store(true, Ordering::SeqCst);
    let mut publisher = server.connect().await;
    publisher.send(server.request("POST /topics/a", "HTTP/1.1", "Content-Length: 1\r\n") + "x").await;
    let begun = Instant::now();
    let answer = server.get("/topics/a?until=now", "Last-Event-ID: earliest\r\n").await;
    let took = begun.elapsed();
    assert!(answer.status == 200 && answer.body.contains("data: held"), "{}", answer.body);
    assert!(took < 2 * SETTLE_TIMEOUT + Duration::from_secs(5), "{took:?}");
    hanging.appends.store(false, Ordering::SeqCst);
    publisher.read_until(|text| text.contains("HTTP/1.1 200")).await;
}

/// A replay that finds nothing for long is a silent stream too, and a proxy would close its connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_waits_for_it_gets_heartbeats() {
    let (hanging, log) = Hanging::new();
    let often = |settings: &mut fanfare_server::Settings| settings.heartbeat_interval = Duration::from_millis(40);
    let server = serve_over(log, Authenticator::open(), often).await;
    server.publish("/topics/a", "held").await;
    for (headers, heartbeats) in [("", ":\n:\n:\n"), ("Accept: application/x-ndjson\r\n", "\n\n\n")] {
        hanging.reads.store(true, Ordering::SeqCst);
        let mut replay = server.connect().await;
        let target = "/topics/a?until=now&last_event_id=earliest";
        replay.send(server.request(&format!("GET {target}"), "HTTP/1.0", headers)).await;
        replay.read_head().await;
        let begun = replay.read_until(|text| text.len() >= heartbeats.len()).await;
        assert!(begun.starts_with(heartbeats), "{begun:?}");
        hanging.reads.store(false, Ordering::SeqCst);
        let whole = format!("{begun}{}", replay.end().await);
        // Nothing comes between the lines of an event.
        let event = whole.trim_start_matches([':', '\n']);
        assert_eq!(event, server.get(target, headers).await.body);
    }
}
