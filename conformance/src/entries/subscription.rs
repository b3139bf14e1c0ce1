//! Asking for a stream, and what the stream is.
use crate::{
    outcome::{Fault, Outcome, check, check_eq},
    trial::{Purpose, Trial},
};
use hyper::Method;

/// B6: GET MUST work. QUERY MAY, with a form as its body: the union of both counts, for the cursor the query string.
pub(super) async fn b06_get_subscribes_and_query_may(trial: &Trial<'_>) -> Outcome {
    let (in_query, in_body) = (trial.topic("query"), trial.topic("body"));
    let mut stream = trial.subscribe(&[(trial.exactly(), &in_query)]).await?;
    trial.say(&in_query, "by GET").await?;
    stream.expect(&["by GET"]).await?;
    if !trial.is_modern() {
        return Ok(());
    }
    let token = trial.token(Purpose::Subscribe, &["*"])?;
    let query = |fields: &[(&str, &str)]| trial.ask(Method::QUERY).query(fields).bearer(&token);
    let status = query(&[]).form(&[("match", &in_body)]).send().await?.status;
    if matches!(status, 404 | 405 | 501) {
        return Err(Fault::not_applicable("GET works; the hub has no QUERY, and need not"));
    }
    let first = trial.say(&in_body, "1").await?;
    let second = trial.say(&in_query, "2").await?;
    trial.say(&in_body, "3").await?;
    let both = query(&[("match", &in_query), ("last_event_id", &first)]);
    let mut stream = both.form(&[("match", &in_body), ("last_event_id", &second)]).open().await?;
    stream.expect(&["2", "3"]).await?;
    let both = query(&[("match", &in_query), ("last_event_id", &first)]).header("last-event-id", &second);
    both.form(&[("match", &in_body)]).open().await?.expect(&["3"]).await?;
    let only_body = query(&[]).form(&[("match", &in_body), ("last_event_id", &first)]);
    only_body.open().await?.expect(&["3"]).await?;
    check_eq!(query(&[]).form(&[("private", "")]).send().await?.status, 400, "status of a QUERY without a matcher");
    let status = query(&[("match", &in_query)]).form(&[("match_regexp", "x")]).send().await?.status;
    check_eq!(status, 400, "status of a QUERY with an unknown matcher in its body");
    Ok(())
}

/// B7: At least one matcher. Repeatable, in any mix; names are case-sensitive.
pub(super) async fn b07_a_subscription_names_a_topic(trial: &Trial<'_>) -> Outcome {
    let (a, b) = (trial.topic("a"), trial.topic("b/1"));
    let wrong_case = if trial.is_modern() { "Matched" } else { "Topic" };
    for query in [&[][..], &[("last_event_id", "earliest")], &[(wrong_case, &a)]] {
        check_eq!(trial.status(query).await?, 400, "status of a subscription by {query:?}");
    }
    let (parameter, below) = trial.below(&trial.topic("b/"));
    let mut stream = trial.subscribe(&[(trial.exactly(), &a), (parameter, &below)]).await?;
    trial.say(&b, "b").await?;
    trial.say(&trial.topic("c"), "c").await?;
    trial.say(&a, "a").await?;
    stream.expect(&["b", "a"]).await
}

/// B8: Every name that begins with `match`, in any case, and is no supported type: 400, also beside good ones.
pub(super) async fn b08_unknown_matchers_are_refused(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    for name in ["match_regexp", "Match", "MATCH", "match_", "matchURLPattern", "match_Exact", "matches", "MaTcH_x"] {
        check_eq!(trial.status(&[("match", &topic), (name, "x")]).await?, 400, "status of a subscription with {name}");
    }
    let mut stream = trial.subscribe(&[("match", &topic), ("mat", "x"), ("amatch", "x"), ("x_match", "x")]).await?;
    trial.say(&topic, "known").await?;
    stream.expect(&["known"]).await
}

