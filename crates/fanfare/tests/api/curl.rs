//! The options that people who know curl reach for: certificates, cookies, timeouts, proxies.
use crate::{
    config::File,
    hub::Hub,
    peer::Peer,
    program::{Ended, PATIENCE, end, fanfare, run},
};
use base64::Engine as _;
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::aws_lc_rs};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    process::{Child, Stdio},
    sync::Arc,
    thread,
};

const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
const STOP: &str = "HTTP/1.1 204 No Content\r\n\r\n";

fn ask(events: &str, options: &[&str]) -> (Ended, String) {
    // Soon asked again, for the answer that ends it.
    let answer = format!("{STREAM}retry: 10\n\n{events}");
    let peer = Peer::answering([answer.as_str(), STOP]);
    let ended = run(&[&["subscribe", &peer.url, "--format", "data"], options].concat());
    (ended, peer.request())
}

#[test]
fn habits_change_nothing_and_who_asks_is_said_as_curl_does() {
    let (ended, request) = ask("data: x\n\n", &["-sSNLf", "--compressed", "-u", "me:p:w"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "x\n"), "{ended:?}");
    assert!(request.contains("authorization: basic bwu6cdp3\n"), "{request}");
    let ended = run(&["subscribe", "http://127.0.0.1:1/", "-u", "me"]);
    assert!(ended.code == 2 && ended.stderr.contains("USER: for an empty password"), "{ended:?}");
}

#[test]
fn headers_may_be_empty_or_taken_away() {
    let headers = ["-H", "X-Empty;", "-H", "Accept:", "-H", "X-Key: v"];
    let (ended, request) = ask("data: x\n\n", &headers);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "x\n"), "{ended:?}");
    let (hub, upstream) = (Hub::start(), Peer::answering([STOP]));
    let relay = ["relay", &upstream.url, "-t", "a", "--hub", &hub.url];
    assert_eq!(run(&[&relay[..], &headers].concat()).code, 0);
    for request in [request, upstream.request()] {
        assert!(request.contains("x-empty: \n") || request.contains("x-empty:\n"), "{request}");
        assert!(request.contains("x-key: v\n") && !request.contains("accept:"), "{request}");
    }
    for option in ["-H", "-d"] {
        let ended = run(&["subscribe", "http://127.0.0.1:1/", option, "@/nowhere/at/all"]);
        assert!(ended.code != 0 && ended.stderr.contains("/nowhere/at/all: "), "{ended:?}");
    }
}

