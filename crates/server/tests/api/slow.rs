//! A subscriber that stops reading for a while.
use super::fixture::*;

#[tokio::test(flavor = "multi_thread")]
async fn it_receives_everything_in_order_once_it_reads_again() {
    let server = serve().await;
    let mut slow = server.subscribe("/topics/a", "").await;
    let filler = "x".repeat(2_000);
    let count = 10_000;
    for first in (0..count).step_by(500) {
        let lines: String = (first..first + 500).map(|number| format!("{number} {filler}\n")).collect();
        let answer = server.post("/topics/a", "Content-Type: application/x-ndjson\r\n", lines).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    // 20 MB: more than the sockets' buffers and the window take.
    let events = slow.events(count).await;
    let numbers: Vec<usize> =
        data(&events).iter().map(|data| data.split_once(' ').unwrap().0.parse().unwrap()).collect();
    assert!(numbers.iter().copied().eq(0..count));
}
