//! Tries every rule of the Mercure protocol on a hub, and prints what comes of it.
use clap::{Parser, ValueEnum};
use fanfare_conformance::{ENTRIES, Fault, Issuer, Revision, Secret, Target, run};
use std::process::ExitCode;
use url::Url;

/// Tries every rule of the Mercure protocol on a hub. Topics are new in each run, and nothing that was there is touched. The
/// exit code is 1 if the hub breaks a rule.
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

    /// HS256 secret of that issuer
    #[arg(long, value_name = "SECRET", env = "MERCURE_ISSUER_KEY", hide_env_values = true, value_parser = secret)]
    issuer_key: Option<Secret>,

    /// What newer-revision tokens name as their audience [default: the hub's URL]
    #[arg(long, value_name = "URL")]
    audience: Option<String>,

    /// Origin whose pages the hub allows to use credentials
    #[arg(long, value_name = "ORIGIN")]
    cors_origin: Option<String>,

    /// Cookie for older-revision tokens
    #[arg(long, value_name = "NAME", default_value = "mercureAuthorization")]
    legacy_cookie: String,

    /// Cookie for newer-revision tokens
    #[arg(long, value_name = "NAME", default_value = "__Secure-mercure_access_token")]
    cookie: String,

    /// By whose rules
    #[arg(long, value_enum, default_value_t = Revisions::Both)]
    revision: Revisions,

    /// Only entries whose names contain this, such as b17; repeatable
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Revisions {
    Legacy,
    Modern,
    Both,
}

/// A secret may be anything.
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
        if let Some(audience) = &self.audience {
            target.audience = audience.clone();
        }
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
    let (mut passed, mut failed, mut not_applicable) = (0, 0, 0);
    for entry in ENTRIES.iter().filter(|entry| is_meant(entry.name)) {
        for revision in revisions.iter().filter(|revision| entry.revisions.contains(revision)) {
            let (said, why) = match run(entry, &target, *revision).await {
                Ok(()) => (("pass", &mut passed), String::new()),
                Err(Fault::Broken(what)) => (("FAIL", &mut failed), what),
                Err(Fault::NotApplicable(why)) => (("n/a", &mut not_applicable), why),
            };
            *said.1 += 1;
            let (section, revision) = (entry.section, revision.to_string());
            println!("{:4} {:52} {revision:7} {section:28} {}", said.0, entry.name, why.replace('\n', " "));
        }
    }
    println!("\n{passed} passed, {failed} failed, {not_applicable} not applicable");
    if passed + failed + not_applicable == 0 {
        eprintln!("no entry has such a name");
    }
    if failed == 0 && passed + not_applicable > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
