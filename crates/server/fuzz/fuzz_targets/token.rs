//! Tokens that strangers send: as they come, in each carrier, and with claims that a trusted key has signed, because
//! whoever may have tokens made need not be trusted with the hub. Nothing may panic; what nobody signed grants nothing,
//! and each revision keeps its own rules.
#![no_main]
use fanfare_hub::grant::Grant;
use fanfare_server::auth::{
    AuthError, AuthSettings, Authenticator, Credentials, Key, LEGACY_COOKIE, MODERN_COOKIE, Purpose, Revision,
    TrustedIssuer, TrustedKeys,
};
use http::Request;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::{
    pin::pin,
    sync::LazyLock,
    task::{Context, Poll, Waker},
};
use url::Url;

const ISSUER: &str = "https://issuer.example";
const HUB: &str = "https://hub.example/.well-known/mercure";
const SECRET: &[u8] = b"a secret of at least thirty-two bytes";
const ISSUER_SECRET: &[u8] = b"another secret of at least thirty-two";
const NEVER: u64 = 1 << 40;

static AUTHENTICATOR: LazyLock<Authenticator> = LazyLock::new(|| {
    let key = |secret| Key::hs256(secret).expect("it is long enough");
    let keys = TrustedKeys {
        publisher_keys: key(SECRET).into(),
        subscriber_keys: key(SECRET).into(),
        issuers: vec![TrustedIssuer::new(ISSUER, key(ISSUER_SECRET).into())],
    };
    Authenticator::new(AuthSettings {
        keys: keys.into(),
        ..AuthSettings::closed(Url::parse(HUB).expect("the URL is valid"))
    })
});

fn ask(name: &str, value: &str) -> Option<Result<Credentials, AuthError>> {
    let (parts, ()) = Request::get("/").header(name, value).body(()).ok()?.into_parts();
    let asking = pin!(AUTHENTICATOR.authenticate(&parts, Purpose::Subscribe));
    match asking.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => unreachable!("no key comes from elsewhere"),
    }
}

fn signed(typ: &str, claims: &Value, secret: &[u8]) -> Option<Credentials> {
    let header = Header { typ: Some(typ.into()), ..Header::new(Algorithm::HS256) };
    let token = jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret)).ok()?;
    ask("authorization", &format!("Bearer {token}"))?.ok()
}

fuzz_target!(|input: &str| {
    for (name, value) in [
        ("authorization", format!("Bearer {input}")),
        ("authorization", input.to_owned()),
        ("cookie", format!("{LEGACY_COOKIE}={input}")),
        ("cookie", format!("{MODERN_COOKIE}={input}")),
        ("cookie", input.to_owned()),
    ] {
        assert!(!matches!(ask(name, &value), Some(Ok(_))), "nobody has signed this");
    }
    let Ok(claim) = serde_json::from_str::<Value>(input) else { return };
    for claims in [json!({"mercure": claim}), json!({"https://mercure.rocks/": claim}), claim.clone()] {
        if let Some(credentials) = signed("JWT", &claims, SECRET) {
            assert_eq!(credentials.revision, Revision::Legacy);
        }
    }
    let mut claims = json!({"iss": ISSUER, "aud": HUB, "exp": NEVER, "authorization_details": claim});
    if let Some(credentials) = signed("at+jwt", &claims, ISSUER_SECRET) {
        assert_eq!(credentials.revision, Revision::Modern);
        assert!(claim.is_array(), "authorization details are a list");
    }
    // The claim of one revision means nothing in the other.
    claims["mercure"] = claim;
    claims["authorization_details"] = json!([]);
    if let Some(credentials) = signed("at+jwt", &claims, ISSUER_SECRET) {
        assert_eq!(credentials.grant, Grant::none());
    }
});
