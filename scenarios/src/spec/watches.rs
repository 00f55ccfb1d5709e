//! `watches`: whose cameras and microphones a group gets.

use super::group::Group;
use super::place::Place;
use crate::document::Node;

/// Whose media the members of a group get.
#[derive(Clone, Debug)]
pub(crate) struct Watches {
    /// The places of groups that send; none for those who get nothing.
    pub(crate) groups: Vec<usize>,
    /// Where it is written.
    pub(crate) place: Place,
}

/// Some of the groups that send.
pub(super) fn read(node: &Node<'_>, groups: &[Group]) -> Option<Watches> {
    let items = node.items("[\"presenters\"]")?;
    let read: Vec<_> = items.iter().map(|item| group(item, groups)).collect();
    let places: Vec<usize> = read.into_iter().collect::<Option<_>>()?;
    for (index, place) in places.iter().enumerate() {
        if places[..index].contains(place) {
            let name = &groups[*place].name;
            return items[index].fail(format!("{name:?} is named already; drop one of the two"));
        }
    }
    Some(Watches {
        groups: places,
        place: Place::of(node),
    })
}

fn group(node: &Node<'_>, groups: &[Group]) -> Option<usize> {
    let name = node.string()?;
    let names = groups.iter().map(|group| group.name.as_str());
    let Some(place) = names.clone().position(|known| known == name) else {
        return node.unknown(name, "group", names);
    };
    match groups[place].sends {
        true => Some(place),
        false => node.fail(format!(
            "{name:?} only watches, and sends nothing; drop it here, or `sends = false` there"
        )),
    }
}
