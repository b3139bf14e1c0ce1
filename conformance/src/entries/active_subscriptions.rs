//! Active subscriptions, which a hub need not have: events when somebody comes or goes, and documents of who is there.
use crate::{
    http::Answer,
    outcome::{Fault, Outcome, check, check_eq},
    stream::{Event, Stream},
    token::detail,
    trial::{Purpose, Trial},
};
use hyper::Method;
use serde_json::{Value, json};
use url::Url;

/// Whether the hub says that it has them: in its metadata, or by answering where they are.
async fn supported(trial: &Trial<'_>) -> Outcome {
    let has = if trial.is_modern() {
        trial.metadata().await.is_ok_and(|metadata| metadata["mercure_subscriptions"] == true)
    } else {
        ask(trial, &path(trial, &[])).await?.status != 404
    };
    if has { Ok(()) } else { Err(Fault::not_applicable("the hub has no active subscriptions, and need not")) }
}

/// The simple expansion of RFC 6570: everything but what is unreserved is encoded, once.
fn expand(value: &str) -> String {
    let expanded = value.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    expanded.collect()
}

/// The path of what is told of subscriptions; `parts` are a type of matcher, a matcher and a subscriber, as far as wanted.
fn path(trial: &Trial<'_>, parts: &[&str]) -> String {
    let parts = if trial.is_modern() { parts } else { parts.get(1..).unwrap_or_default() };
    let parts: String = parts.iter().map(|part| format!("/{}", expand(part))).collect();
    format!("{}/subscriptions{parts}", trial.target.hub.path())
}

fn url(trial: &Trial<'_>, path: &str) -> Url {
    trial.target.hub.join(path).expect("a path resolves against the hub's URL")
}

async fn ask(trial: &Trial<'_>, path: &str) -> Result<Answer, Fault> {
    trial.ask_at(Method::GET, url(trial, path)).bearer(&trial.token(Purpose::Subscribe, &["*"])?).send().await
}

/// The subscription to what is told of those who subscribe to `topic`.
fn watching(trial: &Trial<'_>, topic: &str) -> (&'static str, String) {
    let below = format!("{}/", path(trial, &["exact", topic]));
    trial.below(&below)
}

fn document(event: &Event) -> Result<Value, Fault> {
    serde_json::from_str(&event.data).map_err(|error| Fault::Broken(format!("{:?} is no JSON: {error}", event.data)))
}

async fn told(watcher: &mut Stream) -> Result<(Event, Value), Fault> {
    let event = watcher.next().await?;
    let document = document(&event)?;
    Ok((event, document))
}

/// B43: Coming and going is told as a private update whose topic and ID are the subscription's URL.
pub(super) async fn b43_coming_and_going_are_private_updates(trial: &Trial<'_>) -> Outcome {
    supported(trial).await?;
    let topic = trial.topic("a b/é%20:");
    let (name, value) = watching(trial, &topic);
    let end = trial.topic("end");
    let watched = [(name, value.as_str()), (trial.exactly(), &end)];
    let mut watcher = trial.subscribe(&watched).await?;
    let nobody = trial.token(Purpose::Subscribe, &[&topic])?;
    let mut stranger = trial.ask(Method::GET).query(&watched).bearer(&nobody).open().await?;
    let coming = trial.subscribe(&[(trial.exactly(), &topic)]).await?;
    let (event, came) = told(&mut watcher).await?;
    let subscriber = came["subscriber"].as_str().unwrap_or_default();
    let expected = path(trial, &["exact", &topic, subscriber]);
    check_eq!(event.id.as_deref(), Some(expected.as_str()), "ID of the event");
    check_eq!((came["id"].as_str(), &came["active"]), (Some(expected.as_str()), &json!(true)), "what is told");
    drop(coming);
    let (event, gone) = told(&mut watcher).await?;
    check_eq!(event.id.as_deref(), Some(expected.as_str()), "ID of the event");
    check_eq!(gone["active"], json!(false), "whether one who has gone is there");
    trial.say(&end, "end").await?;
    stranger.expect(&["end"]).await
}

