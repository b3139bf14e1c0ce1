//! Keys in PEM ([RFC 7468](https://www.rfc-editor.org/rfc/rfc7468)), with the labels `PUBLIC KEY` (SPKI), `RSA PUBLIC
//! KEY` (PKCS#1) and `CERTIFICATE`. Only the key in a certificate is used. The certificate's subject and expiry are
//! ignored, since it only serves as a file that holds the key.
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

/// Returns true if a text has a PEM header, perhaps after other text.
pub(super) fn is_pem(text: &str) -> bool {
    text.contains(BEGIN)
}

/// Reads the public keys in a PEM text. All of them must be usable.
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

/// Returns the PEM documents in a text, at least one. A line end may also be written as the two characters `\n`, as is
/// usual in environment variables.
pub(super) fn documents(text: &str) -> Result<Vec<Document>, InvalidKey> {
    let text = text.replace("\\n", "\n");
    let mut documents = Vec::new();
    let mut rest = text.as_str();
    while let Some((_, after)) = rest.split_once(BEGIN) {
        let (label, after) = after.split_once(DASHES).ok_or(InvalidKey::Pem)?;
        let (body, after) = after.split_once(&format!("{END}{label}{DASHES}")).ok_or(InvalidKey::Pem)?;
        let body: String = body.split_ascii_whitespace().collect();
        let der = STANDARD.decode(body).map_err(|_| match label {
            // A header such as `Proc-Type` shows that the key is encrypted in the older form of PEM encryption.
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
