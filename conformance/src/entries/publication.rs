//! Publishing.
use crate::{
    outcome::{Fault, Outcome, check, check_eq},
    token,
    trial::{Purpose, Trial},
};
use hyper::Method;
use serde_json::json;

/// B20: A form. The first topic is the canonical one, others are alternates; a subscriber of any gets it, once.
pub(super) async fn b20_any_topic_of_an_update_matches(trial: &Trial<'_>) -> Outcome {
    let topics = [trial.topic("a"), trial.topic("b"), trial.topic("c")];
    let mut all = trial.subscribe(&topics.each_ref().map(|topic| (trial.exactly(), topic.as_str()))).await?;
    let mut each = Vec::new();
    for topic in &topics {
        each.push(trial.subscribe(&[(trial.exactly(), topic)]).await?);
    }
    let fields: Vec<_> = topics.iter().map(|topic| ("topic", topic.as_str())).collect();
    trial.published(&[&fields[..], &[("data", "of all")]].concat()).await?;
    trial.say(&topics[2], "of c").await?;
    each[0].expect(&["of all"]).await?;
    each[1].expect(&["of all"]).await?;
    each[2].expect(&["of all", "of c"]).await?;
    all.expect(&["of all", "of c"]).await?;
    check_eq!(trial.publish(&[("data", "no topic")]).await?.status, 400, "status of an update without a topic");
    let body = format!("topic={}&data=x", topics[0]);
    let token = trial.token(Purpose::Publish, &["*"])?;
    let status = trial.ask(Method::POST).bearer(&token).body("application/json", body).send().await?.status;
    check!((400..500).contains(&status), "a form that is called JSON is answered with {status}");
    Ok(())
}

/// B21: No control or format characters in topics, and no `*`; nothing at or below the hub's own path, by whatever spelling and
/// on whatever host. What is no URL is a topic.
pub(super) async fn b21_reserved_topics_are_refused(trial: &Trial<'_>) -> Outcome {
    let (path, expected) = (trial.target.hub.path(), if trial.is_modern() { 400 } else { 403 });
    let mut reserved =
        vec![format!("{path}/subscriptions/x"), format!("https://other.example{path}/x"), path.to_owned()];
    if trial.is_modern() {
        let encoded = path.replacen('m', "%6D", 1).replacen('-', "%2d", 1);
        reserved.extend([
            format!("{encoded}/x"),
            format!("/x/..{path}"),
            format!("https://example.com/./x/%2e%2e{path}/y"),
        ]);
    }
    for topic in reserved {
        for topics in [&[("topic", topic.as_str())][..], &[("topic", &trial.topic("a")), ("topic", &topic)]] {
            check_eq!(trial.publish(topics).await?.status, expected, "status of the topic {topic}");
        }
    }
    if trial.is_modern() {
        for bad in ["*", "a\0b", "a\nb", "a\u{7f}", "a\u{85}", "a\u{200b}b", "a\u{feff}"] {
            check_eq!(trial.publish(&[("topic", bad)]).await?.status, 400, "status of the topic {bad:?}");
        }
        let token = trial.token(Purpose::Publish, &["*"])?;
        let status = trial.ask(Method::POST).bearer(&token).raw_form("topic=%FF&data=x").send().await?.status;
        check_eq!(status, 400, "status of a topic that is no UTF-8");
        trial.say(&format!("{path}d/{}", trial.prefix), "only begins like it").await?;
        trial.say(&format!("https://example.com/?{path}/{}", trial.prefix), "in the query").await?;
    }
    let no_url = format!("http://[{}", trial.prefix);
    let mut stream = trial.subscribe(&[(trial.exactly(), &no_url)]).await?;
    trial.say(&no_url, "is a topic").await?;
    stream.expect(&["is a topic"]).await
}

