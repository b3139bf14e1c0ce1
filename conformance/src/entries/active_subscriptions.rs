//! The entries on active subscriptions, which are an optional feature: events when a subscriber connects or
//! disconnects, and documents that list the current subscriptions.
use crate::{
    http::{Answer, links},
    outcome::{Fault, Outcome, check, check_eq},
    rules::{
        active_subscriptions::{
            API, COLLECTION, CONTENT_TYPE, CURSOR, DISTINCT, DOCUMENT, EVENT, EXPOSED, FEATURE, FLAG, GRANTED, JSON_ID,
            LINK_TYPES, MERCURE_TYPE, NOT_GRANTED, NOT_SUPPLIED, PAYLOAD, PRIVATE, QUERY_APART, SHAPES, SHARED, SINGLE,
            TOPIC, UNKNOWN,
        },
        authorization::FORBIDDEN,
        subscription::EVENT_ID,
    },
    stream::{Event, Stream},
    token::detail,
    trial::{Purpose, Trial},
};
use hyper::Method;
use serde_json::{Value, json};
use url::Url;

/// The number of members from which on a collection may be only one of several pages. A collection with fewer members
/// is complete.
const SHORT_PAGE: usize = 20;

/// Ends the trial unless the hub has active subscriptions: its metadata says so, or its subscription API answers.
/// Returns true if the API answers.
async fn supported(trial: &Trial<'_>) -> Outcome<bool> {
    let says_so = trial.metadata.as_ref().is_some_and(|metadata| metadata["mercure_subscriptions"] == true);
    let has_api = ask(trial, &path(trial, &[])).await?.status == 200;
    if !says_so && !has_api {
        return Err(trial.unsupported(&FEATURE, "the hub has no active subscriptions"));
    }
    trial.by(&FEATURE, async { Ok(()) }).await?;
    let flag = async {
        check!(says_so, "the hub has active subscriptions, and its metadata does not say so");
        Ok(())
    };
    if trial.metadata.is_some() {
        trial.by(&FLAG, flag).await?;
    }
    Ok(has_api)
}

/// Ends the trial unless the hub also has the subscription API, which is a SHOULD.
async fn with_api(trial: &Trial<'_>) -> Outcome {
    if !supported(trial).await? {
        return Err(trial.unsupported(&API, "the hub has events of subscriptions, and no API"));
    }
    trial.by(&API, async { Ok(()) }).await?;
    Ok(())
}

/// Expands a value by the simple expansion of RFC 6570: every byte that is not unreserved is percent-encoded, once.
fn expand(value: &str) -> String {
    let expanded = value.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    expanded.collect()
}

/// Returns the path of the subscription API, which is also the topic of subscription events. `parts` are a matcher
/// type, a matcher and a subscriber; later parts may be left out.
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

/// Returns the query parameter that subscribes to the subscription events about `topic`.
fn watching(trial: &Trial<'_>, topic: &str) -> (&'static str, String) {
    let below = format!("{}/", path(trial, &["exact", topic]));
    trial.below(&below)
}

fn document(event: &Event) -> Result<Value, Fault> {
    serde_json::from_str(&event.data).map_err(|error| Fault::Broken(format!("{:?} is not JSON: {error}", event.data)))
}

async fn told(watcher: &mut Stream) -> Result<(Event, Value), Fault> {
    let event = watcher.next().await?;
    let document = document(&event)?;
    Ok((event, document))
}

