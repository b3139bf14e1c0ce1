//! The entries on which topics a matcher matches.
use crate::{
    outcome::{Outcome, check, check_eq},
    rules::{
        authorization::ANY_GRANT,
        matching::{
            ADVERTISED, BASE, BOTH_TYPES, CASE, EXACT, LINEAR, NO_URL, STAR, STRINGS, TEMPLATES, TYPE_NAMES,
            URL_PATTERN,
        },
    },
    trial::{Purpose, Trial},
};
use hyper::Method;
use std::time::{Duration, Instant};

/// Publishes to each of `topics`, and expects that a subscription with this matcher receives exactly the topics that
/// are marked with true.
async fn matches(trial: &Trial<'_>, matcher: (&str, &str), topics: &[(&str, bool)]) -> Outcome {
    let end = trial.topic("end");
    let mut stream = trial.subscribe(&[matcher, (trial.exactly(), &end)]).await?;
    for (topic, _) in topics {
        trial.say(topic, topic).await?;
    }
    trial.say(&end, "end").await?;
    let expected: Vec<_> = topics.iter().filter(|(_, matches)| *matches).map(|(topic, _)| *topic).collect();
    let seen = stream.until("end").await?;
    check_eq!(seen, expected, "topics that {}={} matches", matcher.0, matcher.1);
    Ok(())
}

/// Does what `matches` does, for topics that begin with `base`.
async fn matches_below(trial: &Trial<'_>, name: &str, base: &str, matcher: &str, topics: &[(&str, bool)]) -> Outcome {
    let topics: Vec<_> = topics.iter().map(|(rest, matches)| (format!("{base}{rest}"), *matches)).collect();
    let topics: Vec<_> = topics.iter().map(|(topic, matches)| (topic.as_str(), *matches)).collect();
    matches(trial, (name, &format!("{base}{matcher}")), &topics).await
}

/// Returns a topic of this trial as a relative reference: its path.
fn relative(trial: &Trial<'_>, name: &str) -> String {
    format!("/{}", &trial.topic(name)["https://example.com/".len()..])
}

/// B16: An exact matcher matches only the topic with the same bytes: the hub neither normalises nor resolves anything.
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
    let relative = relative(trial, "a");
    let exactly = async {
        for name in ["match", "match_exact"] {
            matches(trial, (name, &topic), &variants).await?;
        }
        for base in trial.bases() {
            let absolute = base.join(&relative).map_or_else(|_| base.to_string(), String::from);
            matches(trial, ("match", &relative), &[(&absolute, false), (&relative, true)]).await?;
        }
        let pattern = trial.topic(":id");
        matches(trial, ("match", &pattern), &[(&trial.topic("1"), false), (&pattern, true)]).await
    };
    trial.by(&EXACT, exactly).await?;
    Ok(())
}

/// B17: The matcher `*` matches every topic, whichever matcher type it is given for, in requests and in tokens.
pub(super) async fn b17_star_matches_everything(trial: &Trial<'_>) -> Outcome {
    let names = if trial.is_modern() { &["match", "match_exact", "match_urlpattern"][..] } else { &["topic"] };
    let all = async {
        for name in names {
            let mut stream = trial.subscribe(&[(name, "*")]).await?;
            for start in ["https://example.com", "no URL", "http://[ "] {
                let topic = format!("{start} {name} {}", trial.prefix);
                trial.published(&[("topic", &topic), ("data", &topic), ("private", "on")]).await?;
                // Others may use the hub at the same time.
                stream.until(&topic).await?;
            }
        }
        Ok(())
    };
    trial.by(&STAR, all).await?;
    Ok(())
}

/// B18: URL Patterns are those of the URL Pattern standard, without `ignoreCase`. They are relative to the hub's own
/// URL, which may differ from the URL that the suite connects to. A topic that is not a URL matches no pattern. The
/// time to match a topic grows at most in proportion to its length.
pub(super) async fn b18_url_patterns_are_the_standards_and_bounded(trial: &Trial<'_>) -> Outcome {
    let (base, kind) = (trial.topic(""), "match_urlpattern");
    let cases: [(&str, &[(&str, bool)]); 6] = [
        ("books/:id", &[("books/1", true), ("books/1/2", false), ("books/", false)]),
        ("books/*", &[("books/1", true), ("books/1/2", true), ("books", false)]),
        ("n/:id(\\d+)", &[("n/12", true), ("n/a", false)]),
        ("o{/:x}?", &[("o", true), ("o/1", true), ("o/1/2", false)]),
        ("(a|b)", &[("a", true), ("b", true), ("c", false)]),
        ("q\\?a=:v", &[("q?a=1", true), ("q?b=1", false)]),
    ];
    let standard = async {
        for (pattern, topics) in cases {
            matches_below(trial, kind, &base, pattern, topics).await?;
        }
        Ok(())
    };
    trial.by(&URL_PATTERN, standard).await?;
    let case = async {
        let host = trial.topic("books/x").replace("example.com", "EXAMPLE.com");
        matches(trial, (kind, &trial.topic("books/:id")), &[(&host, true), (&trial.topic("Books/1"), false)]).await
    };
    trial.by(&CASE, case).await?;
    trial.by(&BASE, against_the_hub(trial)).await?;
    let everything = relative(trial, "*");
    let no_url = matches(trial, (kind, &everything), &[("http://[no", false)]);
    trial.by(&NO_URL, no_url).await?;
    trial.by(&LINEAR, pathological(trial)).await?;
    Ok(())
}

