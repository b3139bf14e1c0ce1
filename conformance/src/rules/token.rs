//! The rules on tokens and on the authorization details in them.
use crate::rule::{Rule, defines, must, should};

const SECTION: &str = "Token Validation";
const DETAILS: &str = "Authorization Details";

pub static VALID: Rule = Rule::both(
    defines(
        "Authorization",
        "both publishers and subscribers must present a valid JWS in compact serialization to the hub.",
    ),
    must(SECTION, "Hubs MUST validate access tokens as JWT access tokens"),
);

pub static TYPE: Rule = Rule::modern(must(
    SECTION,
    "Hubs MUST verify that the token header `typ` is `at+jwt`, or the equivalent `application/at+jwt`, compared with the \
     `application/` prefix omitted and case-insensitively",
));

pub static ALGORITHM: Rule = Rule::both(
    defines(
        "Authorization",
        "both publishers and subscribers must present a valid JWS in compact serialization to the hub.",
    ),
    must(
        SECTION,
        "Hubs MUST NOT accept `alg=none`, MUST NOT derive the set of acceptable algorithms from the token, and MUST verify that \
         `alg` is compatible with the key used for verification",
    ),
);

pub static OWN_KEY: Rule = Rule::both(
    defines(
        "Authorization",
        "both publishers and subscribers must present a valid JWS in compact serialization to the hub.",
    ),
    must(
        SECTION,
        "Hubs MUST select the verification key from a preconfigured or pre-trusted set and MUST NOT use key material supplied by \
         the token itself",
    ),
);

pub static CRITICAL: Rule = Rule::both(
    defines(
        "RFC 7515, section 4.1.11",
        "If any of the listed extension Header Parameters are not understood and supported by the recipient, then the JWS is \
         invalid.",
    ),
    defines(
        "RFC 7515, section 4.1.11",
        "If any of the listed extension Header Parameters are not understood and supported by the recipient, then the JWS is \
         invalid.",
    ),
);

pub static AUDIENCE: Rule = Rule::modern(must(
    SECTION,
    "Hubs MUST be configured with their resource identifier and MUST verify that it appears in the token `aud` claim",
));

pub static ISSUER: Rule = Rule::modern(must(
    SECTION,
    "Hubs MUST verify that the `iss` claim is present and exactly matches the issuer identifier of one of the hub's trusted issuers",
));

pub static EXPIRY: Rule = Rule::modern(must(
    SECTION,
    "Hubs MUST enforce the `exp` claim, including on the first request received bearing a token, and MUST reject a token that has \
     no `exp` claim",
));

pub static NOT_BEFORE: Rule = Rule::modern(must(SECTION, "Hubs MUST enforce the `nbf` claim if present."));

pub static ISSUERS_KEYS: Rule = Rule::modern(must(
    SECTION,
    "it MUST verify the signature using only the key(s) associated with the token's `iss`, never a pooled set spanning issuers",
));

pub static GRANT: Rule = Rule::modern(defines(
    DETAILS,
    "A token grants an action on a topic when it carries a Mercure authorization detail whose `actions` includes that action and one \
     of whose `topics` matches the topic.",
));

pub static NO_GRANT: Rule =
    Rule::modern(defines(DETAILS, "Tokens with no Mercure authorization detail grant no publish or subscribe rights."));

pub static UNKNOWN_ACTIONS: Rule = Rule::modern(must(
    DETAILS,
    "Hubs MUST ignore action values they do not recognize: an unrecognized action grants nothing, and its presence does not \
     invalidate the token.",
));

pub static BAD_DETAIL: Rule = Rule::modern(must(
    DETAILS,
    "If any Mercure authorization detail fails to parse or validate (including failures specific to a matcher's `match_type`), the \
     hub MUST reject the token the same way and MUST NOT act on the basis of the remaining entries",
));

pub static LIMITS: Rule = Rule::modern(should(
    DETAILS,
    "Hubs SHOULD apply implementation-defined maximums to the number of Mercure authorization details",
));

pub static LIMIT_STATUS: Rule = Rule::modern(must(
    DETAILS,
    "Tokens exceeding any such limit MUST be rejected as invalid tokens, with a 401 status code and `error=\"invalid_token\"`",
));
