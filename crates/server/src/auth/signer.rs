//! The signers of the tokens that have let in the streams that are open. If the hub no longer trusts a signer, it ends
//! these streams: the operator has taken a key or an issuer out of the configuration, or an issuer has taken a key out
//! of its JWK set.
use super::{algorithm::Algorithm, credentials::Purpose, key::Key, trusted::TrustedKeys};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The key that has verified a token, and the rules under which it was trusted.
#[derive(Debug)]
pub struct Signer {
    terms: Terms,
    key: Arc<Key>,
    is_revoked: watch::Sender<bool>,
}

/// The rules under which a key has verified a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) purpose: Purpose,
    /// The trusted issuer whose keys were tried; `None` if these were the keys for tokens without a trusted issuer.
    pub(super) issuer: Option<String>,
    /// The audience that the issuer's tokens must name; `None` if there is no trusted issuer.
    pub(super) audience: Option<String>,
    pub(super) algorithm: Algorithm,
    /// True if the key came from a source, such as a JWK set.
    pub(super) is_sourced: bool,
}

/// The signers of all streams that are open. Cheap to clone; all clones share the signers.
#[derive(Clone, Debug, Default)]
pub(super) struct Signers(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    signers: Vec<Arc<Signer>>,
    /// The number of times that signers were revoked.
    revocations: u64,
}

impl Signer {
    /// Returns true if the hub no longer trusts the signer. This stays true, even if the key is trusted again later.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        *self.is_revoked.borrow()
    }

    /// Notes that the hub no longer trusts the signer.
    pub(crate) fn revoke(&self) {
        self.is_revoked.send_replace(true);
    }

    /// Returns a future that resolves when the hub no longer trusts the signer.
    pub(crate) fn revoked(self: Arc<Self>) -> impl Future<Output = ()> + Send + 'static {
        let mut signal = self.is_revoked.subscribe();
        async move {
            // Waiting cannot fail: this future holds the signer, and so the sender.
            _ = signal.wait_for(|is_revoked| *is_revoked).await;
            drop(self);
        }
    }

    /// Returns true if `trusted` would still let the key verify tokens under the same rules. `own` is the audience of
    /// the hub.
    fn is_trusted(&self, trusted: &TrustedKeys, own: &str) -> bool {
        let Terms { purpose, issuer, audience, algorithm, is_sourced } = &self.terms;
        let keys = match issuer {
            Some(name) => match trusted.issuer(name) {
                Some(issuer) if issuer.audience.as_deref().or(Some(own)) == audience.as_deref() => {
                    issuer.keys(*purpose)
                }
                _ => return false,
            },
            None => trusted.keys(*purpose),
        };
        keys.may_have(&self.key, *algorithm, *is_sourced)
    }
}

impl Signers {
    /// Returns the signer with this key and these rules.
    pub(super) fn get(&self, terms: Terms, key: Arc<Key>) -> Arc<Signer> {
        let signers = &mut self.lock().signers;
        let known = signers.iter().find(|signer| {
            // The key itself is compared, so that a key that was read again, and is the same, stays the same signer.
            signer.terms == terms && signer.key.is_same(&key) && !signer.is_revoked()
        });
        if let Some(known) = known {
            return Arc::clone(known);
        }
        // The list is bounded: each signer in it has let in a stream, or has one of the keys that are trusted now.
        forget_unused(signers);
        let signer = Arc::new(Signer { terms, key, is_revoked: watch::Sender::new(false) });
        signers.push(Arc::clone(&signer));
        signer
    }

    /// Revokes the signers that are not trusted any more. `own` is the audience of the hub. Returns the number of times
    /// that signers were revoked: when it has changed, streams have to end. Each of several servers that share the
    /// signers has to compare it, because only one of them makes the change.
    pub(super) fn revoke_untrusted(&self, trusted: &TrustedKeys, own: &str) -> u64 {
        let Known { signers, revocations } = &mut *self.lock();
        forget_unused(signers);
        let before = signers.len();
        signers.retain(|signer| {
            let is_trusted = signer.is_trusted(trusted, own);
            if !is_trusted {
                let issuer = signer.terms.issuer.as_deref().unwrap_or("none");
                tracing::info!(issuer, key = %signer.key, "a key is no longer trusted: its tokens' streams end");
                signer.revoke();
            }
            is_trusted
        });
        *revocations += u64::from(signers.len() < before);
        *revocations
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // The list is complete even if a thread has panicked while it held the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes the signers whose streams have all ended.
fn forget_unused(signers: &mut Vec<Arc<Signer>>) {
    signers.retain(|signer| Arc::strong_count(signer) > 1);
}

/// A signer is equal to itself only.
impl PartialEq for Signer {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Signer {}

/// Returns a signer for a test of what follows when it is revoked.
#[cfg(test)]
pub(crate) fn for_test() -> Arc<Signer> {
    let key = Key::hs256(b"a secret of at least thirty-two bytes").expect("the secret is long enough");
    let (purpose, algorithm) = (Purpose::Subscribe, Algorithm::Hs256);
    let terms = Terms { purpose, issuer: None, audience: None, algorithm, is_sourced: false };
    Signers::default().get(terms, Arc::new(key))
}
