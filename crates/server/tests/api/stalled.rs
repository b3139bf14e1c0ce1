//! A peer that reads nothing more, and is not gone either.
use super::fixture::*;
use std::time::{Duration, Instant};

const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// It is given up when it has taken nothing for the write timeout, and whoever reads is not.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn it_loses_its_place() {
    let server = serve_with(|settings| {
        settings.max_subscribers = 2;
        settings.write_timeout = WRITE_TIMEOUT;
    })
    .await;
    let mut reads = server.subscribe("/topics/a", "").await;
    let mut stalls = server.connect_with_a_small_buffer().await;
    stalls.send(server.request("GET /topics/a", "HTTP/1.0", "")).await;
    stalls.read_head().await;

    let began = Instant::now();
    let lines: String = (0..500).map(|number| format!("{number:0>2000}\n")).collect();
    server.post("/topics/a", "Content-Type: application/x-ndjson\r\n", lines).await;
    reads.events(500).await;
    let _another = server.wait_for_the_place().await;
    assert!(began.elapsed() >= WRITE_TIMEOUT / 2, "not before it had its time");
    server.publish("/topics/a", "on").await;
    assert_eq!(data(&reads.events(1).await), ["on"]);
}
