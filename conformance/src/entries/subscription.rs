//! The entries on a subscriber's request and on the stream that answers it.
use crate::{
    entries::history::{keeps_history, replay},
    http::Ask,
    outcome::{Fault, Outcome, check, check_eq},
    rules::{
        publication::{FORM, SUCCESS},
        reconciliation::{CURRENT_TOKEN, REPLAY},
        subscription::{
            ALL_FIELDS, BODY_NAMES, CREDENTIALS, DATA_LINES, EVENT_ID, EVENT_STREAM, FETCH_HEADER, FORM_QUERY, GET,
            LIMIT_STATUS, LIMITS, NAMED_ORIGINS, PRINTABLE, PRIVATE, QUERY, QUERY_CURSOR, RESERVED_NAMES, SEVERAL,
            UNION, WELL_FORMED,
        },
    },
    trial::{Purpose, Trial},
};
use hyper::Method;

/// B6: A hub MUST support GET. It MAY support QUERY with a form as the body. Then the matchers of the body and of the
/// query string count, but only the cursor of the query string.
pub(super) async fn b06_get_subscribes_and_query_may(trial: &Trial<'_>) -> Outcome {
    let (in_query, in_body) = (trial.topic("query"), trial.topic("body"));
    let get = async {
        let mut stream = trial.subscribe(&[(trial.exactly(), &in_query)]).await?;
        trial.say(&in_query, "by GET").await?;
        stream.expect(&["by GET"]).await
    };
    trial.by(&GET, get).await?;
    if !trial.is_modern() {
        return Ok(());
    }
    let token = trial.token(Purpose::Subscribe, &["*"])?;
    let query = |fields: &[(&str, &str)]| trial.ask(Method::QUERY).query(fields).bearer(&token);
    let status = query(&[]).form(&[("match", &in_body)]).send().await?.status;
    if status != 200 {
        return Err(trial.unsupported(&QUERY, &format!("a QUERY is answered with {status}")));
    }
    let works = async { query(&[]).form(&[("match", &in_body)]).open().await };
    trial.by(&QUERY, works).await?;
    let union = async {
        let mut stream = query(&[("match", &in_query)]).form(&[("match", &in_body)]).open().await?;
        trial.say(&in_body, "of the body").await?;
        trial.say(&in_query, "of the query").await?;
        stream.expect(&["of the body", "of the query"]).await
    };
    trial.by(&UNION, union).await?;
    let unknown = async {
        let status = query(&[("match", &in_query)]).form(&[("match_no_such_type", "x")]).send().await?.status;
        check_eq!(status, 400, "status of a QUERY with an unknown matcher in its body");
        Ok(())
    };
    trial.by(&BODY_NAMES, unknown).await?;
    keeps_history(trial).await?;
    let first = trial.say(&in_body, "1").await?;
    let second = trial.say(&in_body, "2").await?;
    trial.say(&in_body, "3").await?;
    let cursor = async {
        let both = query(&[("last_event_id", &second)]).form(&[("match", &in_body), ("last_event_id", &first)]);
        check_eq!(replay(trial, both).await?, ["3"], "replay from the query's cursor, where the body has another");
        let headed = query(&[("last_event_id", &first)]).header("last-event-id", &second).form(&[("match", &in_body)]);
        check_eq!(replay(trial, headed).await?, ["3"], "replay from the header's cursor, where the query has another");
        let only_body = query(&[]).form(&[("match", &in_body), ("last_event_id", &first)]);
        check_eq!(replay(trial, only_body).await?, ["2", "3"], "replay from the body's cursor, which is the only one");
        Ok(())
    };
    trial.by(&QUERY_CURSOR, cursor).await?;
    Ok(())
}

/// B7: A request may name several topics, in any mix of matchers, and receives no other topics. No draft says how a hub
/// answers a request without a topic, so every answer passes.
pub(super) async fn b07_a_subscription_names_topics(trial: &Trial<'_>) -> Outcome {
    let (a, b) = (trial.topic("a"), trial.topic("b/1"));
    let mixed = async {
        let (parameter, below) = trial.below(&trial.topic("b/"));
        let mut stream = trial.subscribe(&[(trial.exactly(), &a), (parameter, &below)]).await?;
        trial.say(&b, "b").await?;
        trial.say(&trial.topic("c"), "c").await?;
        trial.say(&a, "a").await?;
        stream.expect(&["b", "a"]).await
    };
    trial.by(&SEVERAL, mixed).await?;
    Ok(())
}

