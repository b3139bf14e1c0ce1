//! Which topics a matcher means.
use crate::{
    outcome::{Fault, Outcome, check, check_eq},
    trial::{Purpose, Trial},
};
use hyper::Method;
use std::time::{Duration, Instant};

/// Publishes to each of `topics`, and expects of a subscription with this matcher exactly those that are marked.
async fn matches(trial: &Trial<'_>, matcher: (&str, &str), topics: &[(&str, bool)]) -> Outcome {
    let end = trial.topic("end");
    let mut stream = trial.subscribe(&[matcher, (trial.exactly(), &end)]).await?;
    for (topic, _) in topics {
        trial.say(topic, topic).await?;
    }
    trial.say(&end, "end").await?;
    let expected: Vec<_> = topics.iter().filter(|(_, matches)| *matches).map(|(topic, _)| *topic).collect();
    let mut seen = Vec::new();
    loop {
        match stream.next().await?.data {
            data if data == "end" => break,
            data => seen.push(data),
        }
    }
    check_eq!(seen, expected, "topics that {}={} matches", matcher.0, matcher.1);
    Ok(())
}

/// B16: Exact is byte equality: nothing is normalised, nothing resolved.
pub(super) async fn b16_exact_is_byte_equality(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("Café/a");
    let variants = [
        (topic.clone(), true),
        (topic.replace("example.com", "EXAMPLE.com"), false),
        (topic.replace("example.com", "example.com:443"), false),
        (topic.replace("Café", "Cafe\u{301}"), false),
        (topic.replace("Café", "Caf%C3%A9"), false),
        (topic.replace("/a", "/./a"), false),
        (format!("{topic}/"), false),
        (topic.to_lowercase(), false),
    ];
    let variants: Vec<_> = variants.iter().map(|(topic, matches)| (topic.as_str(), *matches)).collect();
    for name in ["match", "match_exact"] {
        matches(trial, (name, &topic), &variants).await?;
    }
    let relative = format!("/{}", &trial.prefix["https://example.com/".len()..]);
    let absolute = trial.target.hub.join(&relative).map_err(|error| Fault::Broken(error.to_string()))?.to_string();
    matches(trial, ("match", &relative), &[(&absolute, false), (&relative, true)]).await?;
    let pattern = trial.topic(":id");
    matches(trial, ("match", &pattern), &[(&trial.topic("1"), false), (&pattern, true)]).await
}

/// B17: `*` matches everything, before the type of matcher is looked at: in requests and in tokens.
pub(super) async fn b17_star_matches_everything(trial: &Trial<'_>) -> Outcome {
    let names = if trial.is_modern() { &["match", "match_exact", "match_urlpattern"][..] } else { &["topic"] };
    for name in names {
        let mut stream = trial.subscribe(&[(name, "*")]).await?;
        for topic in [trial.topic("a"), format!("no URL {name} {}", trial.prefix), format!("http://[ {}", trial.prefix)]
        {
            let data = format!("{name} {topic}");
            trial.published(&[("topic", &topic), ("data", &data), ("private", "on")]).await?;
            // Others may use the hub at the same time.
            while stream.next().await?.data != data {}
        }
    }
    Ok(())
}

/// B18: URL Patterns are the standard's, without `ignoreCase`, relative to the hub's URL; what is no URL matches none; and no
/// pattern costs more than time in proportion to what it is matched with.
pub(super) async fn b18_url_patterns_are_the_standards_and_bounded(trial: &Trial<'_>) -> Outcome {
    let base = trial.topic("");
    let at = |rest: &str| format!("{base}{rest}");
    let cases: [(&str, &[(&str, bool)]); 6] = [
        ("books/:id", &[("books/1", true), ("books/1/2", false), ("Books/1", false), ("books/", false)]),
        ("books/*", &[("books/1", true), ("books/1/2", true), ("books", false)]),
        ("n/:id(\\d+)", &[("n/12", true), ("n/a", false)]),
        ("o{/:x}?", &[("o", true), ("o/1", true), ("o/1/2", false)]),
        ("(a|b)", &[("a", true), ("b", true), ("c", false)]),
        ("q\\?a=:v", &[("q?a=1", true), ("q?b=1", false)]),
    ];
    for (pattern, topics) in cases {
        let topics: Vec<_> = topics.iter().map(|(rest, matches)| (at(rest), *matches)).collect();
        let topics: Vec<_> = topics.iter().map(|(topic, matches)| (topic.as_str(), *matches)).collect();
        matches(trial, ("match_urlpattern", &at(pattern)), &topics).await?;
    }
    let host = at("x").replace("example.com", "EXAMPLE.com");
    matches(trial, ("match_urlpattern", &at("x")), &[(&host, true)]).await?;
    let relative = format!("/{}", &trial.topic("r/:id")["https://example.com/".len()..]);
    let here = relative.replace(":id", "1");
    let absolute = trial.target.hub.join(&here).map_err(|error| Fault::Broken(error.to_string()))?.to_string();
    let elsewhere = trial.topic("r/1");
    let topics = [(here.as_str(), true), (absolute.as_str(), true), (elsewhere.as_str(), false), ("http://[no", false)];
    matches(trial, ("match_urlpattern", &relative), &topics).await?;
    pathological(trial).await
}

