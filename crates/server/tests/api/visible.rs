//! A subscriber does not learn what it may not see, over whichever way its stream comes.
use super::fixture::*;
use fanfare_server::auth::{AuthSettings, Authenticator, SigningKey, TrustedKeys, mint::LegacyToken};
use url::Url;

fn key() -> SigningKey {
    SigningKey::hs256(b"a secret of at least thirty-two bytes").unwrap()
}

async fn closed() -> Fixture {
    let hub_url = Url::parse("https://hub.example/.well-known/mercure").unwrap();
    let keys = key().verification().into();
    let keys =
        TrustedKeys { subscriber_keys: keys, publisher_keys: key().verification().into(), ..TrustedKeys::default() };
    let settings = AuthSettings { keys: keys.into(), anonymous: true, ..AuthSettings::closed(hub_url) };
    serve_as(Authenticator::new(settings), |_| {}).await
}

fn bearer(publish: &[&str], subscribe: &[&str]) -> String {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    let token = LegacyToken { publish: texts(publish), subscribe: texts(subscribe), payload: None, expires_at: None };
    format!("Authorization: Bearer {}\r\n", token.sign(&key()))
}

#[tokio::test]
async fn alternates_are_a_list_of_recipients() {
    let server = closed().await;
    let lines = "Accept: application/x-ndjson\r\n";
    let cases = [
        ("/topics/news", String::new(), r#"["news"]"#),
        ("/topics/news?topic=u/1", String::new(), r#"["news","u/1"]"#),
        ("/topics/news", bearer(&[], &["u/2"]), r#"["news","u/2"]"#),
        ("/topics/news", bearer(&[], &["*"]), r#"["news","u/1","u/2"]"#),
        ("/topics?topic=*", String::new(), r#"["news","u/1","u/2"]"#),
    ];
    let mut streams = Vec::new();
    for (target, token, _) in &cases {
        let envelope = format!("{target}{}envelope", if target.contains('?') { '&' } else { '?' });
        streams.push(server.subscribe(&envelope, token).await);
        streams.push(server.subscribe(target, &format!("{token}{lines}")).await);
        streams.push(server.subscribe(target, token).await);
    }
    let publisher = bearer(&["*"], &[]);
    let form = "topic=news&topic=u/1&topic=u/2&data=x";
    assert_eq!(server.form(&publisher, form).await.status, 200);
    for (index, stream) in streams.iter_mut().enumerate() {
        let (target, _, topics) = &cases[index / 3];
        let text = stream.read_until(|text| text.contains("\"private\"") || text.contains("data: x\n\n")).await;
        if index % 3 == 2 {
            assert!(!text.contains("u/"), "a plain event names no topic: {text}");
        } else {
            assert!(text.contains(&format!("\"topics\":{topics}")), "{target}: {text}");
        }
    }
    for (target, token, topics) in &cases {
        let until = format!("{target}{}until=now&last_event_id=earliest", if target.contains('?') { '&' } else { '?' });
        let held = server.get(&until, &format!("{token}{lines}")).await;
        assert!(held.body.contains(&format!("\"topics\":{topics}")), "{until}: {}", held.body);
        let again = until.replace("until=now&", "");
        let mut replayed = server.subscribe(&again, &format!("{token}{lines}")).await;
        let text = replayed.read_until(|text| text.contains("\"private\"")).await;
        assert!(text.contains(&format!("\"topics\":{topics}")), "{again}: {text}");
    }
}

/// Audiences that see different topics share an event's data, which is then sent in two pieces. Whatever a socket takes
/// of them at a time, an event arrives whole, and in its order.
#[tokio::test(flavor = "multi_thread")]
async fn large_data_arrives_whole_whatever_topics_are_visible() {
    const SIZES: [usize; 9] = [10, 600, 63_000, 65_400, 70_000, 500_000, 1, 300_000, 600];
    let server = closed().await;
    let mut streams = Vec::new();
    for number in 0..12 {
        let target = format!("/topics/u/{}?envelope", number / 2);
        let headers = if number % 3 == 0 { "Accept: application/x-ndjson\r\n" } else { "" };
        let mut stream = server.connect_with_a_small_buffer().await;
        stream.send(server.request(&format!("GET {target}"), "HTTP/1.0", headers)).await;
        stream.read_head().await;
        streams.push((number / 2, stream));
    }
    let publisher = bearer(&["*"], &[]);
    let topics: String = (1..6).map(|number| format!("&topic=u/{number}")).collect();
    for (index, size) in SIZES.into_iter().enumerate() {
        let letter = char::from(b'a' + u8::try_from(index).unwrap()).to_string();
        let form = format!("topic=u/0{topics}&data={}", letter.repeat(size));
        assert_eq!(server.form(&publisher, &form).await.status, 200);
    }
    for (number, mut stream) in streams {
        // Large texts are looked through seldom, and only at their end.
        let ends = |text: &str| text.ends_with("}\n") || text.ends_with("}\n\n") || text.ends_with(":\n");
        let done = |text: &str| ends(text) && text.matches("\"time_ms\":").count() == SIZES.len();
        let text = stream.read_until(done).await;
        let events: Vec<_> = text.lines().filter_map(|line| line.find('{').map(|start| &line[start..])).collect();
        assert_eq!(events.len(), SIZES.len());
        for (index, (event, size)) in events.into_iter().zip(SIZES).enumerate() {
            let event: serde_json::Value = serde_json::from_str(event).unwrap();
            assert_eq!(event["topics"], serde_json::json!([format!("u/{number}")]));
            let data = event["data"].as_str().unwrap();
            assert!(data.len() == size && data.bytes().all(|byte| byte == b'a' + u8::try_from(index).unwrap()));
        }
    }
}
