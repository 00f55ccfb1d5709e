//! `flows.csv`: how connections share the access links of a call that adapts, a row per phase.
//!
//! A phase is a stretch of whole seconds in which the same connections carry media and the link has
//! the same capacity. The start of the call begins one, and so does a change; the start of the
//! window does not, or a change soon after it would not be seen.

use std::collections::BTreeMap;
use std::ops::Range;

use super::figures::{max, mean};
use super::row::row;
use crate::distribution::Distribution;
use crate::record::{CellRecord, FlowRecord, FlowSecond, HostRecord, TimelineRecord};

/// A change so many seconds after the start of a phase, or sooner, belongs to that phase.
const SHORTEST: u32 = 5;

/// How far from its settled mean a rate may be and count as settled.
const SETTLED: f64 = 0.2;

row! {
    /// What the connections over one way of an access link did in one phase of the measured window.
    /// Times in ms, if not in s.
    pub struct FlowRow {
        /// The scenario's name.
        pub scenario: String,
        /// `mesh`, `sfu` or `mcu`.
        pub topology: String,
        /// How many participants the call has.
        pub participants: u32,
        /// The seed of the cell.
        pub seed: u64,
        /// Whose access link.
        pub host: String,
        /// `up`, from it, or `down`, to it.
        pub way: &'static str,
        /// Start of the phase, s after the start of the call.
        pub from_s: u32,
        /// Its end.
        pub to_s: u32,
        /// Connections that carry media at its end.
        pub flows: u32,
        /// What the link carries that way, mean over the phase.
        pub capacity_kbps: f64,
        /// RTP that arrived at the other ends, mean over the phase.
        pub received_kbps: f64,
        /// The same as a share of the capacity, 0 to 1.
        pub use_ratio: Option<f64>,
        /// Of the second half of the phase, the connection to which least arrived.
        pub flow_kbps_min: Option<f64>,
        /// The same, the connection to which most arrived.
        pub flow_kbps_max: Option<f64>,
        /// Jain's fairness index of the connections in the second half of the phase: 1 if they are
        /// equal, 1/n if one has it all; missing for one connection.
        pub fairness: Option<f64>,
        /// What packets took beyond propagation, median over packets.
        pub queue_ms_p50: Option<f64>,
        /// The same, 95th percentile.
        pub queue_ms_p95: Option<f64>,
        /// Packets that were dropped on the way, as a share of those sent, 0 to 1.
        pub loss_ratio: Option<f64>,
        /// Packets that arrived marked CE (RFC 3168), as a share of those sent, 0 to 1.
        pub mark_ratio: Option<f64>,
        /// From the start of the phase to the first second from which on what arrives, as the mean of
        /// three seconds, stays within 20 % of its mean over the second half; missing if it does not
        /// stay there for that half.
        pub settled_s: Option<u32>,
    }
}

impl FlowRow {
    /// The rows of one cell: hosts in their order, the way up before the way down, phases in the
    /// order of time.
    ///
    /// Of participants in calls that adapt, and links that have a capacity.
    pub fn all(record: &CellRecord) -> Vec<FlowRow> {
        let rows = |link: Link| {
            let phases = link.phases(window(record));
            let row = |phase| link.row(record, phase);
            phases.into_iter().filter_map(row).collect::<Vec<_>>()
        };
        Link::all(record).into_iter().flat_map(rows).collect()
    }
}

/// Jain's fairness index (RFC 5166 section 2.3): 1 for equal rates, 1/n if one of n has it all;
/// `None` if nobody has anything.
pub fn jain(rates: &[f64]) -> Option<f64> {
    let sum: f64 = rates.iter().sum();
    let squares: f64 = rates.iter().map(|rate| rate * rate).sum();
    (squares > 0.0).then(|| sum * sum / (rates.len() as f64 * squares))
}

