//! `fanfare serve`: makes a running hub from the arguments.
mod announce;
mod clock;
mod error;
mod file_size;
mod hangups;
mod log_output;
pub(crate) mod parts;
mod relays;
mod reload;
mod tie;

pub(crate) use error::ServeError;

use crate::{
    config::{self, Effective, Merged, ServeOptions, ServeSettings},
    exit::Exit,
    keys::KeyRing,
    stdout, stop,
};
use announce::Announcement;
use clap::ArgMatches;
use fanfare_hub::Hub;
use fanfare_server::{
    Server,
    auth::{Authenticator, KeyStore},
    listener::Listener,
};
use hangups::Hangups;
use log_output::MaskedStderr;
use relays::Relays;
use std::{
    fmt,
    io::{self, IsTerminal as _},
    path::PathBuf,
    thread,
    time::Duration,
};
use tokio::net::TcpListener;
use tracing_subscriber::{layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// The longest time that the process takes to end after its server has stopped because the hub has failed. The disk may
/// not answer any more.
const FAILED_DEADLINE: Duration = Duration::from_secs(2);
/// The longest time that the process waits for blocking work, such as a write to disk, after the hub has ended.
const LEFTOVER_TIMEOUT: Duration = Duration::from_millis(200);

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Each option is also a variable of the environment (--max-body: FANFARE_MAX_BODY) and a key of the \
                  configuration file (max-body). A flag overrides the environment, the environment overrides the file, \
                  and the file overrides the defaults. Relative paths start from the working directory. The variables \
                  of a Mercure hub (MERCURE_PUBLISHER_JWT_KEY, MERCURE_EXTRA_DIRECTIVES, SERVER_NAME and others) also \
                  have an effect, and override the file. A variable FANFARE_… that does not belong to an option is an \
                  error. Keys and certificates are read again on SIGHUP and when their files change."
)]
pub(crate) struct ServeArgs {
    /// Configuration file, in TOML
    #[arg(long, value_name = "FILE", env = "FANFARE_CONFIG")]
    config: Option<PathBuf>,

    /// End when standard input ends. A program that starts this hub gives this option, so that the hub ends together
    /// with the program
    #[arg(long, hide = true)]
    tied: bool,

    /// Print the configuration in effect, with the source of each value and secrets masked, and exit
    #[arg(long)]
    check: bool,

    #[command(flatten)]
    options: ServeOptions,
}

/// Runs the hub until it is told to stop.
///
/// # Errors
/// [`ServeError`] if the configuration is not valid, or the hub cannot start.
pub(crate) fn run(args: &ServeArgs, given: &ArgMatches, exposed: Vec<String>) -> Result<(), ServeError> {
    let mut merged = config::merge(given, args.config.as_deref())?;
    merged.warnings.extend(exposed);
    let settings = ServeSettings::resolve(&merged)?;
    if args.check {
        return print(&Effective { merged: &merged, settings: &settings });
    }
    log_to_stderr(&settings);
    merged.warnings.iter().chain(&settings.warnings(&merged)).for_each(|warning| tracing::warn!("{warning}"));
    raise_file_limit();
    if args.tied {
        thread::spawn(tie::end_with_standard_input);
    }
    let runtime = tokio::runtime::Runtime::new().map_err(ServeError::Runtime)?;
    let origin = reload::Origin { given: given.clone(), file: args.config.clone() };
    let ended = runtime.block_on(start(&settings, merged, origin));
    // Without a timeout, the lookup of a name, or a disk that does not answer, would delay the end of the process.
    runtime.shutdown_timeout(LEFTOVER_TIMEOUT);
    ended
}

/// Makes the log, the hub and the server from the settings, and serves until the process is told to stop.
async fn start(settings: &ServeSettings, merged: Merged, origin: reload::Origin) -> Result<(), ServeError> {
    file_size::fail_beyond_limit().map_err(ServeError::Runtime)?;
    // The hub binds its port before it changes anything on disk, because the likeliest fault is that another hub
    // already uses the port.
    let listen = |error| ServeError::Listen { address: settings.listen.0, error };
    let listener = TcpListener::bind(settings.listen.0).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;

    let tls = parts::tls(settings)?;
    let hub = Hub::start(parts::log(settings)?, &parts::hub_limits(settings)).map_err(ServeError::Hub)?;
    let mut ring = KeyRing::new(settings.jwks_addresses());
    let keys = KeyStore::from(ring.trusted(settings)?);
    let access = parts::access(settings, address, keys.clone());
    let server = Server::new(hub.clone(), Authenticator::new(access), parts::server(settings, address))
        .map_err(ServeError::Delivery)?;
    // Waits until the keys that come from URLs were fetched, so that the token of the first client can be verified.
    ring.ready().await;
    if settings.clock() {
        tokio::spawn(clock::tick(hub.clone()));
    }
    let certificates = tls.as_ref().map(|tls| tls.certificates().clone());
    let reload = reload::Reload::new(origin, merged, ring, keys, certificates, settings.is_open());
    let (reloading, told) = (reload.run(Hangups::new().map_err(ServeError::Runtime)?), hub.clone());
    tokio::spawn(async move { told.essential("the task that reads keys again", reloading).await });
    let stopped = stop::stop_in_time().map_err(ServeError::Runtime)?;
    let relays = Relays::start(settings, &hub)?;
    print(&Announcement { settings, address })?;
    // The server and the relays stop at the same time, because each of them may need some seconds to stop.
    let stopped = async {
        stopped.await;
        relays.begin_to_stop();
    };
    let served = server.serve(Listener::new(listener).with_tls(tls), stopped).await;
    if served.is_err() {
        stop::end_in_time(FAILED_DEADLINE, Exit::Failed).map_err(ServeError::Runtime)?;
        relays.begin_to_stop();
    }
    relays.stop().await;
    served.map_err(ServeError::Failed)
}

fn print(text: &impl fmt::Display) -> Result<(), ServeError> {
    stdout::print(text).map(drop).map_err(ServeError::Print)
}

fn log_to_stderr(settings: &ServeSettings) {
    let lines =
        tracing_subscriber::fmt::layer().with_writer(MaskedStderr::default).with_ansi(io::stderr().is_terminal());
    tracing_subscriber::registry().with(lines).with(settings.log_filter()).init();
}

/// Raises the limit on open files as far as the system allows, because each subscriber takes one file.
fn raise_file_limit() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!("cannot raise the limit on open files: {error}");
    }
}
