//! "payload sizes": data of a length around each power of two, up to 128 MiB, where buffers have their limits.
use crate::harness::{TestService, data, stream_and_client};
use serde_json::json;

/// The exponent of the largest power of two of the sweep, which tests the sizes around each power. Of the larger sizes
/// only the longest is tested, since they cost time and find no other limit.
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

/// An event that is longer than the limit ends the stream.
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
        // `assert_eq!` would print all of the data after a failure.
        assert!(received == data(sent), "{size} bytes");
        client.close().await;
    }
}
