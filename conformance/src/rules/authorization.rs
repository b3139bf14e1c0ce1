//! The rules on how a request carries a token, on what a token allows, and on how a hub refuses a request.
use crate::rule::{Rule, defines, may, must, should};

const PRESENTING: &str = "Presenting the Access Token";
const ERRORS: &str = "Error Responses";

pub static HEADER_FIRST: Rule = Rule::both(
    must(
        "Authorization",
        "If an `Authorization` HTTP header is presented by the client, the JWS it contains MUST be used. The content of the \
         `authorization` query parameter and the cookie MUST be ignored.",
    ),
    must(
        PRESENTING,
        "when an `Authorization` HTTP header is present, its token MUST be used and any cookie MUST be ignored rather than the \
         request rejected.",
    ),
);

pub static SCHEME_CASE: Rule =
    Rule::modern(defines("Authorization HTTP Header", "the scheme name is matched case-insensitively"));

pub static QUERY_TOKEN: Rule = Rule::legacy(may("URI Query Parameter", "Hubs MAY support this method."));

pub static QUERY_BEFORE_COOKIE: Rule = Rule::legacy(must(
    "Authorization",
    "If an `authorization` query parameter is set by the client and no `Authorization` HTTP header is presented, the content of the \
     query parameter MUST be used; the content of the cookie must be ignored.",
));

pub static NO_QUERY_TOKEN: Rule = Rule::modern(must(
    "Security Considerations",
    "Access tokens MUST NOT be passed in URLs (for example, via the `access_token` query parameter, which this specification does \
     not accept",
));

pub static COOKIE: Rule = Rule::both(
    should(
        "Cookie",
        "If the publisher or the subscriber is a web browser, it SHOULD, whenever possible, send a cookie containing the JWS when \
         connecting to the hub.",
    ),
    must(PRESENTING, "When no `Authorization` header is present, the cookie, if any, MUST be used."),
);

pub static COOKIE_OFFERED: Rule = Rule::both(
    should(
        "Cookie",
        "If the publisher or the subscriber is a web browser, it SHOULD, whenever possible, send a cookie containing the JWS when \
         connecting to the hub.",
    ),
    should("Cookie", "hubs that support it SHOULD advertise it in their protected resource metadata"),
);

pub static ANONYMOUS: Rule = Rule::both(
    may("Subscription", "The hub MAY require subscribers and publishers to be authenticated"),
    may("Authorization", "Hubs MAY accept unauthenticated subscribers"),
);

pub static ONLY_PUBLIC: Rule = Rule::both(
    must(
        "Subscribers",
        "If the subscriber is not authorized to receive an update marked as `private`, it MUST NOT receive it.",
    ),
    defines("Authorization", "such subscribers receive only updates that are not marked as private."),
);

pub static ANY_GRANT: Rule = Rule::both(
    must(
        "Subscribers",
        "The hub MUST check that at least one topic of the update to dispatch (*canonical* or *alternate*) matches at least one \
         topic selector provided in `mercure.subscribe`.",
    ),
    must(
        "Subscribers",
        "the token MUST carry a Mercure authorization detail whose `actions` includes `subscribe` and one of whose `topics` matches \
         at least one of the update's topics.",
    ),
);

pub static CLOSED_IN_TIME: Rule = Rule::both(
    must(
        "Subscribers",
        "If the presented JWS contains an expiration time in the standard `exp` claim […] the connection MUST be closed by the hub \
         at that time.",
    ),
    must("Subscribers", "the hub MUST close the connection no later than the token's `exp` time"),
);

pub static ORIGIN: Rule = Rule::both(
    should(
        "Security Considerations",
        "hub implementations SHOULD use the `Origin` and `Referer` HTTP headers set by web browsers to verify that the source \
         origin matches the target origin.",
    ),
    should(
        "Security Considerations",
        "hubs SHOULD also verify that the source origin conveyed by the `Origin` or `Referer` HTTP header matches the target origin",
    ),
);

pub static NO_ORIGIN: Rule = Rule::both(
    should("Security Considerations", "If none of these headers are available, the hub SHOULD discard the request."),
    should(
        "Security Considerations",
        "hubs SHOULD also verify that the source origin conveyed by the `Origin` or `Referer` HTTP header matches the target \
         origin, rejecting the request when neither header is available.",
    ),
);

pub static FORBIDDEN: Rule = Rule::legacy(should(
    "Authorization",
    "If the client tries to execute an operation it is not allowed to, a 403 HTTP status code SHOULD be returned.",
));

pub static NO_TOKEN: Rule = Rule::modern(must(
    ERRORS,
    "If no access token is presented and the requested operation requires one […] the hub MUST return a 401 \"Unauthorized\" status \
     code with a `WWW-Authenticate: Bearer` challenge and MUST NOT include an error code.",
));

pub static INVALID_TOKEN: Rule = Rule::modern(must(
    ERRORS,
    "If a token is presented but fails validation […] the hub MUST return a 401 status code with `error=\"invalid_token\"`.",
));

pub static INVALID_REQUEST: Rule = Rule::modern(must(
    ERRORS,
    "If the request is malformed, the hub MUST return a 400 \"Bad Request\" status code. When the malformed element is the access \
     token or its presentation, the response MUST carry a `WWW-Authenticate: Bearer` challenge with `error=\"invalid_request\"`",
));

pub static INSUFFICIENT_SCOPE: Rule = Rule::modern(must(
    ERRORS,
    "If a valid token does not authorize the requested operation, the hub MUST return a 403 \"Forbidden\" status code with \
     `error=\"insufficient_scope\"`.",
));

pub static POINTS_TO_METADATA: Rule = Rule::modern(should(
    ERRORS,
    "The challenge SHOULD include a `resource_metadata` parameter pointing to the hub's protected resource metadata",
));
