//! The rules on which topics a matcher (newer Mercure revision) or a selector (older revision) matches.
use crate::rule::{Rule, defines, must, should};

const PATTERN: &str = "URL Pattern";
const SELECTOR: &str = "Topic Selectors";

pub static BOTH_TYPES: Rule = Rule::modern(must(
    "Matcher Types",
    "This document defines two matcher types, `exact` and `urlpattern`. Hubs MUST support both.",
));

pub static ADVERTISED: Rule = Rule::modern(should(
    "Matcher Types",
    "Hubs MAY support registered additional matcher types and SHOULD advertise the complete set of matcher types they support with \
     the `mercure_matcher_types_supported` metadata member",
));

pub static TYPE_NAMES: Rule = Rule::modern(must(
    "Mercure Topic Matcher Types Registry",
    "A matcher type name MUST consist of lowercase ASCII letters and digits and MUST begin with a lowercase letter.",
));

pub static EXACT: Rule = Rule::modern(must(
    "Exact Matching",
    "the hub MUST perform an exact, case-sensitive, byte-for-byte comparison between the topic and the matcher. The hub MUST NOT \
     resolve relative values against the hub's URL or any other base, and MUST NOT perform Unicode or IRI normalization.",
));

pub static STAR: Rule = Rule::both(
    defines(SELECTOR, "If the topic selector is `*`, then the string matches the selector."),
    defines(
        "Matcher Types",
        "The matcher value `*` is reserved as a wildcard that matches every topic. It is recognized before the matcher type is \
         resolved",
    ),
);

pub static URL_PATTERN: Rule = Rule::modern(must(PATTERN, "The hub MUST support using URL patterns as matchers."));

pub static CASE: Rule = Rule::modern(must(
    PATTERN,
    "hubs MUST NOT enable the `ignoreCase` option. Host components remain case-insensitive",
));

pub static BASE: Rule = Rule::modern(must(
    PATTERN,
    "When evaluating a relative pattern or a relative topic, the hub MUST use the hub's URL as the base URL.",
));

pub static NO_URL: Rule = Rule::modern(must(
    PATTERN,
    "A topic that cannot be parsed as a URL reference against the hub's URL cannot be matched by a URL pattern: hubs MUST treat its \
     evaluation against any URL pattern as not matching.",
));

pub static LINEAR: Rule = Rule::modern(must(
    PATTERN,
    "hubs MUST either use a regular expression engine that guarantees linear-time matching (such as RE2) or enforce an \
     implementation-defined evaluation cost or time limit.",
));

pub static STRINGS: Rule = Rule::legacy(defines(
    SELECTOR,
    "A topic selector can be any string […] If the topic selector and the string are exactly the same, the string matches the \
     selector. […] Otherwise, the string does not match the selector.",
));

pub static TEMPLATES: Rule = Rule::legacy(defines(
    SELECTOR,
    "If the topic selector is a valid URI Template, and the string matches this URI Template, the string matches the selector. \
     […] Otherwise, the string does not match the selector.",
));
