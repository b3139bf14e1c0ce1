//! The rules on how a subscriber finds a hub and a topic, and on the hub's metadata.
use crate::rule::{Rule, defines, may, must, should};

const HUBS: &str = "Hub Discovery";
const METADATA_SECTION: &str = "Protected Resource Metadata";

pub static HUB_PATH: Rule = Rule::both(
    must("Discovery", "The URL of the hub MUST be the \"well-known\" fixed path `/.well-known/mercure`."),
    should(HUBS, "The URL of the hub SHOULD be the \"well-known\" fixed path `/.well-known/mercure`"),
);

pub static HUB_LINK: Rule = Rule::both(
    should(
        "Discovery",
        "The publisher SHOULD include at least one Link Header with `rel=mercure` (a hub link header).",
    ),
    should(HUBS, "The publisher SHOULD include at least one Link Header with `rel=mercure` (a hub link header)."),
);

pub static EACH_HUB: Rule = Rule::both(
    must("Discovery", "If more than one hub URL is specified, the publisher MUST notify each hub"),
    must(HUBS, "If more than one hub URL is specified, the publisher MUST notify each hub"),
);

pub static LINK_ATTRIBUTES: Rule = Rule::both(
    may("Discovery", "The publisher MAY provide the following target attributes in the Link Headers"),
    may(HUBS, "The publisher MAY provide the following target attributes in the Link Headers"),
);

pub static OWN_TYPE: Rule =
    Rule::modern(must(HUBS, "A publisher advertising its own resource MUST NOT use the reserved `mercure` type"));

pub static SELF_LINK: Rule = Rule::both(
    should("Discovery", "It SHOULD contain the canonical URL for the topic"),
    should("Topic Discovery", "It SHOULD contain the canonical URL for the topic"),
);

pub static COOKIE_ATTRIBUTES: Rule = Rule::both(
    should("Cookie", "The cookie SHOULD have the `Secure`, `HttpOnly` and `SameSite` attributes set."),
    must("Cookie", "The cookie MUST have the `Secure` and `HttpOnly` attributes set"),
);

pub static METADATA: Rule = Rule::modern(should(
    METADATA_SECTION,
    "the hub SHOULD publish OAuth 2.0 Protected Resource Metadata at the path derived from its URL",
));

pub static RESOURCE: Rule =
    Rule::modern(must(METADATA_SECTION, "a document that is published MUST include the `resource` member"));

pub static RESOURCE_IS_AUDIENCE: Rule = Rule::modern(must(
    METADATA_SECTION,
    "`resource` (required): the hub's resource identifier, which is the value clients MUST place in the access token `aud` claim",
));

pub static DETAIL_TYPES: Rule = Rule::modern(defines(
    METADATA_SECTION,
    "For hubs implementing this specification, the array contains `https://mercure.rocks/authorization-detail`",
));

pub static BEARER_METHODS: Rule = Rule::modern(defines(
    METADATA_SECTION,
    "The cookie mechanism is not a bearer method, so it is not listed here; it is advertised by the separate `mercure_cookie` \
     member below.",
));

pub static COOKIE_NAME: Rule = Rule::modern(defines(
    METADATA_SECTION,
    "`mercure_cookie` (optional): a string, the name of the cookie in which the hub also accepts the access token",
));

pub static SUBSCRIPTIONS_FLAG: Rule =
    Rule::modern(defines(METADATA_SECTION, "`mercure_subscriptions` (optional): a boolean."));