/// B22: `data` may be absent and is opaque UTF-8; that `private` is there counts, whatever its value.
pub(super) async fn b22_private_is_a_name_and_data_is_opaque(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let with = |topics: &[&str]| {
        let token = trial.token(Purpose::Subscribe, topics)?;
        Ok::<_, Fault>(trial.ask(Method::GET).query(&[(trial.exactly(), &topic)]).bearer(&token))
    };
    let (mut granted, mut not) = (with(&[&topic])?.open().await?, with(&[])?.open().await?);
    let token = trial.token(Purpose::Publish, &["*"])?;
    let form = |rest: &str| trial.ask(Method::POST).bearer(&token).raw_form(format!("topic={topic}&{rest}")).send();
    for private in ["private", "private=", "private=off", "private=0", "private=false"] {
        let status = form(&format!("data=p&{private}")).await?.status;
        check!((200..300).contains(&status), "{private} is answered with {status}");
    }
    let opaque = "{\"a\":\t\"\u{0}ü\u{1F600}\u{feff}\"}";
    trial.published(&[("topic", &topic), ("data", opaque), ("Private", "on")]).await?;
    trial.published(&[("topic", &topic)]).await?;
    granted.expect(&["p", "p", "p", "p", "p", opaque, ""]).await?;
    not.expect(&[opaque, ""]).await?;
    if trial.is_modern() {
        check_eq!(form("data=%C3%28").await?.status, 400, "status of data that is no UTF-8");
    }
    Ok(())
}

/// B23: `id`: not `#…`, and in the newer revision not `earliest`, no control or format character.
pub(super) async fn b23_ids_are_checked(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let bad = if trial.is_modern() {
        &["#x", "#", "earliest", "a\0", "a\nb", "a\rb", "a\u{7f}", "a\u{85}", "a\u{200b}"][..]
    } else {
        &["#x"]
    };
    for id in bad {
        check_eq!(trial.publish(&[("topic", &topic), ("id", id)]).await?.status, 400, "status of the ID {id:?}");
    }
    let mut stream = trial.subscribe(&[(trial.exactly(), &topic)]).await?;
    let own = format!("urn:x-conformance:{}", fastrand::u64(..));
    for fields in
        [&[("topic", topic.as_str())][..], &[("topic", &topic), ("id", "")], &[("topic", &topic), ("id", &own)]]
    {
        let id = trial.published(fields).await?;
        check!(!id.is_empty() && id != "earliest", "an update has the ID {id:?}");
        check_eq!(stream.next().await?.id, Some(id), "ID of the event");
    }
    Ok(())
}

/// B24: `type`: no control or format character, and `mercure` is the hub's. `retry`: ASCII digits.
pub(super) async fn b24_types_and_retries_are_checked(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    if trial.is_modern() {
        for bad in ["a\nb", "a\rb", "a\0", "a\u{85}", "a\u{200b}", "mercure"] {
            check_eq!(trial.publish(&[("topic", &topic), ("type", bad)]).await?.status, 400, "status of type {bad:?}");
        }
    }
    for bad in ["1x", "+5", "-1", " 1", "1.5", "٣", "0x10"] {
        check_eq!(trial.publish(&[("topic", &topic), ("retry", bad)]).await?.status, 400, "status of retry {bad:?}");
    }
    let mut stream = trial.subscribe(&[(trial.exactly(), &topic)]).await?;
    trial.published(&[("topic", &topic), ("type", "Mercure é"), ("retry", "007")]).await?;
    let event = stream.next().await?;
    check_eq!((event.event_type.as_str(), event.retry_ms), ("Mercure é", Some(7)), "type and retry");
    Ok(())
}

/// B25: Success is 200 with the ID as `text/plain; charset=utf-8`; the older revision leaves the status open. Unknown fields are
/// ignored.
pub(super) async fn b25_success_is_the_id(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let mut stream = trial.subscribe(&[(trial.exactly(), &topic)]).await?;
    let answer = trial.publish(&[("topic", &topic), ("unknown", "x"), ("Data", "x"), ("match", "y"), ("", "")]).await?;
    if trial.is_modern() {
        check_eq!(answer.status, 200, "status of success");
        let kind = answer.header("content-type").unwrap_or_default().to_ascii_lowercase().replace(' ', "");
        check_eq!(kind, "text/plain;charset=utf-8", "content type of the ID");
    } else {
        check!((200..300).contains(&answer.status), "success is answered with {}", answer.status);
    }
    let event = stream.next().await?;
    check_eq!(event.id, Some(answer.body), "ID of the event");
    check_eq!(event.data, "", "data, of which there was none");
    Ok(())
}

