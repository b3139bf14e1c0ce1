//! The credentials of a request's sender: the rights that the token grants, the time when these rights end, and the
//! revision of Mercure whose rules apply.
use super::{payload::Payloads, signer::Signer};
use fanfare_hub::{entry::Timestamp, grant::Grant, topic::Patterns};
use std::sync::{Arc, LazyLock};

/// The purpose of a request. It decides which keys may verify the token of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The request publishes updates.
    Publish,
    /// The request receives updates, or asks who is subscribed.
    Subscribe,
}

impl Purpose {
    /// Returns the cache of compiled patterns for tokens that are used for this purpose. Only the patterns of valid
    /// tokens get into the cache. Publishers and subscribers have separate caches: a publisher sends its token with
    /// each publication, and only the cache keeps its patterns compiled in the meantime. If subscribers could fill the
    /// cache of publishers, the patterns of publishers would be compiled anew for each publication.
    pub(super) fn patterns(self) -> &'static Patterns {
        static OF_PUBLISHERS: LazyLock<Patterns> = LazyLock::new(Patterns::default);
        static OF_SUBSCRIBERS: LazyLock<Patterns> = LazyLock::new(Patterns::default);
        match self {
            Self::Publish => &OF_PUBLISHERS,
            Self::Subscribe => &OF_SUBSCRIBERS,
        }
    }
}

/// The revision of Mercure that a token belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revision {
    /// Draft 07 of Mercure and earlier drafts: the token has the claim `mercure`.
    Legacy,
    /// Draft 08 of Mercure, "1.0": the token has the type `at+jwt` and the claim `authorization_details`.
    Modern,
}

/// The rights of a request's sender, and the time until which they are valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The topics that may be published and received.
    pub grant: Grant,
    /// The time when the token expires; every stream that was opened with the token ends then. `None` if the token does
    /// not expire, or if the request has no token.
    pub expires_at: Option<Timestamp>,
    /// The revision of Mercure whose rules apply to the request: the revision of its token, or the newer revision if
    /// there is no token.
    pub revision: Revision,
    /// The data about the token's bearer, which the bearer's active subscriptions show to clients that may see them.
    pub payloads: Payloads,
    /// The issuer that the token names; `None` if it names none, or if there is no token.
    pub issuer: Option<String>,
    /// The signer of the token; `None` if there is no token. Every stream that was opened with the token ends when the
    /// hub no longer trusts its signer.
    pub signer: Option<Arc<Signer>>,
}

impl Credentials {
    pub(super) fn without_token(grant: Grant) -> Self {
        let (revision, payloads) = (Revision::Modern, Payloads::default());
        Self { grant, expires_at: None, revision, payloads, issuer: None, signer: None }
    }
}
