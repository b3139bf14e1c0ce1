//! The opening of files beneath a directory. Nothing outside this directory is opened, whatever links are in it and
//! however they change meanwhile.
//!
//! A path is followed name by name, from one open directory to the next. The system never follows a link: this module
//! reads the target of the link and follows it in the same way. So a link cannot change between the check of a name and
//! its opening. Links that lead out of the directory, such as absolute links, count as missing files.
use super::name::is_hidden;
use rustix::{
    fs::{Mode, OFlags, open, openat, readlinkat},
    io::Errno,
};
use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::{Component, Path, PathBuf},
};

/// The greatest number of links that are followed for one path. It is the limit of Linux.
const MAX_LINKS: usize = 40;

/// The flags to open a directory on the way to the file. On Linux, no right to list this directory is needed.
#[cfg(target_os = "linux")]
const TRAVERSE: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const TRAVERSE: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// The flags to open the last name of the path. If the name is a pipe to which nobody writes, opening it must not block
/// the thread.
const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// A directory, given by its path. The path is resolved for each file anew, because a deployment may let the path lead
/// to another directory.
#[derive(Clone, Debug)]
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Opens the file or directory at the relative path `path`.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is no such file, if it is not beneath the directory, or if a link on the
    /// way leads through a hidden name; other errors of the system.
    pub(super) fn open(&self, path: &Path) -> io::Result<File> {
        let mut walk = Walk { trail: vec![open(&self.0, TRAVERSE, Mode::empty())?], ahead: Vec::new(), links: 0 };
        walk.put_ahead(path)?;
        walk.finish()
    }
}

/// The state of following one path, name by name.
struct Walk {
    /// The open directories on the way from the root directory, which is the first, to the current directory, which is
    /// the last.
    trail: Vec<OwnedFd>,
    /// The steps along the path that still have to be made, each into a name or back to the parent directory. The next
    /// step is the last one in the list.
    ahead: Vec<Part>,
    /// The number of links that were followed for this path.
    links: usize,
}

enum Part {
    Into(OsString),
    Back,
}

impl Walk {
    fn put_ahead(&mut self, path: &Path) -> io::Result<()> {
        for component in path.components().rev() {
            match component {
                Component::Normal(name) => self.ahead.push(Part::Into(name.to_owned())),
                Component::ParentDir => self.ahead.push(Part::Back),
                Component::CurDir => {}
                Component::RootDir | Component::Prefix(_) => return Err(nowhere()),
            }
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<File> {
        while let Some(part) = self.ahead.pop() {
            match part {
                Part::Into(name) => match readlinkat(self.here()?, &name, Vec::new()) {
                    Ok(target) => self.follow(Path::new(OsStr::from_bytes(target.as_bytes())))?,
                    Err(Errno::INVAL) if self.ahead.is_empty() => return self.open(&name, READ).map(File::from),
                    Err(Errno::INVAL) => {
                        let next = self.open(&name, TRAVERSE)?;
                        self.trail.push(next);
                    }
                    Err(error) => return Err(absent(error)),
                },
                Part::Back => {
                    self.trail.pop();
                }
            }
        }
        self.open(OsStr::new("."), READ).map(File::from)
    }

    /// Returns the current directory, or an error if the path has led out of the directory in which it began.
    fn here(&self) -> io::Result<&OwnedFd> {
        self.trail.last().ok_or_else(nowhere)
    }

    fn open(&self, name: &OsStr, how: OFlags) -> io::Result<OwnedFd> {
        // If the name has become a link since it was checked, this call fails.
        openat(self.here()?.as_fd(), name, how | OFlags::NOFOLLOW, Mode::empty()).map_err(absent)
    }

    fn follow(&mut self, target: &Path) -> io::Result<()> {
        self.links += 1;
        if self.links > MAX_LINKS || leads_to_hidden(target) {
            return Err(nowhere());
        }
        self.put_ahead(target)
    }
}

/// Returns true if a link must not be followed because of its target: a name in the target is hidden, and is not one of
/// the names that Kubernetes makes.
fn leads_to_hidden(target: &Path) -> bool {
    let mut names = target.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name),
        _ => None,
    });
    names.any(|name| name.to_str().is_none_or(|name| is_hidden(name) && !is_of_a_volume(name)))
}

/// Returns true for the names of the directories in which Kubernetes stores the files of a volume. One is `..data`. The
/// other is the target of `..data`, whose name is the time when it was made, such as
/// `..2026_11_29_04_27_53.1234567890`.
fn is_of_a_volume(name: &str) -> bool {
    const TIME: &[u8] = b"0000_00_00_00_00_00.";
    let Some(rest) = name.strip_prefix("..") else { return false };
    let Some((time, number)) = rest.as_bytes().split_at_checked(TIME.len()) else { return rest == "data" };
    let fits = |(byte, pattern): (&u8, &u8)| if *pattern == b'0' { byte.is_ascii_digit() } else { byte == pattern };
    time.iter().zip(TIME).all(fits) && !number.is_empty() && number.iter().all(u8::is_ascii_digit)
}

fn nowhere() -> io::Error {
    io::ErrorKind::NotFound.into()
}

