//! The entries on how a request carries its token, and on requests without a token.
use crate::{
    http::Ask,
    outcome::{Outcome, check, check_eq},
    rules::authorization::{
        ANONYMOUS, COOKIE, COOKIE_OFFERED, HEADER_FIRST, INVALID_TOKEN, NO_ORIGIN, NO_QUERY_TOKEN, ONLY_PUBLIC, ORIGIN,
        QUERY_BEFORE_COOKIE, QUERY_TOKEN, SCHEME_CASE,
    },
    token,
    trial::{Purpose, Trial},
};
use hyper::Method;

/// Returns the private updates that a subscription receives: the last parts of their topics, `header`, `query` or
/// `cookie`. Returns the status if the hub refuses the subscription.
async fn seen(trial: &Trial<'_>, ask: Ask<'_>) -> Outcome<Result<Vec<String>, u16>> {
    let mut stream = match ask.open_if_allowed().await? {
        Ok(stream) => stream,
        Err(status) => return Ok(Err(status)),
    };
    for name in ["header", "query", "cookie"] {
        trial.published(&[("topic", &trial.topic(name)), ("data", name), ("private", "on")]).await?;
    }
    trial.say(&trial.topic("end"), "end").await?;
    stream.until("end").await.map(Ok)
}

/// Expects that the hub uses the token of this carrier, and no other token.
async fn counts(trial: &Trial<'_>, ask: Ask<'_>, carrier: &str) -> Outcome {
    check_eq!(
        seen(trial, ask).await?,
        Ok(vec![carrier.to_owned()]),
        "private updates, by the carrier of the token that grants them"
    );
    Ok(())
}

/// Returns a request that subscribes to the topics that are named after carriers.
fn subscription<'a>(trial: &Trial<'a>) -> Ask<'a> {
    let topics = ["header", "query", "cookie", "end"].map(|name| trial.topic(name));
    trial.ask(Method::GET).query(&topics.each_ref().map(|topic| (trial.exactly(), topic.as_str())))
}

/// Returns the `Cookie` header that carries a token.
fn cookie_of(trial: &Trial<'_>, token: &str) -> String {
    format!("{}={token}", trial.cookie())
}

/// Ends the trial unless the hub accepts tokens in cookies. It has to accept them if its metadata names the cookie.
pub(super) async fn cookies(trial: &Trial<'_>) -> Outcome {
    let token = trial.token(Purpose::Subscribe, &[&trial.topic("cookie")])?;
    let asked = subscription(trial).header("cookie", &format!("a=b; {}; c=d", cookie_of(trial, &token)));
    let seen = seen(trial, asked).await?;
    let is_taken = seen.as_ref().is_ok_and(|seen| *seen == ["cookie"]);
    let is_named = trial.metadata.as_ref().is_some_and(|metadata| metadata["mercure_cookie"].is_string());
    if !is_taken && !is_named {
        let why = format!("a token in the cookie {} is not taken: {seen:?}", trial.cookie());
        return Err(trial.unsupported(&COOKIE_OFFERED, &why));
    }
    let taken = async {
        check!(is_taken, "the metadata names the cookie {}, and a token in it is not taken: {seen:?}", trial.cookie());
        Ok(())
    };
    trial.by(&COOKIE, taken).await?;
    Ok(())
}

/// B29: The token in `Authorization: Bearer` comes first: if it is there, the hub ignores all other tokens. The older
/// Mercure revision may have the query parameter `authorization` next, then the cookie. The newer revision has no query
/// parameter for tokens.
pub(super) async fn b29_carriers_have_an_order(trial: &Trial<'_>) -> Outcome {
    let token = |name: &str| trial.token(Purpose::Subscribe, &[&trial.topic(name)]);
    let (header, query, cookie) = (token("header")?, token("query")?, token("cookie")?);
    let cookie = cookie_of(trial, &cookie);
    let ask = || subscription(trial);
    let first = async {
        counts(trial, ask().bearer(&header).header("cookie", &cookie), "header").await?;
        counts(trial, ask().bearer(&header).header("cookie", &cookie_of(trial, "nonsense")), "header").await?;
        if trial.is_modern() {
            return Ok(());
        }
        let all = ask().query(&[("authorization", &query)]).bearer(&header).header("cookie", &cookie);
        counts(trial, all, "header").await
    };
    trial.by(&HEADER_FIRST, first).await?;
    let in_any_case = async {
        for scheme in ["bearer", "BEARER"] {
            counts(trial, ask().header("authorization", &format!("{scheme} {header}")), "header").await?;
        }
        Ok(())
    };
    trial.by(&SCHEME_CASE, in_any_case).await?;
    // The hub refuses the request, or treats it as a request without a token.
    let not_taken = async {
        let seen = seen(trial, ask().query(&[("access_token", &query)])).await?.unwrap_or_default();
        check_eq!(seen, Vec::<String>::new(), "private updates by a token in access_token");
        Ok(())
    };
    trial.by(&NO_QUERY_TOKEN, not_taken).await?;
    let in_query = counts(trial, ask().query(&[("authorization", &query)]), "query");
    if trial.by(&QUERY_TOKEN, in_query).await?.is_some() {
        let both = counts(trial, ask().query(&[("authorization", &query)]).header("cookie", &cookie), "query");
        trial.by(&QUERY_BEFORE_COOKIE, both).await?;
    }
    Ok(())
}