/// B43: When a subscriber connects or disconnects, the hub publishes a private update. The topic of the update, and the
/// `id` in its document, are the subscription's URL. The event ID is like any other: the hub may make a new one for
/// each event.
pub(super) async fn b43_coming_and_going_are_private_updates(trial: &Trial<'_>) -> Outcome {
    supported(trial).await?;
    let topic = trial.topic("a:b");
    let (name, value) = watching(trial, &topic);
    let end = trial.topic("end");
    let watched = [(name, value.as_str()), (trial.exactly(), &end)];
    let mut watcher = trial.subscribe(&watched).await?;
    let nobody = trial.token(Purpose::Subscribe, &[&topic])?;
    let stranger = trial.ask(Method::GET).query(&watched).bearer(&nobody).open_if_allowed().await?;
    let both = async {
        let coming = trial.subscribe(&[(trial.exactly(), &topic)]).await?;
        let came = told(&mut watcher).await?;
        check_eq!(came.1["active"], json!(true), "`active` after a subscriber connected");
        drop(coming);
        // A hub that notices a closed connection only when it writes needs these updates to notice it.
        for data in ["to nobody", "to nobody again"] {
            trial.say(&topic, data).await?;
        }
        let gone = told(&mut watcher).await?;
        check_eq!(gone.1["active"], json!(false), "`active` after a subscriber disconnected");
        Ok([came, gone])
    };
    let Some(events) = trial.by(&EVENT, both).await? else { return Ok(()) };
    let is_its_topic = async {
        for (_, document) in &events {
            let expected = path(trial, &["exact", &topic, document["subscriber"].as_str().unwrap_or_default()]);
            check_eq!(document["id"].as_str(), Some(expected.as_str()), "`id` of the document");
        }
        Ok(())
    };
    trial.by(&JSON_ID, is_its_topic).await?;
    let have_ids = async {
        for (event, _) in &events {
            check!(event.id.as_ref().is_some_and(|id| !id.is_empty()), "an event of a subscription has no ID");
        }
        Ok(())
    };
    trial.by(&EVENT_ID, have_ids).await?;
    let is_private = async {
        trial.say(&end, "end").await?;
        match stranger {
            Ok(mut stream) => stream.expect(&["end"]).await,
            Err(_) => Ok(()),
        }
    };
    trial.by(&PRIVATE, is_private).await?;
    trial.by(&TOPIC, is_expanded_once(trial)).await?;
    Ok(())
}

/// Expects that the hub expands a topic with unusual characters as RFC 6570 says, in the document of a subscription
/// event.
async fn is_expanded_once(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a b/é%20{x");
    let (name, rest) = if trial.is_modern() { ("match_urlpattern", "*") } else { ("topic", "{+rest}") };
    let mut watcher = trial.subscribe(&[(name, &format!("{}/{rest}", path(trial, &[])))]).await?;
    let _coming = trial.subscribe(&[(trial.exactly(), &topic)]).await?;
    loop {
        let (_, document) = told(&mut watcher).await?;
        // Other subscribers may connect and disconnect at the same time.
        if document[if trial.is_modern() { "match" } else { "topic" }] == *topic {
            let expected = path(trial, &["exact", &topic, document["subscriber"].as_str().unwrap_or_default()]);
            check_eq!(
                document["id"].as_str(),
                Some(expected.as_str()),
                "`id` of the subscription event about {topic:?}"
            );
            return Ok(());
        }
    }
}

/// B44: All subscriptions of one subscriber have the same subscriber identifier. In the newer Mercure revision the hub
/// chooses the identifier, and no two connections have the same.
pub(super) async fn b44_a_connection_is_one_subscriber(trial: &Trial<'_>) -> Outcome {
    supported(trial).await?;
    let (a, b) = (trial.topic("a"), trial.topic("b"));
    let (of_a, of_b) = (watching(trial, &a), watching(trial, &b));
    let mut watcher = trial.subscribe(&[(of_a.0, &of_a.1), (of_b.0, &of_b.1)]).await?;
    let both = [(trial.exactly(), a.as_str()), (trial.exactly(), &b)];
    let mine = [&both[..], if trial.is_modern() { &[("subscriber", "mine")] } else { &[] }].concat();
    let mut subscribers = Vec::new();
    let mut streams = Vec::new();
    for query in [&both[..], &mine] {
        streams.push(trial.subscribe(query).await?);
        for _ in 0..2 {
            subscribers.push(told(&mut watcher).await?.1["subscriber"].clone());
        }
    }
    let is_shared = async {
        for pair in subscribers.chunks(2) {
            check_eq!(pair[0], pair[1], "identifier of a connection's other subscription");
        }
        Ok(())
    };
    trial.by(&SHARED, is_shared).await?;
    let is_distinct = async {
        check!(subscribers[0] != subscribers[2], "two connections are both {}", subscribers[0]);
        Ok(())
    };
    trial.by(&DISTINCT, is_distinct).await?;
    let is_the_hubs = async {
        check!(!subscribers.contains(&json!("mine")), "a subscriber chose its own identifier");
        Ok(())
    };
    trial.by(&NOT_SUPPLIED, is_the_hubs).await?;
    Ok(())
}

/// Expects that the document of a subscription has the required fields. Other fields are allowed.
fn is_document(trial: &Trial<'_>, document: &Value, topic: &str) -> Outcome {
    let expected = if trial.is_modern() {
        json!({"type": "subscription", "match_type": "exact", "match": topic, "active": true})
    } else {
        json!({"type": "Subscription", "topic": topic, "active": true})
    };
    for (field, value) in expected.as_object().into_iter().flatten() {
        check_eq!(document[field], *value, "{field}");
    }
    for field in ["id", "subscriber"] {
        check!(document[field].as_str().is_some_and(|text| !text.is_empty()), "there is no {field}: {document}");
    }
    Ok(())
}

/// B45: The subscription document has the required fields. In the newer Mercure revision the event that carries it has
/// the type `mercure`.
pub(super) async fn b45_the_document_says_what_is_subscribed(trial: &Trial<'_>) -> Outcome {
    supported(trial).await?;
    let topic = trial.topic("a");
    let (name, value) = watching(trial, &topic);
    let mut watcher = trial.subscribe(&[(name, &value)]).await?;
    let _coming = trial.subscribe(&[(trial.exactly(), &topic)]).await?;
    let (event, came) = told(&mut watcher).await?;
    trial.by(&DOCUMENT, async { is_document(trial, &came, &topic) }).await?;
    let is_typed = async {
        check_eq!(event.event_type, "mercure", "type of the event");
        Ok(())
    };
    trial.by(&MERCURE_TYPE, is_typed).await?;
    Ok(())
}

/// B46: The subscription document contains the payload of the subscriber's token. In the newer Mercure revision this is
/// the payload of the first `subscribe` detail that matches the text of the subscription's matcher. In the older
/// revision a token has only one payload.
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
    let included = async {
        let _coming = trial.ask(Method::GET).query(&[(trial.exactly(), &topic)]).bearer(&token).open().await?;
        check_eq!(told(&mut watcher).await?.1["payload"], json!({"from": "this"}), "payload");
        Ok(())
    };
    trial.by(&PAYLOAD, included).await?;
    Ok(())
}

