//! Shows paths of files with keys in messages. A user may give the key itself where the path of its file is expected.
//! Such a key must not appear in a message.
use fanfare_mask::MASK;
use std::path::Path;

/// Extensions of files that hold keys. A random secret does not end with one of them.
const EXTENSIONS: [&str; 11] = ["pem", "key", "pub", "crt", "der", "jwk", "jwks", "json", "txt", "secret", "token"];

/// Returns the text of `path` for a message. A text that may be a key is masked.
pub(crate) fn shown_key_path(path: &Path) -> String {
    if is_path(path) { path.display().to_string() } else { format!("{MASK} (give the path of a file, not the key)") }
}

/// The length of the shortest secret that a hub accepts by default, in bytes.
const MIN_SECRET_BYTES: usize = 32;

/// Returns true if `path` is probably a path and not a key: the file or one of its parent directories exists, its name
/// has a known extension, or it is absolute and too short for a key.
fn is_path(path: &Path) -> bool {
    let has_extension = path.extension().is_some_and(|found| EXTENSIONS.iter().any(|known| found == *known));
    // A slash alone does not make a text a path, because secrets in base64 contain slashes too.
    let mut directories = path.ancestors().skip(1).filter(|directory| directory.file_name().is_some());
    let is_short = path.is_absolute() && path.as_os_str().len() < MIN_SECRET_BYTES;
    path.exists() || has_extension || is_short || directories.any(Path::is_dir)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::env;

    #[test]
    fn what_may_be_a_key_is_hidden() {
        let here = env::temp_dir().join("not/there").display().to_string();
        for path in ["Cargo.toml", "/nowhere/at/all.pem", "hub.key", "/nowhere/key", &here] {
            assert_eq!(shown_key_path(Path::new(path)), path);
        }
        let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIF/x";
        let hex = "6d2f0c".repeat(10);
        for key in [
            hex.as_str(),
            "Zq3x/SECRETw9Vt7pL2/mN8kJ4hG6fD1sA=",
            "/Zq3x/w9Vt7pL2mN8kJ4hG6fD1sA9xQ8w=",
            pem,
            "eyJhbGciOi.eyJ.Zq3",
            "",
        ] {
            assert!(shown_key_path(Path::new(key)).starts_with(MASK), "{key}");
        }
    }
}
