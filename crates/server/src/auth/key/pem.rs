//! Keys in PEM: [RFC 7468](https://www.rfc-editor.org/rfc/rfc7468). `PUBLIC KEY` (SPKI), `RSA PUBLIC KEY` (PKCS#1) and
//! `CERTIFICATE`, of which only the key counts: whom it was made out to and until when is not looked at, since nobody
//! presents it.
use super::{error::InvalidKey, jwk::MAX_SET_KEYS, kind::KeyRules, verifying::Key};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls_pki_types::CertificateDer;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// One document of a PEM text.
pub(super) struct Document {
    pub(super) label: String,
    pub(super) der: Vec<u8>,
}

/// True if a text has the armour of PEM, perhaps behind a preamble.
pub(super) fn is_pem(text: &str) -> bool {
    text.contains(BEGIN)
}

/// The public keys in a PEM text, all of which must be usable.
pub(super) fn read(text: &str, rules: &KeyRules) -> Result<Vec<Key>, InvalidKey> {
    documents(text)?.iter().map(|document| public_key(document, rules)).collect()
}

fn public_key(Document { label, der }: &Document, rules: &KeyRules) -> Result<Key, InvalidKey> {
    match label.as_str() {
        "PUBLIC KEY" | "RSA PUBLIC KEY" => Key::from_spki(der, rules),
        "CERTIFICATE" => {
            let certificate = CertificateDer::from(der.as_slice());
            let certificate = webpki::EndEntityCert::try_from(&certificate).map_err(|_| InvalidKey::Pem)?;
            Key::from_spki(&certificate.subject_public_key_info(), rules)
        }
        label if label.ends_with("PRIVATE KEY") => Err(InvalidKey::Private),
        label => Err(InvalidKey::PemLabel(label.to_owned())),
    }
}

/// The documents of a text, at least one. Variables of the environment often have `\n` where a line ended.
pub(super) fn documents(text: &str) -> Result<Vec<Document>, InvalidKey> {
    let text = text.replace("\\n", "\n");
    let mut documents = Vec::new();
    let mut rest = text.as_str();
    while let Some((_, after)) = rest.split_once(BEGIN) {
        let (label, after) = after.split_once(DASHES).ok_or(InvalidKey::Pem)?;
        let (body, after) = after.split_once(&format!("{END}{label}{DASHES}")).ok_or(InvalidKey::Pem)?;
        let body: String = body.split_ascii_whitespace().collect();
        let der = STANDARD.decode(body).map_err(|_| match label {
            // Headers such as `Proc-Type` tell of the older form of encryption.
            "RSA PRIVATE KEY" | "EC PRIVATE KEY" => InvalidKey::Encrypted,
            _ => InvalidKey::Pem,
        })?;
        documents.push(Document { label: label.to_owned(), der });
        rest = after;
    }
    match documents.len() {
        0 => Err(InvalidKey::Pem),
        count if count > MAX_SET_KEYS => Err(InvalidKey::TooManyKeys { count, limit: MAX_SET_KEYS }),
        _ => Ok(documents),
    }
}
