//! `[[data]]`: what goes over data channels.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::groups::Groups;
use super::name;
use crate::document::{Keys, Node, Section};
use crate::plan::{DataKind, DataPlan, Reliability};
use crate::units::{Size, Span};

pub(super) const KEYS: Keys = Keys {
    section: "[[data]]",
    names: &[
        "name",
        "kind",
        "from",
        "to",
        "start",
        "size",
        "rate",
        "payload",
        "ordered",
        "max_retransmits",
        "max_lifetime",
        "buffer",
    ],
};

/// What fits in memory many times over, since each receiver of a mesh gets a copy of its own.
const FILES: RangeInclusive<Size> = Size::of(1)..=Size::of(10_000_000_000);
/// From one in 100 s to one each millisecond.
const RATES: RangeInclusive<f64> = 0.01..=1_000.0;
/// The header is part of the message; beyond 64 KiB a browser may refuse it (RFC 8841 section 6.1).
const PAYLOADS: RangeInclusive<Size> = Size::of(DataPlan::HEADER as u64)..=Size::of(65_536);
/// A file's messages say what is left, so they carry something.
const FILE_PAYLOADS: RangeInclusive<Size> = Size::of(64)..=Size::of(65_536);
/// Below two messages of the usual size a channel idles while it waits for acknowledgements.
const BUFFERS: RangeInclusive<Size> = Size::of(32_768)..=Size::of(16_777_216);
/// What 16 bits of milliseconds hold (W3C WebRTC 1.0, `maxPacketLifeTime`).
const LIFETIMES: RangeInclusive<Span> = Span::millis(1)..=Span::millis(65_535);
/// A network that needs more repairs of one message carries no data.
const RETRANSMITS: RangeInclusive<u64> = 0..=1_000;

/// Each workload has two streams, one each way, and a stream has one of 65,535 numbers.
const MOST: usize = 100;

/// A workload as it was written, with its defaults.
#[derive(Clone, Debug)]
pub(crate) struct Data {
    /// In kebab-case, unique in the scenario.
    pub(crate) name: String,
    /// Its key path, for messages.
    pub(crate) path: String,
    /// Its place, for messages.
    pub(crate) at: usize,
    /// What is sent.
    pub(crate) kind: DataKind,
    /// The group that sends; `None` is everybody.
    pub(crate) from: Option<String>,
    /// The group that receives; `None` is everybody.
    pub(crate) to: Option<String>,
    /// `None` is when measuring starts.
    pub(crate) start: Option<Duration>,
    /// As in [`DataPlan`].
    pub(crate) payload_bytes: u32,
    /// As in [`DataPlan`].
    pub(crate) ordered: bool,
    /// As in [`DataPlan`].
    pub(crate) reliability: Reliability,
    /// As in [`DataPlan`].
    pub(crate) buffer_bytes: u32,
}

/// What a kind of workload is, where the scenario does not say otherwise.
struct Usual {
    payload: Size,
    /// Messages per second.
    rate: f64,
    ordered: bool,
    reliability: Reliability,
}

/// The workloads, in a call of these groups that ends at `end` (unless those could not be read).
pub(super) fn read(
    section: &Section<'_>,
    end: Option<Duration>,
    groups: Option<&Groups>,
) -> Option<Vec<Data>> {
    section.or("data", Vec::new(), |node| list(node, end, groups))
}

fn list(node: &Node<'_>, end: Option<Duration>, groups: Option<&Groups>) -> Option<Vec<Data>> {
    let Some(items) = node.as_items() else {
        return node.unexpected("a list of tables, each under a line [[data]]");
    };
    if items.is_empty() || items.len() > MOST {
        return node.fail(format!(
            "not 1 to {MOST} workloads; write some, or drop the key"
        ));
    }
    let read: Vec<_> = items.iter().map(|item| one(item, end, groups)).collect();
    let list: Vec<Data> = read.into_iter().collect::<Option<_>>()?;
    let names = list.iter().map(|data| data.name.as_str());
    name::unique(&items, names, "workload")?;
    Some(list)
}

