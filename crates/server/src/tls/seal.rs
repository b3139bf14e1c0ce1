//! The sealing of TLS 1.3 records, for a connection whose handshake rustls has made and whose secrets it has given up.
//!
//! A connection of rustls holds several kilobytes for as long as it lasts. To send an event stream, 52 bytes are enough:
//! the key, the IV and the number of the next record. This module does for them what [RFC 8446, 5.2 to
//! 5.4](https://www.rfc-editor.org/rfc/rfc8446#section-5.2) says, and nothing else: it only sends. docs/design/tls.md
//! says why this is sound. These rules make it so:
//!
//! - A [`Seal`] is not `Clone`, and is made from secrets that rustls has taken out of its own connection. So there is one
//!   owner of the key, and one sequence of record numbers.
//! - Each call of [`Seal::seal`] uses a new number, whatever becomes of the record. A record is never sealed again: a
//!   socket that took a part of it gets the rest of the same bytes.
//! - The number of records under one key is limited ([`Suite::max_records`]). Beyond the limit nothing is sealed.
//! - The key and the IV are overwritten when the seal is dropped.
use aws_lc_rs::{
    aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    error::Unspecified,
};
use rustls::{ConnectionTrafficSecrets, ExtractedSecrets};
use std::fmt::{self, Debug, Formatter};
use zeroize::Zeroizing;

/// The greatest number of bytes of plaintext in a record that is sealed here. TLS allows 16 KiB. If a socket takes only a
/// part of a record, the rest is kept for this subscriber alone, so records are smaller.
pub const MAX_PLAINTEXT_BYTES: usize = 4 << 10;
/// The number of bytes that a record has in addition to its plaintext: its header, the type of its content, and its
/// authentication tag.
pub(crate) const OVERHEAD_BYTES: usize = HEADER_BYTES + 1 + TAG_BYTES;
/// The number of records that are left under a key when its stream should end, so that an event that was begun can be
/// sent to its end, and then the end of the stream.
pub(crate) const RESERVED_RECORDS: u64 = 1 << 12;

const HEADER_BYTES: usize = 5;
const TAG_BYTES: usize = 16;
const MAX_KEY_BYTES: usize = 32;
/// The alert `close_notify`, with the level `warning` ([RFC 8446, 6.1](https://www.rfc-editor.org/rfc/rfc8446#section-6.1)).
const CLOSE_NOTIFY: [u8; 2] = [1, 0];

/// The type of a record's content.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
enum Content {
    Alert = 21,
    ApplicationData = 23,
}

/// The ciphers of TLS 1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suite {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
}

impl Suite {
    fn algorithm(self) -> &'static Algorithm {
        match self {
            Self::Aes128Gcm => &AES_128_GCM,
            Self::Aes256Gcm => &AES_256_GCM,
            Self::ChaCha20Poly1305 => &CHACHA20_POLY1305,
        }
    }

    /// The greatest number of records under one key ([RFC 8446, 5.5](https://www.rfc-editor.org/rfc/rfc8446#section-5.5)).
    /// rustls has the same numbers. ChaCha20-Poly1305 has no limit but that of the record numbers.
    fn max_records(self) -> u64 {
        match self {
            Self::Aes128Gcm | Self::Aes256Gcm => 1 << 24,
            Self::ChaCha20Poly1305 => u64::MAX,
        }
    }
}

/// The sending side of a TLS 1.3 connection.
pub(crate) struct Seal {
    key: Zeroizing<[u8; MAX_KEY_BYTES]>,
    iv: Zeroizing<[u8; NONCE_LEN]>,
    suite: Suite,
    /// The number of the next record.
    next: u64,
}