/// B8: The hub answers 400 to every parameter whose name begins with `match`, in any case, and is not a supported
/// matcher type, even if other parameters are valid. No matcher type can have the names that are tried here, except one
/// name that nobody will register.
pub(super) async fn b08_unknown_matchers_are_refused(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let names = [
        "match_nosuchconformancetype",
        "Match",
        "MATCH",
        "match_",
        "matchURLPattern",
        "match_Exact",
        "matches",
        "MaTcH_x",
    ];
    let refused = async {
        for name in names {
            check_eq!(
                trial.status(&[("match", &topic), (name, "x")]).await?,
                400,
                "status of a subscription with {name}"
            );
        }
        Ok(())
    };
    trial.by(&RESERVED_NAMES, refused).await?;
    Ok(())
}

/// B9: In the newer Mercure revision the query string is a form: `+` is a space, and names are encoded like values. An
/// update is a form in both revisions. The older revision says nothing about the query string except that it is
/// percent-encoded.
pub(super) async fn b09_the_query_is_form_urlencoded(trial: &Trial<'_>) -> Outcome {
    let topic = format!("{} +é=&", trial.topic("a"));
    let token = trial.token(Purpose::Subscribe, &["*"])?;
    let percent = |bytes: &[u8]| bytes.iter().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let plus =
        topic.replace('+', "%2B").replace(' ', "+").replace('é', "%C3%A9").replace('=', "%3d").replace('&', "%26");
    let publish = async |spelt: &str, data: &str| {
        let publish = trial.ask(Method::POST).bearer(&trial.token(Purpose::Publish, &["*"])?);
        let status = publish.raw_form(format!("data={data}&topic={spelt}")).send().await?.status;
        check!((200..300).contains(&status), "publishing is answered with {status}");
        Ok(())
    };
    // The update encodes the topic differently from the query, so a hub that reads both wrongly in the same way does
    // not pass.
    let form = async {
        let query = format!("{}={}", trial.exactly(), percent(topic.as_bytes()));
        let mut stream = trial.ask(Method::GET).raw_query(&query).bearer(&token).open().await?;
        publish(&plus, "decoded+%2b").await?;
        stream.expect(&["decoded +"]).await
    };
    trial.by(&FORM, form).await?;
    let query = async {
        let query = format!("&&%6Datch={plus}&");
        let mut stream = trial.ask(Method::GET).raw_query(&query).bearer(&token).open().await?;
        publish(&percent(topic.as_bytes()), "decoded").await?;
        stream.expect(&["decoded"]).await
    };
    trial.by(&FORM_QUERY, query).await?;
    Ok(())
}

/// B10: The value of a matcher is UTF-8 without control and format characters. The hub answers 400 to other values, and
/// to a malformed URL Pattern.
pub(super) async fn b10_matchers_are_printable(trial: &Trial<'_>) -> Outcome {
    let token = trial.token(Purpose::Subscribe, &["*"])?;
    let bad = ["%00", "%0A", "%1F", "%7F", "%C2%80", "%C2%9F", "%C2%AD", "%E2%80%8B", "%EF%BB%BF", "%FF", "%C3%28"];
    let printable = async {
        for name in ["match", "match_exact", "match_urlpattern"] {
            for bad in bad {
                let query = format!("{name}=a{bad}b");
                let status = trial.ask(Method::GET).raw_query(&query).bearer(&token).send().await?.status;
                check_eq!(status, 400, "status of {query}");
            }
        }
        Ok(())
    };
    trial.by(&PRINTABLE, printable).await?;
    let well_formed = async {
        for pattern in
            ["https://example.com/(unclosed", "https://example.com/:a:a", "https://example.com/{x", "/([z-a])"]
        {
            check_eq!(trial.status(&[("match_urlpattern", pattern)]).await?, 400, "status of the pattern {pattern}");
        }
        Ok(())
    };
    trial.by(&WELL_FORMED, well_formed).await?;
    Ok(())
}

