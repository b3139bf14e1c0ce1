//! A hub that serves HTTPS: its certificates, and its clients.
use crate::{
    config::File,
    hub::Hub,
    program::{Lines, PATIENCE, SECRET, fanfare, run},
};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use std::{
    fs,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Files with a certificate and its key.
struct Files {
    certificate: File,
    key: File,
}

impl Files {
    fn new(name: &str, hosts: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Self {
        let hosts = hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>();
        let mut parameters = CertificateParams::new(hosts).unwrap();
        change(&mut parameters);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        Self {
            certificate: File::new(&format!("{name}.pem"), &certificate.pem()),
            key: File::new(&format!("{name}.key"), &key.serialize_pem()),
        }
    }

    fn options(&self) -> [&str; 4] {
        ["--tls-cert", self.certificate.path(), "--tls-key", self.key.path()]
    }

    fn hub(&self) -> Hub {
        Hub::with(&[&["--memory", "--clock=false"], &self.options()[..]].concat())
    }

    /// Copies these files over others.
    fn replace(&self, others: &Self) {
        for (from, to) in [(&self.certificate, &others.certificate), (&self.key, &others.key)] {
            fs::write(to.path(), fs::read(from.path()).unwrap()).unwrap();
        }
    }
}

fn plain(_: &mut CertificateParams) {}

fn publish(hub: &Hub, trusted: &File, data: &str) -> i32 {
    run(&["publish", "a", data, "--hub", &hub.url, "--cacert", trusted.path()]).code
}

/// A subscriber, whose lines of data can be read.
struct Subscriber(Child, Lines);

impl Subscriber {
    fn new(hub: &Hub, trusted: &File) -> Self {
        let url = format!("{}/topics/a?last-event-id=earliest", hub.url);
        let mut command = fanfare();
        command.args(["subscribe", &url, "--format", "data", "--cacert", trusted.path()]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = Lines::of(child.stdout.take().unwrap());
        Self(child, lines)
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

#[test]
fn clients_use_https() {
    let files = Files::new("https", &["127.0.0.1"], plain);
    let hub = files.hub();
    assert!(hub.url.starts_with("https://127.0.0.1:"), "{}", hub.url);
    let subscriber = Subscriber::new(&hub, &files.certificate);
    assert_eq!(publish(&hub, &files.certificate, "over https"), 0);
    assert_eq!(subscriber.1.next(), "over https");
    let other = Files::new("untrusted", &["127.0.0.1"], plain);
    assert_ne!(publish(&hub, &other.certificate, "x"), 0);
    let without = run(&["publish", "a", "x", "--hub", &hub.url.replace("https", "http")]);
    assert!(without.code != 0 && without.stderr.contains("https"), "{without:?}");
}

/// T2
#[test]
fn files_that_cannot_be_used_are_named() {
    let (good, other) = (Files::new("good", &["a.example"], plain), Files::new("other", &["a.example"], plain));
    let ended = Files::new("ended", &["a.example"], |parameters| {
        (parameters.not_before, parameters.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    });
    let empty = File::new("empty.pem", "");
    let (certificate, key) = (good.certificate.path(), good.key.path());
    let cases: [(&[&str], &[&str]); 7] = [
        (
            &["--tls-cert", certificate, "--tls-key", other.key.path()],
            &[certificate, other.key.path(), "belongs to another certificate"],
        ),
        (
            &["--tls-cert", ended.certificate.path(), "--tls-key", ended.key.path()],
            &[ended.certificate.path(), "has ended: 2021-01-01"],
        ),
        (&["--tls-cert", certificate, "--tls-key", "/nowhere/key"], &["/nowhere/key", "No such file"]),
        (&["--tls-cert", "/nowhere/cert", "--tls-key", key], &["/nowhere/cert", "No such file"]),
        (&["--tls-cert", certificate], &[certificate, "there is no private key"]),
        (&["--tls-cert", empty.path(), "--tls-key", key], &[empty.path(), "there is no certificate"]),
        (&["--tls-key", key], &["0 files with tls-cert and 1 with tls-key"]),
    ];
    for (options, parts) in cases {
        for command in [&["serve", "--memory", "--listen", "127.0.0.1:0"][..], &["serve", "--check"]] {
            let ended = run(&[command, options].concat());
            assert_eq!(ended.code, 2, "{options:?}: {ended:?}");
            assert!(parts.iter().all(|part| ended.stderr.contains(part)), "{parts:?}: {}", ended.stderr);
        }
    }
    let both = fs::read_to_string(certificate).unwrap() + &fs::read_to_string(key).unwrap();
    let both = File::new("both.pem", &both);
    let checked = run(&["serve", "--check", "--tls-cert", both.path()]);
    assert_eq!(checked.code, 0, "the key may be in the same file: {checked:?}");
}

/// T2
#[test]
fn names_and_ends_of_certificates_are_told() {
    let now = jiff::Zoned::now();
    let in_days = |days: i64| {
        let day = now.checked_add(jiff::Span::new().days(days).hours(1)).unwrap();
        date_time_ymd(day.year().into(), day.month().unsigned_abs(), day.day().unsigned_abs())
    };
    let (soon, later) = (
        Files::new("soon", &["a.example", "127.0.0.1"], |parameters| parameters.not_after = in_days(3)),
        Files::new("later", &["*.b.example"], |parameters| parameters.not_after = in_days(90)),
    );
    let options = [soon.options(), later.options()].concat();
    let checked = run(&[&["serve", "--check"], &options[..]].concat());
    assert_eq!(checked.code, 0, "{checked:?}");
    for part in ["for a.example, 127.0.0.1, until ", "for *.b.example, until "] {
        assert!(checked.stdout.contains(part), "{}", checked.stdout);
    }
    let warned = run(&[&["check"], &options[..]].concat()).stderr;
    assert!(warned.contains("soon.pem ends in ") && !warned.contains("later.pem"), "{warned}");
}

/// T3
#[test]
fn certificates_are_read_again_when_they_change() {
    let current = Files::new("current", &["127.0.0.1"], plain);
    let (old, new) = (Files::new("old", &["127.0.0.1"], plain), Files::new("new", &["127.0.0.1"], plain));
    old.replace(&current);
    let hub = current.hub();
    let subscriber = Subscriber::new(&hub, &old.certificate);
    assert_eq!(publish(&hub, &old.certificate, "first"), 0);
    assert_eq!(subscriber.1.next(), "first");

    // Files that do not belong together change nothing.
    fs::write(current.certificate.path(), fs::read(new.certificate.path()).unwrap()).unwrap();
    thread::sleep(Duration::from_secs(5));
    assert_eq!(publish(&hub, &old.certificate, "second"), 0, "the old one is still in use");
    new.replace(&current);
    let began = Instant::now();
    while publish(&hub, &new.certificate, "third") != 0 {
        assert!(began.elapsed() < PATIENCE, "the new one is not used");
    }
    assert_ne!(publish(&hub, &old.certificate, "x"), 0);
    assert_eq!([subscriber.1.next(), subscriber.1.next()], ["second", "third"], "it has noticed nothing");
    let log = hub.stop().stderr;
    assert!(log.contains("the old ones stay in use: ") && log.contains(current.certificate.path()), "{log}");
}

#[test]
fn a_running_hub_stays_with_https() {
    let files = Files::new("stays", &["127.0.0.1"], plain);
    let [_, certificate, _, key] = files.options();
    let text = format!("key = '{SECRET}'\ntls-cert = ['{certificate}']\ntls-key = ['{key}']\n");
    let config = File::new("stays.toml", &text);
    let hub = Hub::with(&["--memory", "--config", config.path()]);
    fs::write(config.path(), format!("key = '{SECRET}'\n")).unwrap();
    hub.signal("HUP");
    thread::sleep(Duration::from_secs(1));
    let log = hub.stop().stderr;
    assert!(log.contains("cannot change between HTTP and HTTPS"), "{log}");
}
