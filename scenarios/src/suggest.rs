//! "Did you mean": the nearest of the words that exist.

use strsim::damerau_levenshtein;

/// The candidate nearest to `word`, if it is near enough to be what was meant: within a third of
/// the word's length in edits (insert, delete, replace, swap), at least one, ignoring case and
/// the difference between `_` and `-`. The first of equals wins.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let word = fold(word);
    let allowed = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (damerau_levenshtein(&word, &fold(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// What to do about an unknown `word`: the nearest candidate, or all of them, each formatted by
/// `quote`.
pub(crate) fn instead<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
    quote: fn(&str) -> String,
) -> String {
    let all: Vec<String> = candidates.clone().into_iter().map(quote).collect();
    let all = all.join(", ");
    match nearest(word, candidates) {
        Some(near) => format!("did you mean {}? (there are: {all})", quote(near)),
        None => format!("write one of {all}"),
    }
}

fn fold(word: &str) -> String {
    word.to_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let words = ["topologies", "participants", "seed", "seeds"];
        for (word, expected) in [
            ("topologie", Some("topologies")),
            ("Participants", Some("participants")),
            ("partcipants", Some("participants")),
            ("sede", Some("seed")),
            ("bandwidth", None),
            ("x", None),
        ] {
            assert_eq!(nearest(word, words), expected, "{word}");
        }
        assert_eq!(
            nearest("reply-pinning", ["reply_pinning"]),
            Some("reply_pinning")
        );
    }
}
