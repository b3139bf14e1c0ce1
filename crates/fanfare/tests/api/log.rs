//! `fanfare log`, beside a running hub and without one.
use crate::{
    hub::Hub,
    program::{Ended, Lines, end, fanfare, run, run_with_input},
};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

/// A directory for one test, gone with it.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("fanfare-test-{}-log-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn join(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Runs a verb, which has to succeed and say nothing on standard error.
fn log(arguments: &[&str]) -> String {
    log_with_input(arguments, "")
}

fn log_with_input(arguments: &[&str], input: &str) -> String {
    let ended = run_with_input(&[&["log"], arguments].concat(), input);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{arguments:?}: {ended:?}");
    ended.stdout
}

/// Runs a verb that fails.
fn failing(arguments: &[&str], code: i32, parts: &[&str]) -> Ended {
    failing_with_input(arguments, "", code, parts)
}

fn failing_with_input(arguments: &[&str], input: &str, code: i32, parts: &[&str]) -> Ended {
    let ended = run_with_input(&[&["log"], arguments].concat(), input);
    assert_eq!(ended.code, code, "{arguments:?}: {ended:?}");
    for part in parts {
        assert!(ended.stderr.contains(part), "{} lacks {part}", ended.stderr);
    }
    ended
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn data(lines: &str) -> Vec<String> {
    json_lines(lines).iter().map(|line| line["data"].as_str().unwrap_or("lost").to_owned()).collect()
}

/// Lines of so many updates, with data of so many bytes.
fn lines(numbers: std::ops::Range<u64>, bytes: usize) -> String {
    let line = |number: u64| {
        let (topic, pad, time) = (number % 3, "x".repeat(bytes), 1_700_000_000_000 + number);
        format!(r#"{{"topics":["t/{topic}"],"data":"{number} {pad}","time_ms":{time}}}"#) + "\n"
    };
    numbers.map(line).collect()
}

fn imported(dir: &str, lines: &str) {
    log_with_input(&["import", dir], lines);
}

/// The path of the last file of a log that ends so.
fn last_file(dir: &str, end: &str) -> PathBuf {
    let files = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.to_str().unwrap().ends_with(end)).max().unwrap()
}

fn flip(path: &Path, place: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[place] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn every_verb_beside_a_running_hub() {
    let dir = Dir::new("beside");
    let [at, to] = [dir.join("log"), dir.join("backup")];
    let hub = Hub::with(&["--data", &at, "--clock=false"]);
    let publish = |topic: &str, data: &str, more: &[&str]| {
        let ended = run(&[&["publish", topic, data, "--hub", &hub.url], more].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.stdout.trim_end().to_owned()
    };
    let first = publish("orders/1", "one", &[]);
    publish("orders/2", "two\nlines", &["--type", "news", "--id", "mine", "--retry", "2s", "--private"]);
    publish("other", "three", &[]);
    // The hub that writes is not disturbed, whatever is asked.
    let lines = json_lines(&log(&["export", &at]));
    assert_eq!(lines.len(), 3);
    assert_eq!((&lines[0]["id"], &lines[0]["position"]), (&first.as_str().into(), &first.as_str().into()));
    let second = &lines[1];
    assert_eq!(second["id"], "mine");
    assert_eq!(second["topics"][0], "orders/2");
    assert_eq!((&second["type"], &second["data"]), (&"news".into(), &"two\nlines".into()));
    assert_eq!((&second["private"], &second["retry_ms"]), (&true.into(), &2_000.into()));
    assert!(second["time"].as_str().unwrap().ends_with('Z') && second["time_ms"].is_u64(), "{second}");
    assert_eq!(data(&log(&["tail", &at, "-n", "2"])), ["two\nlines", "three"]);
    let list = log(&["ls", &at]);
    assert!(list.contains("1-3") && list.contains("one segment") && list.contains("3 updates, 1 to 3"), "{list}");
    let list: Value = serde_json::from_str(&log(&["ls", &at, "--json"])).unwrap();
    assert_eq!((&list["oldest"], &list["head"], &list["segments"][0]["records"]), (&1.into(), &3.into(), &3.into()));
    assert!(log(&["verify", &at]).contains("3 records: no damage"));
    assert!(log(&["backup", &at, &to]).contains("3 updates, up to 3"));
    failing_with_input(&["import", &at], "", 1, &["a hub uses the log in", "fanfare publish"]);
    failing(&["erase", &at, "--topic", "other", "--yes"], 1, &["a hub uses the log in", "DELETE /topics/"]);
    assert_eq!(publish("other", "four", &[]).split('-').next_back(), Some("4"), "the hub goes on");
    // The backup is a log, with which a hub goes on.
    let restored = Hub::with(&["--data", &to, "--clock=false"]);
    let asked = ["subscribe", "*", "--hub", &restored.url, "--last-event-id", "mine", "-n", "1"];
    assert!(run(&asked).stdout.contains("three"));
    assert_eq!(hub.stop().code, 0);
    assert_eq!(data(&log(&["export", &at])).len(), 4);
    assert!(log(&["verify", &at]).contains("4 records"));
}

#[test]
fn tail_follows_a_hub() {
    let dir = Dir::new("follow");
    let at = dir.join("log");
    let hub = Hub::with(&["--data", &at, "--clock=false"]);
    let publish = |data: &str| assert_eq!(run(&["publish", "a", data, "--hub", &hub.url]).code, 0);
    publish("one");
    publish("two");
    let mut child = fanfare().args(["log", "tail", &at, "-n", "1", "-f"]).stdout(Stdio::piped()).spawn().unwrap();
    let printed = Lines::of(child.stdout.take().unwrap());
    assert_eq!(data(&printed.next()), ["two"]);
    for text in ["three", "four"] {
        publish(text);
        assert_eq!(data(&printed.next()), [text]);
    }
    // A new run goes on in another segment.
    hub.stop();
    let hub = Hub::with(&["--data", &at, "--clock=false"]);
    assert_eq!(run(&["publish", "a", "five", "--hub", &hub.url]).code, 0);
    assert_eq!(data(&printed.next()), ["five"]);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn an_export_is_imported_as_it_was() {
    let dir = Dir::new("import");
    let [old, new] = [dir.join("old"), dir.join("new")];
    let more = r#"{"topics":["a","b"],"data":"","id":"mine","type":"t","retry_ms":7,"private":true,"time":"2023-11-14T22:13:21Z"}"#;
    // Times do not go backwards, and none is in the future.
    let text = lines(0..5_000, 10)
        + more
        + "\n\n"
        + r#"{"topics":["a"],"data":"earlier","time_ms":5}"#
        + "\n"
        + r#"{"topics":["a"],"data":"expired","time_ms":5,"ttl_ms":5}"#
        + "\n"
        + r#"{"topics":["a"],"data":"later","time":"2999-01-01T00:00:00Z"}"#;
    let summary = log_with_input(&["import", &old], &text);
    assert!(
        summary.starts_with("imported 5003 updates, #") && summary.contains("; one update had already expired"),
        "{summary}"
    );
    let exported = log(&["export", &old]);
    let updates = json_lines(&exported);
    assert_eq!(updates.len(), 5_003);
    let time = |number: usize| updates[number]["time_ms"].as_u64().unwrap();
    assert_eq!((time(0), time(4_999)), (1_700_000_000_000, 1_700_000_004_999));
    assert_eq!((time(5_000), time(5_001)), (1_700_000_004_999, 1_700_000_004_999));
    assert!(time(5_002) < 4_000_000_000_000);
    assert_eq!((&updates[5_000]["id"], &updates[5_000]["retry_ms"]), (&"mine".into(), &7.into()));
    fs::write(dir.join("file"), &exported).unwrap();
    assert!(log(&["import", &new, &dir.join("file")]).starts_with("imported 5003 updates"));
    let without_place = |text: &str| {
        let mut updates = json_lines(text);
        for update in &mut updates {
            let update = update.as_object_mut().unwrap();
            let position = update.remove("position");
            update.retain(|name, value| name != "id" || Some(&*value) != position.as_ref());
        }
        updates
    };
    assert_eq!(without_place(&log(&["export", &new])), without_place(&exported));
    assert!(log(&["verify", &new]).contains("5003 records"));
    // A hub goes on with it.
    let hub = Hub::with(&["--data", &new, "--clock=false"]);
    let id = run(&["publish", "a", "x", "--hub", &hub.url]).stdout;
    assert!(id.trim_end().ends_with("-5004"), "{id}");
}

#[test]
fn a_line_that_is_no_update_is_named() {
    let dir = Dir::new("refused");
    let at = dir.join("log");
    let bad = "{\"topics\":[\"a\"]}\n";
    let text = lines(0..3, 1) + bad + &lines(3..6, 1);
    failing_with_input(&["import", &at], &text, 1, &["line 4: the line has no field 'data'", "nothing was imported"]);
    assert_eq!(log(&["export", &at]), "");
    let text = lines(0..5_000, 1) + "nonsense\n";
    failing_with_input(&["import", &at], &text, 1, &["line 5001", "the lines up to 4096 were imported"]);
    assert_eq!(log(&["export", &at]).lines().count(), 4_096);
    let long = format!("{{\"topics\":[\"a\"],\"data\":\"{}\"}}", "x".repeat(32 << 20));
    failing_with_input(&["import", &at], &long, 1, &["line 1: the line is longer than 33554432 bytes"]);
    failing(&["import", &at, &dir.join("nowhere")], 1, &["cannot read", "nowhere"]);
}

#[test]
fn a_part_of_a_log_is_exported() {
    let dir = Dir::new("part");
    let at = dir.join("log");
    let own = r#"{"topics":["t/0"],"data":"own","id":"mine","time_ms":1700000100000}"#;
    imported(&at, &(lines(0..90, 1) + own));
    let count = |arguments: &[&str]| log(&[&["export", &at], arguments].concat()).lines().count();
    let position = |number: usize| json_lines(&log(&["export", &at]))[number]["position"].as_str().unwrap().to_owned();
    assert_eq!(count(&["--topic", "t/0"]), 31);
    assert_eq!(count(&["--topic", "t/1", "--topic", "t/2"]), 60);
    assert_eq!(count(&["--topic", "t/{x}"]), 91);
    assert_eq!(count(&["--from", &position(80)]), 11);
    assert_eq!(count(&["--from", &position(80), "--until", &position(85)]), 6);
    assert_eq!(count(&["--from", "mine"]), 1);
    assert_eq!(count(&["--until", "2023-11-14T22:13:20.010Z"]), 10);
    assert_eq!(count(&["--from", "2023-11-14T22:13:20.010Z"]), 81);
    assert_eq!(count(&["--from", "1s"]), 0);
    failing(&["export", &at, "--from", "none"], 2, &["no update in the log has the ID \"none\""]);
    failing(&["export", &at, "--from", "#00000000-1"], 2, &["is from another log"]);
    let beyond = position(1).replace("-2", "-999");
    failing(&["export", &at, "--until", &beyond], 2, &["was lost, or never written"]);
    assert_eq!(log(&["tail", &at, "-n", "0"]), "");
    assert_eq!(log(&["tail", &at]).lines().count(), 10);
    assert_eq!(log(&["tail", &at, "-n", "1000"]).lines().count(), 91);
}

#[test]
fn nobody_has_to_read_to_the_end() {
    let dir = Dir::new("head");
    let at = dir.join("log");
    imported(&at, &lines(0..3_000, 1_000));
    for verb in ["export", "tail"] {
        let mut command = fanfare();
        command.args(["log", verb, &at]).stdout(Stdio::piped()).stderr(Stdio::piped());
        if verb == "tail" {
            command.args(["-n", "3000"]);
        }
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(json_lines(&line).len(), 1);
        let ended = end(child);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{verb}");
    }
}

/// A log keeps the newest of the updates about subscriptions. The others are not lost, and each verb says the same.
#[test]
fn many_updates_about_subscriptions() {
    let dir = Dir::new("presence");
    let [at, to] = [dir.join("log"), dir.join("backup")];
    let topic = |number: u64| format!("/.well-known/mercure/subscriptions/exact/a/{number}");
    let told = |number: u64| {
        format!(r#"{{"topics":["{}"],"type":"mercure","private":true,"data":"told"}}"#, topic(number)) + "\n"
    };
    imported(&at, &(lines(0..3, 0) + &(0..20_000).map(told).collect::<String>() + &lines(3..6, 0)));
    let ls: Value = serde_json::from_str(&log(&["ls", &at, "--json"])).unwrap();
    let segments = ls["segments"].as_array().unwrap();
    assert_eq!((segments.len(), &ls["oldest"], &ls["head"]), (1, &1.into(), &20_006.into()), "{ls}");
    assert_eq!((&segments[0]["records"], &segments[0]["presence"]), (&6.into(), &20_000.into()), "{ls}");
    assert!(segments[0]["bytes"].as_u64().unwrap() < 10_000, "they take no room: {ls}");
    let shown = log(&["ls", &at]);
    assert!(shown.contains("20000 updates of presence"), "{shown}");
    assert!(shown.contains("6 updates and 20000 updates of presence, 1 to 20006"), "{shown}");
    let exported = log(&["export", &at]);
    let all = data(&exported);
    assert_eq!(all.len(), 6 + 16_384);
    assert_eq!(
        (&all[..4], &all[16_387..]),
        (&["0 ", "1 ", "2 ", "told"].map(String::from)[..], &["3 ", "4 ", "5 "].map(String::from)[..])
    );
    assert_eq!(data(&log(&["tail", &at, "-n", "4"])), ["told", "3 ", "4 ", "5 "]);
    assert_eq!(data(&log(&["export", &at, "--topic", "t/0"])), ["0 ", "3 "]);
    assert_eq!(data(&log(&["export", &at, "--topic", &topic(19_999)])), ["told"]);
    assert_eq!(data(&log(&["export", &at, "--topic", &topic(1)])), Vec::<String>::new());
    log(&["verify", &at]);
    log(&["backup", &at, &to]);
    log(&["verify", &to]);
    assert_eq!(log(&["export", &to]), exported);
    log(&["erase", &at, "--topic", &topic(19_999), "--yes"]);
    assert_eq!(data(&log(&["export", &at])).len(), 5 + 16_384);
    log(&["verify", &at]);
}

#[test]
fn what_is_damaged_is_told() {
    let dir = Dir::new("damaged");
    let at = dir.join("log");
    imported(&at, &lines(0..30, 100));
    let file = last_file(&at, ".log");
    let place = fs::read(&file).unwrap().windows(3).position(|bytes| bytes == b"12 ").unwrap();
    flip(&file, place);
    let verified = failing(&["verify", &at], 1, &["2 things are wrong with the log"]);
    let parts = ["0000000000000001.log, byte ", "a frame is damaged", "the update 13 is lost", "29 records"];
    for part in parts {
        assert!(verified.stdout.contains(part), "{} lacks {part}", verified.stdout);
    }
    let verified: Value = serde_json::from_str(&failing(&["verify", &at, "--json"], 1, &[]).stdout).unwrap();
    assert_eq!((&verified["sound"], &verified["findings"][1]["lost"]["first"]), (&false.into(), &13.into()));
    let exported = failing(&["export", &at], 1, &["warning: the update 13 is lost", "error: one update is lost"]);
    let told = json_lines(&exported.stdout);
    assert_eq!(told.len(), 30);
    assert_eq!(told[12], serde_json::json!({ "lost": { "first": 13, "last": 13 } }));
    // It can be imported, and what is lost is counted.
    let summary = log_with_input(&["import", &dir.join("new")], &exported.stdout);
    assert!(summary.starts_with("imported 29 updates") && summary.contains("one update had been lost"), "{summary}");
    failing(&["tail", &at, "-n", "20"], 1, &["the update 13 is lost"]);
    log(&["tail", &at]);
    // A backup has what there is, and tells of the rest as well.
    log(&["backup", &at, &dir.join("backup")]);
    failing(&["export", &dir.join("backup")], 1, &["the update 13 is lost"]);
}

#[test]
fn what_is_erased_is_gone_from_the_files() {
    let dir = Dir::new("erase");
    let at = dir.join("log");
    let own = r#"{"topics":["secret/1"],"data":"SECRET","id":"mine"}"#;
    imported(&at, &(lines(0..9, 1) + own));
    let erase = |arguments: &[&str]| log(&[&["erase", &at], arguments, &["--yes"]].concat());
    let holds = |text: &str| {
        let mut files = fs::read_dir(&at).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap());
        files.any(|bytes| bytes.windows(text.len()).any(|bytes| bytes == text.as_bytes()))
    };
    failing(&["erase", &at, "--topic", "secret/{x}"], 2, &["to erase one update", "--yes"]);
    failing(&["erase", &at], 2, &["--topic"]);
    assert!(holds("SECRET"));
    assert_eq!(erase(&["--topic", "secret/{x}", "--before", "1h"]), "erased 0 updates\n", "it is newer");
    assert_eq!(erase(&["--topic", "secret/{x}"]), "erased one update\n");
    assert!(!holds("SECRET") && holds("t/0"));
    assert_eq!(erase(&["--topic", "t/0"]), "erased 3 updates\n");
    assert_eq!(erase(&["--id", "mine"]), "erased 0 updates\n");
    assert_eq!(erase(&["--before", "2023-11-14T22:13:20.005Z"]), "erased 3 updates\n");
    assert_eq!(data(&log(&["export", &at])), ["5 x", "7 x", "8 x"]);
    assert!(log(&["ls", &at]).contains("rewritten"));
    assert!(log(&["verify", &at]).contains("10 records: no damage"));
    failing(&["erase", &dir.join("none"), "--topic", "a", "--yes"], 2, &["does not exist"]);
    assert!(!Path::new(&dir.join("none")).exists());
}

#[test]
fn a_backup_that_is_killed_is_no_hindrance() {
    let dir = Dir::new("killed");
    let [at, to] = [dir.join("log"), dir.join("backup")];
    // Two segments and a part of the third.
    imported(&at, &lines(0..4_000, 10_000));
    assert!(log(&["ls", &at]).contains("3 segments"));
    for round in 0..12 {
        let mut child = fanfare().args(["log", "backup", &at, &to]).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(round * 4));
        child.kill().unwrap();
        child.wait().unwrap();
        if Path::new(&to).exists() {
            // What has its name is whole.
            assert!(log(&["verify", &to]).contains("4000 records: no damage"));
            fs::remove_dir_all(&to).unwrap();
        }
    }
    assert!(log(&["backup", &at, &to]).contains("4000 updates, up to 4000"));
    assert!(log(&["verify", &to]).contains("4000 records: no damage"));
    assert!(!Path::new(&dir.join("backup.partial")).exists());
    assert_eq!(log(&["export", &to, "--from", "1s"]), "");
    failing(&["backup", &at, &to], 2, &["already exists and is not an empty directory"]);
}

#[test]
fn what_is_no_log_is_told() {
    let dir = Dir::new("none");
    let [none, file, empty] = [dir.join("none"), dir.join("file"), dir.join("empty")];
    fs::write(&file, "x").unwrap();
    fs::create_dir(&empty).unwrap();
    let to = dir.join("to");
    for (at, part) in [(&none, "does not exist"), (&file, "is not a directory"), (&empty, "has no log in it")] {
        for verb in ["ls", "tail", "export", "verify"] {
            failing(&[verb, at], 2, &[part]);
        }
        failing(&["backup", at, &to], 2, &[part]);
        failing(&["erase", at, "--id", "x", "--yes"], 2, &[part]);
    }
    failing(&["import", &file], 2, &["is not a directory"]);
    fs::write(Path::new(&empty).join("log.redb"), "x").unwrap();
    failing(&["ls", &empty], 1, &["an earlier version of Fanfare"]);
    assert!(!Path::new(&to).exists() && !Path::new(&none).exists());
}

#[test]
fn the_help_says_what_each_verb_does() {
    insta::assert_snapshot!("log-help", run(&["log", "--help"]).stdout);
    for verb in ["ls", "tail", "export", "import", "verify", "backup", "erase"] {
        insta::assert_snapshot!(format!("log-{verb}-help"), run(&["log", verb, "--help"]).stdout);
    }
}
