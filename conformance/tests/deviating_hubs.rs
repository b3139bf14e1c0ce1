//! The suite on hubs that deviate: this repository's, with a change on the way to it and back. What a draft leaves open
//! passes, what it recommends differs, a feature that is missing is not supported, and only a broken MUST fails.
mod change;
mod hub;

use change::{Change, Changed};
use fanfare_conformance::{
    ENTRIES, Report,
    Revision::{self, Legacy, Modern},
    Verdict::{self, Differs, Fail, NotSupported, Pass},
    run,
};
use hub::{CORS_ORIGIN, OwnHub};
use hyper::{
    Method, StatusCode,
    header::{self, HeaderName, HeaderValue},
};

const BOTH: &[Revision] = &[Legacy, Modern];
const LEGACY: &[Revision] = &[Legacy];
const MODERN: &[Revision] = &[Modern];
const METADATA: &str = "/.well-known/oauth-protected-resource";
const API: &str = "/.well-known/mercure/subscriptions";
const CURSOR_HEADERS: [&str; 2] = ["mercure-last-event-id", "last-event-id"];

async fn report(change: &Change, number: &str, revision: Revision) -> Report {
    let entry = ENTRIES.iter().find(|entry| entry.name.split('_').next() == Some(number)).expect("an entry's number");
    let own = OwnHub::start().await;
    let changed = Changed::start(&own.target, change.clone()).await;
    let report = run(entry, &changed.target, revision).await;
    own.stop().await;
    report
}

/// Expects a verdict on each of these entries. It gives the last report, whose findings say more.
async fn judge(change: Change, revisions: &[Revision], verdicts: &[(&str, Verdict)]) -> Report {
    let mut last = None;
    for (number, expected) in verdicts {
        for revision in revisions {
            let report = report(&change, number, *revision).await;
            assert_eq!(report.verdict(), *expected, "{number}, {revision}:\n{report}");
            last = Some(report);
        }
    }
    last.expect("something is judged")
}

fn says(report: &Report, verdict: Verdict, sentence: &str) {
    let is_said = report.with(verdict).any(|finding| finding.sentence.text.contains(sentence));
    assert!(is_said, "no verdict {verdict} by {sentence:?}:\n{report}");
}

/// A hub whose metadata is changed.
fn metadata(change: fn(&mut serde_json::Map<String, serde_json::Value>)) -> Change {
    Change::answers(move |asked, _, body| {
        if asked.uri.path().starts_with(METADATA)
            && let Ok(mut document) = serde_json::from_str(body)
        {
            change(&mut document);
            *body = serde_json::Value::Object(document).to_string();
        }
    })
}

