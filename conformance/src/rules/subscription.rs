//! The rules on a subscriber's request and on the stream that answers it.
use crate::rule::{Rule, defines, may, must, should};

const SECTION: &str = "Subscription";

pub static GET: Rule = Rule::both(
    defines(SECTION, "The `GET` HTTP method must be used."),
    must(SECTION, "Hubs MUST support the `GET` HTTP method"),
);

pub static QUERY: Rule = Rule::modern(may(
    SECTION,
    "Hubs MAY also accept any other safe method whose semantics allow the topic matcher parameters to be carried in the request \
     body instead of the query component",
));

pub static UNION: Rule = Rule::modern(must(SECTION, "The hub MUST then take the union of the two"));

pub static QUERY_CURSOR: Rule = Rule::modern(must(
    SECTION,
    "`last_event_id` is single-valued: if it appears in both, the hub MUST use the value from the query component",
));

pub static BODY_NAMES: Rule = Rule::modern(defines(
    SECTION,
    "the reserved-namespace rule and value constraints below apply identically to the body-decoded names and values",
));

pub static SEVERAL: Rule = Rule::both(
    defines(
        SECTION,
        "The subscriber specifies the list of topics to receive updates from by using one or more query parameters named `topic`.",
    ),
    defines(SECTION, "The subscriber receives updates for all topics matching at least one topic matcher"),
);

pub static RESERVED_NAMES: Rule = Rule::modern(must(
    SECTION,
    "A request using a parameter name in the reserved `match` namespace […] that does not correspond to a matcher type supported by \
     the hub […] MUST be rejected with a 400 \"Bad Request\" HTTP status code.",
));

pub static FORM_QUERY: Rule = Rule::modern(must(
    SECTION,
    "The query component of the subscription URL MUST be parsed into name/value pairs using the \
     `application/x-www-form-urlencoded` parsing algorithm",
));

pub static PRINTABLE: Rule = Rule::modern(must(
    SECTION,
    "The value of each topic matcher query parameter MUST be valid UTF-8 and MUST NOT contain C0 (U+0000–U+001F) or C1 \
     (U+0080–U+009F) control characters, U+007F, or Unicode format characters […] Requests violating any of these constraints \
     MUST be rejected with a 400 \"Bad Request\" HTTP status code.",
));

pub static WELL_FORMED: Rule = Rule::modern(must(
    SECTION,
    "A parameter value that is not valid for its matcher type […] is equally invalid. Requests violating any of these constraints \
     MUST be rejected with a 400 \"Bad Request\" HTTP status code.",
));

pub static LIMITS: Rule = Rule::modern(should(
    SECTION,
    "hubs SHOULD apply implementation-defined maximums to the number of topic matcher query parameters in a single request and to \
     the length of each matcher's pattern.",
));

pub static LIMIT_STATUS: Rule = Rule::modern(must(
    SECTION,
    "Requests exceeding any such limit MUST be rejected with a 400 \"Bad Request\" HTTP status code.",
));

pub static EVENT_STREAM: Rule = Rule::both(
    must(SECTION, "The hub MUST send these updates as `text/event-stream` compliant events"),
    must(SECTION, "The hub MUST send these updates as `text/event-stream`-compliant events"),
);

pub static ALL_FIELDS: Rule = Rule::both(
    must(
        SECTION,
        "All other properties defined in the Server-Sent Events specification MAY be used and MUST be supported by hubs.",
    ),
    must(
        SECTION,
        "All other properties defined in the Server-Sent Events specification MAY be used and MUST be supported by hubs.",
    ),
);

pub static EVENT_ID: Rule = Rule::both(
    must("Reconciliation", "events dispatched by the hub MUST include an `id` property."),
    must("Reconciliation", "events dispatched by the hub MUST include an `id` property."),
);

pub static DATA_LINES: Rule = Rule::both(
    must(SECTION, "The `data` property MUST contain the new version of the topic."),
    must(
        "Publication",
        "the hub MUST serialize the value as one SSE `data:` field per line, splitting on CR, LF, or CRLF",
    ),
);

pub static NAMED_ORIGINS: Rule = Rule::modern(must(
    SECTION,
    "When the connection carries credentials […] the `Access-Control-Allow-Origin` response header MUST NOT be the `*` wildcard \
     and MUST NOT be reflected from arbitrary request origins",
));

pub static CREDENTIALS: Rule = Rule::modern(must(
    SECTION,
    "it MUST be restricted to an explicit allowlist of trusted origins, and the hub MUST also send \
     `Access-Control-Allow-Credentials: true`.",
));

pub static FETCH_HEADER: Rule = Rule::modern(should(
    "Authorization HTTP Header",
    "In a web browser, the `fetch()` API can set this header and consume the Server-Sent Events stream through the response body's \
     readable stream; this is the RECOMMENDED mechanism when the token must be scoped to a single connection or browsing context",
));

pub static PRIVATE: Rule = Rule::both(
    must(
        SECTION,
        "If an update is marked as `private`, the hub MUST NOT dispatch it to subscribers not authorized to receive it.",
    ),
    must(
        SECTION,
        "If an update is marked as `private`, the hub MUST NOT dispatch it to subscribers not authorized to receive it.",
    ),
);
