//! `--static`: what it hands out, and with what it refuses to start.
use crate::{
    hub::Hub,
    program::{Ended, SECRET, end, fanfare},
};
use std::{fs, path::PathBuf, process::Stdio};

/// A directory with `public/index.html` in it, gone with the test.
struct Site(PathBuf);

impl Site {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("fanfare-site-{}-{name}", std::process::id()));
        fs::create_dir_all(path.join("public")).unwrap();
        fs::write(path.join("public/index.html"), "<h1>mine").unwrap();
        Self(path)
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// `fanfare serve --check`, which refuses what `serve` refuses, from within the directory.
    fn check(&self, options: &[&str]) -> Ended {
        let mut command = fanfare();
        command.current_dir(&self.0).args(["serve", "--check"]).args(options);
        end(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // What is left lies with other temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn nothing_of_the_hubs_own_may_lie_among_files_for_everybody() {
    let site = Site::new("inside");
    site.write("public/hub.key", SECRET);
    site.write("public/sub/other.key", SECRET);
    site.write("public/hub.toml", "max-topics = 7");
    site.write("hub.key", SECRET);
    site.write("relay.toml", "[[relay]]\nurl = 'http://h/'\ntopics = ['x']\ntoken-file = 'public/token'");
    site.write("issuer.toml", "[[issuer]]\nname = 'i'\nkey-file = 'public/hub.key'");
    site.write("public/token", "t");
    let cases: &[(&[&str], &str)] = &[
        (&["--static", "."], "data fanfare-data"),
        (&["--static", ".", "--data", "d"], "data d"),
        (&["--static", "public", "--data", "public"], "data public"),
        (&["--static", "public", "--data", "public/../public/new/d"], "data public/../public/new/d"),
        (&["--static", "public/sub/..", "--data", "public/d"], "data public/d"),
        (&["--static", "public", "--key-file", "public/hub.key"], "key public/hub.key"),
        (
            &["--static", "public", "--publisher-key-file", "public/sub/other.key", "--anonymous"],
            "key public/sub/other.key",
        ),
        (&["--static", "public", "--key-file", "hub.key", "--issuer", "i=public/hub.key"], "key public/hub.key"),
        (&["--static", "public", "--config", "issuer.toml"], "key public/hub.key"),
        (&["--static", "public", "--config", "public/hub.toml"], "configuration public/hub.toml"),
        (&["--static", "public", "--config", "relay.toml"], "token public/token"),
    ];
    for (options, what) in cases {
        let refused = site.check(options);
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{options:?}: {refused:?}");
        let says = format!("the {what} is inside the directory of static files");
        assert!(refused.stderr.contains(&says), "{options:?}: {}", refused.stderr);
    }
    let fine: &[&[&str]] = &[
        &["--static", "public"],
        &["--static", "public", "--data", "public-data", "--key-file", "hub.key"],
        &["--static", ".", "--memory"],
    ];
    for options in fine {
        assert_eq!(site.check(options).code, 0, "{options:?}: {:?}", site.check(options));
    }
}

/// A log of an earlier start is there, whatever this one does.
#[test]
fn data_of_before_is_data_too() {
    let site = Site::new("before");
    fs::create_dir(site.0.join("fanfare-data")).unwrap();
    let refused = site.check(&["--static", ".", "--memory"]);
    assert!(refused.code == 2 && refused.stderr.contains("the data fanfare-data is inside"), "{refused:?}");
}

#[test]
fn the_static_directory_does_not_lie_in_the_data() {
    let site = Site::new("in-data");
    site.write("fanfare-data/relays/x", "state");
    let refused = site.check(&["--static", "fanfare-data/relays"]);
    assert!(refused.code == 2 && refused.stderr.contains("is inside the directory of the log"), "{refused:?}");
}

#[cfg(unix)]
#[test]
fn links_are_resolved_first() {
    use std::os::unix::fs::symlink;
    let site = Site::new("links");
    site.write("hub.key", SECRET);
    site.write("public/hidden.key", SECRET);
    symlink("public", site.0.join("also-public")).unwrap();
    symlink("public/hidden.key", site.0.join("link.key")).unwrap();
    symlink("../hub.key", site.0.join("public/link.key")).unwrap();
    let cases: &[&[&str]] = &[
        &["--static", "also-public", "--key-file", "public/hidden.key"],
        &["--static", "public", "--key-file", "also-public/hidden.key"],
        &["--static", "public", "--key-file", "link.key"],
        &["--static", "public", "--key-file", "public/link.key"],
        &["--static", "public", "--data", "also-public/data"],
    ];
    for options in cases {
        let refused = site.check(options);
        assert!(refused.code == 2 && refused.stderr.contains("static files"), "{options:?}: {refused:?}");
    }
    assert_eq!(site.check(&["--static", "also-public", "--key-file", "hub.key"]).code, 0);
}

#[test]
fn a_fallback_is_a_file_that_can_be_handed_out() {
    let site = Site::new("fallback");
    site.write("secret.html", "x");
    site.write("public/.hidden.html", "x");
    assert_eq!(site.check(&["--static", "public", "--fallback", "index.html"]).code, 0);
    let refused = site.check(&["--fallback", "index.html"]);
    assert!(refused.code == 2 && refused.stderr.contains("--static"), "{refused:?}");
    for name in ["missing.html", "../secret.html", ".hidden.html", "/index.html", "", ".", "index.html/"] {
        let refused = site.check(&["--static", "public", "--fallback", name]);
        assert!(refused.code == 2 && refused.stderr.contains("cannot be served"), "{name}: {refused:?}");
    }
}

#[test]
fn the_page_can_be_switched_off() {
    let site = Site::new("page");
    let public = site.0.join("public");
    let cases: [(&[&str], &str, u16); 3] = [
        (&[], "<!doctype html>", 200),
        (&["--page", "off"], "{", 404),
        (&["--page", "on", "--static", public.to_str().unwrap()], "<h1>mine", 200),
    ];
    for (options, root, page) in cases {
        let hub = Hub::with(&[&["--memory"], options].concat());
        let first = hub.get("/", "");
        assert!(first.1.starts_with(root), "{options:?}: {first:?}");
        assert_eq!(hub.get("/fanfare", "").0, page, "{options:?}");
    }
    let refused = site.check(&["--page", "maybe"]);
    assert!(refused.code == 2 && refused.stderr.contains("expected on or off"), "{refused:?}");
}