/// B9: The query string is parsed as WHATWG's form-urlencoded: `+` is a space, what has no `=` has an empty value.
pub(super) async fn b09_the_query_is_form_urlencoded(trial: &Trial<'_>) -> Outcome {
    let topic = format!("{} +é=&", trial.topic("a"));
    let encoded =
        topic.replace('+', "%2B").replace(' ', "+").replace('é', "%C3%A9").replace('=', "%3d").replace('&', "%26");
    let query = format!("&&{}={encoded}&novalue&=x&%6Eame", trial.exactly());
    let token = trial.token(Purpose::Subscribe, &["*"])?;
    let mut stream = trial.ask(Method::GET).raw_query(&query).bearer(&token).open().await?;
    // Spelt otherwise than in the query: a hub that reads both wrongly in the same way does not pass.
    let spelt: String = topic.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let publish = trial.ask(Method::POST).bearer(&trial.token(Purpose::Publish, &["*"])?);
    let status = publish.raw_form(format!("data=decoded&topic={spelt}")).send().await?.status;
    check!((200..300).contains(&status), "publishing is answered with {status}");
    stream.expect(&["decoded"]).await
}

/// B10: Matcher values: UTF-8, no control, no format character; a malformed URL Pattern: 400.
pub(super) async fn b10_matchers_are_printable(trial: &Trial<'_>) -> Outcome {
    let token = trial.token(Purpose::Subscribe, &["*"])?;
    for name in ["match", "match_exact", "match_urlpattern"] {
        for bad in ["%00", "%0A", "%1F", "%7F", "%C2%80", "%C2%9F", "%C2%AD", "%E2%80%8B", "%EF%BB%BF", "%FF", "%C3%28"]
        {
            let query = format!("{name}=a{bad}b");
            let status = trial.ask(Method::GET).raw_query(&query).bearer(&token).send().await?.status;
            check_eq!(status, 400, "status of {query}");
        }
    }
    for pattern in ["https://example.com/(unclosed", "https://example.com/:a:a", "https://example.com/{x", "/([z-a])"] {
        check_eq!(trial.status(&[("match_urlpattern", pattern)]).await?, 400, "status of the pattern {pattern}");
    }
    Ok(())
}

/// B11: The number of matchers and their length SHOULD be bounded, and what is beyond: 400.
pub(super) async fn b11_matchers_are_bounded(trial: &Trial<'_>) -> Outcome {
    let many: Vec<_> = (0..1_500).map(|number| ("match", number.to_string())).collect();
    let many: Vec<_> = many.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let long = "x".repeat(16_000);
    let answers = [trial.status(&many).await?, trial.status(&[("match", &long)]).await?];
    if answers.contains(&200) {
        return Err(Fault::not_applicable(format!(
            "1,500 matchers and one of 16,000 bytes: {answers:?}; a limit SHOULD be"
        )));
    }
    check_eq!(answers, [400, 400], "status of 1,500 matchers, and of one of 16,000 bytes");
    Ok(())
}

/// B12: `text/event-stream`; every event has an ID; all fields are supported. Bytes come at once, and nothing buffers them.
pub(super) async fn b12_events_have_ids_and_all_fields(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let mut stream = trial.subscribe(&[(trial.exactly(), &topic)]).await?;
    check!(
        stream.first_bytes().await?.starts_with(':'),
        "a stream begins with {:?}, and not with a comment",
        stream.raw()
    );
    let caching = stream.header("cache-control").unwrap_or_default();
    check!(caching.contains("no-cache") || caching.contains("no-store"), "Cache-Control of a stream: {caching:?}");
    let id = format!("urn:x-conformance:{}", fastrand::u64(..));
    trial.published(&[("topic", &topic), ("data", "d"), ("id", &id), ("type", "news"), ("retry", "12345")]).await?;
    let minted = trial.published(&[("topic", &topic)]).await?;
    let event = stream.next().await?;
    check_eq!((event.event_type.as_str(), event.retry_ms, event.data.as_str()), ("news", Some(12_345), "d"), "fields");
    // A hub may make an ID of its own.
    check!(event.id.is_some_and(|id| !id.is_empty()), "an event has no ID");
    let event = stream.next().await?;
    check_eq!((event.event_type.as_str(), event.data.as_str()), ("message", ""), "fields of an update without any");
    check_eq!(event.id.as_deref(), Some(minted.as_str()), "ID of an update, as it was answered");
    Ok(())
}

