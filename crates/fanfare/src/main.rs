//! The `fanfare` command: a hub for Server-Sent Events, and what one needs to try and to script it.
//!
//! [`cli`] says which commands there are; each has a module of its name. [`config`] is the configuration of `serve`,
//! [`keys`] what verifies tokens by it, [`http`] the client that `publish` and `subscribe` share, [`request`] the request
//! that `subscribe` and `lint` share. [`fanfare_mask`] keeps secrets out of whatever is shown, and [`exposed`] warns of
//! those that other users of the machine see already.
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod allocator;
mod check;
mod cli;
mod config;
mod exit;
mod exposed;
mod http;
mod keys;
mod lint;
mod load;
mod log;
mod moment;
mod notice;
mod publish;
mod quantity;
mod reconnect;
mod relay;
mod request;
mod secret;
mod serve;
mod shown;
mod stop;
mod subscribe;
mod token;
mod topic;
mod warning;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let style = anstyle::AnsiColor::Red.on_default().bold();
            anstream::eprintln!("{style}error:{style:#} {}", fanfare_mask::masked(&error.to_string()));
            error.exit().into()
        }
    }
}
