//! The check of a request's path, before it is used as the path of a file to serve.
use percent_encoding::percent_decode_str;

/// The only name that is public although it begins with a dot: [RFC 8615](https://www.rfc-editor.org/rfc/rfc8615).
const WELL_KNOWN: &str = ".well-known";

/// Returns the decoded path of a request, if each of its parts is a plain name. Returns `None` for a path that is not
/// public, or that two programs could read differently: if it has a hidden file, `..`, NUL, a backslash, an encoded
/// slash, or text that is not UTF-8. A path that begins with two slashes is refused too, since a redirection to it
/// would lead to another host.
pub(super) fn read(path: &str) -> Option<String> {
    if !path.starts_with('/') || path.starts_with("//") {
        return None;
    }
    let parts: Option<Vec<_>> = path.split('/').map(part).collect();
    Some(parts?.join("/"))
}

fn part(encoded: &str) -> Option<String> {
    let part = percent_decode_str(encoded).decode_utf8().ok()?;
    let fits = !part.contains(['/', '\\', '\0']) && !is_hidden(&part);
    fits.then(|| part.into_owned())
}

/// Returns true if a name begins with a dot, as the names of files with secrets and of the files of tools often do.
pub(super) fn is_hidden(name: &str) -> bool {
    name.starts_with('.') && name != WELL_KNOWN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_are_read() {
        let paths = [
            ("/", "/"),
            ("/index.html", "/index.html"),
            ("/a/b.c/", "/a/b.c/"),
            ("/caf%C3%A9%20x", "/café x"),
            ("/.well-known/security.txt", "/.well-known/security.txt"),
            ("/%2ewell-known/a", "/.well-known/a"),
            ("/a//b", "/a//b"),
            ("/a./b..", "/a./b.."),
            ("/%252e", "/%2e"),
        ];
        for (path, read_as) in paths {
            assert_eq!(read(path).as_deref(), Some(read_as));
        }
    }

    #[test]
    fn what_is_hidden_or_ambiguous_is_not() {
        for path in [
            "",
            "*",
            "a",
            "//a/",
            "/.env",
            "/%2eenv",
            "/%2Eenv",
            "/.git/config",
            "/a/.git/config",
            "/a/%2egit/x",
            "/.",
            "/..",
            "/a/../b",
            "/a/%2e%2e/b",
            "/a/..%2fb",
            "/a%2fb",
            "/a%2F.env",
            "/a%5c.env",
            "/a\\b",
            "/a%00",
            "/%00.env",
            "/%ff",
            "/.Well-Known/x",
            "/.well-known./x",
            "/.well-known%00/x",
            "/..data/x",
            "/.%2e/x",
            "/a/.DS_Store",
            "/.htpasswd",
        ] {
            assert_eq!(read(path), None, "{path}");
        }
    }
}
