//! A subscriber does not learn what it may not see: of an update's topics it reads those that it asked for or is
//! granted.
use crate::fixture::*;
use fanfare_hub::{
    Hub,
    audience_key::AudienceKey,
    grant::Matchers,
    representation::Representation,
    subscription::{Start, Subscription},
    topic::matcher::Matcher,
};

fn matchers(texts: &[&str]) -> Matchers {
    texts.iter().map(|text| Matcher::legacy_selector(text).unwrap()).collect()
}

fn lines(asked: &[&str], granted: &[&str]) -> AudienceKey {
    AudienceKey::new(matchers(asked), matchers(granted), Representation::JsonLines)
}

/// The topics of each of the first `count` updates.
async fn topics(hub: &Hub, subscription: &mut Subscription, count: usize) -> Vec<String> {
    let mut text = String::new();
    while text.lines().filter(|line| !line.is_empty()).count() < count {
        text.push_str(str::from_utf8(&subscription.next().await.unwrap().unwrap()).unwrap());
    }
    assert_eq!(hub.bounds().head.0, 3, "nothing but what was published");
    let of = |line: &str| line.split_once(r#""topics":["#).unwrap().1.split_once(']').unwrap().0.to_owned();
    text.lines().filter(|line| !line.is_empty()).map(of).collect()
}

#[tokio::test]
async fn alternates_are_a_list_of_recipients() {
    type Case = (&'static [&'static str], &'static [&'static str], &'static [&'static str]);
    let cases: &[Case] = &[
        (&["/news"], &[], &[r#""/news""#, r#""/news""#]),
        (&["/u/1", "/news"], &[], &[r#""/news","/u/1""#, r#""/news""#]),
        (&["/news"], &["/u/2"], &[r#""/news","/u/2""#, r#""/news","/u/2""#, r#""/news""#]),
        (&["/u/{id}"], &[], &[r#""/u/1","/u/2""#]),
        (&["/news"], &["/u/{id}"], &[r#""/news","/u/1","/u/2""#, r#""/news","/u/2""#, r#""/news""#]),
        (&["/news"], &["*"], &[r#""/news","/u/1","/u/2""#, r#""/news","/u/2""#, r#""/news""#]),
        (&["*"], &[], &[r#""/news","/u/1","/u/2""#, r#""/news""#]),
    ];
    for (asked, granted, expected) in cases {
        let hub = hub(8);
        let mut live = join(&hub, lines(asked, granted), Start::Now).await;
        publish(
            &hub,
            [update(&["/news", "/u/1", "/u/2"], "1"), private(&["/news", "/u/2"], "2"), update(&["/news"], "3")],
        )
        .await;
        assert_eq!(topics(&hub, &mut live, expected.len()).await, *expected, "live: {asked:?} {granted:?}");
        let mut from_the_log = join(&hub, lines(asked, granted), after("earliest")).await;
        assert_eq!(topics(&hub, &mut from_the_log, expected.len()).await, *expected, "{asked:?} {granted:?}");
        let opening = hub.open(lines(asked, granted), after("earliest")).await.unwrap();
        let (mut replay, mut text) = (opening.without_start_events().replay(false).await, String::new());
        while let Some(run) = replay.next().await.unwrap() {
            text.push_str(str::from_utf8(&run).unwrap());
        }
        let seen: Vec<_> = text.lines().map(|line| line.split(['[', ']']).nth(1).unwrap()).collect();
        assert_eq!(seen, *expected, "{asked:?} {granted:?}");
    }
}
