//! A short run of each fuzz target, on the stable toolchain.
//!
//! Coverage instrumentation is a part of LLVM and needs no nightly compiler. No sanitizer is used, because nothing here
//! is `unsafe`. To fuzz for longer, run the same program with another `-max_total_time`; the command is printed.
use crate::program::{cargo, command, host, root, run, target};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The time that each target runs, in seconds.
const SECONDS: u32 = 10;
/// The compiler flags that libFuzzer needs to see which input reaches new code. The manifest of each target decides
/// which checks are compiled in.
const INSTRUMENTATION: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// Builds and runs every target of every `crates/*/fuzz`.
///
/// # Errors
/// The name of the program that failed; libFuzzer prints the input that made a target fail.
pub(crate) fn smoke() -> Result<(), String> {
    let mut count = 0;
    for directory in entries(&root().join("crates"))?.into_iter().map(|name| format!("crates/{name}/fuzz")) {
        let fuzz = root().join(&directory);
        if !fuzz.join("Cargo.toml").exists() {
            continue;
        }
        // With `--target`, the flags do not apply to build scripts; with a separate directory, the code with coverage
        // is kept apart from other builds. All fuzz targets share the directory, since they depend on nearly the same
        // crates.
        let manifest = format!("{directory}/Cargo.toml");
        let host = host()?;
        run(cargo(&[
            "build",
            "--release",
            "--locked",
            "--manifest-path",
            &manifest,
            "--target",
            &host,
            "--target-dir",
        ])
        .arg(built())
        .env("RUSTFLAGS", INSTRUMENTATION))?;
        for name in entries(&fuzz.join("fuzz_targets"))?.iter().filter_map(|file| file.strip_suffix(".rs")) {
            count += 1;
            smoke_target(&fuzz, &host, name)?;
        }
    }
    if count == 0 { Err("there is no fuzz target".into()) } else { Ok(()) }
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