/// The first place from which on `rates`, each the mean of it and its neighbours, stay within 20 %
/// of the mean of their second half; `None` if that is in the second half itself.
///
/// Congestion control goes up and down by 15 % and more where it has settled; neighbours take the
/// peaks off that.
pub fn settled(rates: &[f64]) -> Option<usize> {
    let half = rates.len() / 2;
    let level = mean(rates[half..].iter().copied())?;
    let smooth = |place: usize| {
        let around = &rates[place.saturating_sub(1)..(place + 2).min(rates.len())];
        around.iter().sum::<f64>() / around.len() as f64
    };
    let strays = |place: &usize| (smooth(*place) - level).abs() > SETTLED * level;
    let from = (0..rates.len()).rfind(strays).map_or(0, |last| last + 1);
    (from <= half && level > 0.0).then_some(from)
}

/// The whole seconds of the measured window.
fn window(record: &CellRecord) -> Range<u32> {
    let from = (record.window_from_ms / 1_000.0).ceil() as u32;
    from..(record.window_to_ms / 1_000.0).floor() as u32
}

/// How many packets there were.
#[derive(Default)]
struct Packets {
    sent: u64,
    lost: u64,
    marked: u64,
}

/// Which way media goes over an access link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the host.
    Up,
    /// To it.
    Down,
}

/// One way of an access link, and what goes over it.
pub(crate) struct Link<'a> {
    /// Whose.
    pub(crate) host: &'a str,
    /// Which way.
    pub(crate) way: Way,
    /// By second.
    pub(crate) capacity_kbps: BTreeMap<u32, f64>,
    /// Connections by their other end.
    pub(crate) flows: Vec<(&'a str, Flow<'a>)>,
}

/// A connection, by second.
pub(crate) type Flow<'a> = BTreeMap<u32, &'a FlowSecond>;

impl<'a> Link<'a> {
    /// Those with a capacity and connections, by host.
    pub(crate) fn all(record: &'a CellRecord) -> Vec<Self> {
        let ways = |host| [Way::Up, Way::Down].map(|way| Link::of(record, host, way));
        let links = record.hosts.iter().flat_map(ways);
        let known = |link: &Link| !link.flows.is_empty() && !link.capacity_kbps.is_empty();
        links.filter(known).collect()
    }

