//! The programs and packages that the steps need from the system. Those that are missing are installed with Debian's
//! package manager.
use crate::program::{command, is_there, run};
use std::{
    path::Path,
    process::{Command, Stdio},
};

/// Something that a step needs, and the packages that contain it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// The name of the needed thing in messages.
    what: &'static str,
    sign: Sign,
    packages: &'static [&'static str],
    /// The service that the packages would start whenever the machine starts, which is prevented; `None` if there is
    /// none.
    service: Option<&'static str>,
}

/// The way to check that the needed thing is installed.
#[derive(Debug, PartialEq, Eq)]
enum Sign {
    /// All of these programs must be on the path.
    Programs(&'static [&'static str]),
    /// The first package in the list of packages must be installed.
    Package,
}

/// The tools to build C code, which the crates of the allocator and of the cryptography contain.
pub(crate) const C: Need = Need {
    what: "a C compiler and make",
    sign: Sign::Programs(&["cc", "make"]),
    packages: &["gcc", "libc6-dev", "make"],
    service: None,
};
/// The tools to build C++ code, which the fuzzing engine consists of.
pub(crate) const CXX: Need =
    Need { what: "a C++ compiler", sign: Sign::Programs(&["c++"]), packages: &["g++", "libc6-dev"], service: None };
/// The programs that run the browser tests.
pub(crate) const NODE: Need = Need {
    what: "Node.js with npm",
    sign: Sign::Programs(&["node", "npm"]),
    packages: &["nodejs", "npm"],
    service: None,
};
pub(crate) const CHROMIUM: Need =
    Need { what: "Chromium", sign: Sign::Programs(&["chromium"]), packages: &["chromium"], service: None };
pub(crate) const FIREFOX: Need =
    Need { what: "Firefox", sign: Sign::Programs(&["firefox-esr"]), packages: &["firefox-esr"], service: None };
/// The programs that run servers and clients of other projects.
pub(crate) const PHP: Need =
    Need { what: "PHP", sign: Sign::Programs(&["php"]), packages: &["php-cli"], service: None };
pub(crate) const SYMFONY: Need = Need {
    what: "Symfony's Mercure component",
    sign: Sign::Package,
    packages: &["php-symfony-mercure", "php-curl"],
    service: None,
};
pub(crate) const PYTHON: Need =
    Need { what: "Python with venv", sign: Sign::Package, packages: &["python3-venv"], service: None };
/// The program for the commands that the hub and its page show to users; tests run these commands.
pub(crate) const CURL: Need =
    Need { what: "curl", sign: Sign::Programs(&["curl"]), packages: &["curl"], service: None };
/// The program that counts the bytes that the log writes.
pub(crate) const STRACE: Need =
    Need { what: "strace", sign: Sign::Programs(&["strace"]), packages: &["strace"], service: None };
/// The fonts: without a font a browser draws no text, and screenshots are empty.
pub(crate) const FONTS: Need =
    Need { what: "fonts", sign: Sign::Package, packages: &["fonts-dejavu-core", "fonts-liberation"], service: None };

/// The server of another project with which the hub is compared and the client library is tested: Nginx with the Nchan
/// module.
pub(crate) const NCHAN: Need = Need {
    what: "Nginx with Nchan",
    sign: Sign::Package,
    packages: &["libnginx-mod-nchan", "nginx-light"],
    service: Some("nginx"),
};

/// The proxies in front of the hub, configured as in the documentation.
pub(crate) const CADDY: Need =
    Need { what: "Caddy", sign: Sign::Programs(&["caddy"]), packages: &["caddy"], service: Some("caddy") };
pub(crate) const HAPROXY: Need =
    Need { what: "HAProxy", sign: Sign::Package, packages: &["haproxy"], service: Some("haproxy") };

/// The program that Debian runs to ask whether it may start a service that it has just installed.
const POLICY: &str = "/usr/sbin/policy-rc.d";
/// A shell script that runs `apt-get` with a policy against starting services, unless the machine has its own policy.
/// The installed servers should run only when tests and benchmarks start them.
const WITHOUT_SERVICES: &str = r#"
policy=$1; shift
if ! [ -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod 755 "$policy"
fi
apt-get "$@""#;

/// Installs those of `needs` that are missing, after printing their names.
///
/// # Errors
/// A message that says what to install by hand, or what went wrong.
pub(crate) fn missing(needs: &[&Need]) -> Result<(), String> {
    let missing: Vec<&&Need> = needs.iter().filter(|need| !need.is_met()).collect();
    if missing.is_empty() {
        println!("nothing to install");
        return Ok(());
    }
    let names = missing.iter().map(|need| need.what).collect::<Vec<_>>().join(", ");
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.packages).copied().collect();
    println!("missing: {names}; installing the packages {}", packages.join(", "));
    if !is_there("apt-get") {
        return Err(format!(
            "install {names} first: this system has no apt-get, and other package managers are not supported"
        ));
    }
    let services = missing.iter().filter_map(|need| need.service);
    // A service that was installed earlier may be in use, so it is not disabled.
    let new: Vec<&str> = services.filter(|service| !Path::new("/etc/init.d").join(service).exists()).collect();
    run(&mut apt(&["update"]))?;
    run(&mut apt(&[&["install", "--yes", "--no-install-recommends"], &packages[..]].concat()))?;
    new.iter().try_for_each(|service| disable(service))
}

/// Keeps a service from starting with the machine, whether a script in `/etc/init.d` or systemd would start it.
fn disable(service: &str) -> Result<(), String> {
    if Path::new("/etc/init.d").join(service).exists() {
        run(&mut root("update-rc.d", &[service, "disable"]))
    } else if is_there("systemctl") {
        run(&mut root("systemctl", &["disable", service]))
    } else {
        Ok(())
    }
}

impl Need {
    fn is_met(&self) -> bool {
        match self.sign {
            Sign::Programs(programs) => programs.iter().all(|program| is_there(program)),
            Sign::Package => is_installed(self.packages[0]),
        }
    }
}

fn is_installed(package: &str) -> bool {
    let mut query = command("dpkg-query", &["--show", "--showformat=${db:Status-Status}", package]);
    query.stderr(Stdio::null()).output().is_ok_and(|output| output.stdout == b"installed")
}

/// Returns an `apt-get` command that starts no services.
fn apt(arguments: &[&str]) -> Command {
    let script = ["-c", WITHOUT_SERVICES, "apt-get", POLICY, "--quiet", "-o", "Acquire::Retries=3"];
    root("sh", &[&script[..], arguments].concat())
}

/// Returns a command that runs with the rights of root. Users who are not root run it through `sudo`, if they have it.
fn root(program: &str, arguments: &[&str]) -> Command {
    let is_root = command("id", &["-u"]).output().is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    let mut root = if is_root || !is_there("sudo") {
        command(program, &[])
    } else {
        command("sudo", &["--preserve-env=DEBIAN_FRONTEND", program])
    };
    root.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    root
}
