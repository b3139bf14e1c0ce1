//! The rules on publishing an update.
use crate::rule::{Rule, defines, may, must, should};

const SECTION: &str = "Publication";

pub static FORM: Rule = Rule::both(
    must(SECTION, "The request MUST be encoded using the `application/x-www-form-urlencoded` format"),
    must(SECTION, "The request MUST be encoded using the `application/x-www-form-urlencoded` format"),
);

pub static ANY_TOPIC: Rule = Rule::both(
    must(SECTION, "The hub MUST dispatch this update to subscribers subscribed to either canonical or alternate IRIs."),
    defines(SECTION, "The hub dispatches the update to subscribers matching any one of these topics"),
);

pub static TOPIC_REQUIRED: Rule = Rule::modern(must(
    SECTION,
    "The request MUST contain at least one `topic` field […] If the request is malformed, the hub MUST return a 400 \"Bad Request\" \
     status code.",
));

pub static RESERVED: Rule = Rule::modern(must(
    SECTION,
    "Every topic value (canonical or alternate) MUST NOT address the reserved hub namespace. […] hubs MUST reject publish requests \
     violating them, for any topic value, with a 400 \"Bad Request\" HTTP status code.",
));

pub static RESERVED_SPELLINGS: Rule = Rule::modern(must(
    SECTION,
    "Before this comparison, the path MUST have its dot-segments removed and its percent-encoded octets that correspond to \
     unreserved characters decoded",
));

pub static NO_URL: Rule = Rule::modern(defines(
    SECTION,
    "A topic that cannot be parsed as a URL reference against the hub's URL does not address the reserved namespace (it cannot name \
     a hub path) and is not rejected by this rule.",
));

pub static STAR_TOPIC: Rule = Rule::modern(must(
    SECTION,
    "Every topic value MUST NOT be exactly `*` […] hubs MUST reject publish requests violating them, for any topic value, with a \
     400 \"Bad Request\" HTTP status code.",
));

pub static TOPIC_CHARACTERS: Rule = Rule::modern(must(
    "Terminology",
    "Topic strings MUST be valid UTF-8 and MUST NOT contain C0 (U+0000–U+001F) or C1 (U+0080–U+009F) control characters, U+007F \
     (DEL), or Unicode format characters […] If the request is malformed, the hub MUST return a 400 \"Bad Request\" status code.",
));

pub static PRIVATE_NAME: Rule = Rule::both(
    must(
        SECTION,
        "If this name is set, the update MUST NOT be dispatched to subscribers not authorized to receive it. […] it CAN contain any \
         value, including an empty string.",
    ),
    must(
        SECTION,
        "The presence of the field name marks the update as private regardless of its value, whether or not a value is supplied; \
         hubs MUST NOT interpret the field's value to determine privacy.",
    ),
);

pub static DATA: Rule = Rule::both(
    must("Subscription", "The `data` property MUST contain the new version of the topic."),
    defines(SECTION, "The value is opaque to the hub"),
);

pub static DATA_OPTIONAL: Rule = Rule::both(
    defines(SECTION, "`data` (optional): The content of the new version of this topic."),
    must(SECTION, "The request MUST contain at least one `topic` field; all other fields defined below are optional"),
);

pub static DATA_UTF8: Rule = Rule::modern(must(
    SECTION,
    "`data` (optional): the content of the new version of this topic. The value MUST be valid UTF-8 […] If the request is \
     malformed, the hub MUST return a 400 \"Bad Request\" status code.",
));

pub static UNKNOWN_FIELDS: Rule =
    Rule::modern(must(SECTION, "To allow future extensions, hubs MUST ignore fields they do not recognize."));

pub static ID_VALUES: Rule = Rule::modern(must(
    SECTION,
    "The provided ID MUST NOT start with the `#` character, MUST NOT be the reserved value `earliest` […] and MUST NOT contain \
     control characters […] The hub MUST reject client-supplied IDs violating the character constraints above with a 400 HTTP \
     status code.",
));

pub static MINTED_ID: Rule = Rule::both(
    must(
        SECTION,
        "If omitted, the hub MUST generate a valid IRI. […] Alternatively, the hub MAY generate a relative URI composed of a \
         fragment (starting with `#`).",
    ),
    must(
        SECTION,
        "If omitted, the hub MUST generate either a valid IRI or a relative reference consisting of a fragment (starting with `#`).",
    ),
);

pub static TYPE_CHARACTERS: Rule = Rule::modern(must(
    SECTION,
    "`type` (optional): the SSE `event` property (a specific event type). The value MUST NOT contain control characters […] hubs \
     MUST reject violating values with a 400 HTTP status code.",
));

pub static MERCURE_TYPE: Rule = Rule::modern(must(
    SECTION,
    "hubs MUST reject a publish request whose `type` is `mercure` with a 400 HTTP status code",
));

pub static RETRY_DIGITS: Rule = Rule::modern(must(
    SECTION,
    "The value MUST consist solely of ASCII digits (U+0030–U+0039); hubs MUST reject violating values with a 400 HTTP status code.",
));

pub static SUCCESS: Rule = Rule::both(
    must(
        SECTION,
        "On success, the HTTP response body MUST be the `id` associated with this update generated by the hub, and a success HTTP \
         status code MUST be returned.",
    ),
    must(
        SECTION,
        "On success, the hub MUST return a 200 (OK) HTTP status code, and the response body MUST be the `id` generated by the hub \
         for the update",
    ),
);

pub static TEXT_PLAIN: Rule = Rule::modern(must(
    SECTION,
    "the response body MUST be the `id` generated by the hub for the update, served with the `text/plain` media type and the UTF-8 \
     charset",
));

pub static LIMITS: Rule = Rule::modern(should(
    SECTION,
    "Hubs SHOULD apply implementation-defined maximums to the size of the request body, to the length of individual fields, and to \
     the number of `topic` fields per request.",
));

pub static LIMIT_STATUS: Rule = Rule::modern(must(
    SECTION,
    "Requests exceeding any such limit MUST be rejected with a 413 \"Content Too Large\" HTTP status code.",
));

pub static EVERY_TOPIC: Rule = Rule::both(
    must(
        "Publishers",
        "If the publisher is not authorized for all the topics of an update, the hub MUST NOT dispatch the update (even if some \
         topics in the list are allowed)",
    ),
    must("Publishers", "the hub MUST NOT dispatch the update — even if some of its topics are allowed"),
);

pub static NOT_GRANTED: Rule = Rule::both(
    must(
        "Publishers",
        "If the publisher is not authorized for all the topics of an update, the hub MUST NOT dispatch the update (even if some \
         topics in the list are allowed) and MUST return a 403 HTTP status code.",
    ),
    must("Publishers", "and MUST return a 403 status code with `error=\"insufficient_scope\"`"),
);

pub static AUTHORIZED: Rule = Rule::both(
    must(SECTION, "The publisher MUST be authorized to publish updates."),
    must("Authorization", "publishers MUST present an access token to the hub"),
);

pub static OPEN: Rule = Rule::both(
    may("Subscription", "The hub MAY require subscribers and publishers to be authenticated"),
    may("Authorization", "Hubs MAY also be deployed without requiring authorization for publication"),
);

pub static ENCRYPTED: Rule = Rule::both(
    must("Subscription", "The `data` property MUST contain the new version of the topic."),
    defines(SECTION, "The value is opaque to the hub: publishers and subscribers MAY agree on any format."),
);
