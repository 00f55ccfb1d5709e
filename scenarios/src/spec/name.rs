//! Names: of scenarios, which become directories, and of groups, which become participants.

use std::collections::BTreeSet;

use crate::document::Node;

/// The longest name, so that file names made from it stay short.
const LONGEST: usize = 64;

/// A name in kebab-case: words of `a` to `z` and `0` to `9`, joined by `-`.
pub(super) fn read(node: &Node<'_>) -> Option<String> {
    let name = node.string()?;
    if is_kebab(name) {
        return Some(name.to_owned());
    }
    match kebab(name) {
        fix if is_kebab(&fix) => node.fail(format!("{name:?} is not kebab-case; write {fix:?}")),
        _ => node.fail(format!(
            "{name:?} is not a name; write 1 to {LONGEST} of a-z, 0-9 and -, such as \"stand-up\""
        )),
    }
}

/// Reports the first of `items`, which are such `things`, whose name one before it has.
pub(super) fn unique<'n>(
    items: &[Node<'_>],
    names: impl Iterator<Item = &'n str>,
    thing: &str,
) -> Option<()> {
    let mut known = BTreeSet::new();
    for (item, name) in items.iter().zip(names) {
        if !known.insert(name) {
            return item.fail(format!(
                "another {thing} is called {name:?}; write a new name"
            ));
        }
    }
    Some(())
}

fn is_kebab(name: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    name.len() <= LONGEST && name.split('-').all(word)
}

fn kebab(name: &str) -> String {
    let name = name.to_lowercase();
    let words = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}
