//! "payload sizes": data around each power of two, up to 128 MiB, where buffers have their bounds.
use crate::harness::{TestService, data, stream_and_client};
use serde_json::json;

/// Up to here every size is tried; of those beyond, the longest, since each costs time and not another bound.
const SWEEP: u32 = 20;
const LONGEST: usize = (1 << 27) + 1;

#[tokio::test]
async fn payloads_are_delivered_promptly() {
    let around = |power: usize| [power - 1, power, power + 1];
    let mut sizes: Vec<_> = (0..=SWEEP).flat_map(|exponent| around(1 << exponent)).filter(|size| *size > 0).collect();
    sizes.sort_unstable();
    sizes.dedup();
    deliver(&sizes).await;
}

#[tokio::test]
async fn the_longest_payload_is_delivered_promptly() {
    deliver(&[LONGEST]).await;
}

/// A longer event ends the stream.
#[tokio::test]
async fn a_longer_payload_is_refused() {
    let service = TestService::start();
    let (_server, connection, mut client) = stream_and_client(&service, json!({})).await;
    connection.send("data: ").await;
    connection.send("x".repeat(LONGEST + 1)).await;
    client.expect_error().await;
    client.close().await;
}

async fn deliver(sizes: &[usize]) {
    let service = TestService::start();
    for size in sizes {
        let (_server, connection, mut client) = stream_and_client(&service, json!({})).await;
        let sent = "x".repeat(*size);
        connection.send(format!("data: {sent}\n\n")).await;
        let received = client.message().await;
        // A failure would print all of it.
        assert!(received == data(sent), "{size} bytes");
        client.close().await;
    }
}