/// B30: A cookie carries a token, for browsers. The server that sets the cookie decides its attributes (see entry 4).
pub(super) async fn b30_a_cookie_carries_a_token(trial: &Trial<'_>) -> Outcome {
    cookies(trial).await?;
    let offered = async {
        let name = trial.metadata.as_ref().map(|metadata| &metadata["mercure_cookie"]);
        check!(
            name.is_none_or(serde_json::Value::is_string),
            "the hub takes cookies, and its metadata names none: {name:?}"
        );
        Ok(())
    };
    trial.by(&COOKIE_OFFERED, offered).await?;
    Ok(())
}

/// B35: A subscriber without a token MAY receive public updates, and nothing else. In the newer Mercure revision the
/// hub refuses a bad token, and does not treat its bearer as anonymous. The older revision leaves that open, but the
/// bearer receives no private update.
pub(super) async fn b35_anonymous_subscribers_get_what_is_public(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let ask = || trial.ask(Method::GET).query(&[(trial.exactly(), &topic)]);
    let expired = trial.token_until(Purpose::Subscribe, &[&topic], token::now() - 3_600)?;
    let refused = async {
        let answer = ask().bearer(&expired).send().await?;
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        check_eq!(answer.status, 401, "status of a subscriber with an expired token");
        check!(challenge.contains(r#"error="invalid_token""#), "an expired token is challenged by {challenge:?}");
        Ok(())
    };
    trial.by(&INVALID_TOKEN, refused).await?;
    let only_public = async |ask: Ask<'_>| -> Outcome<Result<(), u16>> {
        let mut stream = match ask.open_if_allowed().await? {
            Ok(stream) => stream,
            Err(status) => return Ok(Err(status)),
        };
        trial.published(&[("topic", &topic), ("data", "secret"), ("private", "on")]).await?;
        trial.say(&topic, "public").await?;
        stream.expect(&["public"]).await.map(Ok)
    };
    trial.by(&ONLY_PUBLIC, only_public(ask().bearer(&expired))).await?;
    if let Some(Err(status)) = trial.by(&ONLY_PUBLIC, only_public(ask())).await? {
        return Err(trial.unsupported(&ANONYMOUS, &format!("a subscriber without a token is answered with {status}")));
    }
    trial.by(&ANONYMOUS, async { Ok(()) }).await?;
    Ok(())
}

/// Returns the origins that may be the hub's own.
fn own_origins(trial: &Trial<'_>) -> Vec<String> {
    trial.bases().iter().map(|base| base.origin().ascii_serialization()).collect()
}

/// B38: A request from a page of another site carries the cookie, too. So a hub SHOULD verify that `Origin`, or else
/// `Referer`, is its own origin, and that one of the two headers is there. Publishers can also protect the cookie with
/// `SameSite`, so a hub that does not verify only gets the verdict `differs`.
pub(super) async fn b38_a_cookie_alone_publishes_nothing(trial: &Trial<'_>) -> Outcome {
    let (topic, token) = (trial.topic("a"), trial.token(Purpose::Publish, &["*"])?);
    let cookie = cookie_of(trial, &token);
    let post = async |headers: &[(&'static str, &str)]| -> Outcome<u16> {
        let asked = trial.ask(Method::POST).form(&[("topic", &topic), ("data", "x")]).header("cookie", &cookie);
        let asked = headers.iter().fold(asked, |asked, (name, value)| asked.header(name, value));
        Ok(asked.send().await?.status)
    };
    let mut own = None;
    let mut statuses = Vec::new();
    for origin in own_origins(trial).into_iter().chain(trial.target.cors_origin.clone()) {
        let status = post(&[("origin", &origin)]).await?;
        statuses.push(status);
        if (200..300).contains(&status) {
            own = Some(origin);
            break;
        }
    }
    let Some(own) = own else {
        let why = format!("a cookie publishes nothing, not even from the hub's own origin: {statuses:?}");
        return Err(trial.unsupported(&COOKIE_OFFERED, &why));
    };
    trial.by(&COOKIE_OFFERED, async { Ok(()) }).await?;
    let page = format!("{own}/page");
    let foreign: [&[(&'static str, &str)]; 4] = [
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("referer", "https://evil.example/?https://hub")],
        &[("origin", "https://evil.example"), ("referer", &page)],
    ];
    let verified = async {
        for headers in foreign {
            let status = post(headers).await?;
            check!((400..500).contains(&status), "a cookie publishes with {headers:?}: {status}");
        }
        Ok(())
    };
    trial.by(&ORIGIN, verified).await?;
    let discarded = async {
        let status = post(&[]).await?;
        check!((400..500).contains(&status), "a cookie publishes with neither header: {status}");
        Ok(())
    };
    trial.by(&NO_ORIGIN, discarded).await?;
    Ok(())
}
