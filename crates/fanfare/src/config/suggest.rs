//! Finds the known name that a user probably meant by an unknown one.

/// Names that other programs use for options, in the form of [`plain`], each with the name of our option.
const SYNONYMS: [(&str, &str); 26] = [
    ("address", "listen"),
    ("addr", "listen"),
    ("bind", "listen"),
    ("host", "listen"),
    ("port", "listen"),
    ("secret", "key"),
    ("jwtkey", "key"),
    ("jwtsecret", "key"),
    ("publisherjwtkey", "publisher-key"),
    ("subscriberjwtkey", "subscriber-key"),
    ("allowanonymous", "anonymous"),
    ("cors", "cors-origin"),
    ("corsallowedorigins", "cors-origin"),
    ("allowedorigins", "cors-origin"),
    ("allowedorigin", "cors-origin"),
    ("publishallowedorigins", "publish-origin"),
    ("datadir", "data"),
    ("datadirectory", "data"),
    ("heartbeat", "heartbeat-interval"),
    ("log", "log-level"),
    ("loglevels", "log-level"),
    ("verbosity", "log-level"),
    ("url", "public-url"),
    ("huburl", "hub"),
    ("configfile", "config"),
    ("cookie", "cookie-name"),
];

/// The smallest similarity to the unknown name, from 0 to 1, that a name must have to be suggested.
const ALIKE: f64 = 0.88;

/// Returns the one of `names` that a user who wrote `written` probably meant; `None` if none of them is similar.
pub(crate) fn nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = plain(written);
    let names: Vec<&str> = names.into_iter().collect();
    let called = |wanted: &str| names.iter().copied().find(|name| plain(name) == wanted);
    let synonym = || SYNONYMS.iter().find(|(other, _)| *other == written).and_then(|(_, name)| called(&plain(name)));
    if let Some(name) = called(&written).or_else(synonym) {
        return Some(name);
    }
    let alike = |name: &str| {
        let name = plain(name);
        // The Jaro-Winkler similarity of short names is too small even after a single typing mistake. So names that
        // differ by one mistake count as equal.
        let is_slip = written.len() >= 3 && strsim::osa_distance(&written, &name) <= 1;
        if is_slip { 1.0 } else { strsim::jaro_winkler(&written, &name) }
    };
    let best = names.iter().copied().max_by(|one, other| alike(one).total_cmp(&alike(other)))?;
    (alike(best) >= ALIKE).then_some(best)
}

/// Returns a name in the form for comparison: in lower case, without hyphens, underscores and spaces.
fn plain(name: &str) -> String {
    name.chars().filter(|character| !matches!(character, '-' | '_' | ' ')).collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_probably_meant_is_found() {
        let names = ["listen", "max-body", "cors-origin", "key", "publisher-key", "heartbeat-interval", "public-url"];
        let cases = [
            ("max_body", Some("max-body")),
            ("maxBody", Some("max-body")),
            ("MAX_BODDY", Some("max-body")),
            ("cors-origins", Some("cors-origin")),
            ("listen-on", Some("listen")),
            ("kye", Some("key")),
            ("publsher-key", Some("publisher-key")),
            ("port", Some("listen")),
            ("heartbeat", Some("heartbeat-interval")),
            ("limits", None),
            ("x", None),
            ("", None),
        ];
        for (written, meant) in cases {
            assert_eq!(nearest(written, names), meant, "{written}");
        }
    }
}
