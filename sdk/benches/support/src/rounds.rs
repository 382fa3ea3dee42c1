//! Rounds by turns, and their medians.

use super::{Options, Outcome, Result};

/// The share of the two cores that others may have before a round is disturbed: something is always going on.
pub(crate) const QUIET: f64 = 0.03;

/// Does the same work in each of some ways by turns, several rounds of each. A round is told its number, and gives the
/// share of the cores that others had meanwhile, and what was found.
///
/// Rounds in which others were in the way are made up for, as often as there should have been rounds in all, and count
/// only if there is nothing better.
///
/// # Errors
///
/// That of the first round that fails.
pub fn by_turns<W, T, const N: usize>(
    ways: &[W; N],
    options: &Options,
    outcome: &mut Outcome,
    round: impl Fn(&W, u64, &mut Outcome) -> Result<(f64, T)>,
) -> Result<[Vec<T>; N]> {
    let wanted = if options.quick { 1 } else { 5 };
    let most = if options.quick { 1 } else { 2 * wanted as u64 };
    let mut all: [Vec<(f64, T)>; N] = std::array::from_fn(|_| Vec::new());
    for number in 0..most {
        for (way, rounds) in ways.iter().zip(&mut all) {
            if rounds.iter().filter(|(others, _)| *others < QUIET).count() < wanted {
                rounds.push(round(way, number, outcome)?);
            }
        }
    }
    Ok(all.map(|mut rounds| {
        if rounds.iter().any(|(others, _)| *others < QUIET) {
            rounds.retain(|(others, _)| *others < QUIET);
        }
        outcome.others = rounds.iter().map(|(others, _)| *others).fold(outcome.others, f64::max);
        rounds.into_iter().map(|(_, found)| found).collect()
    }))
}

/// The median of a figure; not a number if there are none.
pub fn median<T>(rounds: &[T], figure: impl Fn(&T) -> f64) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(figure).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
