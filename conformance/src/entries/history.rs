//! The entries on reconnection: after which event a stream continues. Replaying events at all is a SHOULD.
use crate::{
    http::Ask,
    outcome::{Outcome, check, check_eq},
    rules::reconciliation::{
        CURRENT_TOKEN, DUPLICATES, EARLIEST, HEADER_FIRST, OWN_IDS, PARAMETER, PLACE, PLACE_VALUE, REPLAY,
    },
    trial::{Purpose, Trial},
};
use hyper::Method;

/// Returns the data of the events that the hub replays to this subscription. Returns nothing if the hub refuses the
/// subscription.
pub(super) async fn replay(trial: &Trial<'_>, ask: Ask<'_>) -> Outcome<Vec<String>> {
    // This update is published after everything that is replayed. Its topic is new, so no replay contains it.
    let end = trial.topic(&format!("end/{:016x}", fastrand::u64(..)));
    match ask.query(&[(trial.exactly(), &end)]).open_if_allowed().await? {
        Ok(mut stream) => {
            trial.say(&end, &end).await?;
            stream.until(&end).await
        }
        Err(_) => Ok(Vec::new()),
    }
}

/// Ends the trial unless the hub keeps a history, which is a SHOULD.
pub(super) async fn keeps_history(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("history");
    let first = trial.say(&topic, "1").await?;
    trial.say(&topic, "2").await?;
    let asked = trial.subscription(&[(trial.exactly(), &topic)])?.header("last-event-id", &first);
    if replay(trial, asked).await?.is_empty() {
        return Err(trial.unsupported(&REPLAY, "the hub replays nothing of what it was sent: it keeps no history"));
    }
    trial.by(&REPLAY, async { Ok(()) }).await?;
    Ok(())
}

/// B39: The cursor is in a header or in a query parameter; if it is in both, the header counts. The hub replays all
/// events after the cursor that the token of the new request allows.
pub(super) async fn b39_both_cursors_resume_and_the_header_wins(trial: &Trial<'_>) -> Outcome {
    keeps_history(trial).await?;
    let topic = trial.topic("a");
    let first = trial.say(&topic, "1").await?;
    let second = trial.say(&topic, "2").await?;
    trial.published(&[("topic", &topic), ("data", "3"), ("private", "on")]).await?;
    trial.say(&topic, "4").await?;
    let (by, parameter) = ((trial.exactly(), topic.as_str()), trial.cursor_parameter());
    let headed = replay(trial, trial.subscription(&[by])?.header("last-event-id", &first)).await?;
    let all = async {
        check_eq!(headed, ["2", "3", "4"], "replay from the first of four updates");
        let mut live = trial.subscribe(&[by, (parameter, &second)]).await?;
        trial.say(&topic, "5").await?;
        live.expect(&["3", "4", "5"]).await
    };
    trial.by(&REPLAY, all).await?;
    let in_query = async {
        let seen = replay(trial, trial.subscription(&[by, (parameter, &first)])?).await?;
        check!(!seen.is_empty(), "{parameter} replays nothing, and the header does");
        Ok(())
    };
    trial.by(&PARAMETER, in_query).await?;
    let header_wins = async {
        let both = trial.subscription(&[by, (parameter, &first)])?.header("last-event-id", &second);
        let seen = replay(trial, both).await?;
        check!(
            !seen.iter().any(|data| data == "2"),
            "the header's cursor is behind 2, and what is replayed is {seen:?}"
        );
        Ok(())
    };
    trial.by(&HEADER_FIRST, header_wins).await?;
    let shrunk = async {
        let token = trial.token(Purpose::Subscribe, &[&trial.topic("b")])?;
        let seen = replay(trial, trial.ask(Method::GET).query(&[by, (parameter, &first)]).bearer(&token)).await?;
        check!(!seen.iter().any(|data| data == "3"), "3 is private, and replayed to a token without a grant: {seen:?}");
        Ok(())
    };
    trial.by(&CURRENT_TOKEN, shrunk).await?;
    Ok(())
}

