//! Resuming over HTTP: every way to say which event came last, and the answer's own.
use super::fixture::*;

#[tokio::test]
async fn every_carrier_of_the_cursor_resumes() {
    let server = serve().await;
    let first = server.publish("/topics/a", "1").await;
    server.publish("/topics/a", "2").await;
    let encoded = first.replace('#', "%23");
    let header = format!("Last-Event-ID: {first}\r\n");
    let targets = ["/topics/a?", "/topics?topic=a&", "/.well-known/mercure?topic=a&", "/.well-known/mercure?match=a&"];
    for target in targets {
        for (parameter, header) in [
            ("last_event_id", ""),
            ("lastEventID", ""),
            ("Last-Event-ID", ""),
            ("lastEventId", ""),
            ("last-event-id", ""),
            ("last_event_id=&last_event_id=lost&lastEventId", "Last-Event-ID:\r\n"),
            ("evs_last_event_id", ""),
            ("", header.as_str()),
        ] {
            let query =
                if parameter.is_empty() { "last_event_id=earliest".into() } else { format!("{parameter}={encoded}") };
            let mut stream = server.subscribe(&format!("{target}{query}"), header).await;
            assert_eq!(data(&stream.events(1).await), ["2"], "{target} {parameter}");
            let name = if target.contains("match") { "Mercure-Last-Event-ID" } else { "Last-Event-ID" };
            assert_eq!(stream.header(name), Some(first.as_str()), "{target}");
        }
    }
}

#[tokio::test]
async fn the_answer_says_where_the_stream_begins_if_it_was_asked() {
    let server = serve().await;
    let target = "/.well-known/mercure?match=a";
    let begins = async |query: &str| {
        server.subscribe(&format!("{target}{query}"), "").await.header("Mercure-Last-Event-ID").map(str::to_owned)
    };
    assert_eq!(begins("").await, None);
    assert_eq!(begins("&last_event_id=").await.as_deref(), Some("earliest"), "an empty history");
    let id = server.publish("/topics/b", "").await;
    assert_eq!(begins("&last_event_id=").await, Some(id.clone()));
    assert_eq!(begins("&last_event_id=earliest").await.as_deref(), Some("earliest"));
    assert_eq!(begins("&last_event_id=unknown").await.as_deref(), Some("earliest"));
    assert_eq!(begins(&format!("&last_event_id={}", id.replace('#', "%23"))).await, Some(id));
}

#[tokio::test]
async fn an_id_of_a_publishers_own_resumes_even_if_it_is_not_ascii() {
    let server = serve().await;
    server.publish("/topics/a?id=caf%C3%A9", "1").await;
    server.publish("/topics/a", "2").await;
    let mut stream = server.subscribe("/topics/a", "Last-Event-ID: café\r\n").await;
    assert_eq!(data(&stream.events(1).await), ["2"]);
    assert!(stream.head.contains("last-event-id: café\r\n"), "{}", stream.head);
}

/// event-source-polyfill appends its cursor to the URL that it was given, with what that had already.
#[tokio::test]
async fn a_stale_cursor_in_the_url_does_not_beat_the_fresh_one() {
    let server = serve_with(|settings| settings.aliases = [("/sse".to_owned(), vec!["a".to_owned()])].into()).await;
    let ids = [server.publish("/topics/a?id=1", "1").await, server.publish("/topics/a?id=2", "2").await];
    server.publish("/topics/a", "3").await;
    let query = format!("last_event_id={}&lastEventId={}", ids[0], ids[1]);
    for target in
        ["/topics/a?", "/topics?topic=a&", "/sse?", "/.well-known/mercure?topic=a&", "/.well-known/mercure?match=a&"]
    {
        let mut stream = server.subscribe(&format!("{target}{query}"), "Last-Event-ID:\r\n").await;
        assert_eq!(data(&stream.events(1).await), ["3"], "{target}");
        let mut stream = server.subscribe(&format!("{target}{query}"), "Last-Event-ID: 1\r\n").await;
        assert_eq!(data(&stream.events(2).await), ["2", "3"], "{target}");
    }
    for target in ["/topics/a?", "/sse?"] {
        let replay = server.get(&format!("{target}{query}&until=now"), "").await;
        assert!(replay.body.contains("data: 3") && !replay.body.contains("data: 2"), "{}", replay.body);
    }
}