/// Expects that a relative pattern matches relative topics, and absolute topics only on the hub's own host.
async fn against_the_hub(trial: &Trial<'_>) -> Outcome {
    let (pattern, here, end) = (relative(trial, "r/:id"), relative(trial, "r/1"), trial.topic("end"));
    let mut stream = trial.subscribe(&[("match_urlpattern", &pattern), ("match", &end)]).await?;
    let elsewhere = format!("https://elsewhere.invalid{here}");
    let absolute: Vec<_> = trial.bases().iter().filter_map(|base| base.join(&here).ok()).map(String::from).collect();
    for topic in absolute.iter().chain([&here, &elsewhere]) {
        trial.say(topic, topic).await?;
    }
    trial.say(&end, "end").await?;
    let seen = stream.until("end").await?;
    check!(seen.contains(&here), "{pattern} does not match the topic {here}");
    check!(!seen.contains(&elsewhere), "{pattern} matches {elsewhere}, of another host");
    check!(absolute.iter().any(|topic| seen.contains(topic)), "{pattern} matches none of {absolute:?}");
    Ok(())
}

/// Expects that the hub refuses, or matches at once, patterns that take a backtracking matcher very long.
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
        // A backtracking matcher takes minutes or longer. The limit leaves time for a hub that is far away.
        check!(began.elapsed() < Duration::from_secs(5), "{pattern} takes {:?}", began.elapsed());
    }
    Ok(())
}

/// B19: The hub accepts both matcher types of the draft. The types that it advertises have well-formed names. It should
/// advertise every other type that it accepts.
pub(super) async fn b19_matcher_types_are_advertised(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let status = async |name: &str| trial.status(&[(&format!("match_{name}"), &topic)]).await;
    let both = async {
        for name in ["exact", "urlpattern"] {
            check_eq!(status(name).await?, 200, "status of match_{name}");
        }
        Ok(())
    };
    trial.by(&BOTH_TYPES, both).await?;
    let Some(metadata) = &trial.metadata else { return Ok(()) };
    let advertised = metadata["mercure_matcher_types_supported"].as_array().cloned();
    let names: Vec<_> = advertised.iter().flatten().map(|name| name.as_str().unwrap_or_default()).collect();
    let well_formed = async {
        for name in &names {
            let well_formed = name.starts_with(|first: char| first.is_ascii_lowercase())
                && name.chars().all(|character| character.is_ascii_lowercase() || character.is_ascii_digit());
            check!(well_formed, "{name:?} is not the name of a type");
        }
        Ok(())
    };
    trial.by(&TYPE_NAMES, well_formed).await?;
    let complete = async {
        for required in ["exact", "urlpattern"] {
            check!(advertised.is_none() || names.contains(&required), "{required} is not among {names:?}");
        }
        for other in ["uritemplate", "regexp", "glob", "cel"].into_iter().filter(|other| !names.contains(other)) {
            check_eq!(status(other).await?, 400, "status of match_{other}, which is not advertised");
        }
        Ok(())
    };
    trial.by(&ADVERTISED, complete).await?;
    Ok(())
}

/// L19: A selector matches if it is `*`, if it equals the topic (which may be a URL or not), or if it is a URI Template
/// that can expand to the topic. A selector that is not a template is compared as a string.
pub(super) async fn l19_selectors_are_strings_or_templates(trial: &Trial<'_>) -> Outcome {
    let (base, kind) = (trial.topic(""), "topic");
    let strings = async {
        let books: &[(&str, bool)] = &[("books/1", true), ("books/2", false), ("Books/1", false)];
        matches_below(trial, kind, &base, "books/1", books).await?;
        matches_below(trial, kind, &base, "books/{id}", &[("books/{id}", true)]).await?;
        matches_below(trial, kind, &base, "no/{template", &[("no/{template", true), ("no/x", false)]).await?;
        matches_below(trial, kind, &format!("no URL {base}"), "a", &[("a", true), ("b", false)]).await
    };
    trial.by(&STRINGS, strings).await?;
    let templates = async {
        matches_below(trial, kind, &base, "books/{id}", &[("books/1", true), ("books/1/2", false)]).await?;
        matches_below(trial, kind, &base, "files/{+path}", &[("files/a/b", true), ("file", false)]).await?;
        matches_below(trial, kind, &base, "q{?a}", &[("q?a=1", true), ("q?b=1", false)]).await
    };
    trial.by(&TEMPLATES, templates).await?;
    Ok(())
}

/// B36: A subscriber receives a private update if a matcher of its request matches one of the update's topics, and its
/// token grants one of these topics, which may be another one.
pub(super) async fn b36_any_granted_topic_of_an_update_suffices(trial: &Trial<'_>) -> Outcome {
    let (asked, granted, other) = (trial.topic("asked"), trial.topic("granted"), trial.topic("other"));
    let token = trial.token(Purpose::Subscribe, &[&granted])?;
    let private = async |topics: &[&str], data: &str| {
        let topics = topics.iter().map(|topic| ("topic", *topic));
        trial.published(&topics.chain([("data", data), ("private", "")]).collect::<Vec<_>>()).await
    };
    let any = async {
        let mut stream = trial.ask(Method::GET).query(&[(trial.exactly(), &asked)]).bearer(&token).open().await?;
        private(&[&asked, &other], "not granted").await?;
        private(&[&granted], "not asked for").await?;
        private(&[&asked, &granted], "both").await?;
        private(&[&granted, &asked], "both again").await?;
        private(&[&other, &granted, &asked], "behind another").await?;
        private(&[&other, &asked, &granted], "behind another again").await?;
        stream.expect(&["both", "both again", "behind another", "behind another again"]).await
    };
    trial.by(&ANY_GRANT, any).await?;
    Ok(())
}
