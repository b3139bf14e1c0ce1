//! Cookies, where the program asks for them.
use crate::{
    connection::Connection,
    fixture::{Expect as _, run, source},
    server::Server,
};
use fanfare_client::{CookieJar, ManualClock};

fn cookie(server: &Server, number: usize) -> Option<String> {
    let requests = server.requests();
    requests[number].header("cookie").map(|value| String::from_utf8_lossy(value).into_owned())
}

#[test]
fn what_a_server_sets_goes_back_to_it() {
    run(async {
        let clock = ManualClock::new();
        let set =
            |path: &str| format!("Location: {path}\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: b=2; Path=/other\r\n");
        let second = Server::start([Connection::stream()]);
        let away = second.url("/").replace("127.0.0.1", "localhost");
        let first = Server::start([
            Connection::answer(302, &set("/next"), ""),
            Connection::answer(307, &format!("Location: {away}\r\n"), ""),
            Connection::stream(),
        ]);
        let jar = CookieJar::new();
        let builder = source(&first, &clock).header("Cookie", "own=0").cookies(jar.clone());
        builder.build().unwrap().signals().opened().await;
        assert_eq!(cookie(&first, 0).as_deref(), Some("own=0"));
        assert_eq!(cookie(&first, 1).as_deref(), Some("own=0; a=1"));
        assert_eq!(cookie(&second, 0), None, "another host gets none of them");
        source(&first, &clock).cookies(jar).build().unwrap().signals().opened().await;
        assert_eq!(cookie(&first, 2).as_deref(), Some("a=1"));
    });
}

#[test]
fn without_a_jar_none_is_kept() {
    run(async {
        let clock = ManualClock::new();
        let set = "Location: /next\r\nSet-Cookie: a=1; Path=/\r\n";
        let server = Server::start([Connection::answer(302, set, ""), Connection::stream()]);
        source(&server, &clock).build().unwrap().signals().opened().await;
        assert_eq!(cookie(&server, 1), None);
    });
}
