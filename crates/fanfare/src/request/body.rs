//! The body of a request, as an argument gives it.
use std::{
    fs,
    io::{self, Read as _},
};

/// The longest body that is sent, in bytes.
const MAX_BODY_BYTES: u64 = 64 << 20;

/// The body of a request: its text, or the place from which it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RequestBody {
    Text(String),
    File(String),
    Stdin,
}

impl From<&str> for RequestBody {
    fn from(text: &str) -> Self {
        match text.strip_prefix('@') {
            Some("-") => Self::Stdin,
            Some(path) => Self::File(path.to_owned()),
            None => Self::Text(text.to_owned()),
        }
    }
}

impl RequestBody {
    /// Returns the file that the body is read from, if there is one.
    pub(super) fn file(&self) -> Option<&str> {
        if let Self::File(path) = self { Some(path) } else { None }
    }

    /// Reads the body.
    ///
    /// # Errors
    /// [`io::Error`] if the body cannot be read, or is longer than 64 MiB.
    pub(super) fn read(&self) -> io::Result<Vec<u8>> {
        let reader: Box<dyn io::Read> = match self {
            Self::Text(text) => return Ok(text.clone().into_bytes()),
            Self::File(path) => Box::new(fs::File::open(path)?),
            Self::Stdin => Box::new(io::stdin().lock()),
        };
        let mut body = Vec::new();
        reader.take(MAX_BODY_BYTES + 1).read_to_end(&mut body)?;
        match body.len() as u64 > MAX_BODY_BYTES {
            true => Err(io::Error::other(format!("the body is longer than {MAX_BODY_BYTES} bytes"))),
            false => Ok(body),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_text_or_comes_from_a_file() {
        assert_eq!(RequestBody::from("a@b"), RequestBody::Text("a@b".into()));
        assert_eq!(RequestBody::from("@-"), RequestBody::Stdin);
        assert_eq!(RequestBody::from("@a/b"), RequestBody::File("a/b".into()));
        assert!(RequestBody::File("/nowhere/at/all".into()).read().is_err());
    }
}
