//! Tests of delivery under LLVM's sanitizers, on the stable toolchain. The stable compiler contains the sanitizers, but
//! accepts the flag `-Zsanitizer` only if it is told to behave like a nightly compiler.
//!
//! The address sanitizer finds uses of memory that was freed or that belongs to something else; the thread sanitizer
//! finds memory that two threads use without synchronisation. Both see only what compiled Rust does, and not what C
//! libraries and the kernel do; see [`Sanitizer::options`].
use crate::program::{cargo, command, host, root, run as program, run_tests_two_by_two, target, warn};
use std::path::Path;

/// The packages to compile: the two crates that deliver, in one build so that common dependencies are built once.
const CODE: &str = "--package fanfare-server --package fanfare-hub --lib --test api --test over_io_uring";
/// The tests to run, by parts of their names. In the server these are the tests of delivery and of the subscriptions
/// that use it. In the hub they are the tests of the path from the log to an audience. `wakeup::` is left out, because
/// its model switches stacks, which no sanitizer can follow.
const TESTS: &str = "delivery:: handover:: heartbeat:: overload:: stalled:: \
     fan_out:: routes:: run:: window:: writer:: private:: resume:: routing:: slow::";

struct Sanitizer {
    /// The compiler's name for the sanitizer.
    name: &'static str,
    /// True if the standard library must be compiled for the sanitizer too, because otherwise it reports uses of memory
    /// that the library's locks do synchronise.
    compiles_std: bool,
    /// The environment variable from which the sanitizer reads its options.
    variable: &'static str,
    /// The options that differ from the defaults.
    options: &'static str,
    /// The file with the reports to suppress because they are wrong.
    suppressions: Option<&'static str>,
}

const ADDRESS: Sanitizer = Sanitizer {
    name: "address",
    compiles_std: false,
    variable: "ASAN_OPTIONS",
    // With io_uring, the kernel reads the bytes to send, and a sanitizer does not see this. So freed memory is
    // overwritten at once: if these bytes are freed too early, a test receives wrong bytes, and fails.
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

/// Runs the tests under each sanitizer. Without the source of the standard library the thread sanitizer is left out,
/// with a warning.
///
/// # Errors
/// The sanitizers that found something or could not be run. A sanitizer prints its findings, and the tests continue to
/// the end.
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
        // With `--target`, the flags do not apply to build scripts and macros, so both sanitizers use the same builds
        // of them.
        tests.args(["--target", &host()?, "--target-dir"]).arg(target().join("sanitize"));
        tests.args(CODE.split_whitespace()).args(self.compiles_std.then_some("-Zbuild-std"));
        tests.arg("--").args(TESTS.split_whitespace());
        tests.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", format!("-Zsanitizer={}", self.name));
        let suppressions = self.suppressions.map(|file| format!(":suppressions={}", root().join(file).display()));
        tests.env(self.variable, self.options.to_owned() + &suppressions.unwrap_or_default());
        program(run_tests_two_by_two(&mut tests)).map_err(|error| format!("{} sanitizer: {error}", self.name))
    }
}

/// Installs the source of the standard library if it is missing.
fn source_of_std() -> Result<(), String> {
    let output = command("rustc", &["--print", "sysroot"]).output().map_err(|error| format!("rustc: {error}"))?;
    let sysroot = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let is_here = || Path::new(&sysroot).join("lib/rustlib/src/rust/library/Cargo.lock").exists();
    if is_here() {
        return Ok(());
    }
    program(&mut command("rustup", &["component", "add", "rust-src"]))?;
    if is_here() {
        Ok(())
    } else {
        Err(format!("rustup has installed that source for another toolchain than {sysroot}"))
    }
}