/// B47: The API has three kinds of URLs: for all subscriptions, for the subscriptions of one matcher, and for one
/// subscription. A request needs a grant for the path of the URL. In the newer Mercure revision the query is not part
/// of that path.
pub(super) async fn b47_the_api_has_three_shapes(trial: &Trial<'_>) -> Outcome {
    with_api(trial).await?;
    let topic = trial.topic("a");
    let (name, value) = watching(trial, &topic);
    let mut watcher = trial.subscribe(&[(name, &value)]).await?;
    let _coming = trial.subscribe(&[(trial.exactly(), &topic)]).await?;
    let id = told(&mut watcher).await?.1["id"].as_str().unwrap_or_default().to_owned();
    let (all, of_matcher) = (path(trial, &[]), path(trial, &["exact", &topic]));
    for (path, is_one) in [(&all, false), (&of_matcher, false), (&id, true)] {
        let answered = async {
            let answer = ask(trial, path).await?;
            check_eq!(answer.status, 200, "status of {path}");
            Ok(answer)
        };
        let Some(answer) = trial.by(&SHAPES, answered).await? else { return Ok(()) };
        let typed = async {
            let kind = if trial.is_modern() { "application/json" } else { "application/ld+json" };
            let is = answer.header("content-type").unwrap_or_default();
            check!(is.starts_with(kind), "{path} is {is:?}, and should be {kind}");
            Ok(())
        };
        trial.by(&CONTENT_TYPE, typed).await?;
        let document: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        if is_one {
            let single = async {
                check_eq!(document["id"], *path, "`id` of {path}");
                is_document(trial, &document, &topic)
            };
            trial.by(&SINGLE, single).await?;
        } else {
            trial.by(&COLLECTION, async { is_collection(trial, &document, path, &id) }).await?;
        }
        access(trial, path).await?;
    }
    let unknown = async {
        let path = path(trial, &["exact", &topic, "nobody"]);
        check_eq!(ask(trial, &path).await?.status, 404, "status of an unknown subscription");
        Ok(())
    };
    trial.by(&UNKNOWN, unknown).await?;
    Ok(())
}

