//! The format read as simply as it can be: the whole stream at once, decoded first, line by line, as the standard's
//! text goes. It is what the parser is compared with.

/// The content of one dispatched event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) event_type: String,
    pub(crate) data: String,
    pub(crate) last_event_id: String,
    pub(crate) sets_id: bool,
    pub(crate) retry_ms: Option<u64>,
}

/// The result of a whole stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) events: Vec<Seen>,
    pub(crate) comments: Vec<String>,
    pub(crate) last_event_id: String,
    pub(crate) reconnection_time_ms: Option<u64>,
}

/// Reads a stream that nothing follows.
pub(crate) fn read(stream: &[u8], last_event_id: &str) -> Outcome {
    let text = String::from_utf8_lossy(stream);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = text.split('\n').collect();
    // What follows the last line end is no line.
    lines.pop();

    let mut outcome = Outcome { last_event_id: last_event_id.to_owned(), ..Outcome::default() };
    let (mut data, mut event_type, mut id_buffer) = (String::new(), String::new(), last_event_id.to_owned());
    let (mut sets_id, mut retry_ms) = (false, None);
    for line in lines {
        if line.is_empty() {
            outcome.last_event_id.clone_from(&id_buffer);
            if let Some(data) = data.strip_suffix('\n') {
                outcome.events.push(Seen {
                    event_type: if event_type.is_empty() { "message".to_owned() } else { event_type.clone() },
                    data: data.to_owned(),
                    last_event_id: id_buffer.clone(),
                    sets_id,
                    retry_ms,
                });
            }
            (data, event_type, sets_id, retry_ms) = (String::new(), String::new(), false, None);
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "" => outcome.comments.push(value.to_owned()),
            "data" => data.extend([value, "\n"]),
            "event" => value.clone_into(&mut event_type),
            "id" if !value.contains('\0') => {
                value.clone_into(&mut id_buffer);
                sets_id = true;
            }
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                retry_ms = Some(value.parse().unwrap_or(u64::MAX));
                outcome.reconnection_time_ms = retry_ms;
            }
            _ => {}
        }
    }
    outcome
}
