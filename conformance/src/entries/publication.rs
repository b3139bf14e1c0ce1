//! The entries on publishing an update.
use crate::{
    http::{Answer, Ask},
    outcome::{Outcome, check, check_eq},
    rules::{
        authorization::NO_TOKEN,
        publication::{
            ANY_TOPIC, AUTHORIZED, DATA, DATA_OPTIONAL, DATA_UTF8, EVERY_TOPIC, ID_VALUES, LIMIT_STATUS, LIMITS,
            MERCURE_TYPE, MINTED_ID, NO_URL, NOT_GRANTED, OPEN, PRIVATE_NAME, RESERVED, RESERVED_SPELLINGS,
            RETRY_DIGITS, STAR_TOPIC, SUCCESS, TEXT_PLAIN, TOPIC_CHARACTERS, TOPIC_REQUIRED, TYPE_CHARACTERS,
            UNKNOWN_FIELDS,
        },
        subscription::ALL_FIELDS,
        token::NO_GRANT,
    },
    token,
    trial::{Purpose, Trial},
};
use hyper::Method;
use serde_json::json;
use std::net::IpAddr;
use url::{Host, Url};

/// Publishes to a topic of this trial with one more field, and expects that the hub refuses each of its `values`.
async fn refuses(trial: &Trial<'_>, name: &str, values: &[&str]) -> Outcome {
    let topic = trial.topic("a");
    for value in values {
        let status = trial.publish(&[("topic", &topic), (name, value)]).await?.status;
        check_eq!(status, 400, "status of the {name} {value:?}");
    }
    Ok(())
}

/// B20: An update is published as a form. Its first topic is the canonical one, and the others are alternates. A
/// subscriber of any of them receives the update.
pub(super) async fn b20_any_topic_of_an_update_matches(trial: &Trial<'_>) -> Outcome {
    let topics = [trial.topic("a"), trial.topic("b"), trial.topic("c")];
    let any = async {
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
        check_eq!(each[2].until("of c").await?, ["of all"], "what a subscriber of one alternate gets");
        check_eq!(all.until("of c").await?, ["of all"], "what a subscriber of all topics gets");
        Ok(())
    };
    trial.by(&ANY_TOPIC, any).await?;
    let required = async {
        check_eq!(trial.publish(&[("data", "no topic")]).await?.status, 400, "status of an update without a topic");
        Ok(())
    };
    trial.by(&TOPIC_REQUIRED, required).await?;
    Ok(())
}

/// B21: The hub refuses topics with control or format characters, the topic `*`, and topics at or below the hub's own
/// path, in any spelling and on any host. A topic does not have to be a URL. The older Mercure revision has none of
/// these rules.
pub(super) async fn b21_reserved_topics_are_refused(trial: &Trial<'_>) -> Outcome {
    let path = trial.target.hub.path();
    let encoded = path.replacen('m', "%6D", 1).replacen('-', "%2d", 1);
    let refused = async |reserved: &[String]| {
        for topic in reserved {
            for topics in [&[("topic", topic.as_str())][..], &[("topic", &trial.topic("a")), ("topic", topic)]] {
                check_eq!(trial.publish(topics).await?.status, 400, "status of the topic {topic}");
            }
        }
        Ok(())
    };
    let plain = [format!("{path}/subscriptions/x"), format!("https://other.example{path}/x"), path.to_owned()];
    trial.by(&RESERVED, refused(&plain)).await?;
    let spellings = [format!("{encoded}/x"), format!("/x/..{path}"), format!("https://example.com/./x/%2e%2e{path}/y")];
    trial.by(&RESERVED_SPELLINGS, refused(&spellings)).await?;
    trial.by(&STAR_TOPIC, refused(&["*".to_owned()])).await?;
    let characters = async {
        let bad = ["a\0b", "a\nb", "a\u{7f}", "a\u{85}", "a\u{200b}b", "a\u{feff}"];
        refused(&bad.map(str::to_owned)).await?;
        let token = trial.token(Purpose::Publish, &["*"])?;
        let status = trial.ask(Method::POST).bearer(&token).raw_form("topic=%FF&data=x").send().await?.status;
        check_eq!(status, 400, "status of a topic that is not UTF-8");
        Ok(())
    };
    trial.by(&TOPIC_CHARACTERS, characters).await?;
    let no_url = async {
        let no_url = format!("http://[{}", trial.prefix);
        let mut stream = trial.subscribe(&[(trial.exactly(), &no_url)]).await?;
        trial.say(&no_url, "is a topic").await?;
        stream.expect(&["is a topic"]).await
    };
    trial.by(&NO_URL, no_url).await?;
    Ok(())
}

