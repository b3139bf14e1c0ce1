//! Warns of secrets in arguments, which every user of the machine can see in the list of processes.
use clap::{Arg, ArgMatches, Command, parser::ValueSource};
use fanfare_mask::{is_secret_name, masked_url};

/// The value name of an argument whose value is a URL, or begins with one. The help shows it as `<URL>`.
const URL: &str = "URL";
/// The value name of an argument whose value is a header.
pub(crate) const HEADER: &str = "NAME: VALUE";
/// The value name of an argument whose value is cookies or a file with cookies.
const COOKIES_OR_FILE: &str = "COOKIES|FILE";
/// The value name of an argument whose value is a user with a password.
const USER: &str = "USER:PASSWORD";
/// The first character of an argument that names a file: each line of the file is read as one value.
const FILE: char = '@';

/// Returns a warning for each argument of `command` that contains a secret. Secrets are: the arguments that clap marks
/// with `hide_env_values`, headers such as `Authorization`, and URLs with a password, a token or the like.
pub(crate) fn warnings(command: &Command, given: &ArgMatches) -> Vec<String> {
    let was_given = |argument: &&Arg| given.value_source(argument.get_id().as_str()) == Some(ValueSource::CommandLine);
    command.get_arguments().filter(was_given).filter_map(|argument| warning(command, argument, given)).collect()
}

fn warning(command: &Command, argument: &Arg, given: &ArgMatches) -> Option<String> {
    let mut values = given.get_raw(argument.get_id().as_str())?.filter_map(|value| value.to_str());
    let names: String = argument.get_value_names().unwrap_or_default().join(" ");
    let name = shown(argument);
    let (what, instead) = if argument.is_hide_env_values_set() {
        // A value of `--cookie` without `=` is the name of a file with cookies, as with curl.
        let may_be_file = names.contains(COOKIES_OR_FILE);
        let is_secret = |value: &str| !value.is_empty() && value != "-" && (!may_be_file || value.contains('='));
        (values.any(is_secret).then_some(name)?, instead_of_secret(command, argument))
    } else if names.contains(HEADER) {
        let is_secret = |value: &str| {
            value.split_once(':').is_some_and(|(header, _)| !value.starts_with(FILE) && is_secret_name(header.trim()))
        };
        (
            values.any(is_secret).then(|| format!("the value of {name}"))?,
            format!("read the header from a file: {name} {FILE}FILE"),
        )
    } else if names.contains(URL) {
        let is_secret = |value: &str| masked_url(value) != value;
        (values.any(is_secret).then(|| format!("the password or token in {name}"))?, instead_of_url(command, argument))
    } else {
        return None;
    };
    Some(format!("{what} can be seen by other users of this machine (ps shows arguments): {instead}"))
}

/// Returns the name of the argument as people write it.
fn shown(argument: &Arg) -> String {
    match argument.get_long() {
        Some(long) => format!("--{long}"),
        None => argument.get_value_names().unwrap_or_default().first().map(ToString::to_string).unwrap_or_default(),
    }
}

fn instead_of_secret(command: &Command, argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    if names.iter().any(|name| name == COOKIES_OR_FILE) {
        return format!("give a file, with {} FILE", shown(argument));
    }
    if names.iter().any(|name| name == USER) {
        return format!("give an Authorization header in a file, with --header {FILE}FILE");
    }
    let variable = argument.get_env().and_then(|name| name.to_str()).map(|name| format!("the variable {name}"));
    let file = argument.get_long().map(|long| format!("{long}-file"));
    let file = file.filter(|file| command.get_arguments().any(|other| other.get_long() == Some(file)));
    let file = file.map(|file| format!("a file with --{file}"));
    match (variable, file) {
        (Some(variable), Some(file)) => format!("give the secret in {variable}, or in {file}"),
        (Some(way), None) | (None, Some(way)) => format!("give the secret in {way}"),
        (None, None) => format!("give the secret on standard input, with {} -", shown(argument)),
    }
}

fn instead_of_url(command: &Command, argument: &Arg) -> String {
    let has = |wanted: &str| command.get_arguments().find(|other| other.get_long() == Some(wanted));
    let variable = argument.get_env().and_then(|name| name.to_str());
    let is_server = has("config").is_some() || has("listen").is_some();
    match (variable, has("header")) {
        (Some(variable), _) if is_server => {
            format!("give the URL in the variable {variable}, or in the configuration file")
        }
        (Some(variable), _) => format!("give the URL in the variable {variable}"),
        (None, Some(_)) => {
            format!("if the server accepts it in a header, read the header from a file: --header {FILE}FILE")
        }
        (None, None) => "do not give the secret as an argument".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(arguments: &[&str]) -> Vec<String> {
        let command = Command::new("x")
            .arg(Arg::new("url").value_name("URL"))
            .arg(Arg::new("token").long("token").env("FANFARE_X_TOKEN").hide_env_values(true))
            .arg(Arg::new("key").long("key").env("FANFARE_X_KEY").hide_env_values(true))
            .arg(Arg::new("key_file").long("key-file"))
            .arg(Arg::new("bare").long("bare").hide_env_values(true))
            .arg(Arg::new("data").long("data"))
            .arg(Arg::new("user").long("user").value_name(USER).hide_env_values(true))
            .arg(Arg::new("cookie").long("cookie").value_name(COOKIES_OR_FILE).hide_env_values(true))
            .arg(
                Arg::new("headers").short('H').long("header").value_name("NAME: VALUE").action(clap::ArgAction::Append),
            );
        let given = command.clone().get_matches_from([&["x"], arguments].concat());
        super::warnings(&command, &given)
    }

    #[test]
    fn each_secret_is_told_with_another_way() {
        let cases: [(&[&str], &str, &str); 10] = [
            (&["--token", "a"], "--token can be seen", "give the secret in the variable FANFARE_X_TOKEN"),
            (&["--key=a"], "--key can be seen", "in the variable FANFARE_X_KEY, or in a file with --key-file"),
            (&["--bare", "a"], "--bare can be seen", "on standard input, with --bare -"),
            (&["--user", "me:a"], "--user can be seen", "--header @FILE"),
            (&["--cookie", "a=b"], "--cookie can be seen", "--cookie FILE"),
            (&["-H", "A: b", "-H", "authorization: Bearer a"], "the value of --header", "--header @FILE"),
            (&["-H", "X-Api-Key: a"], "the value of --header", "--header @FILE"),
            (&["-H", "Cookie: a=b"], "the value of --header", "--header @FILE"),
            (&["http://h/?access_token=a"], "the password or token in URL", "--header @FILE"),
            (&["http://me:a@h/"], "the password or token in URL", "--header @FILE"),
        ];
        for (arguments, what, instead) in cases {
            let warnings = warnings(arguments);
            assert!(warnings.len() == 1 && warnings[0].contains(what) && warnings[0].contains(instead), "{warnings:?}");
        }
        let none: [&[&str]; 5] = [
            &["http://h/?a=b", "-H", "Accept: x", "--data", "token=a"],
            &["-H", "@token:a"],
            &["--bare", "-"],
            &["--key-file", "a"],
            &[],
        ];
        for arguments in none {
            assert!(warnings(arguments).is_empty(), "{arguments:?}");
        }
    }
}