/// B6: the query string wins over the body of a `QUERY`; the header beats both.
#[tokio::test]
async fn a_query_has_its_cursor_from_the_first_place_that_says_one() {
    let server = serve().await;
    for id in ["1", "2", "3"] {
        server.publish(&format!("/topics/a?id={id}"), id).await;
    }
    for (query, header, body, after) in [
        ("", "", "match=a&lastEventId=1&lastEventId=2", "2"),
        ("last_event_id=2", "", "match=a&last_event_id=1", "2"),
        ("last_event_id=", "Last-Event-ID:\r\n", "topic=a&last_event_id=2", "2"),
        ("last_event_id=1", "Last-Event-ID: 2\r\n", "topic=a&last_event_id=1", "2"),
        ("", "", "match=a&last_event_id=%ff", "earliest"),
    ] {
        let mut stream = server.connect().await;
        let headers =
            format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n{header}", body.len());
        stream.send(server.request(&format!("QUERY /.well-known/mercure?{query}"), "HTTP/1.0", &headers) + body).await;
        stream.read_head().await;
        let name = if body.starts_with("match") { "Mercure-Last-Event-ID" } else { "Last-Event-ID" };
        assert_eq!(stream.header(name), Some(after), "{query} {header} {body}");
    }
}

/// Node's own EventSource, and npm's, send an ID as Latin-1; browsers send UTF-8.
#[tokio::test]
async fn an_id_resumes_exactly_in_either_coding() {
    let server = serve().await;
    server.publish("/topics/a", "0").await;
    server.publish("/topics/a?id=caf%C3%A9", "1").await;
    server.publish("/topics/a", "2").await;
    server.publish("/topics/a?id=%C3%83%C2%B1", "3").await;
    server.publish("/topics/a", "4").await;
    let cases: [(&[u8], usize); 5] = [
        ("café".as_bytes(), 3),
        (b"caf\xe9", 3),
        ("Ã±".as_bytes(), 1),
        // In Latin-1 the same, which is UTF-8 for an ID that nobody has used.
        (b"\xc3\xb1", 1),
        (b"caf\xe8", 6),
    ];
    for (header, count) in cases {
        for target in
            ["/topics/a?last_event_id=earliest", "/.well-known/mercure?match=a", "/.well-known/mercure?topic=a"]
        {
            let mut stream = server.connect().await;
            let request = server.request(&format!("GET {target}"), "HTTP/1.0", "Last-Event-ID: @\r\n");
            let (before, after) = request.split_once('@').unwrap();
            stream.send([before.as_bytes(), header, after.as_bytes()].concat()).await;
            stream.read_head().await;
            assert!(stream.head.starts_with("HTTP/1.0 200"), "{header:?} {target}: {}", stream.head);
            let events = stream.events(count).await;
            assert_eq!(data(&events).last(), Some(&"4"), "{header:?} {target}: {events:?}");
        }
    }
}

#[tokio::test]
async fn no_cursor_is_an_error_status() {
    let server = serve().await;
    server.publish("/topics/a", "1").await;
    let long = "x".repeat(20_000);
    let cursors = [
        "%ff",
        "%c3%28",
        "%00",
        "%0d%0a",
        "%zz",
        "%E2%80%8B",
        "%23",
        "%23junk",
        "%230123abcd-99999999999999999999",
        "%2300000000-18446744073709551615",
        "%23-",
        "earliest%20",
        "+",
        long.as_str(),
    ];
    for cursor in cursors {
        for target in ["/topics/a?", "/.well-known/mercure?topic=a&", "/.well-known/mercure?match=a&"] {
            for name in ["last_event_id", "Last%2DEvent-ID"] {
                let mut stream = server.subscribe(&format!("{target}{name}={cursor}"), "").await;
                let events = stream.events(2).await;
                assert!(events[0].starts_with("event: fanfare.gap\n"), "{cursor}: {events:?}");
                assert!(events[1].ends_with("data: 1"), "{cursor}: {events:?}");
            }
        }
    }
    for cursor in [
        &b"\xff"[..],
        b"\xc3(",
        b"#junk",
        b"#00000000-18446744073709551616",
        b"a\tb",
        b"a\x0cb",
        b"\x01",
        b"x\x7f",
        b"a\0b",
        b"a\rb",
        b"\r",
        b"\0\r\0",
        b"a\rContent-Length: 5",
        long.as_bytes(),
    ] {
        let mut stream = server.connect().await;
        let head = server.request("GET /topics/a", "HTTP/1.0", "");
        let head = head.strip_suffix("\r\n").unwrap().as_bytes();
        stream.send([head, b"Last-Event-ID: ", cursor, b"\r\n\r\n"].concat()).await;
        stream.read_head().await;
        assert!(stream.head.starts_with("HTTP/1.0 200"), "{cursor:?}: {}", stream.head);
        let events = stream.events(2).await;
        assert!(events[0].starts_with("event: fanfare.gap\n"), "{cursor:?}");
        assert!(!events[0].contains(|character: char| character.is_control() && character != '\n'), "{events:?}");
    }
    // What else is wrong stays an error.
    for target in
        ["/topics/a?last_event_id=%ff&topic=%ff", "/topics/a?%ff=1", "/.well-known/mercure?match=%ff&last_event_id=1"]
    {
        assert_eq!(server.get(target, "").await.status, 400, "{target}");
    }
}

