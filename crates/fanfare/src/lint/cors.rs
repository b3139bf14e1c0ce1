//! Checks whether the response allows pages of other origins to read the stream. The `Origin` header of the request is
//! [`PAGE_ORIGIN`].
use super::{
    finding::{Finding, Rule, Severity},
    headers::{line, value},
    observe::Observation,
    tap::PAGE_ORIGIN,
};
use http::header::{ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, VARY};

const SAME_ORIGIN: Rule = Rule {
    name: "cors-none",
    severity: Severity::Note,
    why: "pages of other origins cannot read the stream; pages of the same origin can",
    advice: "if pages of other origins should read it, send Access-Control-Allow-Origin with their origin, or `*` for \
             all",
};
const CONTRADICTION: Rule = Rule {
    name: "cors-credentials-for-all",
    severity: Severity::Error,
    why: "browsers refuse the response if it allows `*` and the page sends cookies (`withCredentials: true`)",
    advice: "instead of `*`, send the origin of the request if it is one of your origins; or do not allow credentials",
};
const MALFORMED: Rule = Rule {
    name: "cors-origins",
    severity: Severity::Error,
    why: "the header may contain one origin or `*`; browsers refuse anything else for all pages",
    advice: "look for the request's Origin in your list of origins, and send only the origin that was found",
};
const REFLECTED: Rule = Rule {
    name: "cors-reflected",
    severity: Severity::Warning,
    why: "every origin is allowed, with cookies: any page on the web can read the stream with the cookies of its \
          visitors",
    advice: "keep a list of the origins of your own pages, and allow only these origins",
};
const NO_VARY: Rule = Rule {
    name: "cors-vary",
    severity: Severity::Note,
    why: "the answer depends on the origin of the request, and caches must know this",
    advice: "send `Vary: Origin`",
};

/// All checks of the headers for pages of other origins.
pub(super) const CHECKS: [fn(&Observation) -> Option<Finding>; 2] = [allowed, vary];

fn allowed(observation: &Observation) -> Option<Finding> {
    let Some(origins) = value(observation, &ACCESS_CONTROL_ALLOW_ORIGIN) else {
        return Some(
            SAME_ORIGIN.broken(format!("there is no Access-Control-Allow-Origin for a page of {PAGE_ORIGIN}")),
        );
    };
    let credentials = value(observation, &ACCESS_CONTROL_ALLOW_CREDENTIALS).as_deref() == Some("true");
    let rule = match origins.as_str() {
        "*" if credentials => &CONTRADICTION,
        PAGE_ORIGIN if credentials => &REFLECTED,
        several if several.contains([',', ' ']) => &MALFORMED,
        _ => return None,
    };
    let with = if credentials { ", with Access-Control-Allow-Credentials: true" } else { "" };
    Some(rule.broken(line("Access-Control-Allow-Origin", &origins) + with))
}

fn vary(observation: &Observation) -> Option<Finding> {
    if value(observation, &ACCESS_CONTROL_ALLOW_ORIGIN).as_deref() != Some(PAGE_ORIGIN) {
        return None;
    }
    let vary = value(observation, &VARY).unwrap_or_default();
    let says_so = vary.split(',').any(|name| matches!(name.trim().to_ascii_lowercase().as_str(), "*" | "origin"));
    (!says_so)
        .then(|| NO_VARY.broken(line("Access-Control-Allow-Origin", PAGE_ORIGIN) + ", but there is no Vary: Origin"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::{finding::tests::names, observe::tests::observed};

    #[test]
    fn each_check_has_its_headers() {
        const ORIGIN: &str = "access-control-allow-origin";
        const CREDENTIALS: (&str, &str) = ("access-control-allow-credentials", "true");
        type Headers = [(&'static str, &'static str)];
        let cases: [(&Headers, &[&str]); 10] = [
            (&[], &["cors-none"]),
            (&[CREDENTIALS], &["cors-none"]),
            (&[(ORIGIN, "*")], &[]),
            (&[(ORIGIN, "https://mine.example"), CREDENTIALS], &[]),
            (&[(ORIGIN, "*"), CREDENTIALS], &["cors-credentials-for-all"]),
            (&[(ORIGIN, "*"), ("access-control-allow-credentials", "false")], &[]),
            (&[(ORIGIN, "https://a.example, https://b.example")], &["cors-origins"]),
            (&[(ORIGIN, "*"), (ORIGIN, "*")], &["cors-origins"]),
            (&[(ORIGIN, PAGE_ORIGIN), CREDENTIALS, ("vary", "accept, Origin")], &["cors-reflected"]),
            (&[(ORIGIN, PAGE_ORIGIN), ("vary", "accept")], &["cors-vary"]),
        ];
        for (headers, expected) in cases {
            let mut observation = observed(&[], &[]);
            for (name, value) in headers {
                observation.head.headers.append(*name, http::HeaderValue::from_static(value));
            }
            assert_eq!(names(CHECKS.iter().filter_map(|check| check(&observation))), expected, "{headers:?}");
        }
    }
}