/// B22: The field `data` may be missing, and may be any UTF-8 text. An update is private if it has the field `private`,
/// whatever the field's value is.
pub(super) async fn b22_private_is_a_name_and_data_is_opaque(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let with = |topics: &[&str]| -> Outcome<Ask<'_>> {
        Ok(trial.ask(Method::GET).query(&[(trial.exactly(), &topic)]).bearer(&trial.token(Purpose::Subscribe, topics)?))
    };
    let token = trial.token(Purpose::Publish, &["*"])?;
    let form = |rest: &str| trial.ask(Method::POST).bearer(&token).raw_form(format!("topic={topic}&{rest}")).send();
    let private = async {
        let (mut granted, not) = (with(&[&topic])?.open().await?, with(&[])?.open_if_allowed().await?);
        for private in ["private", "private=", "private=off", "private=0", "private=false"] {
            let status = form(&format!("data=p&{private}")).await?.status;
            check!((200..300).contains(&status), "{private} is answered with {status}");
        }
        trial.say(&topic, "public").await?;
        granted.expect(&["p", "p", "p", "p", "p", "public"]).await?;
        if let Ok(mut not) = not {
            not.expect(&["public"]).await?;
        }
        Ok(())
    };
    trial.by(&PRIVATE_NAME, private).await?;
    let mut stream = with(&[&topic])?.open().await?;
    let opaque = if trial.is_modern() { "{\"a\":\t\"\u{0}ü\u{1F600}\u{feff}\"}" } else { "{\"a\":\t\"ü\u{1F600}\"}" };
    let data = async {
        trial.say(&topic, opaque).await?;
        stream.expect(&[opaque]).await
    };
    trial.by(&DATA, data).await?;
    let unknown = async {
        trial.published(&[("topic", &topic), ("data", "public"), ("Private", "on")]).await?;
        stream.expect(&["public"]).await
    };
    trial.by(&UNKNOWN_FIELDS, unknown).await?;
    let optional = async { trial.published(&[("topic", &topic)]).await };
    trial.by(&DATA_OPTIONAL, optional).await?;
    let utf8 = async {
        check_eq!(form("data=%C3%28").await?.status, 400, "status of data that is not UTF-8");
        Ok(())
    };
    trial.by(&DATA_UTF8, utf8).await?;
    Ok(())
}

/// B23: In the newer Mercure revision an `id` does not begin with `#`, is not `earliest`, and has no control or format
/// character. An ID that the hub makes is an IRI or a fragment.
pub(super) async fn b23_ids_are_checked(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let bad = ["#x", "#", "earliest", "a\0", "a\nb", "a\rb", "a\u{7f}", "a\u{85}", "a\u{200b}"];
    trial.by(&ID_VALUES, refuses(trial, "id", &bad)).await?;
    let mut stream = trial.subscribe(&[(trial.exactly(), &topic)]).await?;
    let own = format!("urn:x-conformance:{}", fastrand::u64(..));
    let mut minted = String::new();
    let answered = async {
        for fields in
            [&[("topic", topic.as_str()), ("data", "x")][..], &[("topic", &topic), ("data", "x"), ("id", &own)]]
        {
            let id = trial.published(fields).await?;
            check_eq!(stream.next().await?.id.as_ref(), Some(&id), "ID of the event");
            minted = if minted.is_empty() { id } else { minted };
        }
        Ok(minted)
    };
    let minted = trial.by(&SUCCESS, answered).await?.unwrap_or_default();
    let is_iri = async {
        let scheme = minted.split_once(':').map_or("", |(scheme, _)| scheme);
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|one| one.is_ascii_alphanumeric() || "+-.".contains(one));
        check!(minted.starts_with('#') || is_scheme, "{minted:?} is neither an IRI nor a fragment");
        Ok(())
    };
    trial.by(&MINTED_ID, is_iri).await?;
    Ok(())
}

