//! The entry on encryption. Publisher and subscriber encrypt and decrypt; the hub passes the data on.
use crate::{
    outcome::{Fault, Outcome, check_eq},
    rules::publication::ENCRYPTED,
    trial::Trial,
};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    error::Unspecified,
    rsa::{KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The length of the content encryption key of A256GCM, in bytes.
const KEY_BYTES: usize = 32;

/// Encrypts a text as a JWE in compact form, by RSA-OAEP-256 and A256GCM, which the specification recommends.
fn encrypt(text: &str, recipient: &OaepPublicEncryptingKey) -> Result<String, Unspecified> {
    let (mut key, mut nonce) = ([0; KEY_BYTES], [0; 12]);
    aws_lc_rs::rand::fill(&mut key)?;
    aws_lc_rs::rand::fill(&mut nonce)?;
    let mut wrapped = vec![0; recipient.ciphertext_size()];
    let wrapped = recipient.encrypt(&OAEP_SHA256_MGF1SHA256, &key, &mut wrapped, None)?;
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RSA-OAEP-256","enc":"A256GCM"}"#);
    let sealing = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key)?);
    let mut sealed = text.as_bytes().to_vec();
    let aad = Aad::from(header.as_bytes());
    let tag = sealing.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)?;
    let parts: [&[u8]; 4] = [wrapped, &nonce, &sealed, tag.as_ref()];
    Ok(format!("{header}.{}", parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")))
}

fn decrypt(jwe: &str, recipient: &OaepPrivateDecryptingKey) -> Option<String> {
    let (header, rest) = jwe.split_once('.')?;
    let parts: Vec<_> = rest.split('.').map(|part| URL_SAFE_NO_PAD.decode(part)).collect::<Result<_, _>>().ok()?;
    let [wrapped, nonce, sealed, tag] = parts.try_into().ok()?;
    let mut key = vec![0; recipient.min_output_size()];
    let key = recipient.decrypt(&OAEP_SHA256_MGF1SHA256, &wrapped, &mut key, None).ok()?;
    let opening = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?);
    let mut sealed = [sealed, tag].concat();
    let nonce = Nonce::try_assume_unique_for_key(&nonce).ok()?;
    let opened = opening.open_in_place(nonce, Aad::from(header.as_bytes()), &mut sealed).ok()?;
    String::from_utf8(opened.to_vec()).ok()
}

/// B49: A JWE arrives unchanged, and the subscriber reads the text that the publisher encrypted. The encrypted data of
/// the older Mercure revision passes in the same way.
pub(super) async fn b49_encrypted_data_passes_untouched(trial: &Trial<'_>) -> Outcome {
    let broken = |_: Unspecified| Fault::Broken("the suite cannot encrypt".into());
    let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).map_err(broken)?;
    let recipient = OaepPublicEncryptingKey::new(key.public_key()).map_err(broken)?;
    let key = OaepPrivateDecryptingKey::new(key).map_err(broken)?;
    let text = "{\"secret\": \"ü\u{1F600}\"}\r\nnot for the hub";
    let jwe = encrypt(text, &recipient).map_err(broken)?;
    let topic = trial.topic("a");
    let untouched = async {
        let mut stream = trial.subscribe(&[(trial.exactly(), &topic)]).await?;
        trial.say(&topic, &jwe).await?;
        let data = stream.next().await?.data;
        check_eq!(data, jwe, "encrypted data");
        check_eq!(decrypt(&data, &key).as_deref(), Some(text), "what the subscriber reads");
        Ok(())
    };
    trial.by(&ENCRYPTED, untouched).await?;
    Ok(())
}
