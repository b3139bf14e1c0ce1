//! Routing: exact topics, several topics, patterns, everything.
use crate::fixture::*;
use fanfare_hub::{subscription::Start, topic::matcher::Matcher};

#[tokio::test]
async fn an_update_reaches_those_who_subscribed_to_one_of_its_topics() {
    let hub = hub(8);
    let mut a = subscribe(&hub, &["a"], Start::Now).await;
    let mut a_and_b = subscribe(&hub, &["a", "b"], Start::Now).await;
    let mut c = subscribe(&hub, &["c"], Start::Now).await;
    let updates = [update(&["a"], "1"), update(&["b"], "2"), update(&["c", "a", "b"], "3"), update(&["d"], "4")];
    publish(&hub, updates).await;
    assert_eq!(receive_data(&mut a, 2).await, ["1", "3"]);
    assert_eq!(receive_data(&mut a_and_b, 3).await, ["1", "2", "3"], "once each, though two topics match");
    assert_eq!(receive_data(&mut c, 1).await, ["3"]);
    assert!(is_quiet(&mut a) && is_quiet(&mut a_and_b) && is_quiet(&mut c));
}

#[tokio::test]
async fn patterns_and_the_wildcard_match_too() {
    let hub = hub(8);
    let template = Matcher::legacy_selector("/books/{id}").unwrap();
    let mut books = join(&hub, key([template]), Start::Now).await;
    let mut all = join(&hub, key([Matcher::any()]), Start::Now).await;
    publish(&hub, [update(&["/books/1"], "1"), update(&["/films/1"], "2"), update(&["/books/2"], "3")]).await;
    assert_eq!(receive_data(&mut books, 2).await, ["1", "3"]);
    assert_eq!(receive_data(&mut all, 3).await, ["1", "2", "3"]);
}

#[tokio::test]
async fn whoever_leaves_takes_nothing_along() {
    let hub = hub(8);
    let mut stays = subscribe(&hub, &["a"], Start::Now).await;
    for _ in 0..3 {
        let leaves = subscribe(&hub, &["a", "b"], Start::Now).await;
        let same_audience = subscribe(&hub, &["a"], Start::Now).await;
        publish(&hub, [update(&["a"], "x")]).await;
        drop((leaves, same_audience));
        assert_eq!(receive_data(&mut stays, 1).await, ["x"]);
    }
    let mut alone = subscribe(&hub, &["b"], Start::Now).await;
    publish(&hub, [update(&["b"], "y")]).await;
    assert_eq!(receive_data(&mut alone, 1).await, ["y"]);
}

#[tokio::test]
async fn a_batch_stays_together_and_in_order() {
    let hub = hub(8);
    let mut subscription = subscribe(&hub, &["a"], Start::Now).await;
    let batch = (0..100).map(|number| update(&["a"], &number.to_string())).collect();
    let entries = hub.publish(batch).await.unwrap();
    assert!(entries.windows(2).all(|pair| pair[1].position.offset == pair[0].position.offset.next()));
    let expected: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    assert_eq!(receive_data(&mut subscription, 100).await, expected);
}
