//! The `fanfare` program: a hub for Server-Sent Events, with commands to try the hub and to use it in scripts.
//!
//! [`cli`] defines the commands; each has a module with its name. [`config`] is the configuration of `serve`. From the
//! configuration, [`keys`] makes the keys that verify tokens. [`http`] is the client that `publish` and `subscribe`
//! share; [`request`] is the request that `subscribe` and `lint` share. [`fanfare_mask`] hides secrets in everything
//! that is shown, and [`exposed`] warns of secrets that other users of the machine can see already. [`stdout`] and
//! [`stderr`] print, without a panic if the reader has closed the output.
#![warn(clippy::print_stdout, clippy::print_stderr, reason = "these macros panic if the output is closed")]
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
mod stderr;
mod stdout;
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
            error.print();
            error.exit().into()
        }
    }
}