/// Converts an error of the system to "not found" if it means that the path does not lead to a file: the path continues
/// after the name of a file, one of its names has just become a link, it leads to a socket, or one of its names is too
/// long.
fn absent(error: Errno) -> io::Error {
    match error {
        Errno::NOTDIR | Errno::LOOP | Errno::NXIO | Errno::NAMETOOLONG => nowhere(),
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, io::Read as _, os::unix::fs::symlink};

    /// A directory `root` with files in it and next to it.
    struct Tree(PathBuf);

    impl Tree {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("fanfare-beneath-{}-{name}", std::process::id()));
            fs::create_dir_all(path.join("root/sub/deep")).unwrap();
            for (file, text) in
                [("secret", "secret"), ("root/file", "file"), ("root/.hidden", "hidden"), ("root/sub/inner", "inner")]
            {
                fs::write(path.join(file), text).unwrap();
            }
            Self(path)
        }

        fn link(&self, target: &str, link: &str) {
            symlink(target, self.0.join("root").join(link)).unwrap();
        }

        fn read(&self, path: &str) -> io::Result<String> {
            let mut text = String::new();
            Directory::new(&self.0.join("root")).open(Path::new(path))?.read_to_string(&mut text)?;
            Ok(text)
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn what_is_beneath_is_opened() {
        let tree = Tree::new("opened");
        for path in ["file", "./file", "sub/../file"] {
            assert_eq!(tree.read(path).unwrap(), "file", "{path}");
        }
        assert_eq!(tree.read("sub/inner").unwrap(), "inner");
        for path in ["", "sub", "sub/deep/.."] {
            let opened = Directory::new(&tree.0.join("root")).open(Path::new(path)).unwrap();
            assert!(opened.metadata().unwrap().is_dir(), "{path}");
        }
        let long = "x".repeat(300);
        for path in ["missing", "sub/missing", "missing/x", "file/x", &long] {
            assert_eq!(tree.read(path).unwrap_err().kind(), io::ErrorKind::NotFound, "{path}");
        }
    }

    #[test]
    fn links_lead_to_what_is_beneath_and_nowhere_else() {
        let tree = Tree::new("links");
        let absolute = tree.0.join("root/file");
        let links = [
            ("file", "in", true),
            ("sub", "dir", true),
            ("../file", "sub/back", true),
            ("in", "twice", true),
            ("sub/../sub/inner", "around", true),
            ("..data/file", "mounted", true),
            ("..2026_11_29_04_27_53.123456789/file", "mounted-directly", true),
            ("..secret", "dots", false),
            ("..2026_11_29_04_27_53.", "half-a-time", false),
            ("..2026_11_29_04_27_53.1x", "no-time", false),
            ("..database", "no-data", false),
            ("..data/.env", "hidden-in-it", false),
            ("..data/..secret", "dots-in-it", false),
            ("..data/sub", "mounted-directory", true),
            ("../secret", "out", false),
            ("sub/../../secret", "out-around", false),
            ("../root/file", "out-and-in", false),
            ("/etc/hostname", "absolute", false),
            (absolute.to_str().unwrap(), "absolute-in", false),
            (".hidden", "seen", false),
            (".", "here", true),
            ("..", "up", false),
            ("loop", "loop", false),
            ("/proc/self/root", "magic", false),
        ];
        let volume = tree.0.join("root/..2026_11_29_04_27_53.123456789");
        fs::create_dir_all(volume.join("sub")).unwrap();
        for file in ["file", ".env", "..secret", "sub/..secret"] {
            fs::write(volume.join(file), "mounted").unwrap();
        }
        for file in ["..secret", "..2026_11_29_04_27_53.", "..2026_11_29_04_27_53.1x", "..database"] {
            fs::write(tree.0.join("root").join(file), "a secret").unwrap();
        }
        tree.link("..2026_11_29_04_27_53.123456789", "..data");
        links.iter().for_each(|(target, link, _)| tree.link(target, link));
        for (_, link, leads_in) in links {
            let opened = Directory::new(&tree.0.join("root")).open(Path::new(link));
            assert_eq!(opened.is_ok(), leads_in, "{link}: {opened:?}");
        }
        assert_eq!(tree.read("dir/inner").unwrap(), "inner");
        assert_eq!(tree.read("here/here/twice").unwrap(), "file");
        for path in ["up/secret", "dir/../../secret", "magic/etc/hostname", "../secret", "/etc/hostname"] {
            assert!(tree.read(path).is_err(), "{path}");
        }
    }

    #[test]
    fn many_links_are_too_many() {
        let tree = Tree::new("many");
        tree.link("file", "0");
        (1..=MAX_LINKS).for_each(|number| tree.link(&(number - 1).to_string(), &number.to_string()));
        assert_eq!(tree.read(&(MAX_LINKS - 1).to_string()).unwrap(), "file");
        assert!(tree.read(&MAX_LINKS.to_string()).is_err());
    }

    /// While a file is read many times, it is often replaced by a link for a moment. Each read gets the file, or fails.
    #[test]
    fn a_race_wins_nothing() {
        let tree = Tree::new("race");
        let path = tree.0.join("root/sub");
        let swaps = std::thread::spawn(move || {
            for _ in 0..2_000 {
                fs::rename(path.join("inner"), path.join("kept")).unwrap();
                symlink("../../secret", path.join("inner")).unwrap();
                fs::remove_file(path.join("inner")).unwrap();
                fs::rename(path.join("kept"), path.join("inner")).unwrap();
            }
        });
        while !swaps.is_finished() {
            if let Ok(text) = tree.read("sub/inner") {
                assert_eq!(text, "inner");
            }
        }
        swaps.join().unwrap();
    }
}
