//! How a request carries its token, and what comes without one.
use crate::{
    http::Ask,
    outcome::{Fault, Outcome, check, check_eq},
    token,
    trial::{Purpose, Trial},
};
use hyper::Method;

/// Which private updates a subscription gets, told by their topics' names.
async fn sees(trial: &Trial<'_>, ask: Ask<'_>, expected: &str) -> Outcome {
    let mut stream = ask.open().await?;
    for name in ["header", "query", "cookie"] {
        trial.published(&[("topic", &trial.topic(name)), ("data", name), ("private", "on")]).await?;
    }
    trial.say(&trial.topic("end"), "end").await?;
    let mut seen = Vec::new();
    loop {
        match stream.next().await?.data {
            data if data == "end" => break,
            data => seen.push(data),
        }
    }
    let expected = if expected.is_empty() { vec![] } else { vec![expected] };
    check_eq!(seen, expected, "carrier that counts");
    Ok(())
}

/// B29: `Authorization: Bearer`, in any case, goes before everything else, which is then not looked at. The older revision has
/// the query parameter `authorization` next, then the cookie; the newer one has no parameter at all.
pub(super) async fn b29_carriers_have_an_order(trial: &Trial<'_>) -> Outcome {
    let token = |name: &str| trial.token(Purpose::Subscribe, &[&trial.topic(name)]);
    let (header, query, cookie) = (token("header")?, token("query")?, token("cookie")?);
    let cookie = format!("{}={cookie}", trial.cookie());
    let topics = ["header", "query", "cookie", "end"].map(|name| trial.topic(name));
    let topics = topics.each_ref().map(|topic| (trial.exactly(), topic.as_str()));
    let ask = || trial.ask(Method::GET).query(&topics);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let headed = ask().header("authorization", &format!("{scheme} {header}"));
        sees(trial, headed.header("cookie", &cookie), "header").await?;
    }
    let broken = format!("{}=nonsense", trial.cookie());
    sees(trial, ask().bearer(&header).header("cookie", &broken), "header").await?;
    if trial.is_modern() {
        for parameter in ["access_token", "authorization"] {
            // Not even as an anonymous subscriber: its bearer would not learn of it.
            let answer = ask().query(&[(parameter, &query)]).send().await?;
            if answer.status == 200 {
                sees(trial, ask().query(&[(parameter, &query)]), "").await?;
            } else {
                check!(matches!(answer.status, 400 | 401), "a token in {parameter} is answered with {}", answer.status);
            }
        }
        sees(trial, ask().query(&[("access_token", &query)]).bearer(&header), "header").await
    } else {
        sees(trial, ask().query(&[("authorization", &query)]).bearer(&header).header("cookie", &cookie), "header")
            .await?;
        sees(trial, ask().query(&[("authorization", &query)]).header("cookie", &cookie), "query").await
    }
}

/// B30: A cookie carries a token, for browsers. Its attributes are for whoever sets it (entry 4).
pub(super) async fn b30_a_cookie_carries_a_token(trial: &Trial<'_>) -> Outcome {
    let token = trial.token(Purpose::Subscribe, &[&trial.topic("cookie")])?;
    let topics = ["cookie", "end"].map(|name| trial.topic(name));
    let topics = topics.each_ref().map(|topic| (trial.exactly(), topic.as_str()));
    let cookie = format!("a=b; {}={token}; c=d", trial.cookie());
    sees(trial, trial.ask(Method::GET).query(&topics).header("cookie", &cookie), "cookie").await
}

/// B35: Who has no token MAY get public updates, and nothing else. A bad token makes nobody anonymous.
pub(super) async fn b35_anonymous_subscribers_get_what_is_public(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let ask = || trial.ask(Method::GET).query(&[(trial.exactly(), &topic)]);
    let expired = trial.token_until(Purpose::Subscribe, &[&topic], token::now() - 3_600)?;
    for (carrier, value) in
        [("authorization", format!("Bearer {expired}")), ("cookie", format!("{}={expired}", trial.cookie()))]
    {
        let status = ask().header(carrier, &value).send().await?.status;
        check_eq!(status, 401, "status of an expired token in the header {carrier}");
    }
    let status = ask().send().await?.status;
    if status == 401 {
        return Err(Fault::not_applicable("the hub has no anonymous subscribers"));
    }
    let mut stream = ask().open().await?;
    trial.published(&[("topic", &topic), ("data", "secret"), ("private", "on")]).await?;
    trial.say(&topic, "public").await?;
    stream.expect(&["public"]).await
}

/// B38: What a page of another site sends carries the cookie, too: `Origin`, else `Referer`, has to be the hub's own or an
/// allowed one, and one of them has to be there. A token in the header needs neither.
pub(super) async fn b38_a_cookie_alone_publishes_nothing(trial: &Trial<'_>) -> Outcome {
    let (topic, token) = (trial.topic("a"), trial.token(Purpose::Publish, &["*"])?);
    let mut stream = trial.subscribe(&[(trial.exactly(), &topic)]).await?;
    let own = trial.target.hub.origin().ascii_serialization();
    let page = format!("{own}/page");
    let cookie = format!("{}={token}", trial.cookie());
    let post = |data: &str| trial.ask(Method::POST).form(&[("topic", &topic), ("data", data)]);
    let cases: [(&[(&'static str, &str)], bool); 7] = [
        (&[], false),
        (&[("origin", "https://evil.example")], false),
        (&[("origin", "null")], false),
        (&[("referer", "https://evil.example/?https://hub")], false),
        (&[("origin", "https://evil.example"), ("referer", &page)], false),
        (&[("origin", &own)], true),
        (&[("referer", &page)], true),
    ];
    for (headers, allowed) in cases {
        let data = if allowed { "own" } else { "foreign" };
        let asked = post(data).header("cookie", &cookie);
        let asked = headers.iter().fold(asked, |asked, (name, value)| asked.header(name, value));
        let status = asked.send().await?.status;
        check_eq!(
            status == 200,
            allowed,
            "whether a cookie publishes with {headers:?}, which is answered with {status}"
        );
    }
    let status = post("header").bearer(&token).header("origin", "https://evil.example").send().await?.status;
    check_eq!(status, 200, "status of publishing with a header, which no page sends by itself");
    stream.expect(&["own", "own", "header"]).await
}
