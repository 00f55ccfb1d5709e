//! `[stack]`: how the WebRTC stack is set.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::document::{Keys, Node, Section};
use crate::plan::{StackPlan, StackProfile};
use crate::units::{Size, Span};

pub(super) const KEYS: Keys = Keys {
    section: "[stack]",
    names: &[
        "profile",
        "flush_relay",
        "trickle",
        "check_interval",
        "max_binding_requests",
        "turn_refresh_cap",
        "discard_candidates_on_restart",
        "restart_when_disconnected",
        "acceptance_waits",
        "max_nacks_per_packet",
        "sctp_mtu",
        "steady_playout",
        "trendline",
        "steady_handshake",
        "steady_channels",
    ],
};

/// The candidate types of W3C webrtc-stats, in the order of [`StackPlan::acceptance_waits`].
pub(super) const WAITS: Keys = Keys {
    section: "acceptance_waits",
    names: &["host", "srflx", "prflx", "relay"],
};

/// Ta is 5 ms at least (RFC 8445 section 14.2).
const CHECK_INTERVALS: RangeInclusive<Span> = Span::millis(5)..=Span::seconds(10);
const BINDING_REQUESTS: RangeInclusive<u64> = 1..=1_000;
/// An allocation lives 10 minutes by default and an hour at most by advice (RFC 8656 sections 3.2
/// and 7.2).
const REFRESH_CAPS: RangeInclusive<Span> = Span::seconds(1)..=Span::seconds(3_600);
const ACCEPTANCE_WAITS: RangeInclusive<Span> = Span::ZERO..=Span::seconds(30);
const NACKS: RangeInclusive<u64> = 1..=1_000;
/// From what fits every path (RFC 791: 576 bytes) to what fits Ethernet over TURN: 1,500 bytes less
/// IPv4 (20), UDP (8), ChannelData (4) and a record of DTLS 1.2 with AES-GCM (37).
const SCTP_MTUS: RangeInclusive<Size> = Size::of(507)..=Size::of(1_431);

/// The stack of the scenario: a profile and what is changed in it.
pub(super) fn read(section: &Section<'_>) -> Option<StackPlan> {
    section.or("stack", StackPlan::tuned(), plan)
}

fn plan(node: &Node<'_>) -> Option<StackPlan> {
    let section = node.section(&KEYS, "a table: [stack]")?;
    let profile = section.or("profile", StackProfile::Tuned, |node| {
        node.choice(&[
            ("tuned", StackProfile::Tuned),
            ("stock", StackProfile::Stock),
        ])
    });
    let base = match profile.unwrap_or(StackProfile::Tuned) {
        StackProfile::Tuned => StackPlan::tuned(),
        StackProfile::Stock => StackPlan::stock(),
    };
    let plan = overrides(&section, base);
    profile.and(plan)
}

fn overrides(section: &Section<'_>, base: StackPlan) -> Option<StackPlan> {
    let flag = |key, base| section.or(key, base, Node::boolean);
    let span =
        |key, base, range| section.or(key, base, |node| or_default(node, |n| time(n, range)));
    let number =
        |key, base, range| section.or(key, base, |node| or_default(node, |n| small(n, range)));
    let flush_relay = flag("flush_relay", base.flush_relay);
    let trickle = flag("trickle", base.trickle);
    let discard = flag(
        "discard_candidates_on_restart",
        base.discard_candidates_on_restart,
    );
    let restart = flag("restart_when_disconnected", base.restart_when_disconnected);
    let check_interval = span("check_interval", base.check_interval, CHECK_INTERVALS);
    let turn_refresh_cap = span("turn_refresh_cap", base.turn_refresh_cap, REFRESH_CAPS);
    let max_binding_requests = number(
        "max_binding_requests",
        base.max_binding_requests,
        BINDING_REQUESTS,
    );
    let max_nacks = number("max_nacks_per_packet", base.max_nacks_per_packet, NACKS);
    let sctp_mtu = section.or("sctp_mtu", base.sctp_mtu, |node| {
        or_default(node, |node| node.within(SCTP_MTUS))
            .map(|size| size.and_then(|size| u16::try_from(size.bytes()).ok()))
    });
    let steady_playout = flag("steady_playout", base.steady_playout);
    let trendline = flag("trendline", base.trendline);
    let steady_handshake = flag("steady_handshake", base.steady_handshake);
    let steady_channels = flag("steady_channels", base.steady_channels);
    let acceptance_waits = section.or("acceptance_waits", base.acceptance_waits, |node| {
        waits(node, base.acceptance_waits)
    });
    Some(StackPlan {
        profile: base.profile,
        flush_relay: flush_relay?,
        trickle: trickle?,
        check_interval: check_interval?,
        max_binding_requests: max_binding_requests?,
        turn_refresh_cap: turn_refresh_cap?,
        discard_candidates_on_restart: discard?,
        restart_when_disconnected: restart?,
        acceptance_waits: acceptance_waits?,
        max_nacks_per_packet: max_nacks?,
        sctp_mtu: sctp_mtu?,
        steady_playout: steady_playout?,
        trendline: trendline?,
        steady_handshake: steady_handshake?,
        steady_channels: steady_channels?,
    })
}

/// `"default"`, the crate's own behaviour, or a value.
fn or_default<T>(node: &Node<'_>, read: impl FnOnce(&Node<'_>) -> Option<T>) -> Option<Option<T>> {
    match node.as_str() {
        Some("default") => Some(None),
        _ => read(node).map(Some),
    }
}

fn time(node: &Node<'_>, range: RangeInclusive<Span>) -> Option<Duration> {
    node.within(range).map(Into::into)
}

fn small(node: &Node<'_>, range: RangeInclusive<u64>) -> Option<u16> {
    node.integer(range)
        .and_then(|number| u16::try_from(number).ok())
}

fn waits(node: &Node<'_>, base: [Option<Duration>; 4]) -> Option<[Option<Duration>; 4]> {
    let section = node.section(&WAITS, "a table such as { relay = \"500 ms\" }")?;
    let wait = |index: usize| {
        section.or(WAITS.names[index], base[index], |node| {
            or_default(node, |node| time(node, ACCEPTANCE_WAITS))
        })
    };
    let [host, srflx, prflx, relay] = [wait(0), wait(1), wait(2), wait(3)];
    Some([host?, srflx?, prflx?, relay?])
}
