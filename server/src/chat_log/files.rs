//! The files of a chat log: what they are called, how they are opened, and which of them go.

use std::{
    fs,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use time::{Duration, OffsetDateTime};

use crate::config::{ChatLog, Rotate};

/// What the file of this moment is called, by UTC: the day or the hour, or the Monday of the week, with which it began.
pub(super) fn name(rotate: Rotate, now: SystemTime) -> String {
    let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = OffsetDateTime::UNIX_EPOCH + since_epoch;
    let day =
        |date: time::Date| format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day());
    match rotate {
        Rotate::Hourly => format!("{}-{:02}.jsonl", day(now.date()), now.hour()),
        Rotate::Daily => format!("{}.jsonl", day(now.date())),
        Rotate::Weekly => {
            let days = i64::from(now.weekday().number_days_from_monday());
            format!("{}.jsonl", day(now.date().saturating_sub(Duration::days(days))))
        }
        Rotate::Never => "chat.jsonl".to_owned(),
    }
}

/// Opens the file of this name, in a folder that is made if it is not there, and removes the oldest beyond those that
/// are to be kept. All of it is for the router's user alone: it is what people said. Says whether the file ends within
/// a line.
pub(super) fn open(config: &ChatLog, name: &str) -> io::Result<(fs::File, bool)> {
    let mut folder = fs::DirBuilder::new();
    let mut options = fs::OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
        folder.mode(0o700);
        options.mode(0o600);
    }
    folder.recursive(true).create(&config.folder)?;
    let path = config.folder.join(name);
    let file = options.create(true).append(true).open(&path)?;
    if let Some(keep) = config.keep {
        remove_oldest(&config.folder, name, keep)?;
    }
    Ok((file, is_torn(&path)))
}

/// Whether a file ends within a line, as far as that can be seen.
fn is_torn(path: &Path) -> bool {
    let last_byte = || {
        let mut file = fs::File::open(path)?;
        file.seek(SeekFrom::End(-1))?;
        let mut byte = [0];
        file.read_exact(&mut byte)?;
        io::Result::Ok(byte[0])
    };
    let is_file = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    is_file && last_byte().is_ok_and(|byte| byte != b'\n')
}

/// Removes files that are called like this one, but for the time, so that no more than `keep` are left.
fn remove_oldest(folder: &Path, name: &str, keep: usize) -> io::Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        // What is no text is not ours.
        names.extend(entry?.file_name().into_string().ok().filter(|other| is_alike(other, name)));
    }
    // By name is by time.
    names.sort_unstable();
    let count = names.len().saturating_sub(keep);
    for other in names.iter().take(count).filter(|other| *other != name) {
        fs::remove_file(folder.join(other))?;
    }
    Ok(())
}

/// Whether two names differ in digits alone.
fn is_alike(one: &str, other: &str) -> bool {
    let is_alike = |(a, b): (u8, u8)| a == b || a.is_ascii_digit() && b.is_ascii_digit();
    one.len() == other.len() && one.bytes().zip(other.bytes()).all(is_alike)
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, time::Duration as StdDuration};

    use super::*;
    use crate::test_folder::Folder;

    /// The names of the files in a folder.
    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn config(folder: &Path, keep: Option<usize>) -> ChatLog {
        ChatLog { folder: folder.to_owned(), rotate: Rotate::Daily, keep }
    }

    #[test]
    fn names_say_when_the_file_began() {
        let at = |seconds| UNIX_EPOCH + StdDuration::from_secs(seconds);
        // 2026-03-01, a Sunday, 00:30 and 23:59:59.
        for (seconds, hourly, daily, weekly) in [
            (1_772_325_000, "2026-03-01-00.jsonl", "2026-03-01.jsonl", "2026-02-23.jsonl"),
            (1_772_409_599, "2026-03-01-23.jsonl", "2026-03-01.jsonl", "2026-02-23.jsonl"),
            (1_772_409_600, "2026-03-02-00.jsonl", "2026-03-02.jsonl", "2026-03-02.jsonl"),
            (0, "1970-01-01-00.jsonl", "1970-01-01.jsonl", "1969-12-29.jsonl"),
        ] {
            let rotations = [Rotate::Hourly, Rotate::Daily, Rotate::Weekly, Rotate::Never];
            let names = rotations.map(|rotate| name(rotate, at(seconds)));
            assert_eq!(names, [hourly, daily, weekly, "chat.jsonl"]);
        }
    }

    #[test]
    fn what_is_there_is_added_to() {
        let folder = Folder::new();
        for (content, was_torn) in [("{}\n", false), ("{}\n{", false), ("}\n", true), ("{}\n", false)] {
            let (mut file, is_torn) = open(&config(&folder.0, Some(1)), "2026-01-31.jsonl").unwrap();
            assert_eq!(is_torn, was_torn, "before {content}");
            file.write_all(content.as_bytes()).unwrap();
        }
        assert_eq!(fs::read_to_string(folder.0.join("2026-01-31.jsonl")).unwrap(), "{}\n".repeat(4));
    }

    #[test]
    fn the_oldest_by_name_go_and_nothing_else() {
        let folder = Folder::new();
        let foreign = ["2026-01-01-00.jsonl", "2026-01-0x.jsonl", "chat.jsonl", "notes.txt"];
        // Made in another order than they are named, as where a folder was copied.
        for other in ["2026-01-03.jsonl", "2026-01-01.jsonl", "2026-01-02.jsonl"].iter().chain(&foreign) {
            folder.write(other, "");
        }
        open(&config(&folder.0, Some(2)), "2026-01-04.jsonl").unwrap();
        let mut expected =
            ["2026-01-03.jsonl", "2026-01-04.jsonl"].into_iter().chain(foreign).collect::<Vec<_>>();
        expected.sort_unstable();
        assert_eq!(names(&folder.0), expected);
        // The clock went back: the open one stays.
        open(&config(&folder.0, Some(1)), "2025-12-31.jsonl").unwrap();
        assert!(names(&folder.0).contains(&"2025-12-31.jsonl".to_owned()));
    }

    #[cfg(unix)]
    #[test]
    fn others_on_the_machine_cannot_read_it() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = Folder::new();
        let chat = folder.0.join("chat");
        open(&config(&chat, None), "chat.jsonl").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&chat), mode(&chat.join("chat.jsonl"))), (0o700, 0o600));
    }
}
