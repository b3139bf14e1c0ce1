//! The entry on how a hub refuses a request: the status and the challenge.
use crate::{
    http::Answer,
    outcome::{Outcome, check, check_eq},
    rules::{
        authorization::{INSUFFICIENT_SCOPE, INVALID_REQUEST, INVALID_TOKEN, NO_TOKEN, POINTS_TO_METADATA},
        publication::AUTHORIZED,
    },
    token,
    trial::{Purpose, Trial},
};
use hyper::Method;

/// Returns the challenge of a refusal, which is its `WWW-Authenticate` header.
fn challenge(answer: &Answer) -> &str {
    answer.header("www-authenticate").unwrap_or_default()
}

/// Expects that status and challenge agree in the answer to a token that cannot be read: 400 with `invalid_request`, or
/// 401 with `invalid_token`. If `or_none` is true, the hub may also answer as if there were no token: 401 without an
/// error code.
fn is_unreadable(answer: &Answer, what: &str, or_none: bool) -> Outcome {
    let challenge = challenge(answer);
    let expected = match answer.status {
        400 => r#"error="invalid_request""#,
        401 if or_none && !challenge.contains("error=") => "Bearer",
        401 => r#"error="invalid_token""#,
        status => return Err(crate::Fault::Broken(format!("{what} is answered with {status}, neither 400 nor 401"))),
    };
    check!(challenge.contains(expected), "{what} is answered with {} and challenged by {challenge:?}", answer.status);
    Ok(())
}

/// B33: Without a token, the challenge has no error code. A bad token gets 401 with `invalid_token`, a token without
/// the grant gets 403 with `insufficient_scope`, and a token that cannot be read may also get 400 with
/// `invalid_request`. Challenges SHOULD point to the metadata. The older Mercure revision says only that a publisher
/// has to be authorized, so any refusal passes.
pub(super) async fn b33_refusals_are_challenges(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let post = || trial.ask(Method::POST).form(&[("topic", &topic)]);
    let expired = trial.token_until(Purpose::Publish, &["*"], token::now() - 3_600)?;
    let future = trial.token_until(Purpose::Publish, &["*"], token::now() + 600)?;
    let tampered = future.rsplit_once('.').map(|(message, _)| format!("{message}.AAAA")).unwrap_or_default();
    let none = post().send().await?;
    let is_open = (200..300).contains(&none.status);
    let bad =
        [("expired", post().bearer(&expired).send().await?), ("tampered", post().bearer(&tampered).send().await?)];
    let unreadable = post().bearer("nonsense").send().await?;
    let refused = async {
        for (what, answer) in bad.iter().map(|(what, answer)| (*what, answer)).chain([("unreadable", &unreadable)]) {
            check!((400..500).contains(&answer.status), "a token that is {what}: {}", answer.status);
        }
        Ok(())
    };
    trial.by(&AUTHORIZED, refused).await?;
    if is_open {
        trial.not_tried(&NO_TOKEN, "the hub is open");
    } else {
        let bare = async {
            let challenge = challenge(&none);
            check_eq!(none.status, 401, "status without a token");
            let is_bare = challenge.starts_with("Bearer") && !challenge.contains("error=");
            check!(is_bare, "without a token: {challenge:?}");
            Ok(())
        };
        trial.by(&NO_TOKEN, bare).await?;
    }
    let invalid = async {
        for (what, answer) in &bad {
            check_eq!(answer.status, 401, "status of a token that is {what}");
            let challenge = challenge(answer);
            check!(
                challenge.contains(r#"error="invalid_token""#),
                "a token that is {what} is challenged by {challenge:?}"
            );
        }
        Ok(())
    };
    trial.by(&INVALID_TOKEN, invalid).await?;
    let malformed = async {
        is_unreadable(&unreadable, "a token that is unreadable", false)?;
        // Another scheme does not carry a token of this protocol. By RFC 6750 the hub answers as if there were no
        // token.
        for header in ["Bearer", "Bearer a b", "Bearer a,b", "Basic YTpi"] {
            is_unreadable(&post().header("authorization", header).send().await?, header, true)?;
        }
        Ok(())
    };
    trial.by(&INVALID_REQUEST, malformed).await?;
    let insufficient = async {
        let answer = post().bearer(&trial.token(Purpose::Publish, &[&trial.topic("b")])?).send().await?;
        check_eq!(answer.status, 403, "status without the grant");
        let challenge = challenge(&answer);
        check!(challenge.contains(r#"error="insufficient_scope""#), "without the grant: {challenge:?}");
        Ok(())
    };
    trial.by(&INSUFFICIENT_SCOPE, insufficient).await?;
    if trial.metadata.is_some() && !is_open {
        let points = async {
            let challenge = challenge(&none);
            check!(challenge.contains("resource_metadata="), "no challenge points to the metadata: {challenge:?}");
            Ok(())
        };
        trial.by(&POINTS_TO_METADATA, points).await?;
    }
    Ok(())
}
