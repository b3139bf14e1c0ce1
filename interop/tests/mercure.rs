//! Libraries of other people's making that speak the Mercure protocol, on our hub, by the protocol's older revision,
//! which is what they speak: tokens that they make or carry, topics and URI Templates, private updates, and resuming
//! where the hub was killed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use fanfare_interop::{
    curl::Transfer,
    hub::Hub,
    publisher::{Publisher, Update},
    subscriber::{Received, START_EVENT, Subscriber},
    token,
};
use std::iter;
use url::form_urlencoded::Serializer;

const ANY: &str = "*";
/// The topics that everybody subscribes to.
const BOOKS: &str = "https://example.com/books/{id}";
const MESSAGES: &str = "https://example.com/users/{user}/messages{?page}";
/// Whose private updates a subscriber gets.
const OF_ANNA: &str = "https://example.com/users/anna/{+rest}";

/// A library as a subscriber, on a hub's URL with a query, with a token for [`OF_ANNA`].
type Start = fn(url: &str) -> Subscriber;

const SUBSCRIBERS: &[(&str, Start)] = &[
    ("eventsource, header", |url| npm("eventsource", url, "header")),
    ("eventsource, cookie", |url| npm("eventsource", url, "cookie")),
    ("undici, query", |url| npm("undici", &format!("{url}&authorization={}", token::subscriber(OF_ANNA)), "query")),
    ("event-source-polyfill, header", |url| npm("event-source-polyfill", url, "header")),
    ("launchdarkly-eventsource, header", |url| npm("launchdarkly-eventsource", url, "header")),
    ("fetch-event-source, header", |url| npm("@microsoft/fetch-event-source", url, "header")),
    ("Symfony, header", |url| Subscriber::symfony(url, "header", OF_ANNA)),
    ("Symfony, cookie", |url| Subscriber::symfony(url, "cookie", OF_ANNA)),
];

fn npm(package: &str, url: &str, carrier: &str) -> Subscriber {
    let token = token::subscriber(OF_ANNA);
    let headers = match carrier {
        "header" => vec![("Authorization", format!("Bearer {token}"))],
        "cookie" => vec![("Cookie", format!("mercureAuthorization={token}"))],
        // The URL has the token.
        _ => vec![],
    };
    Subscriber::npm_with(package, url, &headers, &["book"])
}

/// What is published before the hub is killed, and whether a subscriber is to get it.
fn before() -> Vec<(Update, bool)> {
    let retry = Some(50);
    vec![
        (Update { topics: vec!["https://example.com/books/1"], data: "a book", retry, ..Update::default() }, true),
        (Update { topics: vec!["https://example.com/books"], data: "a book shop", ..Update::default() }, false),
        (Update { topics: vec!["https://example.com/shop", "https://example.com/books/2"], ..with_everything() }, true),
        (private("https://example.com/users/anna/messages?page=2", "for Anna"), true),
        (private("https://example.com/users/bob/messages", "for Bob"), false),
    ]
}

/// What is published while nobody is connected.
fn meanwhile() -> Vec<(Update, bool)> {
    vec![
        (private("https://example.com/users/bob/messages?page=3", "for Bob again"), false),
        (private("https://example.com/users/anna/messages", "for Anna again"), true),
        (Update { topics: vec!["https://example.com/books/3"], ..with_everything() }, true),
    ]
}

fn private(topic: &'static str, data: &'static str) -> Update {
    Update { topics: vec![topic], data, private: true, ..Update::default() }
}

/// Everything that a library may encode wrongly, but for the topics.
fn with_everything() -> Update {
    let data = "{\"title\":\"Größe & +1 = 100%;\"}\n日本語 😀";
    Update { data, event_type: Some("book"), ..Update::default() }
}

#[test]
fn each_library_receives_what_it_may_and_goes_on_behind_it_when_the_hub_has_been_killed() {
    for (name, start) in SUBSCRIBERS {
        let mut hub = hub();
        let mut wanted = publish(&hub, before());
        let mut subscriber = start(&subscription(&hub, "earliest"));
        assert_eq!(events(&mut subscriber, wanted.len()), wanted, "{name}");
        wanted = publish(&hub, vec![(private("https://example.com/users/anna/messages", "while it listens"), true)]);
        assert_eq!(events(&mut subscriber, 1), wanted, "{name}");
        hub.kill();
        hub.restart();
        wanted = publish(&hub, meanwhile());
        assert_eq!(events(&mut subscriber, wanted.len()), wanted, "{name}: after the hub's end");
        println!("{name}: as it should be");
    }
}

/// 128 bytes, which is a piece of the response that pymercure waits for.
const FILLER: &str = "---------------------------------------------------------------------\
    -----------------------------------------------------------";