/// B13: One `data` line for each line of the data, whatever ends it: nobody writes fields of their own.
pub(super) async fn b13_data_cannot_inject_fields(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let mut stream = trial.subscribe(&[(trial.exactly(), &topic)]).await?;
    for data in
        ["a\nid: forged\nevent: forged", "a\rid: forged\revent: forged", "a\r\nid: forged\r\n\r\ndata: b", "\n", " a"]
    {
        let id = trial.say(&topic, data).await?;
        let event = stream.next().await?;
        check_eq!(event.id.as_deref(), Some(id.as_str()), "ID of an event whose data is {data:?}");
        check_eq!(event.event_type, "message", "type of an event whose data is {data:?}");
        check_eq!(event.data, data.replace("\r\n", "\n").replace('\r', "\n"), "data");
    }
    Ok(())
}

/// B14: With credentials the allowed origin is from a list, never `*` and never what was asked; what pages need is exposed.
pub(super) async fn b14_credentials_are_for_named_origins(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let ask = |origin: &str| Ok::<_, Fault>(trial.subscription(&[(trial.exactly(), &topic)])?.header("origin", origin));
    let evil = ask("https://evil.example")?.send().await?;
    let reflected = evil.header("access-control-allow-origin");
    check!(reflected != Some("https://evil.example"), "an origin that nobody named is reflected");
    let with_credentials = evil.header("access-control-allow-credentials") == Some("true");
    check!(!(reflected == Some("*") && with_credentials), "credentials are allowed to every origin");
    let Some(origin) = trial.target.cors_origin.as_deref() else {
        return Err(Fault::not_applicable("no foreign origin is reflected; the suite was not given an allowed one"));
    };
    let allowed = ask(origin)?.send().await?;
    check_eq!(allowed.header("access-control-allow-origin"), Some(origin), "allowed origin");
    check_eq!(allowed.header("access-control-allow-credentials"), Some("true"), "whether credentials are allowed");
    let exposed = allowed.header("access-control-expose-headers").unwrap_or_default().to_ascii_lowercase();
    let names = if trial.is_modern() { &["link", "mercure-last-event-id"][..] } else { &["link"] };
    for name in names {
        check!(exposed.split(',').any(|field| field.trim() == *name), "{name} is not exposed, but {exposed:?}");
    }
    let preflight = trial.ask(Method::OPTIONS).header("origin", origin).header("access-control-request-method", "GET");
    let asked = "authorization,cache-control,last-event-id";
    let preflight = preflight.header("access-control-request-headers", asked).send().await?;
    let allowed = preflight.header("access-control-allow-headers").unwrap_or_default().to_ascii_lowercase();
    for name in asked.split(',') {
        check!(allowed.split(',').any(|field| field.trim() == name), "{name} is not allowed, but {allowed:?}");
    }
    Ok(())
}

/// B15: A private update MUST NOT reach whom it is not for, be it live or from the history.
pub(super) async fn b15_private_updates_stay_private(trial: &Trial<'_>) -> Outcome {
    let (mine, other) = (trial.topic("mine"), trial.topic("other"));
    let marker = trial.say(&mine, "marker").await?;
    let with = |topics: &[&str], query: &[(&str, &str)]| {
        let token = trial.token(Purpose::Subscribe, topics)?;
        Ok::<_, Fault>(trial.ask(Method::GET).query(&[(trial.exactly(), &mine)]).query(query).bearer(&token))
    };
    let since = [(trial.cursor_parameter(), marker.as_str())];
    let mut granted = with(&[&mine], &[])?.open().await?;
    let mut wrong = with(&[&other], &[])?.open().await?;
    let mut empty = with(&[], &[])?.open().await?;
    trial.published(&[("topic", &mine), ("data", "secret"), ("private", "on")]).await?;
    trial.say(&mine, "public").await?;
    granted.expect(&["secret", "public"]).await?;
    wrong.expect(&["public"]).await?;
    empty.expect(&["public"]).await?;
    with(&[&mine], &since)?.open().await?.expect(&["secret", "public"]).await?;
    with(&[&other], &since)?.open().await?.expect(&["public"]).await
}
