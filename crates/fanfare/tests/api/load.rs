//! `fanfare load`, small.
use crate::{
    hub::Hub,
    program::{Ended, run},
};

/// The number that the line of JSON, which is the last one, has under this key.
fn number(ended: &Ended, key: &str) -> Option<f64> {
    let line = ended.stdout.lines().last()?;
    let rest = line.split_once(&format!("\"{key}\":"))?.1;
    rest[..rest.find([',', '}'])?].parse().ok()
}

#[test]
fn each_scenario_comes_to_its_end_on_a_hub_of_its_own() {
    let scenarios = [
        ("idle", "pss_bytes_per_subscriber"),
        ("broadcast", "latency_p99_ms"),
        ("topics", "latency_p99_ms"),
        ("patterns", "latency_p99_ms"),
        ("burst", "deliveries_per_read"),
        ("connect-storm", "connects_per_second"),
        ("disconnect-storm", "let_go_s"),
        ("slow-readers", "caught_up_s"),
        ("resume-storm", "live_again_s"),
        ("presence", "during_p99_ms"),
    ];
    // All at once: most of the time each of them waits.
    let runs = scenarios.map(|(scenario, key)| {
        let size = ["--subscribers", "40", "--seconds", "1", "--rate", "50", "--events", "60"];
        let run = std::thread::spawn(move || run(&[&["load", "--scenario", scenario], &size[..]].concat()));
        (scenario, key, run)
    });
    for (scenario, key, run) in runs {
        let ended = run.join().unwrap();
        assert_eq!(ended.code, 0, "{scenario}: {ended:?}");
        assert!(number(&ended, key).is_some_and(f64::is_finite), "{scenario}: {ended:?}");
        // Programs read standard output, people the table.
        assert_eq!(ended.stdout.lines().count(), 1, "{scenario}: {}", ended.stdout);
        assert!(ended.stderr.contains("faults") && !ended.stderr.contains("error"), "{scenario}: {}", ended.stderr);
    }
}

#[test]
fn a_hub_is_spoken_to_by_recipes_and_by_urls_and_its_process_is_found() {
    let hub = Hub::start();
    let base = hub.url.trim_end_matches('/');
    let (subscribe, publish) = (format!("{base}/topics/{{topic}}"), format!("{base}/.well-known/mercure"));
    let ways: [&[&str]; 4] = [
        &[base],
        &[base, "--recipe", "mercure", "--publishers", "3"],
        &["--subscribe-url", &subscribe, "--publish-url", &publish, "--publish-body", "form", "--topics", "2"],
        &["--subscribe-url", &format!("{base}/topics/quiet")],
    ];
    for way in ways {
        let size = ["--subscribers", "10", "--seconds", "1", "--rate", "20"];
        let ended = run(&[&["load"], way, &size].concat());
        assert_eq!(ended.code, 0, "{way:?}: {ended:?}");
        let deliveries = if way.len() == 2 {
            0.0
        } else if way.contains(&"--topics") {
            100.0
        } else {
            200.0
        };
        assert_eq!(number(&ended, "deliveries"), Some(deliveries), "{way:?}: {ended:?}");
        assert!(number(&ended, "cpu_us_per_delivery").is_some(), "{way:?}: {ended:?}");
    }
}

#[test]
fn failures_have_codes_and_say_what_is_wrong() {
    let hub = Hub::with(&["--memory", "--clock=false", "--key", crate::program::SECRET]);
    let name = hub.url.trim_start_matches("http://").trim_end_matches('/');
    let cases: [(&[&str], i32, &str); 7] = [
        (&[hub.url.trim_end_matches('/')], 1, "401"),
        (&[hub.url.trim_end_matches('/')], 1, name),
        (&["http://127.0.0.1:1"], 5, "cannot reach 127.0.0.1:1: Connection refused"),
        (&["https://127.0.0.1:1"], 2, "expected http://"),
        (&["--header", "X"], 2, "expected NAME: VALUE"),
        (&["--subscribers", "0"], 2, "0 is not in 1.."),
        (&["http://127.0.0.1:1"], 5, "refused"),
    ];
    for (arguments, code, said) in cases {
        let ended = run(&[&["load", "--seconds", "1"], arguments].concat());
        assert_eq!(ended.code, code, "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(said), "{arguments:?}: {ended:?}");
    }
}

#[test]
fn many_processes_share_a_run() {
    // So few files per process that one cannot have all subscribers.
    let mut command = crate::program::fanfare();
    let program = command.get_program().to_owned();
    command = std::process::Command::new("sh");
    let script = "ulimit -n 300 && exec \"$0\" load \"$1\" --subscribers 100 --seconds 1 --rate 20";
    let hub = Hub::start();
    command.args(["-c", script]).arg(program).arg(hub.url.trim_end_matches('/'));
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let ended = crate::program::end(command.spawn().unwrap());
    assert_eq!((ended.code, number(&ended, "deliveries")), (0, Some(2_000.0)), "{ended:?}");
}

/// The processes whose parent is this one.
fn children(id: u32) -> Vec<u32> {
    let path = format!("/proc/{id}/task/{id}/children");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().map(|child| child.parse().unwrap()).collect()
}

/// Waits for something that comes about in time.
fn until<T>(mut found: impl FnMut() -> Option<T>) -> T {
    let begun = std::time::Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begun.elapsed() < crate::program::PATIENCE, "not in time");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn its_hub_goes_with_it_however_it_is_killed() {
    for name in ["TERM", "INT", "HUP", "KILL"] {
        let mut command = crate::program::fanfare();
        command.args(["load", "--scenario", "idle", "--subscribers", "2", "--seconds", "60"]);
        // Its own hub is not the one that the environment speaks of.
        command.env("FANFARE_KEY", crate::program::SECRET);
        let quiet = std::process::Stdio::null;
        let mut load = command.stdout(quiet()).stderr(quiet()).spawn().unwrap();
        let hub = until(|| children(load.id()).first().copied());
        // It serves: what it is killed in the middle of is a run.
        until(|| std::fs::read_dir(format!("/proc/{hub}/task")).is_ok_and(|tasks| tasks.count() > 2).then_some(()));
        crate::program::signal(i32::try_from(load.id()).unwrap(), name);
        load.wait().unwrap();
        until(|| (!std::path::Path::new(&format!("/proc/{hub}")).exists()).then_some(()));
    }
}
