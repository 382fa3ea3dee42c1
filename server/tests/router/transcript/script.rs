//! The transcript in the specification.

/// A line of it.
#[derive(Debug)]
pub(super) struct Line {
    /// Where it stands in the document.
    pub(super) number: usize,
    pub(super) connection: String,
    pub(super) step: Step,
}

/// What happens on a connection.
#[derive(Debug)]
pub(super) enum Step {
    Connects,
    /// It breaks, without a close.
    Drops,
    /// The client sends this.
    Says(String),
    /// The client receives this.
    Hears(String),
    /// The client is closed.
    Closed(u16, String),
}

/// Reads the one block of text below a heading. What is in parentheses there is explanation.
pub(super) fn parse(document: &str, heading: &str) -> Vec<Line> {
    let mut lines = document.lines().zip(1..).skip_while(|(line, _)| *line != heading);
    assert!(lines.next().is_some(), "no {heading}");
    let lines =
        lines.skip_while(|(line, _)| *line != "```text").skip(1).take_while(|(line, _)| *line != "```");
    let steps = lines.filter(|(line, _)| !(line.is_empty() || line.starts_with('(') && line.ends_with(')')));
    let script: Vec<_> = steps
        .map(|(line, number)| {
            let name = |char: char| char.is_ascii_alphanumeric() || char == '-';
            let (connection, what) = line.split_at(line.find(|char| !name(char)).unwrap_or(line.len()));
            let step = read(what).unwrap_or_else(|| panic!("line {number} is none of a transcript: {line}"));
            assert!(!connection.is_empty(), "line {number}: whose? {line}");
            Line { number, connection: connection.to_owned(), step }
        })
        .collect();
    assert!(script.len() > 40, "{heading}: {} lines", script.len());
    script
}

fn read(what: &str) -> Option<Step> {
    let (sign, what) = what.split_once(' ')?;
    match (sign, what.strip_prefix("close ")) {
        (":", _) if what == "connects" => Some(Step::Connects),
        (":", _) if what == "drops" => Some(Step::Drops),
        (">", _) if what.starts_with('{') => Some(Step::Says(what.to_owned())),
        ("<", _) if what.starts_with('{') => Some(Step::Hears(what.to_owned())),
        ("<", Some(close)) => {
            let (code, reason) = close.split_once(' ')?;
            Some(Step::Closed(code.parse().ok()?, reason.to_owned()))
        }
        _ => None,
    }
}
