//! The steps of `cargo xtask test`, in the order in which they find faults soonest.
//!
//! The workspace is compiled three times: once to be checked (clippy, documentation), once with tests (also for the
//! tests of other steps, and for the benches), and once as a release build. For fuzzing and for the sanitizers, the
//! tested crates are compiled again with instrumentation. A build of the whole workspace reuses the results of an
//! earlier one. A build of a single package does not, since its dependencies then have other features.
use crate::{
    alone, bare, deny, docs, fuzz,
    install::{
        self, C, CADDY, CHROMIUM, CURL, CXX, FIREFOX, FONTS, HAPROXY, NCHAN, NODE, Need, PHP, PYTHON, STRACE, SYMFONY,
    },
    interop, minimum, node, package,
    program::{cargo, command, root, run as program, run_tests_two_by_two, target, warn, warnings},
    sanitize,
};
use std::{
    fs,
    process::ExitCode,
    time::{Duration, Instant},
};

/// A step, which checks one promise.
pub(crate) struct Step {
    /// The name of the step on the command line.
    pub name: &'static str,
    /// The promise that the step checks.
    pub what: &'static str,
    /// The time in seconds that the step may take in a fresh clone, on two cores that do nothing else. A step that
    /// takes longer causes a warning, so that somebody soon looks for the reason.
    budget: u64,
    /// The things that the step needs from the system.
    needs: &'static [&'static Need],
    run: fn() -> Result<(), String>,
}

/// Everything that CI runs. The budgets add up to 35 minutes.
pub(crate) const STEPS: [Step; 16] = [
    Step { name: "format", what: "every file is formatted", budget: 10, needs: &[], run: format },
    Step {
        name: "docs",
        what: "documents name files that exist, modules say what they are, and limits.md matches the source",
        budget: 5,
        needs: &[],
        run: docs::check,
    },
    Step {
        name: "deny",
        what: "the licences, versions and sources of dependencies are allowed",
        budget: 100,
        needs: &[&C],
        run: deny::check,
    },
    Step { name: "clippy", what: "clippy has nothing to report", budget: 235, needs: &[&C], run: clippy },
    Step {
        name: "alone",
        what: "the client compiles with each of its features alone",
        budget: 45,
        needs: &[&C],
        run: alone::check,
    },
    Step {
        name: "bare",
        what: "the crate for the format of event streams compiles without std",
        budget: 10,
        needs: &[],
        run: bare::check,
    },
    Step {
        name: "minimum",
        what: "everything compiles with the oldest supported Rust",
        budget: 1,
        needs: &[&C],
        run: minimum::check,
    },
    Step {
        name: "package",
        what: "the packages of published crates can be made",
        budget: 10,
        needs: &[],
        run: package::check,
    },
    Step {
        name: "rustdoc",
        what: "the documentation builds without a warning",
        budget: 25,
        needs: &[&C],
        run: rustdoc,
    },
    Step { name: "test", what: "the tests of the whole workspace pass", budget: 590, needs: &[&C], run: test },
    Step {
        name: "release",
        what: "the release build of the program compiles",
        budget: 215,
        needs: &[&C],
        run: release,
    },
    Step {
        name: "browser",
        what: "pages work in Chromium and Firefox",
        budget: 235,
        needs: &[&C, &NODE, &PHP, &CHROMIUM, &FIREFOX, &FONTS, &CURL],
        run: browser,
    },
    Step {
        name: "interop",
        what: "servers and clients of other projects work with Fanfare",
        budget: 70,
        needs: &[&C, &NODE, &PHP, &SYMFONY, &PYTHON, &NCHAN, &CADDY, &HAPROXY, &CURL],
        run: interop::run,
    },
    Step {
        name: "fuzz",
        what: "each fuzz target finds nothing in a short run",
        budget: 190,
        needs: &[&C, &CXX],
        run: fuzz::smoke,
    },
    Step {
        name: "sanitize",
        what: "the address sanitizer and the thread sanitizer find nothing in delivery",
        budget: 340,
        needs: &[&C],
        run: sanitize::run,
    },
    Step { name: "bench", what: "each benchmark runs, at a small size", budget: 19, needs: &[&C, &STRACE], run: bench },
];

/// The result of a step.
struct Outcome {
    name: &'static str,
    took: Duration,
    result: Result<(), String>,
}

