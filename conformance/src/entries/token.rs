//! The entries on which tokens a hub accepts.
use crate::{
    http::Answer,
    outcome::{Fault, Outcome, check, check_eq},
    rules::{
        authorization::CLOSED_IN_TIME,
        token::{
            ALGORITHM, AUDIENCE, BAD_DETAIL, CRITICAL, EXPIRY, GRANT, ISSUER, ISSUERS_KEYS, LIMIT_STATUS, LIMITS,
            NO_GRANT, NOT_BEFORE, OWN_KEY, TYPE, UNKNOWN_ACTIONS, VALID,
        },
    },
    token::{self, DETAIL_TYPE, detail},
    trial::{Purpose, Trial},
};
use hyper::Method;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time that a stream may last after its token has expired. It allows for data on the way and for clocks that
/// differ, which are not the hub's fault.
const LATENESS: Duration = Duration::from_secs(2);

async fn publish(trial: &Trial<'_>, token: &str) -> Outcome<Answer> {
    trial.ask(Method::POST).bearer(token).form(&[("topic", &trial.topic("a"))]).send().await
}

/// Returns true if the hub accepts a token that allows everything. A refusal has the status of a token that is invalid
/// or cannot be read. It may also have the status of a token that allows nothing, because a hub of the older Mercure
/// revision, or a hub that takes the token for an older one, finds no grant in it.
async fn takes(trial: &Trial<'_>, token: &str) -> Outcome<bool> {
    match publish(trial, token).await?.status {
        200..300 => Ok(true),
        400 | 401 | 403 => Ok(false),
        status => Err(Fault::Broken(format!("a token is answered with {status}"))),
    }
}

/// B31: In the newer Mercure revision `typ` is `at+jwt` or `application/at+jwt`, in any case. The hub accepts only
/// algorithms from a list, never `none`, and never a key from the token itself. The older revision asks for a valid
/// JWS.
pub(super) async fn b31_types_and_algorithms_are_allow_listed(trial: &Trial<'_>) -> Outcome {
    let (claims, key) = if trial.is_modern() {
        (trial.claims(&json!([detail(&["publish"], &["*"])]))?, trial.issuer()?.key.bytes())
    } else {
        (json!({"mercure": {"publish": ["*"]}}), trial.key(Purpose::Publish)?.bytes())
    };
    let typ = if trial.is_modern() { "at+jwt" } else { "JWT" };
    let signed = |header: Value, key: &[u8]| token::sign(&header, &claims, key);
    let refused = async |tokens: &[(&str, String)]| {
        for (what, token) in tokens {
            check!(!takes(trial, token).await?, "a token with {what} is taken");
        }
        Ok(())
    };
    let good = async {
        check!(takes(trial, &signed(json!({"alg": "HS256", "typ": typ}), key)).await?, "a good token is refused");
        Ok(())
    };
    trial.by(&VALID, good).await?;
    let types = async {
        for typ in ["AT+JWT", "application/at+jwt", "Application/AT+jwt"] {
            check!(takes(trial, &signed(json!({"alg": "HS256", "typ": typ}), key)).await?, "the type {typ} is refused");
        }
        for typ in [json!("JWT"), json!("at+jwt "), json!("x/at+jwt"), json!("")] {
            refused(&[(&format!("the type {typ}"), signed(json!({"alg": "HS256", "typ": typ}), key))]).await?;
        }
        Ok(())
    };
    trial.by(&TYPE, types).await?;
    let algorithms = [
        ("no signature", token::unsigned(&json!({"alg": "none", "typ": typ}), &claims)),
        ("no signature", token::unsigned(&json!({"alg": "None", "typ": typ}), &claims)),
        ("no signature", token::unsigned(&json!({"alg": "HS256", "typ": typ}), &claims)),
        ("no algorithm", signed(json!({"typ": typ}), key)),
        ("algorithm none over a signature", signed(json!({"alg": "none", "typ": typ}), key)),
        ("another algorithm", signed(json!({"alg": "RS256", "typ": typ}), key)),
    ];
    trial.by(&ALGORITHM, refused(&algorithms)).await?;
    let attacker = b"a key that only the attacker knows";
    let jwk = json!({"kty": "oct", "k": "YSBrZXkgdGhhdCBvbmx5IHRoZSBhdHRhY2tlciBrbm93cw"});
    let keys = [
        ("another key", signed(json!({"alg": "HS256", "typ": typ}), attacker)),
        ("its own key", signed(json!({"alg": "HS256", "typ": typ, "jwk": jwk}), attacker)),
        ("a key's address", signed(json!({"alg": "HS256", "typ": typ, "jku": "https://evil.example"}), attacker)),
        ("a key's ID", signed(json!({"alg": "HS256", "typ": typ, "kid": "../../dev/null"}), attacker)),
        ("an empty key", signed(json!({"alg": "HS256", "typ": typ}), b"")),
    ];
    trial.by(&OWN_KEY, refused(&keys)).await?;
    let critical = signed(json!({"alg": "HS256", "typ": typ, "crit": ["x"], "x": 1}), key);
    trial.by(&CRITICAL, refused(&[("unknown critical headers", critical)])).await?;
    Ok(())
}

