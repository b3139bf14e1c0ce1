//! "basic parsing": events of all forms.
use crate::harness::{Case, Message, TestService, check, data, stream_and_client};
use serde_json::json;

const BLOCK: usize = 5 << 20;

#[tokio::test]
async fn basic_parsing() {
    check(cases()).await;
}

fn cases() -> Vec<Case> {
    let one = |name, chunk, expected: &[Message]| Case::new(name, &[chunk], expected);
    let greeting = |text| data(text).with_type("greeting");
    vec![
        one("one-line message in one chunk", "data: Hello\n\n", &[data("Hello")]),
        Case::new(
            "two messages spanning 3 chunks with shared chunk",
            &["data: test", "test\n\ndata:", "test\n\n"],
            &[data("testtest"), data("test")],
        ),
        Case::new("one-line message in two chunks", &["data: Hel", "lo\n\n"], &[data("Hello")]),
        one("two one-line messages in one chunk", "data: Hello\n\ndata: World\n\n", &[data("Hello"), data("World")]),
        one("one two-line message in one chunk", "data: Hello\ndata:World\n\n", &[data("Hello\nWorld")]),
        one("empty data", "data:\n\n", &[data("")]),
        one("event with specific type", "event: greeting\ndata: Hello\n\n", &[greeting("Hello")]),
        one("default event type", "data: Hello\n\n", &[data("Hello").with_type("message")]),
        one("event with ID", "id: abc\ndata: Hello\n\n", &[data("Hello").with_id("abc")]),
        one("event with type and ID", "event: greeting\nid: abc\ndata: Hello\n\n", &[greeting("Hello").with_id("abc")]),
        one("ID field is ignored if it contains a null", "id: a\0bc\ndata: Hello\n\n", &[data("Hello")]),
        Case::new(
            "last ID persists if not overridden by later event",
            &["id: abc\ndata: first\n\n", "data: second\n\n"],
            &[data("first").with_id("abc"), data("second").with_id("abc")],
        ),
        Case::new(
            "last ID can be overridden by an empty value",
            &["id: abc\ndata: first\n\n", "id: \ndata: second\n\n"],
            &[data("first").with_id("abc"), data("second")],
        ),
        one(
            "fields in reverse order",
            "data: Hello\nid: abc\nevent: greeting\n\n",
            &[greeting("Hello").with_id("abc")],
        ),
        one("unknown field is ignored", "event: greeting\ncolor: blue\ndata: Hello\n\n", &[greeting("Hello")]),
        one("fields without leading space", "event:greeting\ndata:Hello\n\n", &[greeting("Hello")]),
        one(
            "fields with extra leading space",
            "event:  greeting\ndata:  Hello\n\n",
            &[data(" Hello").with_type(" greeting")],
        ),
        one("field with no colon", "data\n\ndata\ndata\n\n", &[data(""), data("\n")]),
        one("multi-byte characters", "data: €豆腐\n\n", &[data("€豆腐")]),
        many_messages(),
        Case::in_pieces("multi-byte characters sent in single-byte pieces", "data: €豆腐\n\n", 1, &[data("€豆腐")]),
    ]
}

fn many_messages() -> Case {
    let texts: Vec<_> = (0..100).map(|number| format!("message {number}")).collect();
    let stream: String = texts.iter().map(|text| format!("data: {text}\n\n")).collect();
    let expected: Vec<_> = texts.into_iter().map(data).collect();
    Case::new("many messages in rapid succession", &[stream], &expected)
}

#[tokio::test]
async fn large_message_in_one_chunk() {
    large_message(&[block(1)]).await;
}

#[tokio::test]
async fn large_message_in_two_chunks() {
    large_message(&[block(1), block(2)]).await;
}

async fn large_message(blocks: &[String]) {
    let service = TestService::start();
    let (_server, connection, mut client) = stream_and_client(&service, json!({})).await;
    connection.send("data: ").await;
    for block in blocks {
        connection.send(block.clone()).await;
    }
    connection.send("\n\n").await;
    let event = client.message().await.event();
    // The data is not compared with `assert_eq!`, because a failure would print all of it.
    assert!(event.data == blocks.concat(), "{} bytes, other than sent", event.data.len());
    client.close().await;
}

/// Returns text that does not repeat itself at the limits of any buffer.
fn block(seed: usize) -> String {
    let numbers = (0..).map(|number| format!("{:x}.", number * 31 + seed));
    let mut text = String::with_capacity(BLOCK + 16);
    numbers
        .take_while(|number| {
            text.push_str(number);
            text.len() < BLOCK
        })
        .for_each(drop);
    text
}
