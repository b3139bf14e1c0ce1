//! Keys of a running hub: of every type, and changed while it runs.
use crate::{
    config::File,
    hub::Hub,
    program::{PATIENCE, SECRET, fanfare, run},
};
use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Instant,
};

/// A key for tests, which everybody can read.
pub(crate) fn test_key(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../server/tests/keys").join(name)
}

fn token(key_file: &str, more: &[&str]) -> String {
    let ended = run(&[&["token", "--publish", "*", "--key-file", key_file], more].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.stdout.trim_end().to_owned()
}

fn publish(hub: &Hub, token: &str) -> i32 {
    run(&["publish", "t", "x", "--hub", &hub.url, "--token", token]).code
}

/// Tries until the hub has read its keys again.
fn publishes_in_time(hub: &Hub, token: &str, wanted: i32) {
    let start = Instant::now();
    while publish(hub, token) != wanted {
        assert!(start.elapsed() < PATIENCE, "the keys did not change in time");
    }
}

#[test]
fn tokens_of_every_type_open_a_hub_with_the_other_half() {
    let pairs = [
        ("rsa-pkcs1-private.pem", "rsa-pkcs1-public.pem", "PS384"),
        ("rsa-private.jwk.json", "rsa-pkcs1-public.pem", "RS256"),
        ("certificate-private.pem", "certificate.pem", "ES256"),
        ("p384-sec1-private.pem", "p384-public.pem", "ES384"),
        ("ed25519-private.pem", "ed25519-public.pem", "EdDSA"),
    ];
    for (private, public, algorithm) in pairs {
        let [private, public] = [private, public].map(|name| test_key(name).to_str().unwrap().to_owned());
        let hub = Hub::with(&["--memory", "--key-file", &public, "--algorithm", algorithm]);
        assert_eq!(publish(&hub, &token(&private, &["--algorithm", algorithm])), 0, "{algorithm}");
        // The public key is no secret to sign with.
        let forged = run(&["token", "--publish", "*", "--key", &fs::read_to_string(&public).unwrap()]);
        assert_eq!((forged.code, forged.stderr.contains("cannot sign")), (2, true), "{forged:?}");
        assert_eq!(publish(&hub, run(&["token", "--publish", "*", "--key", SECRET]).stdout.trim_end()), 3);
    }
}

#[test]
fn a_file_with_keys_may_change() {
    let (old, new) = (File::new("old-key", SECRET), File::new("new-key", &SECRET.replace('0', "x")));
    let key = File::new("changing-key", SECRET);
    let hub = Hub::with(&["--memory", "--key-file", key.path()]);
    let [old, new] = [&old, &new].map(|file| token(file.path(), &[]));
    assert_eq!([publish(&hub, &old), publish(&hub, &new)], [0, 3]);
    // Nobody tells it.
    fs::write(key.path(), SECRET.replace('0', "x")).unwrap();
    publishes_in_time(&hub, &new, 0);
    assert_eq!(publish(&hub, &old), 3);
}

#[test]
fn a_signal_has_the_keys_read_again_and_bad_ones_are_not_taken() {
    let (old, new) = (File::new("old-key-2", SECRET), File::new("new-key-2", &SECRET.replace('0', "y")));
    let key = File::new("signalled-key", SECRET);
    let config = File::new("signalled.toml", &format!("key-file = '{}'", key.path()));
    let hub = Hub::with(&["--memory", "--config", config.path()]);
    let [old_token, new_token] = [&old, &new].map(|file| token(file.path(), &[]));
    // Another file altogether: only reading the configuration again finds it.
    fs::write(config.path(), format!("key-file = '{}'", new.path())).unwrap();
    assert_eq!([publish(&hub, &old_token), publish(&hub, &new_token)], [0, 3]);
    hub.signal("HUP");
    publishes_in_time(&hub, &new_token, 0);
    assert_eq!(publish(&hub, &old_token), 3);

    for bad in ["key = 'short'", "nonsense", "key-file = '/nowhere/key'", "memory = true\n"] {
        fs::write(config.path(), bad).unwrap();
        hub.signal("HUP");
    }
    fs::write(config.path(), format!("key-file = '{}'\nmax-topics = 5", old.path())).unwrap();
    hub.signal("HUP");
    publishes_in_time(&hub, &old_token, 0);
    let log = hub.stop().stderr;
    for part in ["the old ones stay in use: ", "restart the hub to apply the other changes: max-topics"] {
        assert!(log.contains(part), "{log} lacks {part}");
    }
}

#[test]
fn a_file_that_others_can_change_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let allow = |path: &std::path::Path, mode: u32| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let directory = std::env::temp_dir().join(format!("fanfare-{}-modes", std::process::id()));
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(directory.join("shared")).unwrap();
    let [key, token, config, linked] = ["key", "token", "hub.toml", "shared/link"].map(|name| directory.join(name));
    fs::write(&key, SECRET).unwrap();
    fs::write(&token, "a.b.c").unwrap();
    let relay = format!("[[relay]]\nurl = 'http://h/'\ntopics = ['a']\ntoken-file = '{}'\n", token.display());
    fs::write(&config, format!("key-file = '{}'\n{relay}", key.display())).unwrap();
    std::os::unix::fs::symlink(&key, &linked).unwrap();
    let warnings = |arguments: &[&str]| run(&[&["check"], arguments].concat()).stderr;
    let config_path = config.to_str().unwrap();
    for path in [&key, &token, &config] {
        allow(path, 0o600);
    }
    assert_eq!(warnings(&[config_path]), "", "nobody else can change anything");
    for (path, what) in
        [(&key, "contains a key"), (&token, "contains a token"), (&config, "contains the configuration")]
    {
        for (mode, who) in [(0o660, "its group can change it"), (0o646, "every user of this machine can change it")] {
            allow(path, mode);
            let told = warnings(&[config_path]);
            let wanted = [&path.display().to_string(), what, who, "chmod go-w"];
            assert!(wanted.iter().all(|part| told.contains(part)) && told.lines().count() == 1, "{mode:o}: {told}");
        }
        // That others can read it is how secrets are mounted into containers.
        allow(path, 0o644);
        assert_eq!(warnings(&[config_path]), "");
    }
    allow(&directory.join("shared"), 0o777);
    let told = warnings(&["--key-file", linked.to_str().unwrap()]);
    assert!(told.contains("every user of this machine can replace it"), "{told}");
    allow(&directory.join("shared"), 0o1777);
    assert_eq!(warnings(&["--key-file", linked.to_str().unwrap()]), "", "as in /tmp");
    let hub = {
        allow(&key, 0o666);
        Hub::with(&["--memory", "--key-file", key.to_str().unwrap()])
    };
    assert!(hub.stop().stderr.contains("every user of this machine can change it"));
    fs::remove_dir_all(&directory).unwrap();
}