    fn of(record: &'a CellRecord, host: &'a HostRecord, way: Way) -> Self {
        let rows = record.timeline.iter().filter(|row| row.host == host.name);
        let capacity = |row: &'a TimelineRecord| match way {
            Way::Up => Some((row.second, row.up_capacity_kbps?)),
            Way::Down => Some((row.second, row.down_capacity_kbps?)),
        };
        let flow = |flow: &'a FlowRecord| {
            let (near, far) = match way {
                Way::Up => (&flow.sender, &flow.receiver),
                Way::Down => (&flow.receiver, &flow.sender),
            };
            let seconds = flow.seconds.iter().map(|second| (second.second, second));
            (*near == host.name).then(|| (far.as_str(), seconds.collect()))
        };
        Link {
            host: &host.name,
            way,
            capacity_kbps: rows.filter_map(capacity).collect(),
            flows: record.flows.iter().filter_map(flow).collect(),
        }
    }

    /// What arrives in the window as a share of the capacity, as far as that is known.
    pub(crate) fn use_ratio(&self, record: &CellRecord) -> Option<f64> {
        let seconds = || window(record).filter(|second| self.capacity_kbps.contains_key(second));
        let capacity: f64 = seconds().map(|second| self.capacity_kbps[&second]).sum();
        let received: f64 = seconds().map(|second| self.received(second)).sum();
        (capacity > 0.0).then(|| received / capacity)
    }

    /// Which connections carry media in a second.
    fn active(&self, second: u32) -> Vec<bool> {
        let sent = |(_, flow): &(&str, Flow)| {
            let second = flow.get(&second);
            second.is_some_and(|second| second.packets_sent > 0)
        };
        self.flows.iter().map(sent).collect()
    }

    fn phases(&self, window: Range<u32>) -> Vec<Range<u32>> {
        let changes = |second: u32| {
            let capacity = |second: u32| self.capacity_kbps.get(&second);
            capacity(second) != capacity(second - 1)
                || self.active(second) != self.active(second - 1)
        };
        let mut starts = vec![0];
        for second in 1..window.end {
            let last = starts.last().expect("one is there");
            if changes(second) && second - last > SHORTEST {
                starts.push(second);
            }
        }
        let ends = starts.iter().skip(1).copied().chain([window.end]);
        let phases = starts.iter().zip(ends);
        let measured = phases.map(|(&from, to)| from.max(window.start)..to);
        measured.filter(|phase| !phase.is_empty()).collect()
    }

    /// The row of a phase, if anybody sends at its end and the capacity is known throughout.
    fn row(&self, record: &CellRecord, phase: Range<u32>) -> Option<FlowRow> {
        let active = self.active(phase.end - 1);
        let flows = active.iter().filter(|active| **active).count();
        let capacity: Option<Vec<_>> = phase
            .clone()
            .map(|second| self.capacity_kbps.get(&second).copied())
            .collect();
        let (capacity, true) = (mean(capacity?)?, flows > 0) else {
            return None;
        };
        let totals: Vec<_> = phase.clone().map(|second| self.received(second)).collect();
        let received = mean(totals.iter().copied())?;
        let half = phase.start + (phase.end - phase.start) / 2..phase.end;
        let rates = self.rates(&active, half);
        let (packets, queue) = self.packets(&phase);
        let share = |of: u64| (packets.sent > 0).then(|| of as f64 / packets.sent as f64);
        Some(FlowRow {
            scenario: record.scenario.clone(),
            topology: record.topology.clone(),
            participants: record.participants,
            seed: record.seed,
            host: self.host.to_owned(),
            way: match self.way {
                Way::Up => "up",
                Way::Down => "down",
            },
            from_s: phase.start,
            to_s: phase.end,
            flows: flows as u32,
            capacity_kbps: capacity,
            received_kbps: received,
            use_ratio: (capacity > 0.0).then(|| received / capacity),
            flow_kbps_min: rates.iter().copied().min_by(f64::total_cmp),
            flow_kbps_max: max(rates.iter().copied()),
            fairness: (flows > 1).then(|| jain(&rates)).flatten(),
            queue_ms_p50: queue.quantile(0.50),
            queue_ms_p95: queue.quantile(0.95),
            loss_ratio: share(packets.lost),
            mark_ratio: share(packets.marked),
            settled_s: settled(&totals).map(|place| place as u32),
        })
    }

    /// What arrived in a second, over all connections.
    fn received(&self, second: u32) -> f64 {
        let of = |(_, flow): &(&str, Flow)| Some(flow.get(&second)?.received_kbps);
        self.flows.iter().filter_map(of).sum()
    }

    /// What arrived on each of the connections that are active, mean over these seconds.
    fn rates(&self, active: &[bool], seconds: Range<u32>) -> Vec<f64> {
        let rate = |flow: &Flow| {
            let of = |second: u32| flow.get(&second).map_or(0.0, |of| of.received_kbps);
            mean(seconds.clone().map(of)).unwrap_or(0.0)
        };
        let flows = self.flows.iter().zip(active);
        flows
            .filter(|(_, active)| **active)
            .map(|((_, flow), _)| rate(flow))
            .collect()
    }

    /// Packets of a phase, and how long they queued.
    fn packets(&self, phase: &Range<u32>) -> (Packets, Distribution) {
        let mut sum = (Packets::default(), Distribution::default());
        for (_, second) in self
            .flows
            .iter()
            .flat_map(|(_, flow)| flow.range(phase.clone()))
        {
            sum.0.sent += second.packets_sent;
            sum.0.lost += second.packets_lost;
            sum.0.marked += second.packets_marked;
            sum.1.merge(&second.queue_ms);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{cell, flow};

    #[test]
    fn jains_index_is_1_for_equal_rates_and_1_of_n_for_one_that_has_it_all() {
        assert_eq!(jain(&[700.0; 4]), Some(1.0));
        assert_eq!(jain(&[0.0, 900.0, 0.0]), Some(1.0 / 3.0));
        // (1 + 2 + 3)^2 / (3 (1 + 4 + 9)) = 36 / 42.
        assert_eq!(jain(&[1.0, 2.0, 3.0]), Some(36.0 / 42.0));
        assert_eq!(jain(&[0.0, 0.0]), None);
    }

    /// A step that grows by 100 up to 1000: 800 is the first within 20 % of it.
    #[test]
    fn a_rate_settles_where_it_stays_within_a_fifth_of_its_last_half() {
        let ramp: Vec<f64> = (1..=20)
            .map(|k| f64::min(f64::from(k) * 100.0, 1_000.0))
            .collect();
        assert_eq!(settled(&ramp), Some(7));
        assert_eq!(settled(&[500.0; 6]), Some(0));
        // One stray second in the first half, one in the second.
        let stray = |place: usize| {
            let mut rates = [500.0; 10];
            rates[place] = 0.0;
            settled(&rates)
        };
        // The stray and both of its neighbours are 167 off; the second half is 100 too low.
        assert_eq!(stray(3), Some(5));
        assert_eq!(stray(8), None);
        assert_eq!(settled(&[]), None);
        assert_eq!(settled(&[0.0; 8]), None);
    }

    /// a has 1000 kbps up to second 12 of its window, 2 to 22, then 2000. To b it sends 600 kbps all
    /// the time, of which 1 packet in 10 is lost; to c 200 from second 12 on.
    fn shared() -> CellRecord {
        let mut cell = cell();
        cell.window_to_ms = 22_000.0;
        let second = cell.timeline[0].clone();
        let capacity = |second| if second < 12 { 1_000.0 } else { 2_000.0 };
        let row = |of| TimelineRecord {
            second: of,
            up_capacity_kbps: Some(capacity(of)),
            ..second.clone()
        };
        cell.timeline = (0..22).map(row).collect();
        cell.flows = vec![
            flow(("a", "b"), 0..22, (600.0, 10, 1), 30),
            flow(("a", "c"), 12..22, (200.0, 10, 0), 60),
        ];
        cell
    }

    #[test]
    fn an_uplink_has_a_row_for_each_phase() {
        let rows = FlowRow::all(&shared());
        let [before, after] = &rows[..] else {
            panic!("{rows:?}");
        };
        assert_eq!((before.from_s, before.to_s, before.flows), (2, 12, 1));
        assert_eq!((after.from_s, after.to_s, after.flows), (12, 22, 2));
        assert_eq!((before.use_ratio, after.use_ratio), (Some(0.6), Some(0.4)));
        assert_eq!(
            (before.loss_ratio, after.loss_ratio),
            (Some(0.1), Some(0.05))
        );
        // The fixture has 2 of 10 marked.
        assert_eq!(
            (before.mark_ratio, after.mark_ratio),
            (Some(0.2), Some(0.2))
        );
        assert_eq!(
            (before.queue_ms_p50, before.queue_ms_p95),
            (Some(30.0), Some(30.0))
        );
        // As many packets of 30 ms as of 60 ms: the median is the last of the lower half.
        assert_eq!(
            (after.queue_ms_p50, after.queue_ms_p95),
            (Some(30.0), Some(60.0))
        );
        // 800^2 / (2 (600^2 + 200^2)).
        assert_eq!((before.fairness, after.fairness), (None, Some(0.8)));
        assert_eq!(
            (after.flow_kbps_min, after.flow_kbps_max),
            (Some(200.0), Some(600.0))
        );
        assert_eq!((before.settled_s, after.settled_s), (Some(0), Some(0)));
    }

    #[test]
    fn a_change_within_five_seconds_of_another_belongs_to_its_phase() {
        let mut cell = shared();
        cell.flows[1] = flow(("a", "c"), 15..22, (200.0, 10, 0), 60);
        let starts: Vec<_> = FlowRow::all(&cell).iter().map(|row| row.from_s).collect();
        assert_eq!(starts, [2, 12]);
        cell.flows[1] = flow(("a", "c"), 18..22, (200.0, 10, 0), 60);
        let starts: Vec<_> = FlowRow::all(&cell).iter().map(|row| row.from_s).collect();
        assert_eq!(starts, [2, 12, 18]);
    }

    /// The window begins at 10 s, which is no change: what changes 1 s or 5 s later is 11 s and 15 s
    /// after the start of the call, and has a phase of its own.
    #[test]
    fn a_step_soon_after_the_window_begins_is_a_phase_of_its_own() {
        let step = |at: u32| {
            let mut cell = shared();
            cell.window_from_ms = 10_000.0;
            cell.flows.truncate(1);
            for second in &mut cell.timeline {
                let capacity = if second.second < at { 1_000.0 } else { 2_000.0 };
                second.up_capacity_kbps = Some(capacity);
            }
            let phase = |row: &FlowRow| (row.from_s, row.to_s, row.capacity_kbps);
            FlowRow::all(&cell).iter().map(phase).collect::<Vec<_>>()
        };
        assert_eq!(step(15), [(10, 15, 1_000.0), (15, 22, 2_000.0)]);
        assert_eq!(step(11), [(10, 11, 1_000.0), (11, 22, 2_000.0)]);
        // Before the window, or as it begins.
        assert_eq!(step(7), [(10, 22, 2_000.0)]);
        assert_eq!(step(10), [(10, 22, 2_000.0)]);
    }

    /// Of the call's first 5 s nothing is told apart: connections begin in them.
    #[test]
    fn what_begins_with_the_call_belongs_to_its_first_phase() {
        let mut cell = shared();
        let starts = |cell: &CellRecord| {
            FlowRow::all(cell)
                .iter()
                .map(|row| row.from_s)
                .collect::<Vec<_>>()
        };
        cell.flows[1] = flow(("a", "c"), 5..22, (200.0, 10, 0), 60);
        assert_eq!(starts(&cell), [2, 12]);
        cell.flows[1] = flow(("a", "c"), 6..22, (200.0, 10, 0), 60);
        assert_eq!(starts(&cell), [2, 6, 12]);
    }

    #[test]
    fn a_downlink_has_the_phases_of_what_comes_over_it() {
        let mut cell = shared();
        for second in &mut cell.timeline {
            second.down_capacity_kbps = second.up_capacity_kbps.map(|kbps| kbps / 2.0);
        }
        cell.flows = vec![
            flow(("a", "b"), 0..22, (600.0, 10, 1), 30),
            flow(("b", "a"), 0..22, (150.0, 10, 0), 80),
            flow(("c", "a"), 0..22, (300.0, 10, 0), 80),
        ];
        let rows = FlowRow::all(&cell);
        let place = |row: &FlowRow| (row.host.clone(), row.way, row.from_s, row.flows);
        let places: Vec<_> = rows.iter().map(place).collect();
        let expected = [("up", 2, 1), ("up", 12, 1), ("down", 2, 2), ("down", 12, 2)];
        let expected = expected.map(|(way, from, flows)| ("a".to_owned(), way, from, flows));
        assert_eq!(places, expected);
        // 600 of 1000 and 2000 kbps up, 450 of 500 and 1000 down.
        let used: Vec<_> = rows.iter().map(|row| row.use_ratio.unwrap()).collect();
        assert_eq!(used, [0.6, 0.3, 0.9, 0.45]);
        let down = &rows[2];
        assert_eq!(
            (down.queue_ms_p50, down.loss_ratio),
            (Some(80.0), Some(0.0))
        );
        // (1 + 2)^2 / (2 (1 + 4)).
        assert_eq!(down.fairness, Some(0.9));
        // Files of older versions know nothing of downlinks.
        for second in &mut cell.timeline {
            second.down_capacity_kbps = None;
        }
        assert!(FlowRow::all(&cell).iter().all(|row| row.way == "up"));
    }

    #[test]
    fn an_uplink_without_a_capacity_has_no_rows() {
        let mut cell = shared();
        for second in &mut cell.timeline {
            second.up_capacity_kbps = None;
        }
        assert_eq!(FlowRow::all(&cell), []);
    }
}