/// B44: A subscriber's identifier is the hub's, unique to the connection, and shared by its subscriptions.
pub(super) async fn b44_a_connection_is_one_subscriber(trial: &Trial<'_>) -> Outcome {
    supported(trial).await?;
    let (a, b) = (trial.topic("a"), trial.topic("b"));
    let (of_a, of_b) = (watching(trial, &a), watching(trial, &b));
    let mut watcher = trial.subscribe(&[(of_a.0, &of_a.1), (of_b.0, &of_b.1)]).await?;
    let both = [(trial.exactly(), a.as_str()), (trial.exactly(), &b), ("subscriber", "mine")];
    let _first = trial.subscribe(&both).await?;
    let mut subscribers = Vec::new();
    for _ in 0..2 {
        subscribers.push(told(&mut watcher).await?.1["subscriber"].clone());
    }
    let _second = trial.subscribe(&both).await?;
    for _ in 0..2 {
        subscribers.push(told(&mut watcher).await?.1["subscriber"].clone());
    }
    check_eq!(subscribers[0], subscribers[1], "identifier of a connection's other subscription");
    check_eq!(subscribers[2], subscribers[3], "identifier of a connection's other subscription");
    check!(subscribers[0] != subscribers[2], "two connections are both {}", subscribers[0]);
    check!(subscribers[0] != "mine", "a subscriber chose its own identifier");
    Ok(())
}

/// B45: What the document has, and the type of the event that carries it.
pub(super) async fn b45_the_document_says_what_is_subscribed(trial: &Trial<'_>) -> Outcome {
    supported(trial).await?;
    let topic = trial.topic("a");
    let (name, value) = watching(trial, &topic);
    let mut watcher = trial.subscribe(&[(name, &value)]).await?;
    let _coming = trial.subscribe(&[(trial.exactly(), &topic)]).await?;
    let (event, came) = told(&mut watcher).await?;
    let expected = if trial.is_modern() {
        check_eq!(event.event_type, "mercure", "type of the event");
        json!({"type": "subscription", "match_type": "exact", "match": topic, "active": true})
    } else {
        check_eq!(event.event_type, "message", "type of the event");
        json!({"type": "Subscription", "topic": topic, "active": true})
    };
    for (member, value) in expected.as_object().into_iter().flatten() {
        check_eq!(came[member], *value, "{member}");
    }
    check!(came["subscriber"].as_str().is_some_and(|subscriber| !subscriber.is_empty()), "there is no subscriber");
    check!(came.get("payload").is_none_or(Value::is_null), "a payload that nobody gave: {came}");
    Ok(())
}

/// B46: The payload is that of the first `subscribe` detail that matches the matcher's own text; in the older revision the
/// token's only one.
pub(super) async fn b46_the_payload_is_the_grants(trial: &Trial<'_>) -> Outcome {
    supported(trial).await?;
    let topic = trial.topic("a");
    let (name, value) = watching(trial, &topic);
    let mut watcher = trial.subscribe(&[(name, &value)]).await?;
    let token = if trial.is_modern() {
        let with = |mut detail: Value, payload: &str| {
            detail["payload"] = json!({"from": payload});
            detail
        };
        let details = json!([
            with(detail(&["publish"], &["*"]), "publish"),
            with(detail(&["subscribe"], &[&trial.topic("b")]), "another"),
            with(detail(&["subscribe"], &[&topic]), "this"),
            with(detail(&["subscribe"], &["*"]), "all"),
        ]);
        trial.access_token(&trial.claims(&details)?)?
    } else {
        let claims = json!({"mercure": {"subscribe": ["x"], "payload": {"from": "this"}}});
        trial.legacy_token(Purpose::Subscribe, &claims)?
    };
    let _coming = trial.ask(Method::GET).query(&[(trial.exactly(), &topic)]).bearer(&token).open().await?;
    check_eq!(told(&mut watcher).await?.1["payload"], json!({"from": "this"}), "payload");
    Ok(())
}