/// B11: A hub SHOULD limit the number and the length of matchers. It answers 400 to a request beyond a limit. The hub
/// chooses the limits, and the limit of its HTTP server for the size of a request's head may apply first.
pub(super) async fn b11_matchers_are_bounded(trial: &Trial<'_>) -> Outcome {
    let many: Vec<_> = (0..1_500).map(|number| ("match", number.to_string())).collect();
    let many: Vec<_> = many.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let long = "x".repeat(16_000);
    for (what, query) in [("1,500 matchers", &many[..]), ("a matcher of 16,000 bytes", &[("match", &long)])] {
        match trial.status(query).await? {
            200 => trial.not_tried(&LIMITS, &format!("{what}: taken; the limit, if any, is beyond")),
            414 | 431 => trial.not_tried(&LIMITS, &format!("{what}: beyond what the server takes as a head")),
            status => {
                let refused = async {
                    check_eq!(status, 400, "status of {what}");
                    Ok(())
                };
                trial.by(&LIMIT_STATUS, refused).await?;
                trial.by(&LIMITS, async { Ok(()) }).await?;
            }
        }
    }
    Ok(())
}

/// B12: The stream is `text/event-stream`. Every event has an ID, the same that the publisher received. The hub
/// supports all fields. It chooses how a stream begins and which other headers it has.
pub(super) async fn b12_events_have_ids_and_all_fields(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let opened = trial.by(&EVENT_STREAM, trial.subscribe(&[(trial.exactly(), &topic)])).await?;
    let Some(mut stream) = opened else { return Ok(()) };
    let id = format!("urn:x-conformance:{}", fastrand::u64(..));
    trial.published(&[("topic", &topic), ("data", "d"), ("id", &id), ("type", "news"), ("retry", "12345")]).await?;
    let minted = trial.published(&[("topic", &topic), ("data", "plain")]).await?;
    let fields = async {
        let event = stream.next().await?;
        let fields = (event.event_type.as_str(), event.retry_ms, event.data.as_str());
        check_eq!(fields, ("news", Some(12_345), "d"), "fields");
        let plain = stream.next().await?;
        check_eq!(
            (plain.event_type.as_str(), plain.data.as_str()),
            ("message", "plain"),
            "fields of an update without any"
        );
        Ok([event.id, plain.id])
    };
    let Some(ids) = trial.by(&ALL_FIELDS, fields).await? else { return Ok(()) };
    let has_ids = async {
        check!(ids.iter().flatten().filter(|id| !id.is_empty()).count() == ids.len(), "IDs of two events: {ids:?}");
        Ok(())
    };
    trial.by(&EVENT_ID, has_ids).await?;
    let is_told = async {
        check_eq!(ids[1].as_deref(), Some(minted.as_str()), "ID of an update, as it was answered");
        Ok(())
    };
    trial.by(&SUCCESS, is_told).await?;
    Ok(())
}

/// B13: The hub sends one `data` line for each line of the data, whatever the line's ending is. So a publisher cannot
/// inject other fields.
pub(super) async fn b13_data_cannot_inject_fields(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let lines =
        ["a\nid: forged\nevent: forged", "a\rid: forged\revent: forged", "a\r\nid: forged\r\n\r\ndata: b", "\n", " a"];
    let split = async {
        let mut stream = trial.subscribe(&[(trial.exactly(), &topic)]).await?;
        for data in lines {
            let id = trial.say(&topic, data).await?;
            let event = stream.next().await?;
            check_eq!(event.id.as_deref(), Some(id.as_str()), "ID of an event whose data is {data:?}");
            check_eq!(event.event_type, "message", "type of an event whose data is {data:?}");
            check_eq!(event.data, data.replace("\r\n", "\n").replace('\r', "\n"), "data");
        }
        Ok(())
    };
    trial.by(&DATA_LINES, split).await?;
    Ok(())
}

