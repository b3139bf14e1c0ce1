//! What a token must be.
use crate::{
    outcome::{Fault, Outcome, check, check_eq},
    token::{self, DETAIL_TYPE, detail},
    trial::{Purpose, Trial},
};
use hyper::Method;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Whether the hub takes a token for publishing: 200 or 403 if it does, 401 if not.
async fn takes(trial: &Trial<'_>, token: &str) -> Result<bool, Fault> {
    let form = [("topic", trial.topic("a"))];
    let status =
        trial.ask(Method::POST).bearer(token).form(&form.each_ref().map(|(name, topic)| (*name, topic.as_str())));
    match status.send().await?.status {
        200..300 | 403 => Ok(true),
        401 => Ok(false),
        status => Err(Fault::Broken(format!("a token is answered with {status}"))),
    }
}

/// B31: `typ` is `at+jwt` or `application/at+jwt`, in any case. Algorithms from a list, never `none`; keys never from the token.
pub(super) async fn b31_types_and_algorithms_are_allow_listed(trial: &Trial<'_>) -> Outcome {
    let (claims, key) = if trial.is_modern() {
        (trial.claims(&json!([detail(&["publish"], &["*"])]))?, trial.issuer()?.key.bytes())
    } else {
        (json!({"mercure": {"publish": ["*"]}}), trial.key(Purpose::Publish)?.bytes())
    };
    let typ = if trial.is_modern() { "at+jwt" } else { "JWT" };
    let good = token::sign(&json!({"alg": "HS256", "typ": typ}), &claims, key);
    check!(takes(trial, &good).await?, "a good token is refused");
    if trial.is_modern() {
        for typ in ["AT+JWT", "application/at+jwt", "Application/AT+jwt"] {
            let token = token::sign(&json!({"alg": "HS256", "typ": typ}), &claims, key);
            check!(takes(trial, &token).await?, "the type {typ} is refused");
        }
        for typ in [json!("JWT"), json!("at+jwt "), json!("x/at+jwt"), json!("")] {
            let token = token::sign(&json!({"alg": "HS256", "typ": typ}), &claims, key);
            let form = [("topic", trial.topic("a"))];
            let form = form.each_ref().map(|(name, topic)| (*name, topic.as_str()));
            let status = trial.ask(Method::POST).bearer(&token).form(&form).send().await?.status;
            check!(matches!(status, 401 | 403), "a token of the type {typ} is answered with {status}");
        }
    }
    let attacker = b"a key that only the attacker knows";
    let jwk = json!({"kty": "oct", "k": "YSBrZXkgdGhhdCBvbmx5IHRoZSBhdHRhY2tlciBrbm93cw"});
    let refused = [
        ("no signature", token::unsigned(&json!({"alg": "none", "typ": typ}), &claims)),
        ("no signature", token::unsigned(&json!({"alg": "None", "typ": typ}), &claims)),
        ("no signature", token::unsigned(&json!({"alg": "HS256", "typ": typ}), &claims)),
        ("no algorithm", token::sign(&json!({"typ": typ}), &claims, key)),
        ("algorithm none over a signature", token::sign(&json!({"alg": "none", "typ": typ}), &claims, key)),
        ("another algorithm", token::sign(&json!({"alg": "RS256", "typ": typ}), &claims, key)),
        ("another key", token::sign(&json!({"alg": "HS256", "typ": typ}), &claims, attacker)),
        ("its own key", token::sign(&json!({"alg": "HS256", "typ": typ, "jwk": jwk}), &claims, attacker)),
        (
            "a key's address",
            token::sign(&json!({"alg": "HS256", "typ": typ, "jku": "https://evil.example"}), &claims, attacker),
        ),
        ("a key's ID", token::sign(&json!({"alg": "HS256", "typ": typ, "kid": "../../dev/null"}), &claims, attacker)),
        ("an empty key", token::sign(&json!({"alg": "HS256", "typ": typ}), &claims, b"")),
        (
            "unknown critical headers",
            token::sign(&json!({"alg": "HS256", "typ": typ, "crit": ["x"], "x": 1}), &claims, key),
        ),
    ];
    for (what, token) in refused {
        check!(!takes(trial, &token).await?, "a token with {what} is taken");
    }
    Ok(())
}