/// It can neither carry a token nor go on after an end.
#[test]
fn pymercure_receives_what_is_public() {
    let hub = hub();
    let mut subscriber = Subscriber::pymercure(&hub.mercure(), &[BOOKS, MESSAGES]);
    let public = |published: Vec<(Update, bool)>| -> Vec<_> {
        published.into_iter().map(|(update, wanted)| (update.clone(), wanted && !update.private)).collect()
    };
    let wanted = [publish(&hub, public(before())), publish(&hub, public(meanwhile()))].concat();
    // The last events would wait in it for many heartbeats, until a piece is full.
    let filler = Update { topics: vec!["https://example.com/books/4"], data: FILLER, ..Update::default() };
    let _ = publish(&hub, vec![(filler, true)]);
    assert_eq!(events(&mut subscriber, wanted.len()), wanted);
}

#[test]
fn what_each_library_publishes_arrives() {
    let updates = [
        Update { topics: vec!["https://example.com/books/1"], data: "a book", ..Update::default() },
        Update {
            topics: vec!["https://example.com/shop", "https://example.com/books/2"],
            event_type: None,
            ..with_everything()
        },
        Update { topics: vec!["https://example.com/books/2"], id: Some("urn:x:é"), ..with_everything() },
        private("https://example.com/users/anna/messages?page=2", "for Anna"),
        Update { id: Some("urn:y"), retry: Some(200), ..private("https://example.com/users/anna/messages", "too") },
    ];
    for publisher in Publisher::ALL {
        let hub = hub();
        let able: Vec<&Update> = updates.iter().filter(|update| publisher.has_what_it_takes(update)).collect();
        assert!(able.len() >= 3, "{publisher:?} is tried with too little");
        let published = able.iter().map(|update| (update, publisher.publish(&hub.mercure(), ANY, update).unwrap()));
        let wanted: Vec<_> = published.map(|(update, id)| received(update, id)).collect();
        for (update, received) in iter::zip(able, &wanted) {
            assert!(update.id.is_none_or(|id| id == received.id), "{publisher:?}: {update:?} became {received:?}");
        }
        let url = format!("{}&authorization={}", subscription(&hub, "earliest"), token::subscriber(OF_ANNA));
        let replay = Transfer::start(&url, "").filter(|event| event.event_type != START_EVENT);
        assert_eq!(replay.take(wanted.len()).collect::<Vec<_>>(), wanted, "{publisher:?}");
        println!("{publisher:?}: as it should be");
    }
}

/// One topic of two that its token is for is not enough. The crate `mercure` takes the refusal for an ID.
#[test]
fn each_library_is_refused_what_its_token_is_not_for() {
    let hub = hub();
    let topics = vec!["https://example.com/users/anna/messages", "https://example.com/books/1"];
    let update = Update { topics, data: "not to be published", ..Update::default() };
    for publisher in Publisher::ALL {
        let result = publisher.publish(&hub.mercure(), OF_ANNA, &update);
        assert!(publisher == Publisher::Mercure || result.is_err(), "{publisher:?}: {result:?}");
    }
    let last = Update { topics: vec!["https://example.com/books/1"], data: "last", ..Update::default() };
    let id = Publisher::Mercure.publish(&hub.mercure(), ANY, &last).unwrap();
    let mut replay = Transfer::start(&subscription(&hub, "earliest"), "");
    assert_eq!(replay.find(|event| event.event_type != START_EVENT), Some(received(&last, id)));
}

fn hub() -> Hub {
    Hub::start_with(&["--key", token::KEY, "--anonymous", "true"])
}

/// The URL of everybody's subscription, behind this ID.
fn subscription(hub: &Hub, last_event_id: &str) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair("topic", BOOKS).append_pair("topic", MESSAGES).append_pair("lastEventID", last_event_id);
    format!("{}?{}", hub.mercure(), query.finish())
}

/// Publishes all of it, and returns what of it is wanted, as it is to arrive.
fn publish(hub: &Hub, updates: Vec<(Update, bool)>) -> Vec<Received> {
    let published = updates.into_iter().map(|(update, wanted)| {
        let id = Publisher::Symfony.publish(&hub.mercure(), ANY, &update).unwrap();
        wanted.then(|| received(&update, id))
    });
    published.flatten().collect()
}

fn received(update: &Update, id: String) -> Received {
    Received { event_type: update.event_type.unwrap_or("message").to_owned(), data: update.data.to_owned(), id }
}

fn events(subscriber: &mut Subscriber, count: usize) -> Vec<Received> {
    iter::repeat_with(|| subscriber.event()).take(count).collect()
}
