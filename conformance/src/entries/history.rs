//! Reconnection: where a stream goes on.
use crate::{
    outcome::{Fault, Outcome, check, check_eq},
    trial::{Purpose, Trial},
};
use hyper::Method;

/// B39: The cursor comes as a header or as a parameter, and the header wins. Everything behind it is replayed, to whom the token
/// of now allows it.
pub(super) async fn b39_both_cursors_resume_and_the_header_wins(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let first = trial.say(&topic, "1").await?;
    let second = trial.say(&topic, "2").await?;
    trial.published(&[("topic", &topic), ("data", "3"), ("private", "on")]).await?;
    trial.say(&topic, "4").await?;
    let by = (trial.exactly(), topic.as_str());
    let parameters = if trial.is_modern() { &["last_event_id"][..] } else { &["lastEventID"] };
    for parameter in parameters {
        trial.subscribe(&[by, (parameter, &first)]).await?.expect(&["2", "3", "4"]).await?;
        let both = trial.subscription(&[by, (parameter, &first)])?.header("last-event-id", &second);
        both.open().await?.expect(&["3", "4"]).await?;
    }
    trial.subscription(&[by])?.header("last-event-id", &first).open().await?.expect(&["2", "3", "4"]).await?;
    let shrunk = trial.token(Purpose::Subscribe, &[&trial.topic("b")])?;
    let ask = trial.ask(Method::GET).query(&[by, (trial.cursor_parameter(), &first)]).bearer(&shrunk);
    ask.open().await?.expect(&["2", "4"]).await?;
    let mut live = trial.subscribe(&[by, (trial.cursor_parameter(), &second)]).await?;
    trial.say(&topic, "5").await?;
    live.expect(&["3", "4", "5"]).await
}

/// B40: `earliest` is everything held. An ID that came twice is its oldest occurrence: what follows, the same ID too, comes.
pub(super) async fn b40_earliest_is_all_and_duplicates_are_the_oldest(trial: &Trial<'_>) -> Outcome {
    let topic = trial.topic("a");
    let by = (trial.exactly(), topic.as_str());
    let id = format!("urn:x-conformance:{}", fastrand::u64(..));
    for data in ["1", "2", "3"] {
        let given = trial.published(&[("topic", &topic), ("data", data), ("id", &id)]).await?;
        if given != id {
            return Err(Fault::not_applicable("the hub gives every update an ID of its own"));
        }
    }
    trial.say(&topic, "4").await?;
    for cursor in [(trial.cursor_parameter(), "earliest"), (trial.cursor_parameter(), "urn:x-conformance:never")] {
        let mut stream = trial.subscribe(&[by, cursor]).await?;
        stream.expect(&["1", "2", "3", "4"]).await?;
    }
    trial.subscription(&[by])?.header("last-event-id", "earliest").open().await?.expect(&["1", "2", "3", "4"]).await?;
    let mut stream = trial.subscribe(&[by, (trial.cursor_parameter(), &id)]).await?;
    let again = stream.next().await?;
    check_eq!((again.data.as_str(), again.id.as_deref()), ("2", Some(id.as_str())), "first event after a repeated ID");
    stream.expect(&["3", "4"]).await
}

/// B41: Who speaks of a cursor, if only of an empty one, is answered with the place where the stream begins.
pub(super) async fn b41_the_answer_names_the_place(trial: &Trial<'_>) -> Outcome {
    let (topic, name) = (trial.topic("a"), trial.cursor_header());
    let by = (trial.exactly(), topic.as_str());
    let place = async |cursor: &[(&str, &str)]| {
        Ok::<_, Fault>(trial.subscribe(&[&[by][..], cursor].concat()).await?.header(name).map(str::to_owned))
    };
    let own = format!("urn:x-conformance:{}", fastrand::u64(..));
    let first = trial.say(&topic, "1").await?;
    let second = trial.published(&[("topic", &topic), ("id", &own)]).await?;
    trial.say(&topic, "3").await?;
    let parameter = trial.cursor_parameter();
    for id in [&first, &second] {
        check_eq!(place(&[(parameter, id)]).await?.as_deref(), Some(id.as_str()), "{name} behind a known ID");
    }
    let header = trial.subscription(&[by])?.header("last-event-id", &first).open().await?;
    check_eq!(header.header(name), Some(first.as_str()), "{name} where the cursor is in the header");
    for cursor in ["earliest", "urn:x-conformance:never"] {
        check_eq!(place(&[(parameter, cursor)]).await?.as_deref(), Some("earliest"), "{name} for {cursor}");
    }
    let last = trial.say(&topic, "4").await?;
    let empty = place(&[(parameter, "")]).await?;
    check!(empty.is_some(), "{name} is missing for an empty cursor");
    check!(empty.as_deref() == Some(last.as_str()) || empty.as_deref() == Some("earliest"), "{name} is {empty:?}");
    check_eq!(place(&[]).await?, None, "{name} where no cursor was spoken of");
    Ok(())
}

/// B42: IDs are one sequence of the whole hub: one of another topic is a place as well.
pub(super) async fn b42_ids_are_of_the_whole_hub(trial: &Trial<'_>) -> Outcome {
    let (a, b) = (trial.topic("a"), trial.topic("b"));
    trial.say(&a, "1").await?;
    let between = trial.say(&b, "2").await?;
    trial.say(&a, "3").await?;
    trial.say(&b, "4").await?;
    let cursor = (trial.cursor_parameter(), between.as_str());
    trial.subscribe(&[(trial.exactly(), &a), cursor]).await?.expect(&["3"]).await?;
    trial.subscribe(&[(trial.exactly(), &a), (trial.exactly(), &b), cursor]).await?.expect(&["3", "4"]).await
}