/// B24: The fields `type` and `retry` reach the subscriber. In the newer Mercure revision a type has no control or
/// format character, the type `mercure` is reserved for the hub, and `retry` consists of ASCII digits.
pub(super) async fn b24_types_and_retries_are_checked(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let bad = ["a\nb", "a\rb", "a\0", "a\u{85}", "a\u{200b}"];
    trial.by(&TYPE_CHARACTERS, refuses(trial, "type", &bad)).await?;
    trial.by(&MERCURE_TYPE, refuses(trial, "type", &["mercure"])).await?;
    let bad = ["1x", "+5", "-1", " 1", "1.5", "٣", "0x10"];
    trial.by(&RETRY_DIGITS, refuses(trial, "retry", &bad)).await?;
    let arrive = async {
        let mut stream = trial.subscribe(&[(trial.exactly(), &topic)]).await?;
        trial.published(&[("topic", &topic), ("data", "x"), ("type", "Mercure é"), ("retry", "7000")]).await?;
        let event = stream.next().await?;
        check_eq!((event.event_type.as_str(), event.retry_ms), ("Mercure é", Some(7_000)), "type and retry");
        Ok(())
    };
    trial.by(&ALL_FIELDS, arrive).await?;
    Ok(())
}

/// B25: The answer to a successful publication is the ID of the update. In the newer Mercure revision the status is 200
/// and the content type `text/plain; charset=utf-8`, and unknown fields are ignored. The older revision leaves the
/// status open.
pub(super) async fn b25_success_is_the_id(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let mut stream = trial.subscribe(&[(trial.exactly(), &topic)]).await?;
    let mut published = async |fields: &[(&str, &str)]| -> Outcome<Answer> {
        let answer = trial.publish(&[&[("topic", topic.as_str()), ("data", "d")], fields].concat()).await?;
        let (status, event) = (answer.status, stream.next().await?);
        let is_success = if trial.is_modern() { status == 200 } else { (200..300).contains(&status) };
        check!(is_success, "success is answered with {status}");
        check_eq!(event.id.as_ref(), Some(&answer.body), "ID of the event");
        check_eq!(event.data, "d", "data");
        Ok(answer)
    };
    let Some(answer) = trial.by(&SUCCESS, published(&[])).await? else { return Ok(()) };
    let kind = answer.header("content-type").unwrap_or_default().to_ascii_lowercase().replace([' ', '"'], "");
    let is_text = async {
        check_eq!(kind, "text/plain;charset=utf-8", "content type of the ID");
        Ok(())
    };
    trial.by(&TEXT_PLAIN, is_text).await?;
    trial.by(&UNKNOWN_FIELDS, published(&[("unknown", "x"), ("Data", "x"), ("match", "y"), ("", "")])).await?;
    Ok(())
}

/// B26: A hub SHOULD limit the size of the body and of the fields, and the number of topics. It answers 413 to a larger
/// update. The hub chooses the limits.
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
    for (what, form) in cases {
        let status = trial.ask(Method::POST).bearer(&token).raw_form(form).status_while_sending().await?;
        if (200..300).contains(&status) {
            trial.not_tried(&LIMITS, &format!("{what}: taken; the limit, if any, is beyond"));
            continue;
        }
        let refused = async {
            check_eq!(status, 413, "status of {what}");
            Ok(())
        };
        trial.by(&LIMIT_STATUS, refused).await?;
        trial.by(&LIMITS, async { Ok(()) }).await?;
    }
    Ok(())
}

