//! Sample data that looks like real events.

/// Returns `len` bytes of JSON, which differ for each `seed`.
///
/// # Panics
/// If `len` is too small for the object around the text, which takes about 75 bytes.
#[must_use]
pub fn json(seed: usize, len: usize) -> String {
    let start = format!(
        r#"{{"id":"chatcmpl-{:08x}","object":"chat.completion.chunk","delta":{{"content":""#,
        seed * 2_654_435_761
    );
    let end = r#""}}"#;
    let words = " the quick brown fox jumps over a lazy dog and then some";
    let text: String = words.chars().cycle().skip(seed % words.len()).take(len - start.len() - end.len()).collect();
    start + &text + end
}
