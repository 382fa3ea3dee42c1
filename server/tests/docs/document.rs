//! A document: its text, code, tables, headings and links, as far as ours need it.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A Markdown file of the workspace.
pub(crate) struct Document {
    /// Its path in the workspace.
    pub(crate) name: String,
    lines: Vec<Line>,
}

/// A line, and where it stands.
struct Line {
    text: String,
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Text,
    /// The line that begins or ends a block of code.
    Fence,
    Code,
}

/// A block of code.
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) text: String,
    /// Where it begins, for messages.
    pub(crate) place: String,
}

impl Document {
    pub(crate) fn read(name: &str) -> Self {
        let text = fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut in_code = false;
        let lines = text.lines().map(|line| {
            let place = if line.trim_start().starts_with("```") {
                in_code = !in_code;
                Place::Fence
            } else if in_code {
                Place::Code
            } else {
                Place::Text
            };
            Line { text: line.to_owned(), place }
        });
        let lines = lines.collect();
        assert!(!in_code, "{name}: a block of code has no end");
        Self { name: name.to_owned(), lines }
    }

    /// Those for operators.
    pub(crate) fn for_operators() -> Vec<Self> {
        let folder = fs::read_dir(root().join("docs")).unwrap();
        let mut names: Vec<_> =
            folder.map(|entry| format!("docs/{}", entry.unwrap().file_name().to_str().unwrap())).collect();
        names.retain(|name| Path::new(name).extension().is_some_and(|extension| extension == "md"));
        names.push("README.md".to_owned());
        names.sort();
        assert!(names.len() >= 3, "{names:?}");
        names.iter().map(|name| Self::read(name)).collect()
    }

    /// All blocks of code.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (line, number) in self.lines.iter().zip(1..) {
            match (line.place, &mut open) {
                (Place::Fence, None) => {
                    let language = line.text.trim().trim_start_matches('`').to_owned();
                    open = Some(Block {
                        language,
                        text: String::new(),
                        place: format!("{}:{number}", self.name),
                    });
                }
                (Place::Fence, Some(_)) => blocks.extend(open.take()),
                (Place::Code, Some(block)) => {
                    block.text += &line.text;
                    block.text.push('\n');
                }
                _ => {}
            }
        }
        blocks
    }

    /// The one block of a language that has this in it.
    pub(crate) fn block(&self, language: &str, has: &str) -> Block {
        let mut blocks = self.blocks();
        blocks.retain(|block| block.language == language && block.text.contains(has));
        assert_eq!(blocks.len(), 1, "{}: blocks of {language} with {has}", self.name);
        blocks.remove(0)
    }

    /// The cells of the table whose first column has this heading, row by row.
    pub(crate) fn table(&self, first: &str) -> Vec<Vec<String>> {
        let mut tables = self.tables(first);
        assert_eq!(tables.len(), 1, "{}: tables of `{first}`", self.name);
        tables.remove(0)
    }

    /// The cells of each table whose first column has this heading.
    pub(crate) fn tables(&self, first: &str) -> Vec<Vec<Vec<String>>> {
        let heading = format!("| {first} |");
        let starts = self.lines.iter().enumerate().filter(|(_, line)| line.text.starts_with(&heading));
        starts
            .map(|(start, heading)| {
                let columns = cells(&heading.text).len();
                let rows = self.lines[start + 2..].iter().take_while(|line| line.text.starts_with('|'));
                let rows: Vec<_> = rows.map(|row| cells(&row.text)).collect();
                assert!(rows.iter().all(|row| row.len() == columns), "{}: {}", self.name, heading.text);
                rows
            })
            .collect()
    }

    /// What stands between backquotes outside of blocks.
    pub(crate) fn code_spans(&self) -> Vec<&str> {
        let text = self.lines.iter().filter(|line| line.place == Place::Text);
        text.flat_map(|line| spans(&line.text)).collect()
    }

    /// The targets of all links.
    pub(crate) fn links(&self) -> Vec<&str> {
        let mut links = Vec::new();
        for line in self.lines.iter().filter(|line| line.place == Place::Text) {
            for (at, _) in line.text.match_indices("](") {
                let target = &line.text[at + 2..];
                let end = target.find(')').unwrap_or_else(|| panic!("{}: {}", self.name, line.text));
                links.push(&target[..end]);
            }
        }
        links
    }

    /// What the headings are called in links.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let lines = self.lines.iter().filter(|line| line.place == Place::Text && line.text.starts_with('#'));
        let anchors: Vec<_> = lines.map(|line| anchor(line.text.trim_start_matches('#').trim())).collect();
        for (i, anchor) in anchors.iter().enumerate() {
            assert!(!anchors[..i].contains(anchor), "{}: two headings are #{anchor}", self.name);
        }
        anchors
    }
}

/// As the sites that show Markdown make it: lower case, `-` for spaces, and no other signs.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn cells(row: &str) -> Vec<String> {
    let row = row.trim().trim_start_matches('|').trim_end_matches('|');
    row.split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// What stands between backquotes.
pub(crate) fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The one thing between backquotes that a cell begins with.
pub(crate) fn code(cell: &str) -> &str {
    assert!(cell.starts_with('`'), "no code: {cell}");
    spans(cell).next().unwrap()
}

#[test]
fn anchors_are_as_in_links() {
    assert_eq!(anchor("What to do when"), "what-to-do-when");
    assert_eq!(anchor("ws-path"), "ws-path");
    assert_eq!(anchor("`wss` (TLS), and more"), "wss-tls-and-more");
}
