//! The rules on reconnection: after which event a stream continues.
use crate::rule::{Rule, may, must, should};

const SECTION: &str = "Reconciliation";

pub static REPLAY: Rule = Rule::both(
    should(
        SECTION,
        "If the `Last-Event-ID` HTTP header or the `lastEventID` query parameter exists, the hub SHOULD send all events published \
         after the one with this identifier to the subscriber.",
    ),
    should(
        SECTION,
        "If the `Last-Event-ID` HTTP header or the `last_event_id` query parameter is present, the hub SHOULD send all events \
         published after the one bearing this identifier to the subscriber, subject to authorization.",
    ),
);

pub static PARAMETER: Rule = Rule::both(
    must(SECTION, "the hub MUST also allow passing the last event ID in a query parameter named `lastEventID`."),
    must(SECTION, "the hub MUST also accept the last event ID in a query parameter named `last_event_id`."),
);

pub static HEADER_FIRST: Rule = Rule::both(
    must(
        SECTION,
        "If both the `Last-Event-ID` HTTP header and the `lastEventID` query parameter are present, the HTTP header MUST take \
         precedence.",
    ),
    must(
        SECTION,
        "If both the `Last-Event-ID` HTTP header and the `last_event_id` query parameter are present, the HTTP header MUST take \
         precedence.",
    ),
);

pub static CURRENT_TOKEN: Rule = Rule::both(
    must(
        "Subscribers",
        "If the subscriber is not authorized to receive an update marked as `private`, it MUST NOT receive it.",
    ),
    must(
        SECTION,
        "the hub MUST re-evaluate each candidate replayed event against the current access token before dispatching it.",
    ),
);

pub static EARLIEST: Rule = Rule::both(
    may(
        SECTION,
        "The reserved value `earliest` can be used to hint the hub to send all updates it has for the subscribed topics. According \
         to its own policy, the hub MAY or MAY NOT fulfill this request.",
    ),
    may(
        SECTION,
        "The reserved value `earliest` requests that the hub send all updates it has for the subscribed topics. The hub MAY ignore \
         this request according to its own policy.",
    ),
);

pub static DUPLICATES: Rule = Rule::modern(must(
    SECTION,
    "a `Last-Event-ID` bearing that value MUST resolve to the earliest such update in the hub's history. The hub MUST then send all \
     updates published after that one, including any later update carrying the same, reused ID.",
));

pub static OWN_IDS: Rule = Rule::both(
    may("Publication", "Even if provided, the hub MAY ignore the ID provided by the client and generate its own ID."),
    may("Publication", "The hub MAY ignore the client-supplied ID and generate its own."),
);

pub static PLACE: Rule = Rule::both(
    must(
        SECTION,
        "When the request contains a `Last-Event-ID` HTTP header or a `lastEventID` query parameter, the hub MUST set a \
         `Last-Event-ID` header on the HTTP response.",
    ),
    must(
        SECTION,
        "When the request contains a `Last-Event-ID` HTTP header or a `last_event_id` query parameter, the hub MUST set a \
         `Mercure-Last-Event-ID` field on the HTTP response.",
    ),
);

pub static PLACE_VALUE: Rule = Rule::both(
    must(
        SECTION,
        "The value of the `Last-Event-ID` response header MUST be the ID of the event preceding the first one sent to the \
         subscriber, or the reserved value `earliest` if there is no preceding event (e.g., when the hub history is empty, when \
         the subscriber requests the earliest event, or when the subscriber requests an event that doesn't exist).",
    ),
    must(
        SECTION,
        "The value of this response field MUST be the identifier of the event preceding the first event sent to the subscriber, or \
         the reserved value `earliest` if there is no preceding event (for example, when the hub history is empty, when the \
         subscriber requests the earliest event, or when the requested event does not exist or has been discarded).",
    ),
);
