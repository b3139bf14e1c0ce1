//! Too many subscribers: nobody's EventSource is closed for good by an error status.
use super::fixture::*;

#[tokio::test]
async fn whoever_finds_no_room_is_told_to_come_back() {
    let server = serve_with(|settings| settings.max_subscribers = 1).await;
    let first = server.subscribe("/topics/a", "").await;
    let second = server.subscribe("/topics/a", "").await;
    assert_eq!(second.header("content-type"), Some("text/event-stream"));
    let told = second.end().await;
    let (retry, event) = told.split_once('\n').unwrap();
    assert_eq!(event, "event: fanfare.end\ndata: {\"reason\":\"later\"}\n\n", "no client takes it for an empty event");
    let retry_ms: u64 = retry.strip_prefix("retry: ").unwrap().parse().unwrap();
    assert!((30_000..=121_000).contains(&retry_ms), "{told}");
    drop(first);
    server.wait_for_the_place().await;
}