/// The error that no more records may be sealed under the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl Seal {
    /// Takes the sending side out of the secrets of a connection. `None` if the cipher is not one of TLS 1.3.
    pub(crate) fn new(secrets: ExtractedSecrets) -> Option<Self> {
        let (next, secrets) = secrets.tx;
        let (suite, key, iv) = match &secrets {
            ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (Suite::Aes128Gcm, key, iv),
            ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (Suite::Aes256Gcm, key, iv),
            ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => (Suite::ChaCha20Poly1305, key, iv),
            _ => return None,
        };
        Self::from_parts(suite, key.as_ref(), iv.as_ref(), next)
    }

    fn from_parts(suite: Suite, key: &[u8], iv: &[u8], next: u64) -> Option<Self> {
        let mut seal = Self { key: Zeroizing::default(), iv: Zeroizing::default(), suite, next };
        seal.key.get_mut(..suite.algorithm().key_len()).filter(|room| room.len() == key.len())?.copy_from_slice(key);
        if iv.len() != NONCE_LEN {
            return None;
        }
        seal.iv.copy_from_slice(iv);
        Some(seal)
    }

    /// Appends one record with this plaintext, which has at most [`MAX_PLAINTEXT_BYTES`], to `into`.
    ///
    /// # Errors
    /// [`Exhausted`] if the key may not be used for another record. Nothing is appended then.
    pub(crate) fn seal(&mut self, plaintext: &[u8], into: &mut Vec<u8>) -> Result<(), Exhausted> {
        self.record(Content::ApplicationData, plaintext, into)
    }

    /// Appends the record by which the hub says that it sends nothing more.
    ///
    /// # Errors
    /// The same as of [`seal`](Self::seal).
    pub(crate) fn seal_end(&mut self, into: &mut Vec<u8>) -> Result<(), Exhausted> {
        self.record(Content::Alert, &CLOSE_NOTIFY, into)
    }

    /// True if the stream should end, because only [`RESERVED_RECORDS`] are left.
    pub(crate) fn is_nearly_exhausted(&self) -> bool {
        self.next >= self.suite.max_records() - RESERVED_RECORDS
    }

    fn record(&mut self, content: Content, plaintext: &[u8], into: &mut Vec<u8>) -> Result<(), Exhausted> {
        assert!(
            plaintext.len() <= MAX_PLAINTEXT_BYTES,
            "a record has at most {MAX_PLAINTEXT_BYTES} bytes of plaintext"
        );
        if self.next >= self.suite.max_records() {
            return Err(Exhausted);
        }
        let nonce = self.nonce();
        // The number is used, whatever happens next.
        self.next += 1;
        let start = into.len();
        into.reserve(plaintext.len() + OVERHEAD_BYTES);
        into.extend_from_slice(&header(plaintext.len()));
        into.extend_from_slice(plaintext);
        into.push(content as u8);
        let (header, inner) = into[start..].split_at_mut(HEADER_BYTES);
        // aws-lc fails only if it has no memory, or if a key or a text has a wrong length.
        let Ok(tag) = self.tag(nonce, Aad::from(&*header), inner) else {
            into.truncate(start);
            return Err(Exhausted);
        };
        into.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Encrypts `text` in its place, and returns its authentication tag.
    fn tag(&self, nonce: Nonce, header: Aad<&[u8]>, text: &mut [u8]) -> Result<impl AsRef<[u8]> + use<>, Unspecified> {
        let algorithm = self.suite.algorithm();
        // The state of a cipher has hundreds of bytes. Making it anew for each record costs less than half a
        // microsecond.
        let key = LessSafeKey::new(UnboundKey::new(algorithm, &self.key[..algorithm.key_len()])?);
        key.seal_in_place_separate_tag(nonce, header, text)
    }

    /// Returns the nonce of the next record: the exclusive or of the IV and the record's number, which is as long as the IV
    /// with zeros in front ([RFC 8446, 5.3](https://www.rfc-editor.org/rfc/rfc8446#section-5.3)).
    fn nonce(&self) -> Nonce {
        let mut nonce = *self.iv;
        for (byte, number) in nonce[NONCE_LEN - 8..].iter_mut().zip(self.next.to_be_bytes()) {
            *byte ^= number;
        }
        Nonce::assume_unique_for_key(nonce)
    }
}

/// Returns the header of a record: the type that all protected records have, the version that all have, and the length.
fn header(plaintext_bytes: usize) -> [u8; HEADER_BYTES] {
    let length = u16::try_from(plaintext_bytes + 1 + TAG_BYTES).expect("a record is shorter than 64 KiB");
    let [high, low] = length.to_be_bytes();
    [Content::ApplicationData as u8, 3, 3, high, low]
}

impl Debug for Seal {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Seal").field("suite", &self.suite).field("next", &self.next).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) use tests::for_test;

#[cfg(test)]
mod tests;
