//! The files that a configuration comes from, and whether they have changed.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

/// The files that a configuration comes from, as they were when they were read. Links are followed.
///
/// What counts is what is in them: so it does not matter how a file was replaced, by whom, and on which file system.
#[derive(Clone, Default)]
pub struct Files {
    contents: BTreeMap<PathBuf, Content>,
    is_reload: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    /// The digest of it.
    Known([u8; 32]),
    Unreadable(io::ErrorKind),
    /// Of a pipe or the like, where nobody can look twice.
    Passing,
    /// A folder, of which it only matters whether it is there.
    Folder {
        is_there: bool,
    },
}

impl PartialEq for Files {
    /// By what was seen, not by why somebody looked.
    fn eq(&self, other: &Self) -> bool {
        self.contents == other.contents
    }
}

impl Eq for Files {}

impl Files {
    /// For a router that runs already. Pipes and the like are an error then: nobody may ever write to them again, and
    /// who opens one waits for that.
    pub fn for_reload() -> Self {
        Self { is_reload: true, ..Self::default() }
    }

    /// Reads a file, and notes what is in it.
    pub(super) fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        let is_passing = is_passing(path);
        let bytes = self.check(path).and_then(|()| fs::read(path));
        let content = if is_passing { Content::Passing } else { Content::of(&bytes) };
        // Of one that is read twice, the first time counts: what came between is news at the next look.
        self.contents.entry(path.to_owned()).or_insert(content);
        bytes
    }

    /// Notes what is in a file that is read later.
    pub(super) fn note(&mut self, path: &Path) -> io::Result<()> {
        self.contents.entry(path.to_owned()).or_insert_with(|| Content::at(path));
        self.check(path)
    }

    /// Notes that a folder is missing, which may come. One that is there may change, and go: nothing depends on that.
    pub fn note_folder(&mut self, path: &Path) {
        if !path.is_dir() {
            self.contents.entry(path.to_owned()).or_insert(Content::Folder { is_there: false });
        }
    }

    /// The same files as they are now.
    #[must_use]
    pub fn look_again(&self) -> Self {
        let look = |(path, content): (&PathBuf, &Content)| {
            let content = match content {
                Content::Folder { .. } => Content::Folder { is_there: path.is_dir() },
                _ => Content::at(path),
            };
            (path.clone(), content)
        };
        Self { contents: self.contents.iter().map(look).collect(), is_reload: self.is_reload }
    }

    /// Where they are.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.contents.keys().map(PathBuf::as_path)
    }

    /// Whether it can be read now.
    fn check(&self, path: &Path) -> io::Result<()> {
        if self.is_reload && is_passing(path) {
            return Err(io::Error::other("it is no regular file: that can be read at the start alone"));
        }
        Ok(())
    }
}

impl Content {
    fn at(path: &Path) -> Self {
        if is_passing(path) { Self::Passing } else { Self::of(&fs::read(path)) }
    }

    fn of(bytes: &io::Result<Vec<u8>>) -> Self {
        match bytes {
            Ok(bytes) => Self::Known(Sha256::digest(bytes).into()),
            Err(error) => Self::Unreadable(error.kind()),
        }
    }
}

/// Whether there is something that is no regular file. What is not there may be one some day.
fn is_passing(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file())
}

impl fmt::Debug for Files {
    /// Not what is in them, which is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.contents.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_folder::Folder;

    #[test]
    fn what_is_in_them_counts() {
        let folder = Folder::new();
        let (read, noted) = (folder.write("a", "1"), folder.write("b", "2"));
        let mut files = Files::default();
        assert_eq!(files.read(&read).unwrap(), b"1");
        files.note(&noted).unwrap();
        assert_eq!(files.paths().collect::<Vec<_>>(), [&read, &noted]);
        assert_eq!(files.look_again(), files);
        folder.write("a", "1");
        assert_eq!(files.look_again(), files, "written again, with the same in it");
        folder.write("b", "3");
        assert_ne!(files.look_again(), files);
        folder.write("b", "2");
        assert_eq!(files.look_again(), files);
        fs::remove_file(&read).unwrap();
        assert_ne!(files.look_again(), files);
        assert_eq!(files.look_again().look_again(), files.look_again());
    }

    #[test]
    fn what_is_missing_may_come() {
        let folder = Folder::new();
        let mut files = Files::default();
        assert!(files.read(&folder.0.join("a")).is_err());
        assert_eq!(files.look_again(), files);
        folder.write("a", "1");
        assert_ne!(files.look_again(), files);
    }

    #[test]
    fn between_two_readings_the_first_counts() {
        let folder = Folder::new();
        let path = folder.write("a", "1");
        let mut files = Files::default();
        files.read(&path).unwrap();
        folder.write("a", "2");
        assert_eq!(files.read(&path).unwrap(), b"2");
        assert_ne!(files.look_again(), files);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed() {
        use std::os::unix::fs::symlink;

        let folder = Folder::new();
        for (release, content) in [("one", "1"), ("two", "2")] {
            fs::create_dir(folder.0.join(release)).unwrap();
            folder.write(&format!("{release}/a"), content);
        }
        symlink("one", folder.0.join("current")).unwrap();
        symlink("current/a", folder.0.join("a")).unwrap();
        let mut files = Files::default();
        assert_eq!(files.read(&folder.0.join("a")).unwrap(), b"1");
        symlink("two", folder.0.join("next")).unwrap();
        fs::rename(folder.0.join("next"), folder.0.join("current")).unwrap();
        assert_ne!(files.look_again(), files);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_read_once() {
        use std::{io::Write as _, os::fd::AsRawFd as _};

        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"secret").unwrap();
        drop(writer);
        let mut files = Files::default();
        let path = PathBuf::from(format!("/dev/fd/{}", reader.as_raw_fd()));
        assert_eq!(files.read(&path).unwrap(), b"secret");
        assert_eq!(files.look_again(), files);
        let passing = BTreeMap::from([(std::env::temp_dir(), Content::Passing)]);
        let folder = Files { contents: passing, is_reload: false };
        assert_eq!(folder.look_again(), folder);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_not_waited_for_in_a_reload() {
        let folder = Folder::new();
        let path = folder.0.join("key");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let mut files = Files::for_reload();
        for outcome in [files.read(&path).map(drop), files.note(&path)] {
            assert!(outcome.unwrap_err().to_string().contains("at the start alone"));
        }
        assert_eq!(files.look_again(), files);
        // It is replaced by a file.
        fs::remove_file(&path).unwrap();
        folder.write("key", "1");
        assert_ne!(files.look_again(), files);
        assert_eq!(files.read(&path).unwrap(), b"1");
    }

    #[test]
    fn a_missing_folder_may_come() {
        let folder = Folder::new();
        let (here, missing) = (folder.0.clone(), folder.0.join("web"));
        let mut files = Files::default();
        files.note_folder(&here);
        files.note_folder(&missing);
        assert_eq!(files.paths().collect::<Vec<_>>(), [&missing]);
        assert_eq!(files.look_again(), files);
        fs::create_dir(&missing).unwrap();
        assert_ne!(files.look_again(), files);
    }

    #[test]
    fn debug_shows_nothing_of_them() {
        let folder = Folder::new();
        let mut files = Files::default();
        files.note(&folder.write("a", "1")).unwrap();
        let shown = format!("{files:?}");
        assert!(shown.starts_with('{') && shown.ends_with("a\"}"), "{shown}");
    }
}
