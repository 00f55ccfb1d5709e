//! `link`: a preset, a changed preset, or a pipe each way.

use std::ops::RangeInclusive;

use sim::link::presets::{BLOATED, NOMINAL, SHORT};
use sim::{JitterConfig, LinkConfig, LossConfig, PipeConfig, Queue, Reorder};

use crate::document::{Keys, Node, Section};
use crate::presets::{self, Labelled};
use crate::units::{Fraction, Quantity, Rate, Size, Span};

pub(super) const LINK: Keys = Keys {
    section: "link",
    names: &["preset", "up", "down"],
};

pub(super) const PIPE: Keys = Keys {
    section: "link.up and link.down",
    names: &[
        "rate", "buffer", "queue", "delay", "jitter", "reorder", "loss",
    ],
};

pub(super) const BURSTS: Keys = Keys {
    section: "loss in bursts",
    names: &["good_to_bad", "bad_to_good", "loss_good", "loss_bad"],
};

/// From an old modem to beyond what a host can send.
pub(super) const RATES: RangeInclusive<Rate> = Rate::kbps(1)..=Rate::kbps(100_000_000);
/// One full packet of 1,500 bytes (the MTU of Ethernet, RFC 894) must fit, or none passes.
pub(super) const BUFFERS: RangeInclusive<Size> = Size::of(1_500)..=Size::of(1_000_000_000);
/// Beyond 10 s no part of the stack waits.
pub(super) const DELAYS: RangeInclusive<Span> = Span::ZERO..=Span::seconds(10);

const EXAMPLE: &str = "a preset such as \"cable\", or { preset = \"lte\", up.loss = \"1 %\" }";

/// A link. Without a preset the pipes start from ideal ones: no rate limit, delay or loss.
pub(super) fn read(node: &Node<'_>) -> Option<Labelled<LinkConfig>> {
    if node.as_str().is_some() {
        return presets::link(node);
    }
    let section = node.section(&LINK, EXAMPLE)?;
    let base = section.maybe("preset", presets::link);
    // Without the preset the ideal link stands in, so that the pipes are still checked.
    let named = base.as_ref().and_then(Option::as_ref);
    let LinkConfig { up, down } = named.map(|base| base.value).unwrap_or_default();
    let changed = section.get("up").is_some() || section.get("down").is_some();
    let up = section.or("up", up, |node| pipe(node, up));
    let down = section.or("down", down, |node| pipe(node, down));
    let value = LinkConfig {
        up: up?,
        down: down?,
    };
    match base? {
        Some(base) if !changed => Some(base),
        Some(base) => Some(Labelled::made(value, Some(&base.label))),
        None if changed => Some(Labelled::made(value, None)),
        None => node.fail(format!("empty; write {EXAMPLE}")),
    }
}

fn pipe(node: &Node<'_>, base: PipeConfig) -> Option<PipeConfig> {
    let section = node.section(
        &PIPE,
        "a table such as { rate = \"10 Mbps\", delay = \"20 ms\" }",
    )?;
    let rate_bps = section.or("rate", base.rate_bps, |node| limit(node, RATES, Rate::bps));
    let buffer_bytes = section.or("buffer", base.buffer_bytes, |node| {
        buffer(node, rate_bps.flatten())
    });
    let queue = section.or("queue", base.queue, |node| queue(node, rate_bps));
    let delay = section.or("delay", base.delay, |node| {
        node.within(DELAYS).map(Into::into)
    });
    let jitter = jitter(&section, base.jitter);
    let loss = section.or("loss", base.loss, loss);
    Some(PipeConfig {
        rate_bps: rate_bps?,
        buffer_bytes: buffer_bytes?,
        queue: queue?,
        delay: delay?,
        jitter: jitter?,
        loss: loss?,
    })
}

/// `"unlimited"`, or a quantity in `range`.
pub(super) fn limit<Q: Quantity + PartialOrd>(
    node: &Node<'_>,
    range: RangeInclusive<Q>,
    get: fn(Q) -> u64,
) -> Option<Option<u64>> {
    match node.as_str() {
        Some("unlimited") => Some(None),
        _ => node.within(range).map(|quantity| Some(get(quantity))),
    }
}

fn jitter(section: &Section<'_>, base: JitterConfig) -> Option<JitterConfig> {
    let std = section.or("jitter", base.std, |node| {
        node.within(DELAYS).map(Into::into)
    });
    let order = section.or("reorder", base.reorder, reorder);
    let (std, reorder) = (std?, order?);
    match section.get("reorder") {
        Some(node) if std.is_zero() => {
            node.fail("without jitter nothing is reordered; write `jitter` too, or drop the key")
        }
        _ => Some(JitterConfig { std, reorder }),
    }
}

pub(super) fn reorder(node: &Node<'_>) -> Option<Reorder> {
    node.choice(&[("preserve", Reorder::Preserve), ("allow", Reorder::Allow)])
}

/// A size, or one of the queues of RFC 8868 by name: a time at the rate of the pipe.
fn buffer(node: &Node<'_>, rate_bps: Option<u64>) -> Option<Option<u64>> {
    let millis = match node.as_str() {
        Some("short") => SHORT,
        Some("nominal") => NOMINAL,
        Some("bloated") => BLOATED,
        _ => return limit(node, BUFFERS, Size::bytes),
    };
    match rate_bps {
        Some(rate) => Some(Some((rate * millis / 8_000).max(BUFFERS.start().bytes()))),
        None => node.fail("a time at the rate of the pipe; write `rate` too, or a size"),
    }
}

fn queue(node: &Node<'_>, rate_bps: Option<Option<u64>>) -> Option<Queue> {
    let queue = node.choice(&[
        ("drop-tail", Queue::DropTail),
        ("codel", Queue::Codel),
        ("codel-ecn", Queue::CodelEcn),
    ])?;
    match (queue, rate_bps) {
        (Queue::Codel | Queue::CodelEcn, Some(None)) => {
            node.fail("without a rate nothing waits; write `rate` too, or drop the key")
        }
        _ => Some(queue),
    }
}

/// A fraction, the same for every packet, or bursts.
pub(super) fn loss(node: &Node<'_>) -> Option<LossConfig> {
    if let Some(section) = node.as_section(&BURSTS) {
        return bursts(&section);
    }
    node.quantity::<Fraction>().map(|fraction| match fraction {
        Fraction::ZERO => LossConfig::None,
        fraction => LossConfig::Bernoulli {
            probability: fraction.get(),
        },
    })
}

/// By default nothing is lost in the good state and everything in the bad one: Gilbert's model
/// with h = 0, whose bursts last 1 / `bad_to_good` packets on average.
fn bursts(section: &Section<'_>) -> Option<LossConfig> {
    let probability = |node: &Node<'_>| node.quantity::<Fraction>().map(Fraction::get);
    let good_to_bad = section.must("good_to_bad", "good_to_bad = \"1 %\"", probability);
    let bad_to_good = section.must("bad_to_good", "bad_to_good = \"30 %\"", probability);
    let loss_good = section.or("loss_good", Fraction::ZERO.get(), probability);
    let loss_bad = section.or("loss_bad", Fraction::ONE.get(), probability);
    Some(LossConfig::GilbertElliott {
        good_to_bad: good_to_bad?,
        bad_to_good: bad_to_good?,
        loss_good: loss_good?,
        loss_bad: loss_bad?,
    })
}
