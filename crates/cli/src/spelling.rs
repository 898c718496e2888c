//! What somebody who wrote a word that is not known may have meant.

/// The candidate that differs least from `word`, if it differs in at most a third of the letters.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (word.chars().count() / 3).max(1);
    let ranked = candidates.into_iter().map(|candidate| (distance(word, candidate), candidate));
    ranked.filter(|(distance, _)| *distance <= most).min().map(|(_, candidate)| candidate)
}

/// A help that proposes the nearest candidate; where none is near, what may be written instead.
pub(crate) fn proposal<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    otherwise: impl FnOnce() -> String,
) -> String {
    match nearest(word, candidates) {
        Some(candidate) => format!("did you mean {candidate:?}?"),
        None => otherwise(),
    }
}

/// How many letters must be put in, left out, replaced or swapped with their neighbour to make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before_last = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, candidate) in other.iter().enumerate() {
            let replaced = last[column] + usize::from(letter != candidate);
            let mut least = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && *letter == other[column - 1] && one[row - 1] == *candidate {
                let swapped: &usize = &before_last[column - 1];
                least = least.min(swapped + 1);
            }
            current.push(least);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_proposed_and_a_far_one_is_not() {
        let known = ["delegate", "undelegate", "deposit", "withdraw"];
        let cases = [
            ("delgate", Some("delegate")),
            ("delegaet", Some("delegate")),
            ("undelagate", Some("undelegate")),
            ("withdrwa", Some("withdraw")),
            ("slash", None),
            ("", None),
        ];
        for (word, expected) in cases {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }

    #[test]
    fn a_neighbour_swapped_is_one_letter_wrong() {
        let cases =
            [("eth", "eth", 0), ("eht", "eth", 1), ("et", "eth", 1), ("ethh", "eth", 1), ("btc", "sol", 3)];
        for (one, other, expected) in cases {
            assert_eq!(distance(one, other), expected, "{one} {other}");
        }
    }
}
