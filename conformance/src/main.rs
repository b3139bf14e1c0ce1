//! A program that tries every rule of the Mercure protocol on a hub, and prints the verdicts.
use clap::{Parser, ValueEnum};
use fanfare_conformance::{ENTRIES, Issuer, Revision, Secret, Target, Verdict, run};
use std::process::ExitCode;
use url::Url;

/// Tries every rule of the Mercure protocol on a hub. Each run uses new topics, and changes nothing that the hub
/// already holds. Each verdict is printed with the sentence of the draft that it is based on. The exit code is 1 if the
/// hub breaks a MUST.
#[derive(Debug, Parser)]
#[command(name = "fanfare-conformance", version)]
struct Arguments {
    /// URL of the hub, with its path
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000/.well-known/mercure")]
    hub: Url,

    /// HS256 secret of publishers' older-revision tokens
    #[arg(long, value_name = "SECRET", env = "MERCURE_PUBLISHER_KEY", hide_env_values = true, value_parser = secret)]
    publisher_key: Option<Secret>,

    /// HS256 secret of subscribers' older-revision tokens
    #[arg(long, value_name = "SECRET", env = "MERCURE_SUBSCRIBER_KEY", hide_env_values = true, value_parser = secret)]
    subscriber_key: Option<Secret>,

    /// Issuer of newer-revision tokens that the hub trusts
    #[arg(long, value_name = "URL", requires = "issuer_key")]
    issuer: Option<String>,

    /// HS256 secret of the issuer
    #[arg(long, value_name = "SECRET", env = "MERCURE_ISSUER_KEY", hide_env_values = true, value_parser = secret)]
    issuer_key: Option<Secret>,

    /// Audience that newer-revision tokens name [default: the resource identifier in the hub's metadata, or the hub's
    /// URL]
    #[arg(long, value_name = "URL")]
    audience: Option<String>,

    /// Origin whose pages the hub allows to use credentials
    #[arg(long, value_name = "ORIGIN")]
    cors_origin: Option<String>,

    /// Cookie for older-revision tokens
    #[arg(long, value_name = "NAME", default_value = "mercureAuthorization")]
    legacy_cookie: String,

    /// Cookie for newer-revision tokens [default: the cookie that the hub's metadata names, or
    /// __Secure-mercure_access_token]
    #[arg(long, value_name = "NAME")]
    cookie: Option<String>,

    /// Revision whose rules are tried
    #[arg(long, value_enum, default_value_t = Revisions::Both)]
    revision: Revisions,

    /// Run only entries whose names contain this text, such as b17; repeatable
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Revisions {
    Legacy,
    Modern,
    Both,
}

/// Parses a secret. Any text is a valid secret.
fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(text.into())
}

impl Arguments {
    fn target(&self) -> Target {
        let mut target = Target::new(self.hub.clone());
        target.publisher_key = self.publisher_key.clone();
        target.subscriber_key = self.subscriber_key.clone();
        target.issuer = self.issuer.clone().zip(self.issuer_key.clone()).map(|(name, key)| Issuer { name, key });
        target.cors_origin = self.cors_origin.clone();
        target.legacy_cookie = self.legacy_cookie.clone();
        target.modern_cookie = self.cookie.clone();
        target.audience = self.audience.clone();
        target
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let revisions = match arguments.revision {
        Revisions::Legacy => &[Revision::Legacy][..],
        Revisions::Modern => &[Revision::Modern],
        Revisions::Both => &[Revision::Legacy, Revision::Modern],
    };
    let is_meant = |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| name.contains(only));
    let target = arguments.target();
    let mut verdicts = Vec::new();
    for entry in ENTRIES.iter().filter(|entry| is_meant(entry.name)) {
        for revision in revisions.iter().filter(|revision| entry.is_in(**revision)) {
            let report = run(entry, &target, *revision).await;
            println!("{:13} {:52} {revision}\n{report}", report.verdict(), entry.name);
            verdicts.push((report.verdict(), format!("{} ({revision})", entry.name)));
        }
    }
    let with =
        |wanted: Verdict| verdicts.iter().filter(move |(verdict, _)| *verdict == wanted).map(|(_, name)| name.as_str());
    let count = |wanted: Verdict| format!("{} {wanted}", with(wanted).count());
    let all = [Verdict::Pass, Verdict::Fail, Verdict::Differs, Verdict::NotSupported, Verdict::NotTried];
    println!("{}", all.map(count).join(", "));
    for verdict in [Verdict::Fail, Verdict::Differs] {
        if with(verdict).next().is_some() {
            println!("{verdict}: {}", with(verdict).collect::<Vec<_>>().join(", "));
        }
    }
    if verdicts.is_empty() {
        eprintln!("no entry of this revision has a name that contains the text of --only");
        return ExitCode::FAILURE;
    }
    if with(Verdict::Fail).next().is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
