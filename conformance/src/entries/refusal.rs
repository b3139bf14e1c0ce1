//! How a refusal reads.
use crate::{
    outcome::{Outcome, check, check_eq},
    token,
    trial::{Purpose, Trial},
};
use hyper::Method;

/// B33: Without a token a bare challenge; with a bad one 401 `invalid_token`; without the grant 403 `insufficient_scope`; what
/// is badly presented 400 `invalid_request`. Challenges point to the metadata. The older revision has statuses alone: 401 or
/// 403.
pub(super) async fn b33_refusals_are_challenges(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let post = || trial.ask(Method::POST).form(&[("topic", &topic)]);
    let expired = trial.token_until(Purpose::Publish, &["*"], token::now() - 3_600)?;
    let future = trial.token_until(Purpose::Publish, &["*"], token::now() + 600)?;
    let tampered = future.rsplit_once('.').map(|(message, _)| format!("{message}.AAAA")).unwrap_or_default();
    let none = post().send().await?;
    if none.status != 200 {
        check!(matches!(none.status, 401 | 403), "without a token: {}", none.status);
    }
    for (what, bad) in [("expired", &expired), ("tampered", &tampered), ("unreadable", &"nonsense".to_owned())] {
        let answer = post().bearer(bad).send().await?;
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        if trial.is_modern() {
            check_eq!(answer.status, 401, "status of a token that is {what}");
            check!(
                challenge.contains(r#"error="invalid_token""#),
                "a token that is {what} is challenged by {challenge:?}"
            );
        } else {
            check!(matches!(answer.status, 401 | 403), "a token that is {what}: {}", answer.status);
        }
        check!(!answer.body.contains(bad.as_str()), "the answer repeats the token");
    }
    if !trial.is_modern() {
        return Ok(());
    }
    let challenge = none.header("www-authenticate").unwrap_or_default();
    check_eq!(none.status, 401, "status without a token");
    check!(challenge.starts_with("Bearer") && !challenge.contains("error="), "without a token: {challenge:?}");
    let forbidden = post().bearer(&trial.token(Purpose::Publish, &[&trial.topic("b")])?).send().await?;
    check_eq!(forbidden.status, 403, "status without the grant");
    let insufficient = forbidden.header("www-authenticate").unwrap_or_default();
    check!(insufficient.contains(r#"error="insufficient_scope""#), "without the grant: {insufficient:?}");
    for malformed in ["Bearer", "Bearer a b", "Basic YTpi", "Bearer a,b"] {
        let answer = post().header("authorization", malformed).send().await?;
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        check_eq!(answer.status, 400, "status of the header {malformed:?}");
        check!(challenge.contains(r#"error="invalid_request""#), "{malformed:?} is challenged by {challenge:?}");
    }
    let repeated = post().bearer(&future).bearer(&future).send().await?.status;
    check_eq!(repeated, 400, "status of two tokens");
    if trial.metadata().await.is_ok() {
        let points = format!("resource_metadata=\"{}\"", trial.metadata_url());
        check!(challenge.contains(&points), "the challenge does not point to the metadata: {challenge:?}");
    }
    Ok(())
}
