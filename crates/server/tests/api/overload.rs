//! Too many subscribers: nobody's EventSource is closed for good by an error status.
use crate::fixture::*;

#[tokio::test]
async fn whoever_finds_no_room_is_told_to_come_back() {
    let server = serve_with(|settings| settings.max_subscribers = 1).await;
    let first = server.subscribe("/topics/a", "").await;
    let second = server.subscribe("/topics/a", "").await;
    assert_eq!(second.header("content-type"), Some("text/event-stream"));
    let told = second.end().await;
    let retry_ms: u64 = told.strip_prefix("retry: ").unwrap().trim_end().parse().unwrap();
    assert!((30_000..=121_000).contains(&retry_ms), "{told}");
    drop(first);
    // The place is free as soon as the server has noticed.
    for attempt in 0.. {
        let mut third = server.subscribe("/topics/a", "").await;
        if third.read_until(|text| !text.is_empty()).await == ":\n\n" {
            break;
        }
        assert!(attempt < 200, "the place is never free again");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
