//! Checks the environment variables whose names begin with `FANFARE_`. An empty variable counts as not set. A variable
//! that no option reads is an error: otherwise a misspelt name would have no effect, and nobody would be told.
use super::suggest;
use std::{env, ffi::OsString, fmt};

const PREFIX: &str = "FANFARE_";

/// Variables that are allowed although no option reads them: `subscribe --exec` sets them for the command that it runs,
/// and this command may be `fanfare` itself.
const OTHERS: [&str; 3] = ["FANFARE_EVENT_TYPE", "FANFARE_EVENT_ID", "FANFARE_EVENT_ORIGIN"];

/// The error for a variable whose name begins with `FANFARE_`, but that no option reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnknownVariable {
    /// The name of the variable.
    name: String,
    /// The name of the variable that was probably meant.
    meant: Option<String>,
}

/// Returns the name of the environment variable of the option `key`: `FANFARE_MAX_BODY` for `max-body`.
pub(super) fn of_option(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('-', "_").to_uppercase())
}

/// Looks for variables `FANFARE_…` that none of the options of `command` and its subcommands reads.
///
/// # Errors
/// [`UnknownVariable`] for the first such variable in alphabetical order.
pub(crate) fn check(
    command: &clap::Command,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<(), UnknownVariable> {
    let arguments = command.get_subcommands().flat_map(clap::Command::get_arguments);
    let known: Vec<&str> = arguments.filter_map(clap::Arg::get_env).filter_map(|name| name.to_str()).collect();
    let mut unknown: Vec<String> = variables
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
        .filter(|(name, value)| name.starts_with(PREFIX) && !is_of_a_service(name, value))
        .map(|(name, _)| name)
        .filter(|name| !known.contains(&name.as_str()) && !OTHERS.contains(&name.as_str()))
        .collect();
    // The environment has no fixed order. The names are sorted so that the error always names the same variable.
    unknown.sort_unstable();
    let Some(name) = unknown.into_iter().next() else { return Ok(()) };
    let stems = known.iter().filter_map(|known| known.strip_prefix(PREFIX));
    let meant = suggest::nearest(&name[PREFIX.len()..], stems).map(|stem| format!("{PREFIX}{stem}"));
    Err(UnknownVariable { name, meant })
}

/// Returns the command, changed so that an empty variable counts as not set. An empty variable, as in the line
/// `FANFARE_HUB=` of a file, usually means that nobody has set the value.
pub(crate) fn without_empty(command: clap::Command) -> clap::Command {
    let names: Vec<String> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |command| {
            command.mut_args(|argument| match argument.get_env().map(|name| (name.to_owned(), env::var_os(name))) {
                // clap cannot remove the variable of an argument, so the argument gets another variable, whose name
                // ends with a space. Nobody sets such a variable, and the help looks the same.
                Some((mut name, Some(value))) if value.is_empty() => {
                    name.push(" ");
                    argument.env(name)
                }
                _ => argument,
            })
        })
    })
}

/// Returns true if the variable, such as `FANFARE_PORT_3000_TCP_ADDR`, was set by Kubernetes for a service named
/// `fanfare` or `fanfare-…`, or by Docker for a linked container with one of these names.
fn is_of_a_service(name: &str, value: &str) -> bool {
    let is_address = || ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_port = |rest: &str| {
        let mut parts = rest.splitn(3, '_');
        let (number, protocol, what) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        is_number(number)
            && matches!(protocol, Some("TCP" | "UDP" | "SCTP"))
            && matches!(what, None | Some("ADDR" | "PORT" | "PROTO"))
    };
    name.ends_with("_SERVICE_HOST")
        || (name.ends_with("_SERVICE_PORT") || name.contains("_SERVICE_PORT_")) && is_number(value)
        || (name.ends_with("_PORT") && is_address())
        || name.match_indices("_PORT_").any(|(at, port)| is_port(&name[at + port.len()..]))
        || (name.ends_with("_NAME") && value.starts_with('/'))
        || name.contains("_ENV_")
}

