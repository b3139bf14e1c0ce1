//! Bodies of the type `application/x-ndjson`: each line is the data of one update, and either all updates are published
//! or none.
use super::template::Template;
use crate::{body::text, problem::Problem};
use fanfare_hub::update::Update;

/// The greatest number of updates of one batch.
pub const MAX_BATCH_UPDATES: usize = 10_000;

/// The greatest number of topics of all updates of one batch together. A topic takes 16 bytes of memory in each update,
/// however short it is.
pub const MAX_BATCH_TOPICS: usize = 200_000;

/// Returns the greatest number of updates that one batch may have, if each update gets its topics from `template`.
pub(crate) fn most_updates(template: &Template) -> usize {
    (MAX_BATCH_TOPICS / template.topics().max(1)).clamp(1, MAX_BATCH_UPDATES)
}

/// Reads a batch of updates, one from each line. If the URL has the parameter `id-prefix`, the ID of each update is
/// this prefix and the number of its line, so that the publisher can recognise it later. Blank lines are ignored. The
/// other lines need not be JSON, since the hub does not interpret data.
pub(crate) fn updates(template: &Template, body: &[u8]) -> Result<Vec<Update>, Problem> {
    let (limit, mut updates) = (most_updates(template), Vec::new());
    for (index, line) in body.split(|&byte| byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        if updates.len() == limit {
            return Err(Problem::BatchTooLarge { limit });
        }
        let number = index + 1;
        let update = text(line).and_then(|data| template.line(number, data));
        updates.push(update.map_err(|problem| Problem::Item { number, problem: Box::new(problem) })?);
    }
    Ok(updates)
}
