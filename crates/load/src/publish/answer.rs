//! The check that the answer to a publication is complete and reports success.
use std::io;

/// Returns true if `bytes` holds the whole answer, and false if the end of the answer has not arrived yet.
///
/// # Errors
/// If the status of the answer is not 2xx.
pub(super) fn is_whole(bytes: &[u8]) -> io::Result<bool> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(false) };
    let head = String::from_utf8_lossy(&bytes[..end]);
    let body = &bytes[end + 4..];
    let status = head.split(' ').nth(1).unwrap_or_default();
    let field = |name: &str| {
        let mut fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    let whole = match (field("content-length").map(str::parse), field("transfer-encoding")) {
        (Some(length), _) => body.len() >= length.map_err(|_| io::ErrorKind::InvalidData)?,
        (None, Some(_)) => body == b"0\r\n\r\n" || body.ends_with(b"\r\n0\r\n\r\n"),
        (None, None) => true,
    };
    if !whole || status.starts_with('2') {
        return Ok(whole);
    }
    let said = format!("{} {}", head.lines().next().unwrap_or_default(), String::from_utf8_lossy(body));
    Err(io::Error::other(format!("the server refused a publication: {}", said.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_once_its_body_is_however_it_is_framed() {
        let answers = [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n#7-12",
            "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 204 No Content\r\n\r\n",
        ];
        for answer in answers {
            let whole = |end: usize| is_whole(&answer.as_bytes()[..end]).unwrap();
            assert!((0..answer.len()).all(|end| !whole(end)) && whole(answer.len()), "{answer}");
        }
    }

    #[test]
    fn a_refusal_is_told_with_what_it_says() {
        let error = is_whole(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").unwrap_err();
        assert_eq!(error.to_string(), "the server refused a publication: HTTP/1.1 403 Forbidden no");
    }
}
