//! A short run of each fuzz target, on the stable toolchain.
//!
//! Coverage instrumentation is a part of LLVM and needs no nightly compiler. No sanitizer is used, because nothing here
//! is `unsafe`. To fuzz for longer, run the same program with another `-max_total_time`; the command is printed.
use crate::program::{cargo, command, host, root, run, target};
use std::{
    fs,
    num::NonZero,
    path::{Path, PathBuf},
    thread,
};

/// The time that each target runs, in seconds.
const SECONDS: u32 = 10;
/// The compiler flags that libFuzzer needs to see which input reaches new code. The manifest of each target decides
/// which checks are compiled in.
const INSTRUMENTATION: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// Builds every target of every `crates/*/fuzz`, and runs as many targets at the same time as there are processors.
///
/// # Errors
/// The name of the program that failed; libFuzzer prints the input that made a target fail.
pub(crate) fn smoke() -> Result<(), String> {
    let host = host()?;
    let mut targets = Vec::new();
    for name in entries(&root().join("crates"))? {
        let fuzz = root().join("crates").join(name).join("fuzz");
        if fuzz.join("Cargo.toml").exists() {
            build(&fuzz, &host)?;
            let files = entries(&fuzz.join("fuzz_targets"))?;
            let names = files.iter().filter_map(|file| file.strip_suffix(".rs"));
            targets.extend(names.map(|name| (fuzz.clone(), name.to_owned())));
        }
    }
    if targets.is_empty() {
        return Err("there is no fuzz target".into());
    }
    let at_once = thread::available_parallelism().map_or(1, NonZero::get);
    for some in targets.chunks(at_once) {
        thread::scope(|scope| {
            let runs: Vec<_> =
                some.iter().map(|(fuzz, name)| scope.spawn(|| smoke_target(fuzz, &host, name))).collect();
            runs.into_iter().try_for_each(|run| run.join().unwrap_or_else(|_| Err("a run has panicked".into())))
        })?;
    }
    Ok(())
}

/// Builds the targets of one crate.
fn build(fuzz: &Path, host: &str) -> Result<(), String> {
    // With `--target`, the flags do not apply to build scripts; with a separate directory, the code with coverage is
    // kept apart from other builds. All fuzz targets share the directory, because they depend on nearly the same
    // crates.
    let mut build = cargo(&["build", "--release", "--locked", "--target", host, "--manifest-path"]);
    build.arg(fuzz.join("Cargo.toml")).arg("--target-dir").arg(built());
    run(build.env("RUSTFLAGS", INSTRUMENTATION))
}

fn built() -> PathBuf {
    target().join("fuzz")
}

fn smoke_target(fuzz: &Path, host: &str, name: &str) -> Result<(), String> {
    let (corpus, artifacts) = (fuzz.join("corpus").join(name), fuzz.join("artifacts").join(name));
    for directory in [&corpus, &artifacts] {
        fs::create_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    }
    let program = built().join(host).join("release").join(name);
    let time = format!("-max_total_time={SECONDS}");
    let artifacts = format!("-artifact_prefix={}/", artifacts.display());
    run(command(&program.to_string_lossy(), &[&time, &artifacts, "-verbosity=0", "-print_final_stats=1"]).arg(corpus))
}

/// Returns the names in a directory, sorted.
fn entries(directory: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}
