//! The rules of active subscriptions, which are an optional feature.
use crate::rule::{Rule, defines, may, must, should};

const EVENTS: &str = "Subscription Events";
const API_SECTION: &str = "Subscription API";

pub static FEATURE: Rule = Rule::both(
    may(
        "Active Subscriptions",
        "If the hub support this optional set of features, updates will be published when a subscription is created, or terminated",
    ),
    may(
        "Active Subscriptions",
        "If the hub supports this optional set of features, updates will be published when a subscription is created, or terminated",
    ),
);

pub static FLAG: Rule = Rule::modern(should(
    "Active Subscriptions",
    "Hubs supporting this feature SHOULD advertise it with the `mercure_subscriptions` metadata member",
));

pub static EVENT: Rule = Rule::both(
    must(
        EVENTS,
        "If the hub supports the active subscriptions feature, it MUST publish an update every time a subscription is created or \
         terminated.",
    ),
    must(
        EVENTS,
        "If the hub supports the active subscriptions feature, it MUST publish an update every time a subscription is created or \
         terminated.",
    ),
);

pub static TOPIC: Rule = Rule::both(
    must(
        EVENTS,
        "The topic of these updates MUST be an expansion of `/.well-known/mercure/subscriptions/{topic}/{subscriber}`. […] They \
         MUST be percent encoded during the expansion process.",
    ),
    must(
        EVENTS,
        "The topic of these updates MUST be the path of the hub's URL followed by an expansion of \
         `/subscriptions/{match_type}/{match}/{subscriber}` […] the value of each variable MUST be percent-encoded exactly once \
         during expansion",
    ),
);

pub static JSON_ID: Rule = Rule::both(
    must(EVENTS, "`id`: the identifier of this update, it MUST be the same value as the subscription update's topic"),
    must(EVENTS, "`id`: the identifier of this update; MUST be the same value as the subscription update's topic."),
);

pub static PRIVATE: Rule = Rule::both(
    must(EVENTS, "the subscription update MUST be marked as `private`."),
    must(EVENTS, "the subscription update MUST be marked as `private`."),
);

pub static SHARED: Rule = Rule::both(
    should(EVENTS, "If a subscriber has several subscriptions, it SHOULD be identified by the same identifier."),
    defines(
        EVENTS,
        "A single subscriber holding several active subscriptions through one connection reuses the same identifier across them.",
    ),
);

pub static DISTINCT: Rule = Rule::modern(must(EVENTS, "Distinct subscribers MUST receive distinct identifiers."));

pub static NOT_SUPPLIED: Rule = Rule::modern(must(
    EVENTS,
    "Subscribers and publishers MUST NOT forge, supply, or override this value through query parameters, headers, request bodies, or \
     any other client-controlled channel.",
));

pub static DOCUMENT: Rule = Rule::both(
    must(EVENTS, "The content of the update MUST be a JSON-LD document containing at least the following properties"),
    must(EVENTS, "The content of the update MUST be a JSON document containing at least the following properties"),
);

pub static MERCURE_TYPE: Rule = Rule::modern(must(
    EVENTS,
    "The hub MUST dispatch subscription events with the update `type` field […] set to the reserved value `mercure`.",
));

pub static PAYLOAD: Rule = Rule::both(
    defines(
        "Payload",
        "This JSON document will be attached to the subscription and made available in subscription events.",
    ),
    must(
        "Payloads",
        "The `payload` of the first `subscribe` authorization detail whose `topics` matches the subscription's own matcher […] MUST \
         be included under the `payload` key of the JSON object describing the subscription",
    ),
);

pub static API: Rule = Rule::both(
    should(
        API_SECTION,
        "If the hub supports subscription events […] it SHOULD also expose active subscriptions through a web API.",
    ),
    should(
        API_SECTION,
        "If the hub supports subscription events […] it SHOULD also expose active subscriptions through a web API.",
    ),
);

pub static SHAPES: Rule = Rule::both(
    must(API_SECTION, "The web API MUST expose endpoints following these patterns"),
    must(
        API_SECTION,
        "The web API MUST expose endpoints whose paths are the path of the hub's URL followed by the patterns below",
    ),
);

pub static CONTENT_TYPE: Rule = Rule::both(
    must(API_SECTION, "The web API MUST set the `Content-Type` HTTP header to `application/ld+json`."),
    must(API_SECTION, "The web API MUST set the `Content-Type` HTTP header to `application/json`."),
);

pub static COLLECTION: Rule = Rule::both(
    must(
        API_SECTION,
        "Collection endpoints MUST return JSON-LD documents containing at least the following properties",
    ),
    must(API_SECTION, "Collection endpoints MUST return JSON documents containing at least the following properties"),
);

pub static SINGLE: Rule = Rule::both(
    must(API_SECTION, "URLs returning a single subscription […] MUST expose the same JSON-LD document as described in"),
    must(API_SECTION, "URLs returning a single subscription […] MUST expose the same document as described in"),
);

pub static UNKNOWN: Rule = Rule::both(
    must(API_SECTION, "If the requested subscription does not exist, a `404` status code MUST be returned."),
    must(API_SECTION, "If the requested subscription does not exist, the hub MUST return a `404` HTTP status code."),
);

pub static GRANTED: Rule = Rule::both(
    must(
        API_SECTION,
        "The requested URL MUST match at least one of the topic selectors provided in the `mercure.subscribe` key of the JWS.",
    ),
    must(
        API_SECTION,
        "The hub MUST verify that a Mercure authorization detail in the access token grants the `subscribe` action on this relative \
         topic",
    ),
);

pub static NOT_GRANTED: Rule =
    Rule::modern(must(API_SECTION, "If no detail grants `subscribe` on the requested URL, the hub MUST answer `403`"));

pub static QUERY_APART: Rule =
    Rule::modern(defines(API_SECTION, "any query component of the request URL is not part of the topic."));

pub static CURSOR: Rule = Rule::both(
    must(API_SECTION, "all endpoints MUST set the `lastEventID` property at the root of the returned JSON-LD document"),
    must(
        API_SECTION,
        "every endpoint MUST carry the reconciliation cursor as a `last-event-id` target attribute on the `rel=\"mercure\"` Link \
         header",
    ),
);

pub static LINK_TYPES: Rule = Rule::modern(should(
    API_SECTION,
    "the hub SHOULD also set the `type` and `content-type` attributes on the same `rel=\"mercure\"` Link header, with the values \
     `mercure` and `application/json` respectively.",
));

pub static EXPOSED: Rule = Rule::modern(must(
    API_SECTION,
    "When the hub serves cross-origin subscribers, it MUST expose the `Link` response header to them",
));