/// B14: If a request carries credentials, the allowed origin in the answer is from a list. It is never `*`, and not
/// simply the origin of the request. The older Mercure revision says nothing about this. A hub that allows no
/// credentials at all may allow every origin.
pub(super) async fn b14_credentials_are_for_named_origins(trial: &Trial<'_>) -> Outcome {
    let (topic, token) = (trial.topic("a"), trial.token(Purpose::Subscribe, &["*"])?);
    let cookie = format!("{}={token}", trial.cookie());
    let ask = |origin: &str| {
        let ask = trial.ask(Method::GET).query(&[(trial.exactly(), &topic)]);
        ask.header("cookie", &cookie).header("origin", origin).send()
    };
    let named = async {
        let evil = ask("https://evil.example").await?;
        let allowed = evil.header("access-control-allow-origin");
        let with_credentials = evil.header("access-control-allow-credentials") == Some("true");
        let is_for_all = matches!(allowed, Some("*" | "https://evil.example"));
        check!(
            !(is_for_all && with_credentials),
            "credentials are allowed to an origin that nobody named: {allowed:?}"
        );
        Ok(())
    };
    trial.by(&NAMED_ORIGINS, named).await?;
    let Some(origin) = trial.target.cors_origin.as_deref() else {
        return Err(Fault::NotTried("the suite was not given an origin that the hub allows".into()));
    };
    let credentials = async {
        let allowed = ask(origin).await?;
        check_eq!(allowed.header("access-control-allow-origin"), Some(origin), "allowed origin");
        check_eq!(allowed.header("access-control-allow-credentials"), Some("true"), "whether credentials are allowed");
        Ok(())
    };
    trial.by(&CREDENTIALS, credentials).await?;
    let preflight = async {
        let asked = trial.ask(Method::OPTIONS).header("origin", origin).header("access-control-request-method", "GET");
        let answer = asked.header("access-control-request-headers", "authorization").send().await?;
        let allowed = answer.header("access-control-allow-headers").unwrap_or_default().to_ascii_lowercase();
        check!(
            allowed.split(',').any(|name| name.trim() == "authorization"),
            "Authorization is not allowed, but {allowed:?}"
        );
        Ok(())
    };
    trial.by(&FETCH_HEADER, preflight).await?;
    Ok(())
}

/// B15: A private update MUST NOT reach a subscriber without a grant for it, neither live nor from the history. The hub
/// may refuse a subscriber that has no grant at all.
pub(super) async fn b15_private_updates_stay_private(trial: &Trial<'_>) -> Outcome {
    let (mine, other) = (trial.topic("mine"), trial.topic("other"));
    let marker = trial.say(&mine, "marker").await?;
    let with = |topics: &[&str]| -> Outcome<Ask<'_>> {
        Ok(trial.ask(Method::GET).query(&[(trial.exactly(), &mine)]).bearer(&trial.token(Purpose::Subscribe, topics)?))
    };
    let live = async {
        let mut granted = with(&[&mine])?.open().await?;
        let not_granted = [with(&[&other])?.open_if_allowed().await?, with(&[])?.open_if_allowed().await?];
        trial.published(&[("topic", &mine), ("data", "secret"), ("private", "on")]).await?;
        trial.say(&mine, "public").await?;
        granted.expect(&["secret", "public"]).await?;
        for mut stream in not_granted.into_iter().flatten() {
            stream.expect(&["public"]).await?;
        }
        Ok(())
    };
    trial.by(&PRIVATE, live).await?;
    keeps_history(trial).await?;
    let since = [(trial.cursor_parameter(), marker.as_str())];
    let all = async {
        check_eq!(
            replay(trial, with(&[&mine])?.query(&since)).await?,
            ["secret", "public"],
            "replay to whom it is for"
        );
        Ok(())
    };
    trial.by(&REPLAY, all).await?;
    let some = async {
        let seen = replay(trial, with(&[&other])?.query(&since)).await?;
        check!(!seen.iter().any(|data| data == "secret"), "replay to somebody else: {seen:?}");
        Ok(())
    };
    trial.by(&CURRENT_TOKEN, some).await?;
    Ok(())
}