/// B32: The hub trusts the `iss`, and only that issuer's key verifies the token. `aud` contains the hub, `exp` is there
/// and in the future, and `nbf` is not in the future. Issuers have to write other claims, too; the hub chooses if it
/// requires them.
pub(super) async fn b32_issuer_audience_and_time_are_checked(trial: &Trial<'_>) -> Outcome {
    let now = token::now();
    let claims = trial.claims(&json!([detail(&["publish"], &["*"])]))?;
    let judged = async |name: &str, cases: &[(Value, bool)]| {
        for (value, taken) in cases {
            let mut claims = claims.clone();
            match value {
                Value::Null => drop(claims.as_object_mut().and_then(|claims| claims.remove(name))),
                value => claims[name] = value.clone(),
            }
            let is_taken = takes(trial, &trial.access_token(&claims)?).await?;
            check_eq!(is_taken, *taken, "whether a token whose {name} is {value} is taken");
        }
        Ok(())
    };
    let audience = trial.audience();
    let audiences = [
        (json!([audience]), true),
        (json!(["https://other.example", audience]), true),
        (json!("https://other.example"), false),
        (json!(["https://other.example"]), false),
        (json!([]), false),
        (json!(format!("{audience}/")), false),
        (Value::Null, false),
    ];
    trial.by(&AUDIENCE, judged("aud", &audiences)).await?;
    let issuers =
        [(json!("https://other.example"), false), (json!(["https://other.example"]), false), (Value::Null, false)];
    trial.by(&ISSUER, judged("iss", &issuers)).await?;
    let expiries = [(json!(now - 3_600), false), (json!("never"), false), (Value::Null, false)];
    trial.by(&EXPIRY, judged("exp", &expiries)).await?;
    trial.by(&NOT_BEFORE, judged("nbf", &[(json!(now - 60), true), (json!(now + 3_600), false)])).await?;
    if let Some(key) = &trial.target.publisher_key
        && key.bytes() != trial.issuer()?.key.bytes()
    {
        let token = token::sign(&json!({"alg": "HS256", "typ": "at+jwt"}), &claims, key.bytes());
        let pooled = async {
            check!(!takes(trial, &token).await?, "a token that another's key has signed is taken");
            Ok(())
        };
        trial.by(&ISSUERS_KEYS, pooled).await?;
    }
    Ok(())
}

