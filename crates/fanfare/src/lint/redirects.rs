//! Checks the redirects that led to the stream.
use super::{
    finding::{Finding, Rule, Severity, excerpt},
    observe::Observation,
};
use crate::http::have_same_origin;
use http::{Uri, header::LOCATION};

const REDIRECTED: Rule = Rule {
    name: "redirect",
    severity: Severity::Note,
    why: "after each lost connection, browsers start with the first URL again, and follow all redirects",
    advice: "use the URL after the last redirect in pages",
};
const REDIRECTED_AWAY: Rule = Rule {
    name: "redirect-to-another-origin",
    severity: Severity::Warning,
    why: "the new origin must allow pages to read the stream, cookies of the first origin are not sent, and \
          `event.origin` is the new origin",
    advice: "use the URL after the last redirect in pages, or let the first server forward the stream",
};
const DOWNGRADED: Rule = Rule {
    name: "redirect-to-http",
    severity: Severity::Error,
    why: "browsers refuse a redirect from https to http",
    advice: "redirect to an https URL",
};

/// Returns a finding about the redirects, if there are any.
pub(super) fn check(observation: &Observation) -> Option<Finding> {
    let first = observation.redirects.first()?;
    let steps: Vec<_> = observation.redirects.iter().map(|head| &head.uri).chain([&observation.head.uri]).collect();
    let downgrades = |pair: &[&Uri]| pair[0].scheme_str() == Some("https") && pair[1].scheme_str() == Some("http");
    let rule = match steps.windows(2).any(downgrades) {
        true => &DOWNGRADED,
        false if steps.iter().any(|step| !have_same_origin(step, steps[0])) => &REDIRECTED_AWAY,
        false => &REDIRECTED,
    };
    let location = first.headers.get(LOCATION).map(|value| excerpt(value.as_bytes())).unwrap_or_default();
    let which = match observation.redirects.len() {
        1 => "the redirect".to_owned(),
        redirects => format!("the first of {redirects} redirects"),
    };
    let (status, uri) = (first.status, &observation.head.uri);
    Some(rule.broken(format!("{which} has the status {status} and leads to {location}; the response came from {uri}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::{observe::tests::observed, tap::Head};
    use http::{HeaderValue, StatusCode};

    #[test]
    fn redirects_are_told_by_where_they_lead() {
        let cases: [(&[&'static str], [&str; 1]); 5] = [
            (&["http://a.example/1"], ["redirect"]),
            (&["http://a.example/1", "http://b.example/", "http://a.example/2"], ["redirect-to-another-origin"]),
            (&["http://b.example/"], ["redirect-to-another-origin"]),
            (&["http://a.example:81/"], ["redirect-to-another-origin"]),
            (&["https://a.example/"], ["redirect-to-http"]),
        ];
        for (uris, expected) in cases {
            let mut observation = observed(&[], &[]);
            let redirect = |uri: &&'static str| {
                let mut head =
                    Head { uri: Uri::from_static(uri), status: StatusCode::FOUND, ..observation.head.clone() };
                head.headers.insert(LOCATION, HeaderValue::from_static("/next"));
                head
            };
            observation.redirects = uris.iter().map(redirect).collect();
            let finding = check(&observation).unwrap();
            assert_eq!([finding.rule.name], expected, "{uris:?}");
            assert!(finding.seen.contains("has the status 302 Found and leads to /next;"));
        }
    }
}