/// A hub that keeps nothing: it has no event that a cursor names.
fn without_history() -> Change {
    Change {
        asks: std::sync::Arc::new(|ask| {
            ask.headers.remove("last-event-id");
            ask.drop_fields(&["last_event_id", "lastEventID"]);
        }),
        ..Change::answers(|asked, head, _| {
            let is_asked = asked.headers.contains_key("last-event-id") || asked.fields().contains("ast_event_id");
            if is_asked || asked.fields().contains("lastEventID") {
                for name in CURSOR_HEADERS {
                    head.headers.insert(HeaderName::from_static(name), HeaderValue::from_static("earliest"));
                }
            }
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_is_dialled_by_another_name_passes() {
    judge(Change::default(), MODERN, &[("b05", Pass), ("b16", Pass), ("b18", Pass), ("b32", Pass), ("b38", Pass)])
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_without_history_does_not_support_replay_and_fails_nowhere() {
    let verdicts = [("b03", NotSupported), ("b40", NotSupported), ("b42", NotSupported), ("b41", Pass), ("b15", Pass)];
    judge(without_history(), BOTH, &verdicts).await;
    judge(without_history(), MODERN, &[("b06", Pass)]).await;
    let report = judge(without_history(), BOTH, &[("b39", NotSupported)]).await;
    says(&report, NotSupported, "the hub SHOULD send all events");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_replays_something_else_differs() {
    let change = Change { chunks: |text| text.replace("data: 4\n", "data: four\n"), ..Change::default() };
    judge(change, BOTH, &[("b39", Differs)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_takes_cursors_from_one_place_alone_fails() {
    let only_header = Change::asks(|ask| ask.drop_fields(&["last_event_id", "lastEventID"]));
    let report = judge(only_header, BOTH, &[("b39", Fail)]).await;
    says(&report, Fail, "the hub MUST also accept the last event ID in a query parameter");
    let query_first = Change::asks(|ask| {
        if ask.fields().contains("ast_event_id") || ask.fields().contains("lastEventID") {
            ask.headers.remove("last-event-id");
        }
    });
    says(&judge(query_first, BOTH, &[("b39", Fail)]).await, Fail, "the HTTP header MUST take precedence");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_may_ignore_earliest_and_has_to_name_the_place() {
    let ignores = Change::asks(|ask| {
        if ask.headers.get("last-event-id").is_some_and(|id| id == "earliest") {
            ask.headers.remove("last-event-id");
        }
        if ask.fields().contains("=earliest") {
            ask.drop_fields(&["last_event_id", "lastEventID"]);
        }
    });
    says(&judge(ignores, BOTH, &[("b40", Pass)]).await, NotSupported, "The hub MAY ignore this request");
    let nameless = Change::answers(|_, head, _| {
        for name in CURSOR_HEADERS {
            head.headers.remove(name);
        }
    });
    judge(nameless, BOTH, &[("b41", Fail)]).await;
    // The place that was asked for, be it known or not.
    let agrees = Change::answers(|asked, head, _| {
        let asked = asked.headers.get("last-event-id").cloned();
        for name in
            CURSOR_HEADERS.into_iter().filter(|_| asked.as_ref().is_some_and(|id| id.as_bytes().ends_with(b"never")))
        {
            head.headers.insert(HeaderName::from_static(name), asked.clone().expect("it is there"));
        }
    });
    judge(agrees, BOTH, &[("b41", Fail)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metadata_has_a_resource_and_what_else_it_has_is_well_formed() {
    let named =
        metadata(|document| drop(document.insert("mercure_cookie".into(), "__Secure-mercure_access_token".into())));
    judge(named, MODERN, &[("b05", Pass), ("b30", Pass)]).await;
    let flag = metadata(|document| drop(document.insert("mercure_cookie".into(), true.into())));
    says(&judge(flag, MODERN, &[("b05", Fail)]).await, Fail, "`mercure_cookie` (optional): a string");
    let short = metadata(|document| document.retain(|name, _| name == "resource"));
    judge(short, MODERN, &[("b05", Pass), ("b19", Pass)]).await;
    let empty = metadata(|document| drop(document.remove("resource")));
    says(&judge(empty, MODERN, &[("b05", Fail)]).await, Fail, "MUST include the `resource` member");
    let off = metadata(|document| {
        document.remove("mercure_cookie");
        document.insert("mercure_subscriptions".into(), false.into());
    });
    judge(off, MODERN, &[("b05", Pass), ("b43", Differs), ("b30", Differs)]).await;
    let none = Change::answers(|asked, head, _| {
        if asked.uri.path().starts_with(METADATA) {
            head.status = StatusCode::NOT_FOUND;
        }
    });
    let none = Change { is_default_audience: false, ..none };
    judge(none, MODERN, &[("b05", NotSupported), ("b19", Pass), ("b43", Pass)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cors_is_the_newer_revisions_and_is_for_those_with_credentials() {
    let is_there = |revision| ENTRIES.iter().any(|entry| entry.name.starts_with("b14") && entry.is_in(revision));
    assert!(!is_there(Legacy) && is_there(Modern));
    let reflects = Change::answers(|asked, head, _| {
        if let Some(origin) = asked.headers.get(header::ORIGIN) {
            head.headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            head.headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    });
    says(&judge(reflects, MODERN, &[("b14", Fail)]).await, Fail, "MUST NOT be reflected");
    let open = Change::answers(|_, head, _| {
        head.headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        for name in [header::ACCESS_CONTROL_ALLOW_CREDENTIALS, header::ACCESS_CONTROL_EXPOSE_HEADERS] {
            head.headers.remove(name);
        }
    });
    judge(Change { has_cors_origin: false, ..open }, MODERN, &[("b14", Pass)]).await;
    let no_preflight = Change::answers(|_, head, _| drop(head.headers.remove(header::ACCESS_CONTROL_ALLOW_HEADERS)));
    judge(no_preflight, MODERN, &[("b14", Differs)]).await;
}

/// A hub that answers other statuses to refusals.
fn with_status(from: u16, to: u16) -> Change {
    Change::answers(move |_, head, _| {
        if head.status == from {
            head.status = StatusCode::from_u16(to).expect("a status");
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_older_revision_leaves_the_status_of_most_refusals_open() {
    let verdicts = [("b28", Pass), ("b31", Pass), ("b33", Pass), ("b35", Pass)];
    judge(with_status(401, 403), LEGACY, &verdicts).await;
    judge(with_status(401, 400), LEGACY, &verdicts).await;
    says(
        &judge(with_status(403, 401), LEGACY, &[("b47", Differs)]).await,
        Differs,
        "a 403 HTTP status code SHOULD be returned",
    );
    says(&judge(with_status(403, 401), LEGACY, &[("b27", Fail)]).await, Fail, "MUST return a 403");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newer_revision_takes_what_cannot_be_read_as_a_bad_token_or_a_bad_request() {
    let challenge = |header: &'static str, status: u16, challenge: &'static str| {
        Change::answers(move |asked, head, _| {
            if asked.headers.get(header::AUTHORIZATION).is_some_and(|value| value == header) {
                head.status = StatusCode::from_u16(status).expect("a status");
                head.headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            }
        })
    };
    let cases = [
        ("Bearer nonsense", 400, r#"Bearer error="invalid_request""#, Pass),
        ("Bearer nonsense", 401, r#"Bearer error="invalid_token""#, Pass),
        ("Bearer nonsense", 400, r#"Bearer error="invalid_token""#, Fail),
        ("Bearer nonsense", 401, "Bearer", Fail),
        ("Bearer nonsense", 200, "Bearer", Fail),
        ("Basic YTpi", 401, "Bearer", Pass),
        ("Bearer a b", 401, r#"Bearer error="invalid_token""#, Pass),
    ];
    for (header, status, value, verdict) in cases {
        judge(challenge(header, status, value), MODERN, &[("b33", verdict)]).await;
    }
    let bare = Change::answers(|_, head, _| {
        if let Some(challenge) = head.headers.get_mut(header::WWW_AUTHENTICATE) {
            let text =
                challenge.to_str().expect("text").split("resource_metadata").next().unwrap_or_default().to_owned();
            *challenge = text.trim_end_matches([' ', ',']).parse().expect("a header");
        }
    });
    says(
        &judge(bare, MODERN, &[("b33", Differs)]).await,
        Differs,
        "The challenge SHOULD include a `resource_metadata`",
    );
    judge(with_status(401, 403), MODERN, &[("b33", Fail)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_does_not_verify_origins_differs() {
    let trusting = Change::asks(|ask| {
        if ask.method == Method::POST && ask.headers.contains_key(header::COOKIE) {
            ask.headers.remove(header::REFERER);
            ask.headers.insert(header::ORIGIN, HeaderValue::from_static(CORS_ORIGIN));
        }
    });
    let report = judge(trusting, BOTH, &[("b38", Differs)]).await;
    says(&report, Differs, "hubs SHOULD also verify that the source origin");
    let no_cookies = Change::asks(|ask| drop(ask.headers.remove(header::COOKIE)));
    judge(no_cookies.clone(), BOTH, &[("b38", NotSupported)]).await;
    judge(no_cookies.clone(), LEGACY, &[("b30", NotSupported), ("b29", Pass), ("b04", Pass)]).await;
    let silent =
        Change { answers: metadata(|document| drop(document.remove("mercure_cookie"))).answers, ..no_cookies.clone() };
    judge(silent, MODERN, &[("b30", NotSupported), ("b29", Pass), ("b04", Pass)]).await;
    let named = metadata(|document| drop(document.insert("mercure_cookie".into(), "token".into())));
    judge(Change { answers: named.answers, ..no_cookies }, MODERN, &[("b30", Fail)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_need_not_have_what_may_be() {
    let no_query_token = Change::asks(|ask| ask.drop_fields(&["authorization"]));
    says(&judge(no_query_token, LEGACY, &[("b29", Pass)]).await, NotSupported, "Hubs MAY support this method");
    let no_query = Change::answers(|asked, head, _| {
        if asked.method == Method::QUERY {
            head.status = StatusCode::METHOD_NOT_ALLOWED;
        }
    });
    says(&judge(no_query, MODERN, &[("b06", Pass)]).await, NotSupported, "Hubs MAY also accept any other safe method");
    let closed = Change::answers(|asked, head, _| {
        let has_token = asked.headers.contains_key(header::AUTHORIZATION) || asked.headers.contains_key(header::COOKIE);
        if !has_token && asked.uri.path().ends_with("/mercure") && !asked.uri.path().starts_with(METADATA) {
            head.status = StatusCode::UNAUTHORIZED;
        }
    });
    judge(closed, BOTH, &[("b35", Pass)]).await;
    let no_matchers_needed = with_status(400, 200);
    judge(no_matchers_needed, BOTH, &[("b07", Pass)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_older_revision_refuses_no_topic_and_no_id() {
    for number in ["b10", "b14", "b18", "b21", "b26", "b32", "b34"] {
        let is_there = |entry: &fanfare_conformance::Entry| entry.name.starts_with(number) && entry.is_in(Legacy);
        assert!(!ENTRIES.iter().any(is_there), "{number}");
    }
    judge(with_status(400, 200), LEGACY, &[("b20", Pass), ("b23", Pass), ("b24", Pass)]).await;
    judge(with_status(400, 200), MODERN, &[("b20", Fail), ("b23", Fail), ("b24", Fail)]).await;
}

/// Gives events about subscriptions other IDs.
fn with_presence_ids(text: &str, id: fn() -> String) -> String {
    let is_presence = text.contains(r#""active":"#);
    let lines = text.split_inclusive('\n').map(|line| match line.strip_prefix("id: ") {
        Some(_) if is_presence => format!("id: {}\n", id()),
        _ => line.to_owned(),
    });
    lines.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_of_subscription_events_are_the_hubs_choice_and_those_in_the_documents_are_not() {
    let shared = |text: String| with_presence_ids(&text, || "urn:x-shared".into());
    judge(Change { chunks: shared, ..Change::default() }, BOTH, &[("b43", Pass)]).await;
    let unique = |text: String| with_presence_ids(&text, || format!("urn:x-unique:{}", fastrand::u64(..)));
    judge(Change { chunks: unique, ..Change::default() }, BOTH, &[("b43", Pass)]).await;
    let missing = |text: String| with_presence_ids(&text, String::new);
    says(
        &judge(Change { chunks: missing, ..Change::default() }, BOTH, &[("b43", Fail)]).await,
        Fail,
        "MUST include an `id`",
    );
    let expanded_twice = |text: String| text.replace("%2F", "%252F");
    let report = judge(Change { chunks: expanded_twice, ..Change::default() }, BOTH, &[("b43", Fail)]).await;
    says(&report, Fail, "MUST be the same value as the subscription update's topic");
    let form_encoded = |text: String| text.replace("a%20b", "a+b");
    let report = judge(Change { chunks: form_encoded, ..Change::default() }, BOTH, &[("b43", Fail)]).await;
    says(&report, Fail, "MUST be percent-encoded exactly once");
    let other = |text: String| text.replace(r#""id":"/.well-known/mercure/"#, r#""id":"/elsewhere/"#);
    let report = judge(Change { chunks: other, ..Change::default() }, BOTH, &[("b43", Fail)]).await;
    says(&report, Fail, "MUST be the same value as the subscription update's topic");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_of_subscriptions_should_be_there_and_its_link_should_say_what_comes() {
    let no_api = Change::answers(|asked, head, _| {
        if asked.uri.path().starts_with(API) {
            head.status = StatusCode::NOT_FOUND;
        }
    });
    judge(no_api.clone(), LEGACY, &[("b43", NotSupported), ("b47", NotSupported)]).await;
    let report = judge(no_api, MODERN, &[("b43", Pass), ("b47", Pass), ("b48", Pass)]).await;
    says(&report, NotSupported, "it SHOULD also expose active subscriptions through a web API");
    let short_link = Change::answers(|asked, head, _| {
        if asked.uri.path().starts_with(API) {
            let link = r#"</.well-known/mercure>; rel="mercure"; last-event-id="earliest""#;
            head.headers.insert(header::LINK, HeaderValue::from_static(link));
        }
    });
    judge(short_link, MODERN, &[("b48", Differs)]).await;
    let no_link = Change::answers(|_, head, _| drop(head.headers.remove(header::LINK)));
    judge(no_link, MODERN, &[("b48", Fail)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_are_the_hubs_choice_and_their_statuses_are_not() {
    judge(with_status(413, 200), MODERN, &[("b26", Verdict::NotTried)]).await;
    judge(with_status(413, 400), MODERN, &[("b26", Fail)]).await;
    judge(with_status(400, 414), MODERN, &[("b11", Verdict::NotTried)]).await;
    judge(with_status(400, 413), MODERN, &[("b11", Fail)]).await;
}

/// What the program prints, and whether it reports success.
async fn program(target: &fanfare_conformance::Target, arguments: &[&str]) -> (String, bool) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_fanfare-conformance"));
    command.args(["--hub", target.hub.as_str()]).args(arguments).args(hub::PROGRAM_ARGUMENTS);
    let output = command.output().await.expect("the program runs");
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.success())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_cites_a_sentence_for_each_verdict_and_fails_by_a_must_alone() {
    let own = OwnHub::start().await;
    let changed = Changed::start(&own.target, without_history()).await;
    let (printed, is_success) =
        program(&changed.target, &["--only", "b39", "--only", "b25", "--revision", "modern"]).await;
    assert!(is_success, "{printed}");
    let lines: Vec<_> = printed.lines().collect();
    assert!(lines.iter().any(|line| line.starts_with("not supported b39_")), "{printed}");
    assert!(lines.iter().any(|line| line.starts_with("pass          b25_")), "{printed}");
    let cited = |start: &str| lines.iter().any(|line| line.starts_with(start) && line.ends_with('"'));
    assert!(
        cited("    not supported SHOULD, draft 08, Reconciliation: \"If the `Last-Event-ID` HTTP header"),
        "{printed}"
    );
    assert!(
        cited("    pass          MUST, draft 08, Publication: \"On success, the hub MUST return a 200"),
        "{printed}"
    );
    assert!(lines.contains(&"1 pass, 0 FAIL, 0 differs, 1 not supported, 0 not tried"), "{printed}");
    let changed = Changed::start(&own.target, with_status(401, 400)).await;
    let (printed, is_success) =
        program(&changed.target, &["--only", "b33", "--only", "b25", "--revision", "modern"]).await;
    assert!(!is_success, "{printed}");
    assert!(printed.ends_with("FAIL: b33_refusals_are_challenges (modern)\n"), "{printed}");
    own.stop().await;
}
