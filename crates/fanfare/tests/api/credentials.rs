//! The servers that tokens go to: one from the environment to the hub alone, one that is given to the server beside it.
use crate::{
    hub::Hub,
    peer::Peer,
    program::{Ended, SECRET, end, fanfare, run},
};
use std::process::Stdio;

const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nretry: 10\ndata: x\n\n";
const STOP: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const TOKEN: &str = "authorization: bearer hub-secret\n";

/// Runs the program with a token for the hub in its environment, and what else is in `variables`.
fn with_token(arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let mut command = fanfare();
    command.args(arguments).env("FANFARE_TOKEN", "hub-secret").envs(variables.iter().copied());
    end(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

/// The ways to ask a server for its stream, and how many connections each makes.
fn ways(url: &str) -> [(Vec<String>, usize); 3] {
    let way = |arguments: &[&str]| arguments.iter().map(|&argument| argument.to_owned()).collect();
    [
        (way(&["subscribe", url, "-n", "1"]), 1),
        (way(&["lint", url, "--time=1m", "-n", "1"]), 2),
        // The first connection only finds out whether somebody is there.
        (way(&["load", "--subscribe-url", url, "--subscribers", "1", "--seconds", "1"]), 2),
    ]
}

/// All of the ways, and the first of them.
const ALL: usize = 3;
const ONE: usize = 1;

/// Asks a peer in so many of the ways; gives what was sent to it, and what was said.
fn asked(
    ways_of_asking: usize,
    variables: impl Fn(&str) -> Vec<(&'static str, String)>,
    more: &[&str],
) -> Vec<(String, String)> {
    let ask = |index: usize| {
        let peer = Peer::answering([STREAM, STREAM]);
        let (arguments, connections) = &ways(&peer.url)[index];
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let variables = variables(&peer.url);
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let ended = with_token(&arguments, &variables);
        println!("{arguments:?}: {ended:?}");
        let requests: String = (0..*connections).map(|_| peer.request()).collect();
        (requests, ended.stderr)
    };
    (0..ways_of_asking).map(ask).collect()
}

#[test]
fn a_token_of_the_environment_goes_to_no_other_server() {
    for (requests, said) in asked(ALL, |_| Vec::new(), &[]) {
        assert!(!requests.contains("authorization"), "{requests}");
        for word in ["FANFARE_TOKEN is not sent to http://127.0.0.1:", "--token", "FANFARE_HUB"] {
            assert!(said.contains(word), "{said}");
        }
        assert_eq!(said.matches("is not sent").count(), 1, "{said}");
        assert!(!said.contains("hub-secret"), "{said}");
    }
}

#[test]
fn a_server_that_does_not_get_it_is_named_once() {
    let peers = [Peer::answering([STREAM, STREAM]), Peer::answering([STREAM])];
    let urls =
        [("a", &peers[0]), ("b", &peers[1]), ("c", &peers[0])].map(|(path, peer)| format!("{}/{path}", peer.url));
    let [a, b, c] = &urls;
    let said = with_token(&["subscribe", a, b, c, "-n", "3"], &[]).stderr;
    assert_eq!(said.matches("is not sent").count(), 2, "{said}");
}

#[test]
fn it_goes_to_the_hub_that_the_environment_names_and_a_given_one_where_it_is_told() {
    for (requests, said) in asked(ALL, |url| vec![("FANFARE_HUB", format!("{url}/hub"))], &[]) {
        assert!(requests.contains(TOKEN) && !said.contains("is not sent"), "{requests}{said}");
    }
    for (requests, said) in asked(ALL, |_| Vec::new(), &["--token", "given"]) {
        assert!(requests.contains("authorization: bearer given\n") && !said.contains("is not sent"), "{said}");
    }
    // The same machine under another name is another server.
    let other_name = |url: &str| vec![("FANFARE_HUB", url.replace("127.0.0.1", "localhost"))];
    for (requests, said) in asked(ONE, other_name, &[]) {
        assert!(!requests.contains("authorization") && said.contains("is not sent"), "{requests}{said}");
    }
    // A variable that is set to nothing is as good as none.
    for (requests, said) in asked(ONE, |_| vec![("FANFARE_TOKEN", String::new())], &[]) {
        assert!(!requests.contains("authorization") && !said.contains("is not sent"), "{requests}{said}");
    }
}

#[test]
fn redirects_to_another_server_leave_it_behind_and_that_is_told() {
    for given in [&[][..], &["--token", "hub-secret"]] {
        let other = Peer::answering([STREAM]);
        let onward = format!("HTTP/1.1 307 Onward\r\nlocation: {}/there\r\n\r\n", other.url);
        let hub = Peer::answering([onward.as_str()]);
        let arguments = [&["subscribe", "news", "--hub", &hub.url, "-n", "1"], given].concat();
        let ended = with_token(&arguments, &[]);
        assert!(hub.request().contains(TOKEN) && !other.request().contains("authorization"), "{ended:?}");
        for word in ["redirects to", &other.url, "--token", "FANFARE_HUB"] {
            assert!(ended.stderr.contains(word), "{ended:?}");
        }
    }
    // Nor does it come back into a request that began elsewhere.
    let hub = Peer::answering([STREAM]);
    let onward = format!("HTTP/1.1 307 Onward\r\nlocation: {}/there\r\n\r\n", hub.url);
    let other = Peer::answering([onward.as_str()]);
    let ended = with_token(&["subscribe", &other.url, "--hub", &hub.url, "-n", "1"], &[]);
    assert!(!other.request().contains("authorization") && !hub.request().contains("authorization"), "{ended:?}");
}

#[test]
fn a_relay_gives_it_to_the_hub_and_not_to_its_upstream() {
    let hub = Hub::with(&["--memory", "--clock=false", "--key", SECRET]);
    let token = run(&["token", "--key", SECRET, "--publish", "*", "--subscribe", "*"]).stdout;
    let upstream = Peer::answering([STREAM, STOP]);
    let variables = [("FANFARE_HUB", hub.url.as_str()), ("FANFARE_TOKEN", token.trim())];
    let ended = with_token(&["relay", &upstream.url, "-t", "a"], &variables);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(!upstream.request().contains("authorization"));
    // A hub does not hand its own token to those whom it relays either.
    let upstream = Peer::answering([STREAM, STOP]);
    let relay = format!("{}/=a", upstream.url);
    let hub = Hub::with_environment(
        &["--memory", "--clock=false", "--relay", &relay],
        &[("FANFARE_TOKEN", "hub-secret"), ("FANFARE_HUB", &upstream.url)],
    );
    assert!(!upstream.request().contains("authorization"));
    drop(hub);
}
