//! The credentials of a request's sender: the rights that the token grants, their end, and the revision whose rules
//! apply.
use super::payload::Payloads;
use fanfare_hub::{entry::Timestamp, grant::Grant};

/// The purpose of a request, which decides the keys that may verify its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The request publishes updates.
    Publish,
    /// The request receives updates, or asks who is subscribed.
    Subscribe,
}

/// The revision of Mercure that a token belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revision {
    /// Draft 07 and before: the `mercure` claim.
    Legacy,
    /// Draft 08, "1.0": a token of type `at+jwt` with `authorization_details`.
    Modern,
}

/// The rights of a request's sender, and the time until which they are valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The topics that may be published and received.
    pub grant: Grant,
    /// The time when the token expires; every stream that was opened with it ends then. `None` if the token does not
    /// expire or there is none.
    pub expires_at: Option<Timestamp>,
    /// The revision whose rules apply to the request: that of its token, or the newer one if there is no token.
    pub revision: Revision,
    /// The data that active subscriptions of the bearer show to clients that may see them.
    pub payloads: Payloads,
    /// The issuer that the token names.
    pub issuer: Option<String>,
    pub(super) has_token: bool,
}

impl Credentials {
    pub(super) fn without_token(grant: Grant) -> Self {
        let (revision, payloads) = (Revision::Modern, Payloads::default());
        Self { grant, expires_at: None, revision, payloads, issuer: None, has_token: false }
    }
}
