//! The reference of all options of `fanfare serve`: `docs/options.md`.
use super::{
    described::{described, wrapped},
    variables,
};

const HEAD: &str = "\
# Options of `fanfare serve`

<!-- `cargo xtask options` prints this page from crates/fanfare/src/config/options.rs. -->

Each option is a flag, a variable of the environment, and a key of the configuration file (`--config FILE`, in TOML). The
key is the flag without its dashes. Flags override variables, variables override the file, and the file overrides
the defaults. `fanfare check` prints the configuration in effect, with the source of each value.
[An example of a configuration file](../examples/fanfare.toml) has every key.

- `DURATION` is numbers with the units `ms`, `s`, `m`, `h`, `d` and `w`: `90s`, `1h 30m`. In the file it is a text.
- `SIZE` is a number of bytes, alone or with `kB`, `KiB`, `MB`, `MiB`, `GB`, `GiB`, `TB` or `TiB`. In the file it is a text.
- `COUNT` is a whole number, and `BOOL` is `true` or `false`; a flag without a value means `true`.
- A limit that can be `off` has `|off`.
- An option that is repeatable is a list in the file. In a variable, spaces, tabs and line ends separate
  the values.
";

/// Returns the text of `docs/options.md`.
pub(crate) fn reference() -> String {
    let (mut text, mut heading) = (HEAD.to_owned(), String::new());
    for option in described() {
        if option.heading != heading {
            option.heading.clone_into(&mut heading);
            text += &format!("\n## {heading}\n");
        }
        let key = option.definition.key();
        text += &format!("\n### `{key}`\n\n{}\n", wrapped("", &format!("{}.", option.help)));
        text += &format!("- Flag `--{key} {}`, variable `{}`\n", option.value, variables::of_option(&key));
        match (option.definition.default, &option.default) {
            (Some(_), Some(default)) => text += &format!("- Default `{default}`\n"),
            (None, Some(default)) => text += wrapped("  ", &format!("- Default: {default}")).trim_start(),
            (_, None) => {}
        }
        if let Some(values) = option.values() {
            text += &format!("- {values}\n");
        }
    }
    text
}
