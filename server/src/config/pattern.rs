//! What the patterns of `clients` have in common: `*` stands for any text, `?` for one character.

/// A pattern, cut where its characters stand for themselves.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    literals: Vec<char>,
    /// What is before, between and after them: one more.
    gaps: Vec<Gap>,
}

/// What wildcards side by side stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Gap {
    /// So many characters at least.
    least: usize,
    /// There may be more.
    is_open: bool,
}

impl Shape {
    fn of(pattern: &str) -> Self {
        let mut shape = Self { literals: Vec::new(), gaps: Vec::new() };
        let mut gap = Gap::default();
        for c in pattern.chars() {
            match c {
                '*' => gap.is_open = true,
                '?' => gap.least += 1,
                literal => {
                    shape.literals.push(literal);
                    shape.gaps.push(gap);
                    gap = Gap::default();
                }
            }
        }
        shape.gaps.push(gap);
        shape
    }
}

impl Gap {
    fn covers(self, other: Self) -> bool {
        if self.is_open { self.least <= other.least } else { !other.is_open && self.least == other.least }
    }
}

/// Whether all names of the second pattern are names of the first one, which is as particular: as many characters
/// stand for themselves. (So they must be the same ones, and what is between them can be compared one by one.)
pub(super) fn covers(wide: &str, narrow: &str) -> bool {
    let (wide, narrow) = (Shape::of(wide), Shape::of(narrow));
    wide.literals == narrow.literals && wide.gaps.iter().zip(&narrow.gaps).all(|(a, b)| a.covers(*b))
}

/// Whether every name is one of the pattern's. There is no empty name.
pub(super) fn is_everything(pattern: &str) -> bool {
    let shape = Shape::of(pattern);
    shape.literals.is_empty() && shape.gaps.iter().all(|gap| gap.is_open && gap.least <= 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wildmatch::WildMatch;

    use super::*;

    #[test]
    fn what_covers_what() {
        for (wide, narrow) in [
            ("web-*", "web-?"),
            ("web-*", "web-**"),
            ("*a?", "**a?"),
            ("*", "?*"),
            ("?*", "*?"),
            ("a*b*", "a??b*"),
        ] {
            assert!(covers(wide, narrow), "{wide} {narrow}");
        }
        for (wide, narrow) in [("web-?", "web-*"), ("*a?", "?a*"), ("a*", "b*"), ("?*", "*"), ("a*b", "ab*")]
        {
            assert!(!covers(wide, narrow), "{wide} {narrow}");
        }
    }

    #[test]
    fn what_is_everything() {
        for (pattern, expected) in
            [("*", true), ("**", true), ("?*", true), ("??*", false), ("?", false), ("a*", false)]
        {
            assert_eq!(is_everything(pattern), expected, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn covering_is_as_the_library_matches(wide in "[ab*?]{0,5}", narrow in "[ab*?]{0,5}", name in "[abc]{1,7}") {
            if covers(&wide, &narrow) && WildMatch::new(&narrow).matches(&name) {
                prop_assert!(WildMatch::new(&wide).matches(&name));
            }
            if is_everything(&wide) {
                prop_assert!(WildMatch::new(&wide).matches(&name));
            }
        }
    }
}