/// B27: A publisher needs a grant on EVERY topic of an update. Otherwise the hub answers 403 and dispatches nothing.
pub(super) async fn b27_every_topic_has_to_be_granted(trial: &Trial<'_>) -> Outcome {
    let (a, b) = (trial.topic("a"), trial.topic("b"));
    let with = |token: &str, topics: &[&str]| {
        let fields: Vec<_> = topics.iter().map(|topic| ("topic", *topic)).chain([("data", "forbidden")]).collect();
        trial.ask(Method::POST).bearer(token).form(&fields)
    };
    let only_a = trial.token(Purpose::Publish, &[&a])?;
    let some = [with(&only_a, &[&b]), with(&only_a, &[&a, &b]), with(&only_a, &[&b, &a])];
    let mut none = vec![with(&trial.token(Purpose::Publish, &[])?, &[&a])];
    if trial.is_modern() {
        let other = trial.claims(&json!([token::detail(&["subscribe"], &["*"])]))?;
        let mut older = trial.claims(&json!([]))?;
        older["mercure"] = json!({"publish": ["*"]});
        for claims in [other, older] {
            none.push(with(&trial.access_token(&claims)?, &[&a]));
        }
    } else {
        for claims in [json!({}), json!({"mercure": {}}), json!({"mercure": {"subscribe": ["*"]}})] {
            none.push(with(&trial.legacy_token(Purpose::Publish, &claims)?, &[&a]));
        }
    }
    let mut answers = Vec::new();
    let dispatched = async {
        let mut stream = trial.subscribe(&[(trial.exactly(), &a), (trial.exactly(), &b)]).await?;
        for ask in some.into_iter().chain(none) {
            answers.push(ask.send().await?);
        }
        let granted =
            trial.ask(Method::POST).bearer(&only_a).form(&[("topic", &a), ("data", "granted")]).send().await?;
        check!((200..300).contains(&granted.status), "with a grant: {}", granted.status);
        check_eq!(stream.until("granted").await?, Vec::<String>::new(), "what is dispatched without a grant for it");
        Ok(())
    };
    trial.by(&EVERY_TOPIC, dispatched).await?;
    trial.by(&NO_GRANT, async { Ok(()) }).await?;
    let forbidden = async {
        for answer in &answers {
            check_eq!(answer.status, 403, "status without a grant for every topic");
            let challenge = answer.header("www-authenticate").unwrap_or_default();
            let is_challenge = challenge.contains(r#"error="insufficient_scope""#);
            check!(!trial.is_modern() || is_challenge, "the challenge is {challenge:?}");
        }
        Ok(())
    };
    trial.by(&NOT_GRANTED, forbidden).await?;
    Ok(())
}

/// Returns true if the hub is in a private network, as far as its address says.
fn is_near(hub: &Url) -> bool {
    let ip: IpAddr = match hub.host() {
        Some(Host::Ipv4(ip)) => ip.into(),
        Some(Host::Ipv6(ip)) => ip.into(),
        Some(Host::Domain(name)) => return !name.contains('.') || name.ends_with(".localhost"),
        None => return false,
    };
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// B28: A publisher has to be authorized. Only a hub in a closed network MAY let everybody publish.
pub(super) async fn b28_nobody_publishes_without_a_token(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let answer = trial.ask(Method::POST).form(&[("topic", &topic), ("data", "anonymous")]).send().await?;
    let status = answer.status;
    if (200..300).contains(&status) && is_near(&trial.target.hub) {
        return Err(trial.unsupported(&OPEN, "the hub is open, in a network of its own, as it may be"));
    }
    let refused = async {
        check!((400..500).contains(&status), "publishing without a token is answered with {status}");
        Ok(())
    };
    trial.by(&AUTHORIZED, refused).await?;
    let is_401 = async {
        check_eq!(status, 401, "status of publishing without a token");
        Ok(())
    };
    trial.by(&NO_TOKEN, is_401).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_near;
    use url::Url;

    #[test]
    fn an_address_tells_whether_the_network_may_be_closed() {
        let near = |url: &str| is_near(&Url::parse(url).expect("a URL"));
        for url in [
            "http://127.0.0.1",
            "http://[::1]",
            "http://10.1.2.3",
            "http://192.168.0.1",
            "http://hub",
            "http://[fd00::1]",
        ] {
            assert!(near(url), "{url}");
        }
        for url in ["https://hub.example", "http://8.8.8.8", "http://[2001:4860:4860::8888]"] {
            assert!(!near(url), "{url}");
        }
    }
}
