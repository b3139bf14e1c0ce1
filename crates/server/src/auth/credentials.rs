//! The credentials of whoever sent a request: what a token grants, for how long, and by which rules.
use super::payload::Payloads;
use fanfare_hub::{entry::Timestamp, grant::Grant};

/// The purpose of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Publishing: handing over updates.
    Publish,
    /// Subscribing: receiving updates, or asking who does.
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

/// The rights of somebody, and the time until which they hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The topics that may be published and received.
    pub grant: Grant,
    /// The time when the token expires, and with it every stream that was opened with it. `None` if it does not, or
    /// there is none.
    pub expires_at: Option<Timestamp>,
    /// The revision whose rules the request is held to: that of its token's revision, and the newer one's if there is
    /// no token.
    pub revision: Revision,
    /// The data that active subscriptions of the bearer show to those who may see them.
    pub payloads: Payloads,
    /// The issuer of the token, as it says itself.
    pub issuer: Option<String>,
    pub(super) has_token: bool,
}

impl Credentials {
    pub(super) fn without_token(grant: Grant) -> Self {
        let (revision, payloads) = (Revision::Modern, Payloads::default());
        Self { grant, expires_at: None, revision, payloads, issuer: None, has_token: false }
    }
}