/// B47: All, those of one matcher, and one. Whoever asks needs a grant for the path, without its query.
pub(super) async fn b47_the_api_has_three_shapes(trial: &Trial<'_>) -> Outcome {
    supported(trial).await?;
    let topic = trial.topic("a");
    let (name, value) = watching(trial, &topic);
    let mut watcher = trial.subscribe(&[(name, &value)]).await?;
    let _coming = trial.subscribe(&[(trial.exactly(), &topic)]).await?;
    let id = told(&mut watcher).await?.1["id"].as_str().unwrap_or_default().to_owned();
    let (kind, types) = if trial.is_modern() {
        ("application/json", ["subscriptions", "subscription"])
    } else {
        ("application/ld+json", ["Subscriptions", "Subscription"])
    };
    let (all, of_matcher) = (path(trial, &[]), path(trial, &["exact", &topic]));
    for (path, is_one) in [(&all, false), (&of_matcher, false), (&id, true)] {
        let answer = ask(trial, path).await?;
        check_eq!(answer.status, 200, "status of {path}");
        check!(answer.header("content-type").is_some_and(|is| is.starts_with(kind)), "{path} is no {kind}");
        let document: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        check_eq!(document["type"], types[usize::from(is_one)], "type of {path}");
        check_eq!(document["id"], *path, "ID of {path}");
        let members = document["subscriptions"].as_array().cloned().unwrap_or_default();
        check!(is_one || members.iter().any(|member| member["id"] == id), "{path} lacks the subscription");
        let get = || trial.ask_at(Method::GET, url(trial, path));
        let granted = get().query(&[("x", "y")]).bearer(&trial.token(Purpose::Subscribe, &[path])?).send().await?;
        check_eq!(granted.status, 200, "status of {path} with a grant for it");
        let other = get().bearer(&trial.token(Purpose::Subscribe, &[&topic])?).send().await?.status;
        check!(
            if trial.is_modern() { other == 403 } else { matches!(other, 401 | 403) },
            "{path} without a grant: {other}"
        );
        let nobody = get().send().await?.status;
        check!(matches!(nobody, 401 | 403), "{path} without a token: {nobody}");
    }
    let unknown = path(trial, &["exact", &topic, "nobody"]);
    check_eq!(ask(trial, &unknown).await?.status, 404, "status of an unknown subscription");
    Ok(())
}

/// B48: The documents say from which event on what is told of subscriptions completes them.
pub(super) async fn b48_the_api_gives_the_cursor(trial: &Trial<'_>) -> Outcome {
    supported(trial).await?;
    let last = trial.say(&trial.topic("a"), "last").await?;
    let answer = ask(trial, &path(trial, &[])).await?;
    if !trial.is_modern() {
        let document: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        check!(document["lastEventID"].as_str().is_some_and(|id| !id.is_empty()), "there is no lastEventID");
        return Ok(());
    }
    let links = answer.headers.get_all("link").iter().filter_map(|link| link.to_str().ok());
    let link = links.filter(|link| link.contains(r#"rel="mercure""#)).collect::<Vec<_>>().join(", ");
    for attribute in [r#"type="mercure""#, r#"content-type="application/json""#] {
        check!(link.contains(attribute), "the link lacks {attribute}: {link:?}");
    }
    let cursor = link.split_once(r#"last-event-id=""#).and_then(|(_, rest)| rest.split_once('"')).map(|(id, _)| id);
    // Others may come and go at the same time.
    check!(cursor.is_some_and(|id| !id.is_empty()), "the link has no last-event-id: {link:?}, where {last} was last");
    Ok(())
}
