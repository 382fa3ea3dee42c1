//! Lines on their way to a file, which may break off anywhere.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use bytes::Bytes;

/// Whole lines, of which some has been written.
#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    lines: Bytes,
    /// So many bytes.
    written: usize,
    /// To where the last of them went.
    file: PathBuf,
}

impl Batch {
    pub(super) fn of(lines: String) -> Self {
        Self { lines: lines.into(), ..Self::default() }
    }

    /// Whether there is nothing left to be written.
    pub(super) fn is_written(&self) -> bool {
        self.written == self.lines.len()
    }

    /// Whether what is left begins with the rest of a line of which this file has the beginning. If the beginning is
    /// elsewhere, the line begins anew.
    pub(super) fn goes_on_in(&mut self, file: &Path, is_torn: bool) -> bool {
        let begin = self.lines[..self.written].iter().rposition(|byte| *byte == b'\n');
        let begin = begin.map_or(0, |end| end + 1);
        let goes_on = begin < self.written && is_torn && self.file == file;
        if !goes_on {
            self.written = begin;
        }
        goes_on
    }

    /// Writes what is left to this file. What has been written is so, also if that fails.
    pub(super) fn write(&mut self, file: &Path, output: &mut impl Write) -> io::Result<()> {
        file.clone_into(&mut self.file);
        while !self.is_written() {
            match output.write(&self.lines[self.written..])? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => self.written += written,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "chat/2026-01-31.jsonl";

    /// Lines of which so many bytes went to the file.
    fn batch(written: usize) -> Batch {
        let mut batch = Batch::of("one\ntwo\n".to_owned());
        let mut room = vec![0; written];
        let result = batch.write(FILE.as_ref(), &mut room.as_mut_slice());
        assert_eq!(result.is_ok(), batch.is_written());
        batch
    }

    fn rest(mut batch: Batch) -> String {
        let mut rest = Vec::new();
        batch.write("elsewhere".as_ref(), &mut rest).unwrap();
        assert!(batch.is_written());
        String::from_utf8(rest).unwrap()
    }

    #[test]
    fn a_line_goes_on_where_it_began_and_begins_anew_elsewhere() {
        for (written, file, is_torn, goes_on, expected) in [
            (0, FILE, false, false, "one\ntwo\n"),
            (0, FILE, true, false, "one\ntwo\n"),
            (5, FILE, true, true, "wo\n"),
            // The file was moved away, and one that is there now is whole; or it is another day.
            (5, FILE, false, false, "two\n"),
            (5, "chat/2026-02-01.jsonl", false, false, "two\n"),
            (5, "chat/2026-02-01.jsonl", true, false, "two\n"),
            (3, FILE, false, false, "one\ntwo\n"),
            (4, FILE, false, false, "two\n"),
            (4, FILE, true, false, "two\n"),
            (8, FILE, true, false, ""),
        ] {
            let mut batch = batch(written);
            let case = format!("{written} {file} {is_torn}");
            assert_eq!(batch.goes_on_in(file.as_ref(), is_torn), goes_on, "{case}");
            assert_eq!(rest(batch), expected, "{case}");
        }
    }
}
