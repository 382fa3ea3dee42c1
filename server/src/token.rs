//! Random names that nobody can guess.

/// 32 symbols, so that each random byte gives five bits without bias. No `0`, `o`, `1` or `l`, which
/// are misread, and no `-`, which a command line would take for an option.
const SYMBOLS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// So many random letters and digits, of five bits each, from the operating system's random source.
///
/// # Errors
///
/// The operating system has no random source.
pub(crate) fn random(symbols: usize) -> Result<String, getrandom::Error> {
    let mut bytes = vec![0; symbols];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| char::from(SYMBOLS[usize::from(byte % 32)])).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn random_names_are_plain_and_different() {
        let names: HashSet<_> = (0..100).map(|_| random(26).unwrap()).collect();
        assert_eq!(names.len(), 100);
        assert!(
            names.iter().all(|name| name.len() == 26 && name.bytes().all(|byte| SYMBOLS.contains(&byte)))
        );
        let seen: HashSet<_> = names.iter().flat_map(|name| name.bytes()).collect();
        assert_eq!(seen.len(), 32, "every symbol comes up among 2,600");
        assert_eq!(random(0).unwrap(), "");
    }
}
