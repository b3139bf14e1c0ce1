//! Delivery under LLVM's sanitizers, on the stable toolchain: the compiler has them, it only wants to be asked as an
//! unstable one.
//!
//! The address sanitizer sees memory used that is freed or somebody else's, the thread sanitizer sees memory that two
//! threads use without an order. Both follow compiled Rust; C libraries and the kernel are not followed, see
//! [`Sanitizer::options`].
use crate::program::{cargo, command, host, root, run as program, target, warn};
use std::path::Path;

/// The packages to compile: the two crates that deliver, in one go so that what both depend on is built once.
const CODE: &str = "--package fanfare-server --package fanfare-hub --lib --test api --test over_io_uring";
/// The tests of those, by a part of their names. In the server: delivery, and the subscriptions that use it. In the
/// hub: the way from the log to an audience. Not `wakeup::`, whose model switches stacks where no sanitizer can follow.
const TESTS: &str = "delivery:: handover:: heartbeat:: overload:: stalled:: \
     fan_out:: routes:: run:: window:: writer:: private:: resume:: routing:: slow::";

struct Sanitizer {
    /// The name that the compiler has for it.
    name: &'static str,
    /// True if it has to see into the standard library, or takes what locks there order for races.
    compiles_std: bool,
    /// The variable that it reads options from.
    variable: &'static str,
    /// The options that differ from what they would be.
    options: &'static str,
    /// The file that tells it what it is wrong about.
    suppressions: Option<&'static str>,
}

const ADDRESS: Sanitizer = Sanitizer {
    name: "address",
    compiles_std: false,
    variable: "ASAN_OPTIONS",
    // The kernel reads what a ring sends, and no sanitizer sees it. What is freed is overwritten at once, so that a
    // test sees other bytes than were sent.
    options: "allow_addr2line=1:max_free_fill_size=1048576",
    suppressions: None,
};
const THREAD: Sanitizer = Sanitizer {
    name: "thread",
    compiles_std: true,
    variable: "TSAN_OPTIONS",
    options: "allow_addr2line=1",
    suppressions: Some("xtask/tsan.supp"),
};

/// Runs the tests under each. Without the source of the standard library the thread sanitizer is left out, with a
/// warning.
///
/// # Errors
/// Which of them found something, or cannot be run. What it found it prints, and goes on to the end.
pub(crate) fn run() -> Result<(), String> {
    let address = ADDRESS.run();
    let thread = match source_of_std() {
        Ok(()) => THREAD.run(),
        Err(why) => {
            warn(format!("NO THREAD SANITIZER: it needs the source of the standard library, and {why}"));
            Ok(())
        }
    };
    address.and(thread)
}

impl Sanitizer {
    fn run(&self) -> Result<(), String> {
        let mut tests = cargo(&["test", "--no-fail-fast", "--profile", "sanitize", "--locked"]);
        // A target that is named keeps the flags from build scripts and macros, which both have in common.
        tests.args(["--target", &host()?, "--target-dir"]).arg(target().join("sanitize"));
        tests.args(CODE.split_whitespace()).args(self.compiles_std.then_some("-Zbuild-std"));
        tests.arg("--").args(TESTS.split_whitespace());
        tests.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", format!("-Zsanitizer={}", self.name));
        let suppressions = self.suppressions.map(|file| format!(":suppressions={}", root().join(file).display()));
        tests.env(self.variable, self.options.to_owned() + &suppressions.unwrap_or_default());
        program(&mut tests).map_err(|error| format!("{} sanitizer: {error}", self.name))
    }
}

/// Installs it if it is missing.
fn source_of_std() -> Result<(), String> {
    let output = command("rustc", &["--print", "sysroot"]).output().map_err(|error| format!("rustc: {error}"))?;
    let sysroot = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let is_here = || Path::new(&sysroot).join("lib/rustlib/src/rust/library/Cargo.lock").exists();
    if is_here() {
        return Ok(());
    }
    program(&mut command("rustup", &["component", "add", "rust-src"]))?;
    if is_here() { Ok(()) } else { Err(format!("rustup has installed it for another toolchain than {sysroot}")) }
}
