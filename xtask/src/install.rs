//! What the steps need from the system, installed with Debian's package manager where it is missing.
use crate::program::{command, is_there, run};
use std::process::{Command, Stdio};

/// Something that a step needs, and the packages that bring it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// What it is, for people.
    what: &'static str,
    sign: Sign,
    packages: &'static [&'static str],
}

/// How one sees that it is there.
#[derive(Debug, PartialEq, Eq)]
enum Sign {
    /// All these programs are on the path.
    Programs(&'static [&'static str]),
    /// The first of the packages is installed.
    Package,
}

/// Building C: the allocator, the cryptography.
pub(crate) const C: Need = Need {
    what: "a C compiler and make",
    sign: Sign::Programs(&["cc", "make"]),
    packages: &["gcc", "libc6-dev", "make"],
};
/// Building C++: the fuzzing engine.
pub(crate) const CXX: Need =
    Need { what: "a C++ compiler", sign: Sign::Programs(&["c++"]), packages: &["g++", "libc6-dev"] };
/// Running the browser tests.
pub(crate) const NODE: Need =
    Need { what: "Node.js with npm", sign: Sign::Programs(&["node", "npm"]), packages: &["nodejs", "npm"] };
pub(crate) const CHROMIUM: Need =
    Need { what: "Chromium", sign: Sign::Programs(&["chromium"]), packages: &["chromium"] };
pub(crate) const FIREFOX: Need =
    Need { what: "Firefox", sign: Sign::Programs(&["firefox-esr"]), packages: &["firefox-esr"] };
/// Trying the lines that the hub and its page tell people to paste.
pub(crate) const CURL: Need = Need { what: "curl", sign: Sign::Programs(&["curl"]), packages: &["curl"] };
/// Without a font a browser draws no text, and screenshots are empty.
pub(crate) const FONTS: Need =
    Need { what: "fonts", sign: Sign::Package, packages: &["fonts-dejavu-core", "fonts-liberation"] };

/// Installs what is missing of `needs`, after saying what.
///
/// # Errors
/// What to install by hand, or what went wrong.
pub(crate) fn missing(needs: &[&Need]) -> Result<(), String> {
    let missing: Vec<&&Need> = needs.iter().filter(|need| !need.is_met()).collect();
    if missing.is_empty() {
        println!("nothing to install");
        return Ok(());
    }
    let names = missing.iter().map(|need| need.what).collect::<Vec<_>>().join(", ");
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.packages).copied().collect();
    println!("missing: {names}; installs the packages {}", packages.join(", "));
    if !is_there("apt-get") {
        return Err(format!("install {names} first: this is no Debian, and its package manager is unknown here"));
    }
    run(&mut apt(&["update"]))?;
    run(&mut apt(&[&["install", "--yes", "--no-install-recommends"], &packages[..]].concat()))
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

/// `apt-get`, through `sudo` for those who are not root and have it.
fn apt(arguments: &[&str]) -> Command {
    let quiet = ["--quiet", "-o", "Acquire::Retries=3"];
    let root = command("id", &["-u"]).output().is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    let mut apt = if root || !is_there("sudo") {
        command("apt-get", &[])
    } else {
        command("sudo", &["--preserve-env=DEBIAN_FRONTEND", "apt-get"])
    };
    apt.args(quiet).args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    apt
}
