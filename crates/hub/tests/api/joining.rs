//! The number of subscribers that may be about to join at a time, and who is not counted.
use crate::fixture::*;
use fanfare_hub::{hub::CONCURRENT_JOINS, subscription::Start, topic::matcher::Matcher};
use tokio::time::timeout;

#[tokio::test]
async fn openings_that_nobody_begins_hold_nobody_up() {
    let hub = hub(8);
    let a = key([Matcher::exact("a").unwrap()]);
    let open_more_than_may_join = async {
        let mut openings = Vec::new();
        for _ in 0..=CONCURRENT_JOINS {
            openings.push(hub.open(a.clone(), Start::Now).await.unwrap());
        }
        openings
    };
    let openings = timeout(PATIENCE, open_more_than_may_join).await.expect("an opening waits for nobody");
    let joins = subscribe(&hub, &["a"], Start::Now);
    let mut joined = timeout(PATIENCE, joins).await.expect("who joins waits for none of them");
    publish(&hub, [update(&["a"], "1")]).await;
    assert_eq!(receive_data(&mut joined, 1).await, ["1"]);
    drop(openings);
}

#[tokio::test]
async fn only_so_many_may_be_about_to_join() {
    let hub = hub(8);
    let a = key([Matcher::exact("a").unwrap()]);
    let mut joining = Vec::new();
    for _ in 0..CONCURRENT_JOINS {
        let mut opening = hub.open(a.clone(), Start::Now).await.unwrap();
        timeout(PATIENCE, opening.admit()).await.expect("it is within the limit");
        joining.push(opening);
    }
    let opening = timeout(PATIENCE, hub.open(a, Start::Now)).await.expect("an opening waits for nobody").unwrap();
    let mut one_more = tokio::spawn(opening.without_start_events().subscribe());
    tokio::task::yield_now().await;
    assert!(!one_more.is_finished(), "it is beyond the limit");
    drop(joining.pop());
    let joined = timeout(PATIENCE, &mut one_more).await.expect("a permit that is given back serves the next");
    publish(&hub, [update(&["a"], "1")]).await;
    assert_eq!(receive_data(&mut joined.unwrap(), 1).await, ["1"]);
}
