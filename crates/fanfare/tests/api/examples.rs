//! The examples that newcomers copy.
use crate::program::{fanfare, run};
use std::{fs, path::PathBuf, process::Stdio};

fn example(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}

/// The documents that are printed from the definitions of options are committed.
#[test]
fn documents_of_options_are_those_that_are_printed() {
    for (document, path) in [("example", "../../examples/fanfare.toml"), ("reference", "../../docs/options.md")] {
        let committed = fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        let is_same = run(&["options", document]).stdout == committed;
        assert!(is_same, "{path} is not what is printed: run `cargo xtask options`, and read what has changed");
    }
}

/// The values are the defaults, and every option is there.
#[test]
fn the_configuration_file_says_what_holds() {
    let file = example("fanfare.toml");
    let checked = run(&["serve", "--check", "--config", file.to_str().unwrap()]);
    let values = |text: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.split(" # ").next()).map(|value| value.trim_end().to_owned()).collect()
    };
    assert_eq!(values(&checked.stdout), values(&run(&["serve", "--check"]).stdout), "{}", checked.stderr);

    let text = fs::read_to_string(&file).unwrap();
    let help = run(&["serve", "--help"]).stdout;
    let flags = help.split_whitespace().filter_map(|word| word.strip_prefix("--"));
    for key in flags.filter(|flag| !["config", "check", "help"].contains(flag) && flag.ends_with(char::is_alphabetic)) {
        let is_there = text.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{key} =")));
        assert!(is_there, "{key} is not in {}", file.display());
    }
}

#[test]
fn the_page_is_served_beside_its_stream() {
    let hub = crate::hub::Hub::with(&["--memory", "--static", example("").to_str().unwrap()]);
    // Any answer that is no event stream tells that the page is there, and what type it has.
    let mut command = fanfare();
    command.args(["subscribe", &format!("{}/page.html", hub.url)]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ended = crate::program::end(command.spawn().unwrap());
    assert!(ended.stderr.contains("but text/html"), "{ended:?}");
}