/// Patterns that take a backtracking matcher ages. Each is refused, or matched at once.
async fn pathological(trial: &Trial<'_>) -> Outcome {
    let end = trial.topic("end");
    let victim = trial.topic(&format!("{}!", "a".repeat(60)));
    for pattern in ["(([a-z])+.)+[A-Z]([a-z])+$", "((a+)+)b", "((a|a)*)b", "((a|aa)+)b", "(.*.*.*.*.*.*.*.*b)"] {
        let pattern = trial.topic(pattern);
        let asked = trial.subscription(&[("match_urlpattern", &pattern), ("match", &end)])?;
        let status = asked.send().await?.status;
        if status == 400 {
            continue;
        }
        let mut stream = trial.subscribe(&[("match_urlpattern", &pattern), ("match", &end)]).await?;
        let began = Instant::now();
        trial.say(&victim, "victim").await?;
        trial.say(&end, &pattern).await?;
        stream.expect(&[&pattern]).await?;
        // Ages are minutes and more; a hub far away may take its time.
        check!(began.elapsed() < Duration::from_secs(5), "{pattern} takes {:?}", began.elapsed());
    }
    Ok(())
}

/// B19: The types that are advertised are well-formed names and can be used, those of the protocol among them; others cannot.
pub(super) async fn b19_matcher_types_are_advertised(trial: &Trial<'_>) -> Outcome {
    let metadata = trial.metadata().await?;
    let advertised = metadata["mercure_matcher_types_supported"].as_array().cloned().unwrap_or_default();
    let mut names: Vec<_> = advertised.iter().filter_map(serde_json::Value::as_str).collect();
    check_eq!(names.len(), advertised.len(), "types that are text");
    if names.is_empty() {
        names = vec!["exact", "urlpattern"];
    }
    for required in ["exact", "urlpattern"] {
        check!(names.contains(&required), "{required} is not among {names:?}");
    }
    for name in &names {
        let well_formed = name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.chars().all(|character| character.is_ascii_lowercase() || character.is_ascii_digit());
        check!(well_formed, "{name:?} is no name of a type");
        check_eq!(trial.status(&[(&format!("match_{name}"), &trial.topic("a"))]).await?, 200, "status of match_{name}");
    }
    for other in ["uritemplate", "regexp", "glob", "cel"].into_iter().filter(|other| !names.contains(other)) {
        let status = trial.status(&[(&format!("match_{other}"), &trial.topic("a"))]).await?;
        check_eq!(status, 400, "status of match_{other}, which is not advertised");
    }
    Ok(())
}

/// L19: A selector is `*`, or the topic itself, or a URI Template that expands to it; one that is no template is a string.
pub(super) async fn l19_selectors_are_strings_or_templates(trial: &Trial<'_>) -> Outcome {
    let base = trial.topic("");
    let at = |rest: &str| format!("{base}{rest}");
    let cases: [(&str, &[(&str, bool)]); 5] = [
        ("books/1", &[("books/1", true), ("books/2", false), ("Books/1", false)]),
        ("books/{id}", &[("books/1", true), ("books/1/2", false), ("books/{id}", true)]),
        ("files/{+path}", &[("files/a/b", true), ("file", false)]),
        ("q{?a}", &[("q?a=1", true), ("q", true), ("q?b=1", false)]),
        ("no/{template", &[("no/{template", true), ("no/x", false)]),
    ];
    for (selector, topics) in cases {
        let topics: Vec<_> = topics.iter().map(|(rest, matches)| (at(rest), *matches)).collect();
        let topics: Vec<_> = topics.iter().map(|(topic, matches)| (topic.as_str(), *matches)).collect();
        matches(trial, ("topic", &at(selector)), &topics).await?;
    }
    Ok(())
}

/// B36: A private update needs a matcher of the request on one of its topics and a grant on one of them, maybe another.
pub(super) async fn b36_any_granted_topic_of_an_update_suffices(trial: &Trial<'_>) -> Outcome {
    let (asked, granted, other) = (trial.topic("asked"), trial.topic("granted"), trial.topic("other"));
    let token = trial.token(Purpose::Subscribe, &[&granted])?;
    let mut stream = trial.ask(Method::GET).query(&[(trial.exactly(), &asked)]).bearer(&token).open().await?;
    let private = async |topics: &[&str], data: &str| {
        let topics = topics.iter().map(|topic| ("topic", *topic));
        trial.published(&topics.chain([("data", data), ("private", "")]).collect::<Vec<_>>()).await
    };
    private(&[&asked, &other], "not granted").await?;
    private(&[&granted], "not asked for").await?;
    private(&[&asked, &granted], "both").await?;
    private(&[&granted, &asked], "both again").await?;
    private(&[&other, &granted, &asked], "behind another").await?;
    private(&[&other, &asked, &granted], "behind another again").await?;
    stream.expect(&["both", "both again", "behind another", "behind another again"]).await
}