#[tokio::test]
async fn a_gap_is_told_in_every_representation() {
    let server = serve().await;
    let id = server.publish("/topics/a", "1").await;
    let floor = format!("{}0", &id[..10]);
    let gap = format!(r#"{{"requested":"lost","resumed_from":"{floor}","reason":"unknown"}}"#);
    for target in ["/topics/a?last_event_id=lost", "/topics/a?envelope&last_event_id=lost"] {
        let events = server.subscribe(target, "").await.events(2).await;
        assert_eq!(events[0], format!("event: fanfare.gap\nid: {floor}\ndata: {gap}"));
        assert!(events[1].starts_with(&format!("id: {id}\n")));
    }
    let mut lines = server.subscribe("/topics/a?last_event_id=lost", "Accept: application/x-ndjson\r\n").await;
    let text = lines.read_until(|text| text.trim().lines().count() == 2).await;
    let told = text.trim().lines().next().unwrap();
    assert!(told.contains(r#""type":"fanfare.gap""#) && told.contains(&gap.replace('"', "\\\"")), "{told}");
}

/// hyper takes some heads out of its buffer before it refuses them. What stands behind such a head is its body,
/// whatever it looks like, and never a request.
#[tokio::test]
async fn the_body_of_a_refused_request_is_no_request() {
    let server = serve().await;
    let inner = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: \x01\r\n\r\n\
                 POST /topics/stolen HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc";
    let length = format!("Content-Length: {}\r\n", inner.len());
    let heads = [
        ("POST /topics/a<", length.as_str()),
        ("POST /topics/a`", &length),
        ("POST http://[x/", &length),
        ("POST /topics/a", "Content-Length: abc\r\n"),
        ("POST /topics/a", "Content-Length: +5\r\n"),
        ("POST /topics/a", "Content-Length: 5, 6\r\n"),
        ("POST /topics/a", "Content-Length: 5\r\nContent-Length: 6\r\n"),
        ("POST /topics/a", "Content-Length: 99999999999999999999\r\n"),
        ("POST /topics/a", "Transfer-Encoding: gzip\r\n"),
        ("POST /topics/a", "Transfer-Encoding: chunked, gzip\r\n"),
    ];
    // A request before it, on the same connection: in one piece with it, or with a body that leads up to it.
    let length_of_first = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".len();
    let padded = format!("{inner}{}", "x".repeat(length_of_first));
    let befores = ["".to_owned(), "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned()];
    for (line, fields) in heads {
        for before in &befores {
            for body in [inner, padded.as_str()] {
                let request = format!("{before}{line} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n{body}");
                let answer = server.raw(request.as_bytes()).await;
                let answers = answer.matches("HTTP/1.1 ").count();
                let expected = usize::from(!before.is_empty()) + 1;
                assert_eq!(answers, expected, "{line} {fields}: {answer}");
                assert!(
                    answer.contains("HTTP/1.1 400 ") || answer.contains("HTTP/1.1 501 "),
                    "{line} {fields}: {answer}"
                );
            }
        }
    }
    assert_eq!(server.hub.bounds().head.0, 0, "nothing was published");
}

/// One head is repaired on a connection, which then ends, so that the next cursor is as good as the first.
#[tokio::test]
async fn odd_cursors_are_no_error_however_often_they_come() {
    let server = serve().await;
    server.publish("/topics/a", "1").await;
    let long = "\u{c}".repeat(40_000);
    for cursor in ["a\u{c}b", &long] {
        let request = format!("GET /topics/a?until=now HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: {cursor}\r\n\r\n");
        let answer = server.raw(request.repeat(2).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.to_ascii_lowercase().contains("connection: close"), "{answer}");
    }
}

/// A cursor may fill what a head may have. Beyond that the head is refused, which is the one exception, and so is a
/// target that is no URI.
#[tokio::test]
async fn a_cursor_may_be_nearly_as_long_as_a_head() {
    let server = serve().await;
    server.publish("/topics/a", "1").await;
    for (id, status) in [("x".repeat(65_000), 200), ("\u{c}".repeat(65_000), 200), ("x".repeat(70_000), 431)] {
        let mut stream = server.connect().await;
        stream.send(server.request("GET /topics/a", "HTTP/1.0", &format!("Last-Event-ID: {id}\r\n"))).await;
        stream.read_head().await;
        assert!(stream.head[8..].starts_with(&format!(" {status} ")), "{} bytes: {}", id.len(), stream.head);
    }
    let mut stream = server.subscribe(&format!("/topics/a?last_event_id={}", "x".repeat(65_000)), "").await;
    assert!(stream.events(2).await[0].starts_with("event: fanfare.gap\n"));
    let target = b"GET /topics/a?until=now&last_event_id=a b HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert!(server.raw(target).await.starts_with("HTTP/1.1 400 "));
}

/// A place begins with `#`, which is the end of a target to whoever reads it as a URL; and not everybody escapes what
/// no URL may hold.
#[tokio::test]
async fn a_cursor_that_was_not_escaped_is_a_place_as_well() {
    let server = serve().await;
    let place = server.publish("/topics/a", "1").await;
    server.publish("/topics/a?id=caf%C3%A9", "2").await;
    server.publish("/topics/a?id=%7B%22n%22:3%7D", "3").await;
    let last = server.publish("/topics/a", "4").await;
    let cases: [(&[u8], &[&str]); 6] = [
        (place.as_bytes(), &["2", "3", "4"]),
        (b"caf\xe9", &["3", "4"]),
        ("café".as_bytes(), &["3", "4"]),
        (b"{\"n\":3}", &["4"]),
        (last.as_bytes(), &[]),
        (b"<\x01\xff\x7f>", &["{\"requested\":\"<\u{fffd}\u{fffd}\u{fffd}>\"", "1", "2", "3", "4"]),
    ];
    for target in ["/topics/a?", "/topics?topic=a&"] {
        for (cursor, expected) in cases {
            let mut request = format!("GET {target}last_event_id=").into_bytes();
            request.extend_from_slice(cursor);
            request.extend_from_slice(b"&until=now HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            let answer = server.raw(&request).await;
            let data: Vec<_> = answer.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
            let Some((&r#"{"reason":"now"}"#, data)) = data.split_last() else { panic!("{answer}") };
            assert_eq!(data.len(), expected.len(), "{target} {}: {answer}", String::from_utf8_lossy(cursor));
            assert!(data.iter().zip(expected).all(|(data, text)| data.starts_with(text)), "{answer}");
        }
    }
    // One that begins behind a request that is answered first.
    let mut stream = server.connect().await;
    for _ in 0..2 {
        let request = server.request(&format!("GET /topics/a?until=now&last_event_id={last}"), "HTTP/1.1", "");
        stream.send(request).await;
        stream.read_until(|text| text.ends_with("0\r\n\r\n")).await;
    }
}

/// A field may end with a CR for another server. What it took for a request's body is no request here, and what it took
/// for a field that says how long the body is does not make this server wait for one.
#[tokio::test]
async fn a_cursor_with_a_line_end_in_it_smuggles_nothing() {
    let server = serve().await;
    let inner = "POST /topics/stolen HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc";
    for odd in ["a\rContent-Length: 90", "a\rTransfer-Encoding: chunked", "\0\rX: ", "a\r\r"] {
        for method in ["GET", "HEAD", "QUERY", "POST"] {
            for before in ["", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
                let path = if method == "QUERY" { "/.well-known/mercure?topic=a" } else { "/topics/a?until=now" };
                let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: {odd}\r\n\r\n");
                let answer = server.raw(format!("{before}{head}{inner}").as_bytes()).await;
                let answers = answer.matches("HTTP/1.1 ").count();
                assert_eq!(answers, usize::from(!before.is_empty()) + 1, "{method} {odd:?}: {answer}");
                // A head that came together with a request before it is refused.
                let is_refused = method == "POST" || !before.is_empty();
                assert_eq!(answer.contains("HTTP/1.1 400 "), is_refused, "{method} {odd:?}: {answer}");
            }
        }
    }
    assert_eq!(server.hub.bounds().head.0, 0, "nothing was published");
}