#[test]
fn cookies_are_given_read_and_kept() {
    let (_, request) = ask("data: x\n\n", &["-b", "a=b; c=d"]);
    assert!(request.contains("cookie: a=b; c=d\n"), "{request}");
    let file = File::new(
        "cookies",
        "# Netscape\n127.0.0.1\tFALSE\t/\tFALSE\t0\te\tf\nother.example\tFALSE\t/\tFALSE\t0\tg\th\n",
    );
    let (_, request) = ask("data: x\n\n", &["--cookie", file.path()]);
    assert!(request.contains("cookie: e=f\n"), "{request}");
    assert_eq!(run(&["subscribe", "http://127.0.0.1:1/", "-b", "/nowhere/at/all"]).code, 1);
    for (options, sent) in [(&["--cookie-jar"][..], true), (&["-b", ""], true), (&[], false)] {
        let sets = "HTTP/1.1 302 Found\r\nset-cookie: s=1\r\nlocation: /there\r\n\r\n";
        let stream = format!("{STREAM}data: x\n\n");
        let peer = Peer::answering([sets, stream.as_str()]);
        let ended = run(&[&["subscribe", &peer.url, "-n", "1"], options].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        peer.request();
        assert_eq!(peer.request().contains("cookie: s=1\n"), sent);
    }
}

/// The first of two streams of one server is given a cookie, which the other has when it comes back.
#[test]
fn cookies_are_shared_by_all_urls_of_a_command() {
    let sets = format!("{}set-cookie: s=1; path=/\r\n\r\nretry: 60000\n\n", STREAM.strip_suffix("\r\n").unwrap());
    let again = format!("{STREAM}retry: 1\ndata: x\n\n");
    let peer = Peer::answering([sets.as_str(), again.as_str(), again.as_str()]);
    let urls = ["/a", "/b"].map(|path| format!("{}{path}", peer.url));
    let ended = run(&["subscribe", &urls[0], &urls[1], "--cookie-jar", "-n", "2"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let requests = [peer.request(), peer.request(), peer.request()];
    let path = |request: &str| request.split(' ').nth(1).map(str::to_owned);
    assert_ne!(path(&requests[0]), path(&requests[2]), "the second comes back first");
    assert!(requests[2].contains("cookie: s=1\n"), "{requests:?}");
}

#[test]
fn attempts_have_a_time_for_the_connection_and_one_for_the_answer() {
    // It is connected to by the system, and then nothing comes.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let ended = run(&["subscribe", &format!("http://{address}/"), "--response-timeout", "0.2"]);
    assert!(ended.code == 5 && ended.stderr.contains("no response came within 200ms"), "{ended:?}");
    let ended = run(&["subscribe", &format!("https://{address}/"), "--connect-timeout", "200ms"]);
    assert!(ended.code == 5 && ended.stderr.contains("200ms"), "{ended:?}");
    let ended = run(&["relay", &format!("https://{address}/"), "-t", "a", "--connect-timeout", "0.2"]);
    assert!(ended.code == 5 && ended.stderr.contains("200ms"), "{ended:?}");
}

#[test]
fn a_large_event_is_the_end_or_is_skipped_and_told() {
    let events = format!("data: a\n\nid: 7\ndata: {}\n\ndata: b\n\n", "x".repeat(2_000));
    let (ended, _) = ask(&events, &["--max-event", "1KiB"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (1, "a\n"), "{ended:?}");
    let (ended, _) = ask(&events, &["--max-event", "1KiB", "--skip-large"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "a\nb\n"), "{ended:?}");
    assert!(ended.stderr.contains("an event was skipped") && ended.stderr.contains("1024 bytes"), "{ended:?}");
    assert_eq!(run(&["subscribe", "http://127.0.0.1:1/", "--max-event", "1B"]).code, 2);
}

#[test]
fn the_last_event_may_lack_its_end() {
    assert_eq!(ask("data: a\n\ndata: b\n", &[]).0.stdout, "a\n");
    assert_eq!(ask("data: a\n\ndata: b", &["--unfinished"]).0.stdout, "a\nb\n");
}

/// A server of TLS for `localhost` that answers one request, and its certificate.
fn secure(answer: String) -> (String, String) {
    secure_until(answer, true)
}

fn secure_until(answer: String, tells_the_end: bool) -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], made.signing_key.into())
        .unwrap();
    let config = Arc::new(config);
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        base64::engine::general_purpose::STANDARD.encode(made.cert.der())
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
        // A client that does not trust this says so here.
        if stream.read(&mut [0; 4096]).is_ok() {
            let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
            if tells_the_end {
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    (url, pem)
}

#[test]
fn an_end_that_tls_does_not_tell_is_said_in_words() {
    let (url, _) = secure_until(format!("{STREAM}data: x\n\n"), false);
    let ended = run(&["subscribe", &url, "--reconnect", "never", "--format", "data", "-k"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (1, "x\n"), "{ended:?}");
    assert!(ended.stderr.contains("data may be missing") && !ended.stderr.contains("rustls"), "{ended:?}");
}

#[test]
fn certificates_are_checked_against_whom_one_trusts() {
    let answer = || format!("{STREAM}data: x\n\n");
    let (url, _) = secure(answer());
    let ended = run(&["subscribe", &url, "-n", "1", "--format", "data"]);
    assert!(ended.code == 5 && ended.stderr.contains("--cacert"), "{ended:?}");
    let (url, pem) = secure(answer());
    let file = File::new("ca.pem", &pem);
    let ended = run(&["subscribe", &url, "-n", "1", "--format", "data", "--cacert", file.path()]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "x\n"), "{ended:?}");
    let (url, _) = secure(answer());
    let ended = run(&["subscribe", &url, "-n", "1", "--format", "data", "-k"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "x\n"), "{ended:?}");
    // The variable that the help names.
    let (url, pem) = secure(answer());
    let file = File::new("ca-variable.pem", &pem);
    let mut command = fanfare();
    command.args(["subscribe", &url, "-n", "1", "--format", "data"]).env("SSL_CERT_FILE", file.path());
    let ended = end(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "x\n"), "{ended:?}");
    for path in ["/nowhere/at/all", file!()] {
        let ended = run(&["subscribe", &url, "--cacert", path]);
        assert!(ended.code == 2 && ended.stderr.contains(path), "{ended:?}");
    }
}

#[test]
fn a_hub_is_reached_by_the_same_options() {
    let answer = || "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n#a-1\n".to_owned();
    let publish = |url: &str, more: &[&str]| run(&[&["publish", "t", "x", "--hub", url], more].concat());
    let (url, _) = secure(answer());
    let ended = publish(&url, &[]);
    assert!(ended.code == 5 && ended.stderr.contains("--cacert"), "{ended:?}");
    let (url, pem) = secure(answer());
    let file = File::new("hub-ca.pem", &pem);
    let ended = publish(&url, &["--cacert", file.path()]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "#a-1\n"), "{ended:?}");
    let (url, _) = secure(answer());
    assert_eq!(publish(&url, &["-ksSLNf"]).code, 0);
    assert_eq!(publish(&url, &["--cacert", "/nowhere/at/all"]).code, 2);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let ended = publish(&format!("https://{}", silent.local_addr().unwrap()), &["--connect-timeout", "0.2"]);
    assert!(ended.code == 5 && ended.stderr.contains("200ms"), "{ended:?}");
    // A relay's hub has options apart from those of its upstream.
    for (trusts, option) in [(true, "--hub-cacert"), (true, "--hub-insecure"), (false, "-k")] {
        let upstream = Peer::answering([format!("{STREAM}data: x\n\n").as_str(), STOP]);
        let (url, pem) = secure("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n".to_owned());
        let file = File::new(&format!("relay{option}.pem"), &pem);
        let mut arguments = vec!["relay", &upstream.url, "-t", "a", "--hub", &url, "--verbose", option];
        arguments.extend((option == "--hub-cacert").then(|| file.path()));
        let mut command = fanfare();
        let child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = first_line_with(child, "hub");
        assert_eq!(said.contains("does not let this relay read its log"), trusts, "{option}: {said}");
        assert_eq!(said.contains("certificate"), !trusts, "{option}: {said}");
    }
}

/// The first line on standard error that holds `word`; then the program is killed.
fn first_line_with(mut child: Child, word: &str) -> String {
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let line = stderr.lines().map_while(Result::ok).find(|line| line.contains(word)).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    line
}

/// Runs with this variable set.
fn through(variable: &str, proxy: &str, url: &str) -> Ended {
    let mut command = fanfare();
    for name in
        ["http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]
    {
        command.env_remove(name);
    }
    command.args(["subscribe", url, "-n", "1", "--format", "data"]).env(variable, proxy);
    end(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

#[test]
fn a_proxy_that_refuses_is_named_with_its_status() {
    for (variable, url) in [("http_proxy", "http://a.example/"), ("ALL_PROXY", "http://a.example/")] {
        let answer = format!("{STREAM}data: x\n\n");
        let proxy = Peer::answering([answer.as_str()]);
        assert_eq!(through(variable, &proxy.url, url).stdout, "x\n", "{variable}");
        assert!(proxy.request().starts_with("get http://a.example/ http/1.1\n"));
    }
    let cases = [
        ("http_proxy", "http://a.example/", "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407"),
        ("http_proxy", "http://a.example/", "HTTP/1.1 502 Bad Gateway\r\n\r\n", "502"),
        ("HTTPS_PROXY", "https://a.example/", "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", "403"),
        ("https_proxy", "https://a.example/", "HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n", "407"),
    ];
    for (variable, url, answer, status) in cases {
        let proxy = Peer::answering([answer]);
        let ended = through(variable, &proxy.url, url);
        let address = proxy.url.strip_prefix("http://").unwrap();
        assert_ne!(ended.code, 0);
        for word in ["proxy", address, status] {
            assert!(ended.stderr.contains(word), "{answer}: {word}: {ended:?}");
        }
    }
}
