//! Load generator, baselines and recorded runs.
//!
//! Every figure is a ratio between things measured in the same run, side by side: machines differ and are shared. A
//! [`scenario`] puts a server, which a [`target`] describes, through something: [`subscribe`] is its subscribers,
//! [`publish`] its publishers. `fanfare load` runs one scenario against one server; the binaries in `src/bin` each
//! compare several things; what they print last is one line of JSON, and runs worth keeping are in `runs/` with their
//! machine, commit and command.
#![deny(unsafe_code)]

pub mod bare_server;
#[cfg_attr(
    not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))),
    path = "bare_uring_absent.rs"
)]
pub mod bare_uring;
pub mod bare_write;
#[cfg(feature = "clients")]
pub mod client;
pub mod epoch;
pub mod fault;
pub mod histogram;
#[cfg(feature = "log")]
pub mod log;
pub mod meter;
pub mod process;
pub mod process_tree;
pub mod progress;
pub mod publish;
pub mod recipe;
pub mod report;
pub mod sample;
pub mod scenario;
pub mod server;
pub mod spread;
pub mod stamp;
pub mod subscribe;
pub mod target;