/// Runs `steps`, and then prints the result of each.
pub(crate) fn run(steps: &[&Step]) -> ExitCode {
    let mut needs: Vec<&Need> = Vec::new();
    for need in steps.iter().flat_map(|step| step.needs) {
        if !needs.contains(need) {
            needs.push(need);
        }
    }
    let mut outcomes =
        vec![timed("install", "everything that the steps need is installed", || install::missing(&needs))];
    for step in steps {
        let outcome = timed(step.name, step.what, step.run);
        if let Some(warning) = over_budget(step, outcome.took) {
            warn(warning);
        }
        outcomes.push(outcome);
    }

    println!("\n== summary");
    for Outcome { name, took, result } in &outcomes {
        let said = result.as_ref().err().map_or("ok", |error| error);
        println!("{name:10} {:7.1} s  {said}", took.as_secs_f64());
    }
    warnings().iter().for_each(|warning| println!("warning: {warning}"));
    let failed = outcomes.iter().filter(|outcome| outcome.result.is_err()).count();
    println!("\n{} passed, {failed} failed", outcomes.len() - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn timed(name: &'static str, what: &str, run: impl FnOnce() -> Result<(), String>) -> Outcome {
    println!("\n== {name}: {what}");
    let start = Instant::now();
    let result = run();
    if let Err(error) = &result {
        println!("{name} failed: {error}");
    }
    let took = start.elapsed();
    println!("{name} took {:.1} s", took.as_secs_f64());
    Outcome { name, took, result }
}

/// Returns a warning if a step took too long. The reason may also be that the machine did something else at the same
/// time.
fn over_budget(step: &Step, took: Duration) -> Option<String> {
    let (name, budget) = (step.name, step.budget);
    let over = took > Duration::from_secs(budget);
    over.then(|| {
        format!(
            "{name} took {:.0} s, and should take at most {budget} s on two cores that do nothing else",
            took.as_secs_f64()
        )
    })
}

fn format() -> Result<(), String> {
    program(&mut cargo(&["fmt", "--all", "--", "--check"]))
}

fn clippy() -> Result<(), String> {
    let mut clippy = cargo(&["clippy", "--workspace", "--all-targets", "--features", interop::FEATURE, "--locked"]);
    program(clippy.args(["--", "-D", "warnings"]))
}

fn rustdoc() -> Result<(), String> {
    program(cargo(&["doc", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-D warnings"))
}

/// Runs all tests, except those that need the packages that the step `interop` installs. Those tests are built only
/// with the feature `interop::FEATURE`.
fn test() -> Result<(), String> {
    program(run_tests_two_by_two(&mut cargo(&["test", "--workspace", "--locked", "--no-fail-fast"])))
}

pub(crate) fn release() -> Result<(), String> {
    program(&mut cargo(&["build", "--release", "--package", "fanfare", "--locked"]))
}

/// Runs the browser tests against the release build of the program, which is built here if the step `release` was left
/// out, and against the example `discovery`, which serves a page.
fn browser() -> Result<(), String> {
    release()?;
    program(&mut cargo(&["build", "--workspace", "--example", "discovery", "--locked"]))?;
    let (binary, discovery) = (target().join("release/fanfare"), target().join("debug/examples/discovery"));
    let directory = root().join("browser");
    // In some tests the hub relays from servers of other projects, which need these packages.
    interop::install_node_packages()?;
    // The tests use the browsers of the system, so Playwright must not download its own.
    let npm = |arguments| {
        node::npm(&directory, arguments).map(|mut npm| {
            npm.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
            npm.env("TEST_FANFARE_BIN", &binary).env("TEST_FANFARE_DISCOVERY", &discovery);
            npm
        })
    };
    program(&mut npm(&["ci", "--no-audit", "--no-fund"])?)?;
    program(&mut npm(&["test"])?)
}

/// Checks that the benchmarks run. They are built as for tests; some of them measure the release build of the program.
/// The figures mean nothing.
fn bench() -> Result<(), String> {
    release()?;
    let binaries = root().join("crates/bench/src/bin");
    let files = fs::read_dir(&binaries).map_err(|error| format!("{}: {error}", binaries.display()))?;
    // Directories are skipped. The only one is a program that compares two builds of the hub, and it needs both builds.
    let mut names: Vec<String> =
        files.flatten().filter_map(|file| Some(file.file_name().to_str()?.strip_suffix(".rs")?.to_owned())).collect();
    names.sort();
    // An example is built too, because then the dependencies have the same features as in tests, so they need not be
    // built again.
    program(&mut cargo(&["build", "--workspace", "--bins", "--example", "discovery", "--locked"]))?;
    for name in &names {
        let binary = target().join("debug").join(name);
        program(
            command(&binary.to_string_lossy(), &["--smoke"]).env("TEST_FANFARE_BIN", target().join("release/fanfare")),
        )?;
    }
    if names.is_empty() { Err("there is no benchmark".into()) } else { Ok(()) }
}

/// Compares the release build of the program with other servers. `options` are given to the benchmark `compare`; see
/// its `--help`.
///
/// # Errors
/// The name of a package or program that could not be installed or built, or a message about what went wrong.
pub(crate) fn compare(options: &[&str]) -> Result<(), String> {
    install::missing(&[&C, &NCHAN])?;
    release()?;
    let run = ["run", "--release", "--package", "fanfare-bench", "--locked", "--bin", "compare", "--"];
    program(cargo(&run).args(options).env("TEST_FANFARE_BIN", target().join("release/fanfare")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_above_its_budget_is_told() {
        let step = Step { name: "slow", what: "", budget: 10, needs: &[], run: || Ok(()) };
        assert_eq!(over_budget(&step, Duration::from_secs(10)), None);
        let told = over_budget(&step, Duration::from_secs(12)).unwrap();
        assert_eq!(told, "slow took 12 s, and should take at most 10 s on two cores that do nothing else");
    }

    #[test]
    fn all_budgets_together_are_what_the_whole_may_take() {
        assert_eq!(STEPS.iter().map(|step| step.budget).sum::<u64>(), 35 * 60);
    }
}