/// B34: One authorization detail that breaks a rule makes the hub refuse the whole token. Unknown actions and details
/// of other types grant nothing and break no rule.
pub(super) async fn b34_one_bad_detail_refuses_the_token(trial: &Trial<'_>) -> Outcome {
    let answered = async |details: &Value| publish(trial, &trial.access_token(&trial.claims(details)?)?).await;
    let judged = async |statuses: &[u16], cases: &[Value]| {
        for details in cases {
            let answer = answered(details).await?;
            check!(
                statuses.contains(&answer.status),
                "status with {details}: {}, and should be {statuses:?}",
                answer.status
            );
            let challenge = answer.header("www-authenticate").unwrap_or_default();
            let is_challenged = answer.status != 401 || challenge.contains(r#"error="invalid_token""#);
            check!(is_challenged, "{details} is challenged by {challenge:?}");
        }
        Ok(())
    };
    let good = detail(&["publish"], &["*"]);
    let topic = |topic: Value| json!({"type": DETAIL_TYPE, "actions": ["publish"], "topics": [topic]});
    let base = trial.topic("");
    let granted = [
        json!([good]),
        json!([{"type": "payment", "actions": 1}, good]),
        json!([{"type": format!("{DETAIL_TYPE}/"), "topics": []}, good]),
        json!([topic(json!({"match": format!("{base}:x"), "match_type": "urlpattern"}))]),
        json!([topic(json!({"match": format!("{base}a"), "match_type": "exact"}))]),
    ];
    trial.by(&GRANT, judged(&[200], &granted)).await?;
    trial.by(&GRANT, judged(&[403], &[json!([topic(json!({"match": format!("{base}:x")}))])])).await?;
    let other_type = json!([{"type": DETAIL_TYPE.to_uppercase(), "actions": ["publish"], "topics": [{"match": "*"}]}]);
    trial.by(&NO_GRANT, judged(&[403], &[other_type, json!([])])).await?;
    // A value that is not an array contains no detail, and it is not a valid claim either.
    trial.by(&NO_GRANT, judged(&[401, 403], &[json!({"publish": ["*"]}), json!("*")])).await?;
    trial.by(&UNKNOWN_ACTIONS, judged(&[200], &[json!([detail(&["burn", "publish"], &["*"])])])).await?;
    trial.by(&UNKNOWN_ACTIONS, judged(&[403], &[json!([detail(&["burn", "PUBLISH"], &["*"])])])).await?;
    let bad = [
        detail(&[], &["*"]),
        detail(&["publish"], &[]),
        json!({"type": DETAIL_TYPE, "topics": [{"match": "*"}]}),
        json!({"type": DETAIL_TYPE, "actions": ["publish"]}),
        json!({"type": DETAIL_TYPE, "actions": "publish", "topics": [{"match": "*"}]}),
        json!({"type": DETAIL_TYPE, "actions": [1], "topics": [{"match": "*"}]}),
        topic(json!("*")),
        topic(json!({})),
        topic(json!({"match": 1})),
        topic(json!({"match": "a", "match_type": "Exact"})),
        topic(json!({"match": "a", "match_type": "nosuchconformancetype"})),
        topic(json!({"match": "/(", "match_type": "urlpattern"})),
    ];
    trial.by(&BAD_DETAIL, judged(&[401], &bad.map(|bad| json!([good, bad])))).await?;
    let many = json!(vec![detail(&["publish"], &["*"]); 150]);
    match answered(&many).await?.status {
        200..300 => trial.not_tried(&LIMITS, "150 details are taken; the limit, if any, is beyond"),
        431 => trial.not_tried(&LIMITS, "150 details are beyond what the server takes as a head"),
        _ => {
            trial.by(&LIMIT_STATUS, judged(&[401], &[many])).await?;
            trial.by(&LIMITS, async { Ok(()) }).await?;
        }
    }
    Ok(())
}

/// B37: A stream ends when its token expires, at the latest. It may end earlier, as any stream may.
pub(super) async fn b37_a_stream_ends_with_its_token(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let exp = token::now() + 3;
    let token = trial.token_until(Purpose::Subscribe, &[&topic], exp)?;
    let ends = async {
        let mut stream = trial.ask(Method::GET).query(&[(trial.exactly(), &topic)]).bearer(&token).open().await?;
        stream.end().await?;
        let ended = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let late = ended.saturating_sub(Duration::from_secs(exp));
        check!(late < LATENESS, "a stream ends {late:?} after its token");
        Ok(())
    };
    trial.by(&CLOSED_IN_TIME, ends).await?;
    Ok(())
}