fn one(node: &Node<'_>, end: Option<Duration>, groups: Option<&Groups>) -> Option<Data> {
    let section = node.section(&KEYS, "a table: [[data]]")?;
    let name = section.must("name", "name = \"slides\"", name::read);
    let word = section.must("kind", "kind = \"file\"", |node| {
        node.choice(&["file", "state", "chat"].map(|kind| (kind, kind)))
    });
    let [from, to] = ["from", "to"].map(|key| section.or(key, None, |node| party(node, groups)));
    let start = section.maybe("start", |node| super::moment(node, end));
    let ordered = section.maybe("ordered", Node::boolean);
    let buffer = section.or("buffer", Size::of(262_144), |node| node.within(BUFFERS));
    let reliability = reliability(&section);
    // What the rest may be depends on the kind.
    let usual = usual(word?);
    let kind = kind(&section, word?, usual.rate);
    let payloads = match word? {
        "file" => FILE_PAYLOADS,
        _ => PAYLOADS,
    };
    let payload = section.or("payload", usual.payload, |node| node.within(payloads));
    let reliability = reliability?.unwrap_or(usual.reliability);
    whole_file(&section, word?, reliability)?;
    Some(Data {
        name: name?,
        path: node.path().to_owned(),
        at: node.at(),
        kind: kind?,
        from: from?,
        to: to?,
        start: start?.map(Into::into),
        payload_bytes: payload?.bytes() as u32,
        ordered: ordered?.unwrap_or(usual.ordered),
        reliability,
        buffer_bytes: buffer?.bytes() as u32,
    })
}

fn usual(kind: &str) -> Usual {
    match kind {
        // 16 KiB: what every browser takes from every other.
        "file" => Usual {
            payload: Size::of(16_384),
            rate: 0.0,
            ordered: true,
            reliability: Reliability::Full,
        },
        // A position, a direction and what is being done, 30 times a second; late is useless.
        "state" => Usual {
            payload: Size::of(100),
            rate: 30.0,
            ordered: false,
            reliability: Reliability::Retransmits(0),
        },
        // A line of text every five seconds.
        _ => Usual {
            payload: Size::of(200),
            rate: 0.2,
            ordered: true,
            reliability: Reliability::Full,
        },
    }
}

fn kind(section: &Section<'_>, kind: &str, usual_rate: f64) -> Option<DataKind> {
    let (size, rate) = (section.get("size"), section.get("rate"));
    if kind == "file" {
        if let Some(rate) = rate {
            return rate.fail("a file is sent as fast as it goes; drop the key");
        }
        let size = section.must("size", "size = \"10 MB\"", |node| node.within(FILES))?;
        return Some(DataKind::File {
            bytes: size.bytes(),
        });
    }
    if let Some(size) = size {
        return size.fail("only a file has a size; write payload, or drop the key");
    }
    let rate = section.or("rate", usual_rate, |node| node.number(RATES))?;
    let interval = Duration::from_secs_f64(1.0 / rate);
    Some(match kind {
        "state" => DataKind::State { interval },
        _ => DataKind::Chat { interval },
    })
}

/// `"all"`, or the name of a group.
fn party(node: &Node<'_>, groups: Option<&Groups>) -> Option<Option<String>> {
    let name = node.string()?;
    let Some(groups) = groups.filter(|_| name != "all") else {
        return Some(None);
    };
    let names = || groups.list.iter().map(|group| group.name.as_str());
    match names().any(|known| known == name) {
        true => Some(Some(name.to_owned())),
        false => node.unknown(name, "group", names().chain(["all"])),
    }
}

/// What the section says, if it does.
fn reliability(section: &Section<'_>) -> Option<Option<Reliability>> {
    let retransmits = section.maybe("max_retransmits", max_retransmits);
    let lifetime = section.maybe("max_lifetime", max_lifetime);
    match (retransmits?, lifetime?) {
        (Some(_), Some(_)) => section
            .get("max_lifetime")?
            .fail("a channel has one limit; drop this one, or `max_retransmits`"),
        (retransmits, lifetime) => Some(retransmits.or(lifetime)),
    }
}

fn max_retransmits(node: &Node<'_>) -> Option<Reliability> {
    if node.as_str() == Some("unlimited") {
        return Some(Reliability::Full);
    }
    if node.as_str().is_some() {
        return node.unexpected("a whole number from 0 to 1000, or \"unlimited\"");
    }
    let number = node.integer(RETRANSMITS)?;
    u16::try_from(number).ok().map(Reliability::Retransmits)
}

fn max_lifetime(node: &Node<'_>) -> Option<Reliability> {
    let lifetime: Duration = node.within(LIFETIMES)?.into();
    if !lifetime.subsec_nanos().is_multiple_of(1_000_000) {
        return node.fail("finer than 1 ms; write a whole number of ms");
    }
    u16::try_from(lifetime.as_millis())
        .ok()
        .map(Reliability::LifetimeMs)
}

/// Whether a file can arrive whole.
fn whole_file(section: &Section<'_>, kind: &str, reliability: Reliability) -> Option<()> {
    if kind != "file" || reliability == Reliability::Full {
        return Some(());
    }
    let key = ["max_retransmits", "max_lifetime"]
        .into_iter()
        .find_map(|key| section.get(key))?;
    key.fail("a file that may lose parts cannot arrive whole; drop the key")
}