/// A server that hands out a JWK set, which can be changed.
struct Jwks {
    url: String,
    set: Arc<Mutex<String>>,
    _asked: mpsc::Receiver<()>,
}

impl Jwks {
    fn new(set: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let set = Arc::new(Mutex::new(set));
        let shared = Arc::clone(&set);
        let (sender, asked) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(&stream).lines().map_while(Result::ok);
                lines.take_while(|line| !line.is_empty()).for_each(drop);
                let set = shared.lock().unwrap().clone();
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{set}", set.len());
                let _ = stream.write_all(answer.as_bytes());
                if sender.send(()).is_err() {
                    return;
                }
            }
        });
        Self { url, set, _asked: asked }
    }
}

/// The public half of the RSA key for tests under two names: a set before and after a rotation.
fn rsa_set(kids: &[&str]) -> String {
    let key: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(test_key("rsa-private.jwk.json")).unwrap()).unwrap();
    let named = |kid: &&str| serde_json::json!({"kty": "RSA", "n": key["n"], "e": key["e"], "kid": kid, "use": "sig"});
    serde_json::json!({"keys": kids.iter().map(named).collect::<Vec<_>>()}).to_string()
}

/// The key of the newer name is another one, so that only a set with it lets its tokens in.
#[test]
fn an_issuer_rotates_its_keys_and_nobody_notices() {
    let ed25519 = r#"{"kty":"OKP","crv":"Ed25519","kid":"new","x":"{x}"}"#;
    let x = run(&["token", "--publish", "*", "--key-file", test_key("ed25519-private.pem").to_str().unwrap()]);
    assert_eq!(x.code, 0, "{x:?}");
    let public = fs::read_to_string(test_key("ed25519-public.pem")).unwrap();
    // The last 32 bytes of the document are the key; base64 of 44 bytes, which 3 divides after the first 12.
    let body: String = public.lines().filter(|line| !line.starts_with('-')).collect();
    let new_key = ed25519.replace("{x}", &body[16..].trim_end_matches('=').replace('+', "-").replace('/', "_"));
    let old_set = rsa_set(&["old"]);
    let jwks = Jwks::new(old_set.clone());
    let issuer = format!("https://login.example={}", jwks.url);
    let audience = "https://hub.example";
    let hub =
        Hub::with(&["--memory", "--issuer", &issuer, "--audience", audience, "--allow-private-jwks", "--anonymous"]);
    let modern = ["--modern", "--issuer", "https://login.example", "--audience", audience];
    let by =
        |file: &str, kid: &str| token(test_key(file).to_str().unwrap(), &[&modern[..], &["--key-id", kid]].concat());
    let (old, new) = (by("rsa-private.jwk.json", "old"), by("ed25519-private.pem", "new"));
    assert_eq!([publish(&hub, &old), publish(&hub, &new)], [0, 3]);
    // Both are published for a while, as issuers do; a token of the new key makes the hub look.
    *jwks.set.lock().unwrap() = old_set.replace("]}", &format!(",{new_key}]}}"));
    publishes_in_time(&hub, &new, 0);
    assert_eq!(publish(&hub, &old), 0);
    // Only this issuer's: another name, the same keys.
    let other = ["--modern", "--issuer", "https://other.example", "--audience", audience, "--key-id", "old"];
    assert_eq!(publish(&hub, &token(test_key("rsa-private.jwk.json").to_str().unwrap(), &other)), 3);
}

#[test]
fn a_private_address_is_not_fetched_from_unless_it_is_allowed() {
    let jwks = Jwks::new(rsa_set(&["a"]));
    let mut command = fanfare();
    command
        .args(["check", "--fetch", "--anonymous", "--jwks", &jwks.url])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let refused = crate::program::end(command.spawn().unwrap());
    assert_eq!((refused.code, refused.stderr.contains("is not on the public internet")), (5, true), "{refused:?}");
    let allowed = run(&["check", "--fetch", "--anonymous", "--jwks", &jwks.url, "--allow-private-jwks"]);
    assert!(allowed.stdout.contains("an RSA key of 2048 bits for RS256, kid \"a\""), "{allowed:?}");
}