/// B40: The cursor `earliest` means everything that the hub holds, if the hub supports it. In the newer Mercure
/// revision, an ID that several updates have means the oldest of them: the hub replays everything after it, also the
/// updates with the same ID. If the ID is unknown, the hub chooses what to send.
pub(super) async fn b40_earliest_is_all_and_duplicates_are_the_oldest(trial: &Trial<'_>) -> Outcome {
    keeps_history(trial).await?;
    let topic = trial.topic("a");
    let by = (trial.exactly(), topic.as_str());
    let id = format!("urn:x-conformance:{}", fastrand::u64(..));
    let mut given = Vec::new();
    for data in ["1", "2", "3"] {
        given.push(trial.published(&[("topic", &topic), ("data", data), ("id", &id)]).await?);
    }
    let fourth = trial.say(&topic, "4").await?;
    let all = async {
        for ask in [
            trial.subscription(&[by, (trial.cursor_parameter(), "earliest")])?,
            trial.subscription(&[by])?.header("last-event-id", "earliest"),
        ] {
            let seen = replay(trial, ask).await?;
            check!(!seen.is_empty(), "earliest replays nothing");
            check!(
                ["1", "2", "3", "4"].ends_with(&seen.iter().map(String::as_str).collect::<Vec<_>>()),
                "earliest: {seen:?}"
            );
        }
        Ok(())
    };
    trial.by(&EARLIEST, all).await?;
    if given.iter().any(|given| *given != id) {
        return Err(trial.unsupported(&OWN_IDS, &format!("the hub gives updates IDs of its own: {:?}", given[0])));
    }
    trial.by(&OWN_IDS, async { Ok(()) }).await?;
    // A bounded history may have lost the first of the three updates, and the hub does not have to say so.
    let repeated = async {
        let ask = trial.subscription(&[by, (trial.cursor_parameter(), &id)])?;
        check_eq!(
            replay(trial, ask).await?,
            ["2", "3", "4"],
            "replay from an ID that three updates have, before {fourth}"
        );
        Ok(())
    };
    trial.by(&DUPLICATES, repeated).await?;
    Ok(())
}

/// B41: If a request has a cursor, the answer names the event after which the stream begins. If the hub does not have
/// the event of the cursor, it names another event. In the newer Mercure revision an empty parameter is a cursor, too:
/// "a parameter name given without a value is equivalent to that name with an empty value".
pub(super) async fn b41_the_answer_names_the_place(trial: &Trial<'_>) -> Outcome {
    let (topic, name, parameter) = (trial.topic("a"), trial.cursor_header(), trial.cursor_parameter());
    let by = (trial.exactly(), topic.as_str());
    let place = async |ask: Ask<'_>| -> Outcome<String> {
        let stream = ask.open().await?;
        let place = stream.header(name).unwrap_or_default();
        check!(!place.is_empty(), "{name} is missing");
        Ok(place.to_owned())
    };
    let first = trial.say(&topic, "1").await?;
    trial.say(&topic, "2").await?;
    let queried = async |cursor: &str| place(trial.subscription(&[by, (parameter, cursor)])?).await;
    let headed = async |cursor: &str| place(trial.subscription(&[by])?.header("last-event-id", cursor)).await;
    let is_there = async {
        if trial.is_modern() {
            queried("").await?;
        }
        Ok([headed(&first).await?, queried(&first).await?])
    };
    let Some(known) = trial.by(&PLACE, is_there).await? else { return Ok(()) };
    let replayed = replay(trial, trial.subscription(&[by])?.header("last-event-id", &first)).await?;
    let is_preceding = async {
        for place in known {
            let is_right = (place == first) != replayed.is_empty();
            check!(is_right, "{name} for {first}, behind which {replayed:?} is replayed, is {place:?}");
        }
        // A hub that replays nothing may also name its last event, because that event precedes all new ones.
        let unknown = "urn:x-conformance:never";
        let (place, held) = (headed(unknown).await?, trial.subscription(&[by])?.header("last-event-id", unknown));
        let is_new = replay(trial, held).await?.is_empty() && place != unknown;
        check!(place == "earliest" || is_new, "{name} for an ID that never was is {place:?}");
        let all = replay(trial, trial.subscription(&[by, (parameter, "earliest")])?).await?;
        let place = queried("earliest").await?;
        check!(all.is_empty() || place == "earliest", "{name} for earliest is {place:?}, and {all:?} is replayed");
        Ok(())
    };
    trial.by(&PLACE_VALUE, is_preceding).await?;
    Ok(())
}

/// B42: The IDs of a hub form one sequence, so the ID of an event of another topic is a valid cursor, too.
pub(super) async fn b42_ids_are_of_the_whole_hub(trial: &Trial<'_>) -> Outcome {
    keeps_history(trial).await?;
    let (a, b) = (trial.topic("a"), trial.topic("b"));
    trial.say(&a, "1").await?;
    let between = trial.say(&b, "2").await?;
    trial.say(&a, "3").await?;
    trial.say(&b, "4").await?;
    let cursor = (trial.cursor_parameter(), between.as_str());
    let resumes = async {
        let of_a = replay(trial, trial.subscription(&[(trial.exactly(), &a), cursor])?).await?;
        check_eq!(of_a, ["3"], "replay of one topic from an ID of another");
        let of_both = [(trial.exactly(), a.as_str()), (trial.exactly(), &b), cursor];
        check_eq!(replay(trial, trial.subscription(&of_both)?).await?, ["3", "4"], "replay of both topics");
        Ok(())
    };
    trial.by(&REPLAY, resumes).await?;
    Ok(())
}