/// B32: `iss` is trusted, and its key alone counts; `aud` contains the hub; `exp` is there and in the future, `nbf` not.
pub(super) async fn b32_issuer_audience_and_time_are_checked(trial: &Trial<'_>) -> Outcome {
    let now = token::now();
    let with = |name: &str, value: Value| {
        let mut claims = trial.claims(&json!([detail(&["publish"], &["*"])]))?;
        match value {
            Value::Null => drop(claims.as_object_mut().and_then(|claims| claims.remove(name))),
            value => claims[name] = value,
        }
        trial.access_token(&claims)
    };
    let audience = trial.target.audience.as_str();
    let cases = [
        ("aud", json!([audience]), true),
        ("aud", json!(["https://other.example", audience]), true),
        ("aud", json!("https://other.example"), false),
        ("aud", json!(["https://other.example"]), false),
        ("aud", json!([]), false),
        ("aud", json!(format!("{audience}/")), false),
        ("aud", Value::Null, false),
        ("iss", json!("https://other.example"), false),
        ("iss", json!(["https://other.example"]), false),
        ("iss", Value::Null, false),
        ("exp", json!(now - 3_600), false),
        ("exp", json!("never"), false),
        ("exp", Value::Null, false),
        ("nbf", json!(now - 60), true),
        ("nbf", json!(now + 3_600), false),
        ("jti", Value::Null, true),
        ("sub", Value::Null, true),
    ];
    for (name, value, taken) in cases {
        let token = with(name, value.clone())?;
        check_eq!(takes(trial, &token).await?, taken, "whether a token whose {name} is {value} is taken");
    }
    if let Some(key) = &trial.target.publisher_key
        && key.bytes() != trial.issuer()?.key.bytes()
    {
        let claims = trial.claims(&json!([detail(&["publish"], &["*"])]))?;
        let token = token::sign(&json!({"alg": "HS256", "typ": "at+jwt"}), &claims, key.bytes());
        check!(!takes(trial, &token).await?, "a token that another's key has signed is taken");
    }
    Ok(())
}

/// B34: One detail that breaks a rule refuses the whole token; unknown actions and foreign types grant nothing and break none.
pub(super) async fn b34_one_bad_detail_refuses_the_token(trial: &Trial<'_>) -> Outcome {
    let publish = |details: Value| {
        let token = trial.access_token(&trial.claims(&details)?)?;
        let form = [("topic", trial.topic("a"))];
        let form = form.each_ref().map(|(name, topic)| (*name, topic.as_str()));
        Ok::<_, Fault>(trial.ask(Method::POST).bearer(&token).form(&form))
    };
    let good = detail(&["publish"], &["*"]);
    let topic = |topic: Value| json!({"type": DETAIL_TYPE, "actions": ["publish"], "topics": [topic]});
    let base = trial.topic("");
    let cases = [
        (json!([good]), 200),
        (json!([{"type": "payment", "actions": 1}, good]), 200),
        (json!([{"type": format!("{DETAIL_TYPE}/"), "topics": []}, good]), 200),
        (json!([detail(&["burn", "publish"], &["*"])]), 200),
        (json!([topic(json!({"match": format!("{base}:x"), "match_type": "urlpattern"}))]), 200),
        (json!([topic(json!({"match": format!("{base}a"), "match_type": "exact"}))]), 200),
        (json!([topic(json!({"match": format!("{base}:x")}))]), 403),
        (json!([detail(&["burn", "PUBLISH"], &["*"])]), 403),
        (json!([{"type": DETAIL_TYPE.to_uppercase(), "actions": ["publish"], "topics": [{"match": "*"}]}]), 403),
        (json!([]), 403),
        (json!([good, detail(&[], &["*"])]), 401),
        (json!([good, detail(&["publish"], &[])]), 401),
        (json!([good, {"type": DETAIL_TYPE, "topics": [{"match": "*"}]}]), 401),
        (json!([good, {"type": DETAIL_TYPE, "actions": ["publish"]}]), 401),
        (json!([good, {"type": DETAIL_TYPE, "actions": "publish", "topics": [{"match": "*"}]}]), 401),
        (json!([good, {"type": DETAIL_TYPE, "actions": [1], "topics": [{"match": "*"}]}]), 401),
        (json!([good, topic(json!("*"))]), 401),
        (json!([good, topic(json!({}))]), 401),
        (json!([good, topic(json!({"match": 1}))]), 401),
        (json!([good, topic(json!({"match": "a", "match_type": "Exact"}))]), 401),
        (json!([good, topic(json!({"match": "a", "match_type": "regexp"}))]), 401),
        (json!([good, topic(json!({"match": "/(", "match_type": "urlpattern"}))]), 401),
        (json!([good, topic(json!({"match": "a\nb"}))]), 401),
        (json!({"publish": ["*"]}), 401),
        (json!("*"), 401),
    ];
    for (details, status) in cases {
        let answer = publish(details.clone())?.send().await?;
        check_eq!(answer.status, status, "status with {details}");
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        check!(status != 401 || challenge.contains(r#"error="invalid_token""#), "{details}: {challenge:?}");
    }
    let many = json!(vec![detail(&["publish"], &["*"]); 150]);
    let status = publish(many)?.send().await?.status;
    check!(status != 200, "150 details are taken: their number SHOULD be bounded");
    check_eq!(status, 401, "status of 150 details");
    Ok(())
}

/// B37: A stream ends no later than its token.
pub(super) async fn b37_a_stream_ends_with_its_token(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let exp = token::now() + 3;
    let token = trial.token_until(Purpose::Subscribe, &[&topic], exp)?;
    let mut stream = trial.ask(Method::GET).query(&[(trial.exactly(), &topic)]).bearer(&token).open().await?;
    trial.say(&topic, "before").await?;
    stream.expect(&["before"]).await?;
    stream.end().await?;
    let ended = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let late = ended.saturating_sub(Duration::from_secs(exp));
    // What is under way when the time comes, and how far clocks differ, is not the hub's.
    check!(late < Duration::from_millis(500), "a stream ends {late:?} after its token");
    Ok(())
}