/// B26: Body, fields and the number of topics SHOULD be bounded, and what is beyond: 413.
pub(super) async fn b26_what_is_too_large_is_413(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let topics: String = (0..5_000).map(|number| format!("topic={number}&")).collect();
    let cases = [
        ("a body of 17 MiB", format!("topic={topic}&data={}", "x".repeat(17 << 20))),
        ("5,000 topics", topics),
        ("a topic of 100,000 bytes", format!("topic={}", "x".repeat(100_000))),
        ("an ID of 100,000 bytes", format!("topic={topic}&id={}", "x".repeat(100_000))),
    ];
    let token = trial.token(Purpose::Publish, &["*"])?;
    let mut unbounded = Vec::new();
    for (what, form) in cases {
        match trial.ask(Method::POST).bearer(&token).raw_form(form).status_while_sending().await? {
            413 => {}
            200 => unbounded.push(what),
            status => return Err(Fault::Broken(format!("{what} is answered with {status}, and should be with 413"))),
        }
    }
    if unbounded.is_empty() {
        Ok(())
    } else {
        Err(Fault::not_applicable(format!("taken, and need not be: {unbounded:?}")))
    }
}

/// B27: A grant on EVERY topic, or 403 (the reference hub's older revision: 401) and nothing is dispatched.
pub(super) async fn b27_every_topic_has_to_be_granted(trial: &Trial<'_>) -> Outcome {
    let (a, b) = (trial.topic("a"), trial.topic("b"));
    let mut stream = trial.subscribe(&[(trial.exactly(), &a), (trial.exactly(), &b)]).await?;
    let with = |token: String, topics: &[&str]| {
        let fields: Vec<_> = topics.iter().map(|topic| ("topic", *topic)).chain([("data", "forbidden")]).collect();
        trial.ask(Method::POST).bearer(&token).form(&fields)
    };
    let only_a = trial.token(Purpose::Publish, &[&a])?;
    let mut refused = vec![
        with(only_a.clone(), &[&b]),
        with(only_a.clone(), &[&a, &b]),
        with(only_a.clone(), &[&b, &a]),
        with(trial.token(Purpose::Publish, &[])?, &[&a]),
    ];
    if trial.is_modern() {
        refused.push(with(trial.access_token(&trial.claims(&json!([token::detail(&["subscribe"], &["*"])]))?)?, &[&a]));
        let mut claims = trial.claims(&json!([]))?;
        claims["mercure"] = json!({"publish": ["*"]});
        refused.push(with(trial.access_token(&claims)?, &[&a]));
    } else {
        for claims in [json!({}), json!({"mercure": {}}), json!({"mercure": {"subscribe": ["*"]}})] {
            refused.push(with(trial.legacy_token(Purpose::Publish, &claims)?, &[&a]));
        }
    }
    for ask in refused {
        let answer = ask.send().await?;
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        if trial.is_modern() {
            check_eq!(answer.status, 403, "status without a grant for every topic");
            check!(challenge.contains(r#"error="insufficient_scope""#), "the challenge is {challenge:?}");
        } else {
            check!(matches!(answer.status, 401 | 403), "without a grant for every topic: {}", answer.status);
        }
    }
    let granted = trial.ask(Method::POST).bearer(&only_a).form(&[("topic", &a), ("data", "granted")]).send().await?;
    check!((200..300).contains(&granted.status), "with a grant: {}", granted.status);
    stream.expect(&["granted"]).await
}

/// B28: Only a hub in a closed network MAY let everybody publish.
pub(super) async fn b28_nobody_publishes_without_a_token(trial: &Trial<'_>) -> Outcome {
    let form = [("topic", trial.topic("a")), ("data", "anonymous".into())];
    let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
    let answer = trial.ask(Method::POST).form(&form).send().await?;
    let here = matches!(trial.target.hub.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if answer.status == 200 && here {
        return Err(Fault::not_applicable("the hub is open, on loopback"));
    }
    check_eq!(answer.status, 401, "status of publishing without a token");
    Ok(())
}