/// Expects that the document is the collection at this path, and that it contains this member.
fn is_collection(trial: &Trial<'_>, document: &Value, path: &str, member: &str) -> Outcome {
    let kind = if trial.is_modern() { "subscriptions" } else { "Subscriptions" };
    check_eq!(document["type"], kind, "type of {path}");
    let id = trial.target.hub.join(document["id"].as_str().unwrap_or_default()).ok();
    check_eq!(id.as_ref().map(Url::path), Some(path), "path of the `id` of {path}");
    let Some(members) = document["subscriptions"].as_array() else {
        return Err(Fault::Broken(format!("{path} has no subscriptions")));
    };
    let is_there = members.iter().any(|one| one["id"] == member);
    check!(is_there || members.len() >= SHORT_PAGE, "{path} lacks the subscription {member}");
    Ok(())
}

/// Expects that the hub answers a request for this path only if the token grants it.
async fn access(trial: &Trial<'_>, path: &str) -> Outcome {
    let get = || trial.ask_at(Method::GET, url(trial, path));
    let absolute = url(trial, path).to_string();
    let grants = if trial.is_modern() { vec![path] } else { vec![path, &absolute] };
    let token = trial.token(Purpose::Subscribe, &grants)?;
    let other = trial.token(Purpose::Subscribe, &[&trial.topic("other")])?;
    let granted = async {
        check_eq!(get().bearer(&token).send().await?.status, 200, "status of {path} with a grant for it");
        for (who, ask) in [("with another grant", get().bearer(&other)), ("without a token", get())] {
            let status = ask.send().await?.status;
            check!((400..500).contains(&status), "{path} is answered with {status} {who}");
        }
        Ok(())
    };
    trial.by(&GRANTED, granted).await?;
    let apart = async {
        let status = get().query(&[("x", "y")]).bearer(&token).send().await?.status;
        check_eq!(status, 200, "status of {path} with a query and a grant for the path");
        Ok(())
    };
    trial.by(&QUERY_APART, apart).await?;
    for rule in [&NOT_GRANTED, &FORBIDDEN] {
        let forbidden = async {
            check_eq!(get().bearer(&other).send().await?.status, 403, "status of {path} with another grant");
            Ok(())
        };
        trial.by(rule, forbidden).await?;
    }
    Ok(())
}

/// B48: An answer of the API contains a cursor: the ID of the event after which subscription events bring the answer up
/// to date.
pub(super) async fn b48_the_api_gives_the_cursor(trial: &Trial<'_>) -> Outcome {
    with_api(trial).await?;
    let last = trial.say(&trial.topic("a"), "last").await?;
    let answer = ask(trial, &path(trial, &[])).await?;
    let links = links(&answer);
    let link = links.iter().find(|link| link.get("rel") == Some("mercure"));
    let cursor = async {
        // Other subscribers may connect and disconnect at the same time, so any ID passes.
        let cursor = if trial.is_modern() {
            link.and_then(|link| link.get("last-event-id")).map(str::to_owned)
        } else {
            let document: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            document["lastEventID"].as_str().map(str::to_owned)
        };
        check!(cursor.is_some_and(|id| !id.is_empty()), "there is no ID of the last event, which was {last}");
        Ok(())
    };
    trial.by(&CURSOR, cursor).await?;
    let types = async {
        for (name, value) in [("type", "mercure"), ("content-type", "application/json")] {
            check_eq!(link.and_then(|link| link.get(name)), Some(value), "{name} of the link");
        }
        Ok(())
    };
    trial.by(&LINK_TYPES, types).await?;
    let Some(origin) = trial.target.cors_origin.as_deref() else { return Ok(()) };
    let exposed = async {
        let get = trial.ask_at(Method::GET, url(trial, &path(trial, &[]))).header("origin", origin);
        let answer = get.bearer(&trial.token(Purpose::Subscribe, &["*"])?).send().await?;
        let exposed = answer.header("access-control-expose-headers").unwrap_or_default().to_ascii_lowercase();
        check!(
            exposed.split(',').any(|name| matches!(name.trim(), "link" | "*")),
            "Link is not exposed, but {exposed:?}"
        );
        Ok(())
    };
    trial.by(&EXPOSED, exposed).await?;
    Ok(())
}
