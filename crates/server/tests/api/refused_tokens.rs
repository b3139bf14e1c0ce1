//! The trace that refused tokens leave in the log: bounded, whoever sends how many of them, and without a token.
use super::fixture::*;
use fanfare_hub::entry::Timestamp;
use fanfare_server::auth::{
    AuthSettings, Authenticator, SigningKey, TrustedIssuer, TrustedKeys,
    mint::{LegacyToken, ModernToken},
};
use std::{
    fmt::{Debug, Write as _},
    sync::{Arc, Mutex},
};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

const HUB: &str = "https://hub.example/.well-known/mercure";
const TRUSTED: &str = "https://login.example";

/// The log, a line for each event of at least a warning.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

fn key(secret: &[u8]) -> SigningKey {
    SigningKey::hs256(secret).unwrap()
}

fn of_issuer(issuer: &str, key: &SigningKey) -> String {
    let (issued_at, expires_at) = (Timestamp::now(), Timestamp(Timestamp::now().0 + 60_000));
    let (issuer, audience, subject) = (issuer.to_owned(), HUB.to_owned(), "somebody".to_owned());
    let (publish, subscribe) = (Vec::new(), Vec::new());
    ModernToken { issuer, audience, subject, issued_at, expires_at, publish, subscribe, payload: None }.sign(key)
}

/// The whole test is one thread, and so is the server in it: what it logs comes here.
#[tokio::test]
async fn refused_tokens_are_told_by_reason_and_issuer_and_never_shown() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let (right, wrong) =
        (key(b"a secret of at least thirty-two bytes"), key(b"another one of at least thirty-two bytes"));
    let issuer = TrustedIssuer {
        issuer: TRUSTED.to_owned(),
        audience: None,
        publisher_keys: right.verification().into(),
        subscriber_keys: right.verification().into(),
    };
    let (publisher_keys, subscriber_keys) = (right.verification().into(), right.verification().into());
    let keys = TrustedKeys { publisher_keys, subscriber_keys, issuers: vec![issuer] };
    let settings = AuthSettings { keys: keys.into(), ..AuthSettings::closed(HUB.parse().unwrap()) };
    let server = serve_as(Authenticator::new(settings), |_| {}).await;

    let legacy = |key| LegacyToken { publish: vec![], subscribe: vec![], payload: None, expires_at: None }.sign(key);
    let mut tokens = vec![legacy(&wrong), of_issuer(TRUSTED, &wrong), "no token".to_owned()];
    tokens.extend(
        (0..100).map(|number| of_issuer(&format!("https://stranger-{number}.example/{}", "x".repeat(500)), &wrong)),
    );
    for round in 0..3 {
        for token in &tokens {
            let answer = server.post("/topics/a", &format!("Authorization: Bearer {token}\r\n"), "x").await;
            assert!(matches!(answer.status, 400 | 401), "{}", answer.body);
        }
        let lines = log.0.lock().unwrap().clone();
        // One for each of the first three, and few for all strangers together, however often they come.
        assert_eq!(lines.len(), 3 + 16, "round {round}: {lines:#?}");
    }
    // A token that is good for nothing but this.
    let insufficient = legacy(&right);
    let answer = server.post("/topics/a", &format!("Authorization: Bearer {insufficient}\r\n"), "x").await;
    assert_eq!(answer.status, 403, "{}", answer.body);
    server.stop().await;
    let lines = log.0.lock().unwrap().clone();
    let with = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
    assert_eq!((with(&format!("its issuer is \"{TRUSTED}\"")), with("it names no issuer")), (2, 5), "{lines:#?}");
    assert_eq!(with("stranger-"), 16 + 16, "the first of each kind, and how many more there were: {lines:#?}");
    assert_eq!(with("252 more tokens were refused within 60 s: they come from other issuers"), 1, "{lines:#?}");
    for token in tokens.iter().chain([&insufficient]) {
        let parts: Vec<_> = token.split(['.', ' ']).filter(|part| part.len() > 10).collect();
        assert!(parts.iter().all(|part| with(part) == 0), "{token} is in {lines:#?}");
    }
    assert!(lines.iter().all(|line| line.len() < 400), "{lines:#?}");
}
