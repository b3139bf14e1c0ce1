//! Private updates reach only those whose grant covers one of their topics.
use crate::fixture::*;
use fanfare_hub::{audience_key::AudienceKey, subscription::Start, topic::matcher::Matcher};

fn granted(subscribed: &str, granted: &str) -> AudienceKey {
    AudienceKey {
        granted: [Matcher::exact(granted).unwrap()].into_iter().collect(),
        ..key([Matcher::exact(subscribed).unwrap()])
    }
}

#[tokio::test]
async fn live_and_replayed_updates_are_held_back_alike() {
    let hub = hub(64);
    let before = publish(&hub, [update(&["start"], "")]).await;
    for from_the_log in [false, true] {
        let start = || if from_the_log { after(&before[0]) } else { Start::Now };
        let mut with_grant = join(&hub, granted("a", "a"), start()).await;
        let mut with_another = join(&hub, granted("a", "b"), start()).await;
        let mut without = subscribe(&hub, &["a"], start()).await;
        if !from_the_log {
            // "b" admits the third, whose topics it grants, to a subscriber of "a".
            publish(
                &hub,
                [
                    update(&["a"], "1"),
                    private(&["a"], "2"),
                    private(&["a", "b"], "3"),
                    private(&["b"], "4"),
                    update(&["a"], "5"),
                ],
            )
            .await;
        }
        assert_eq!(receive_data(&mut with_grant, 4).await, ["1", "2", "3", "5"]);
        assert_eq!(receive_data(&mut with_another, 3).await, ["1", "3", "5"]);
        assert_eq!(receive_data(&mut without, 2).await, ["1", "5"]);
    }
}