impl fmt::Display for UnknownVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown variable {} in the environment: ", self.name)?;
        match &self.meant {
            Some(meant) => write!(f, "did you mean {meant}?")?,
            None => f.write_str("no option has this variable. --max-body, for example, has FANFARE_MAX_BODY.")?,
        }
        // Perhaps the variable is not meant for this program: a Compose file or a deployment may use variables with the
        // prefix `FANFARE_` for itself, for example for the version of the image.
        write!(
            f,
            " If it is not for this program, give it a name that does not begin with {PREFIX}, such as HUB_{}",
            self.name.strip_prefix(PREFIX).unwrap_or_default()
        )
    }
}

impl std::error::Error for UnknownVariable {}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)]) -> Result<(), UnknownVariable> {
        let arguments = ["listen", "max-body", "hub"].map(|name| {
            clap::Arg::new(name).long(name).env(format!("FANFARE_{}", name.to_uppercase().replace('-', "_")))
        });
        let command = clap::Command::new("fanfare").subcommand(clap::Command::new("serve").args(arguments));
        super::check(&command, variables.iter().map(|(name, value)| (name.into(), value.into())))
    }

    #[test]
    fn what_an_orchestrator_makes_for_a_service_is_none_of_ours() {
        for (name, value) in [
            ("FANFARE_PORT", "tcp://10.0.0.1:3000"),
            ("FANFARE_SERVICE_HOST", "10.0.0.1"),
            ("FANFARE_SERVICE_PORT", "3000"),
            ("FANFARE_SERVICE_PORT_HTTP", "3000"),
            ("FANFARE_PORT_3000_TCP", "tcp://10.0.0.1:3000"),
            ("FANFARE_PORT_3000_TCP_PROTO", "tcp"),
            ("FANFARE_PORT_3000_TCP_PORT", "3000"),
            ("FANFARE_PORT_3000_TCP_ADDR", "10.0.0.1"),
            ("FANFARE_PORT_53_UDP", "udp://10.0.0.1:53"),
            ("FANFARE_HUB_PORT", "tcp://10.0.0.1:3000"),
            ("FANFARE_HUB_SERVICE_HOST", "10.0.0.1"),
            ("FANFARE_HUB_PORT_3000_TCP_ADDR", "10.0.0.1"),
            ("FANFARE_NAME", "/app/fanfare"),
            ("FANFARE_EVENT_ID", "7"),
            ("FANFARE_MAX_BODY", "1MiB"),
            ("fanfare_x", ""),
            ("OTHER", ""),
        ] {
            assert_eq!(check(&[(name, value)]), Ok(()), "{name}");
        }
    }

    #[test]
    fn a_slip_is_told_and_what_was_meant() {
        let meant = |name: &str, meant: Option<&str>| {
            Err(UnknownVariable { name: name.into(), meant: meant.map(str::to_owned) })
        };
        for (name, value, stem) in [
            ("FANFARE_MAX_BODDY", "1", Some("FANFARE_MAX_BODY")),
            ("FANFARE_MAXBODY", "", Some("FANFARE_MAX_BODY")),
            ("FANFARE_PORT", "3000", Some("FANFARE_LISTEN")),
            ("FANFARE_SERVICE_PORTS", "x", None),
            ("FANFARE_PORT_X_TCP", "", None),
            ("FANFARE_", "", None),
            ("FANFARE_VERSION", "1.2", None),
            ("FANFARE_IMAGE", "fanfare:1.2", None),
            ("FANFARE_BIN", "x", None),
            ("FANFARE_COOKIE", "x", None),
            ("FANFARE_DISCOVERY", "x", None),
        ] {
            assert_eq!(check(&[("FANFARE_HUB", ""), (name, value)]), meant(name, stem), "{name}");
        }
    }
}
