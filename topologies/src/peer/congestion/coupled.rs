//! Connections that share what they carry together: coupled congestion control (RFC 8699).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// Where the flows of one sender meet: its flow state exchange (FSE, RFC 8699 section 5). All of them
/// are taken to share one bottleneck, the sender's uplink.
#[derive(Debug, Default)]
pub struct FlowStateExchange(Mutex<FlowGroup>);

impl FlowStateExchange {
    fn lock(&self) -> MutexGuard<'_, FlowGroup> {
        self.0.lock().expect("no panic while flows are locked")
    }
}

/// A flow in an exchange, until it is dropped.
#[derive(Debug)]
pub struct Flow {
    exchange: Arc<FlowStateExchange>,
    number: u64,
}

impl Flow {
    /// A flow begins at `start_bps`. It never wants more than `desired_bps`, and where there is not
    /// enough for all it counts for `priority`.
    pub fn begin(
        exchange: &Arc<FlowStateExchange>,
        priority: f64,
        start_bps: f64,
        desired_bps: f64,
    ) -> Self {
        let number = exchange.lock().register(State {
            priority,
            desired_bps,
            rate_bps: start_bps.min(desired_bps),
        });
        Flow {
            exchange: Arc::clone(exchange),
            number,
        }
    }

    /// The flow's rate, as all flows together left it, bits per second.
    pub fn rate_bps(&self) -> f64 {
        self.exchange.lock().flows[&self.number].rate_bps
    }

    /// The flow's own congestion control would send at `own_bps` now. Returns its share of what all
    /// flows may send; theirs is there when they ask.
    pub fn update(&self, own_bps: f64) -> f64 {
        self.exchange.lock().update(self.number, own_bps);
        self.rate_bps()
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.exchange.lock().remove(self.number);
    }
}

/// A flow as the exchange knows it: P, DR and FSE_R of RFC 8699 section 5.1.
#[derive(Clone, Copy, Debug)]
struct State {
    priority: f64,
    desired_bps: f64,
    rate_bps: f64,
}

#[derive(Debug, Default)]
struct FlowGroup {
    flows: BTreeMap<u64, State>,
    /// S_CR: what all flows may send together.
    sum_bps: f64,
    registered: u64,
}

impl FlowGroup {
    fn register(&mut self, state: State) -> u64 {
        self.registered += 1;
        self.sum_bps += state.rate_bps;
        self.flows.insert(self.registered, state);
        self.registered
    }

    fn remove(&mut self, number: u64) {
        if let Some(state) = self.flows.remove(&number) {
            self.sum_bps -= state.rate_bps;
        }
    }

    /// UPDATE of RFC 8699 section 5.3.1. What nobody wants is forgotten, so that a path that was
    /// wider than all flows together is not taken for that wide ever after.
    fn update(&mut self, number: u64, own_bps: f64) {
        let state = self.flows[&number];
        let desired: f64 = self.flows.values().map(|flow| flow.desired_bps).sum();
        self.sum_bps = (self.sum_bps + own_bps - state.rate_bps).clamp(0.0, desired);
        self.distribute();
    }

    /// Gives every flow its share by priority, and what some do not want to the others.
    fn distribute(&mut self) {
        let mut left = self.sum_bps;
        let mut priorities: f64 = self.flows.values().map(|flow| flow.priority).sum();
        // Who wants least for its priority is satisfied first, so one pass is enough.
        let mut flows: Vec<_> = self.flows.values_mut().collect();
        let modesty = |flow: &State| flow.desired_bps / flow.priority;
        flows.sort_by(|a, b| modesty(a).total_cmp(&modesty(b)));
        for flow in flows {
            flow.rate_bps = (left * flow.priority / priorities).min(flow.desired_bps);
            left -= flow.rate_bps;
            priorities -= flow.priority;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flows(of: &[(f64, f64, f64)]) -> Vec<Flow> {
        let exchange = Arc::default();
        let begin = |(priority, start, desired): &(f64, f64, f64)| {
            Flow::begin(&exchange, *priority, *start, *desired)
        };
        of.iter().map(begin).collect()
    }

    fn rates(flows: &[Flow]) -> Vec<f64> {
        let round = |flow: &Flow| (flow.rate_bps() * 1e3).round() / 1e3;
        flows.iter().map(round).collect()
    }

    /// 300 and 300, of which one finds 600: 900 in all, 600 and 300 of them by priorities 2 and 1.
    #[test]
    fn what_one_finds_all_share_by_priority() {
        let two = flows(&[(2.0, 300.0, 5_000.0), (1.0, 300.0, 5_000.0)]);
        assert_eq!(two[1].update(600.0), 300.0);
        assert_eq!(rates(&two), [600.0, 300.0]);
        // One of them has to slow down by a sixth, 100: both do, by a ninth.
        assert!((two[0].update(500.0) - 1_600.0 / 3.0).abs() < 1e-9);
        assert_eq!(rates(&two), [533.333, 266.667]);
    }

    /// Of 1,200 one wants 200: the others share 1,000 three to one.
    #[test]
    fn what_one_does_not_want_the_others_have() {
        let three = flows(&[
            (1.0, 200.0, 200.0),
            (3.0, 500.0, 5_000.0),
            (1.0, 500.0, 5_000.0),
        ]);
        three[1].update(500.0);
        assert_eq!(rates(&three), [200.0, 750.0, 250.0]);
    }

    #[test]
    fn what_nobody_wants_is_forgotten() {
        let two = flows(&[(1.0, 100.0, 200.0), (1.0, 100.0, 300.0)]);
        two[0].update(9_000.0);
        assert_eq!(rates(&two), [200.0, 300.0]);
        // 500, less 100, are 200 each.
        two[1].update(200.0);
        assert_eq!(rates(&two), [200.0, 200.0]);
    }

    /// Who leaves takes its share along; who comes brings its own.
    #[test]
    fn who_comes_and_goes_leaves_the_rest_as_it_is() {
        let mut all = flows(&[(1.0, 400.0, 5_000.0), (1.0, 400.0, 5_000.0)]);
        drop(all.pop());
        assert_eq!(all[0].update(400.0), 400.0);
        let third = Flow::begin(&all[0].exchange, 1.0, 100.0, 5_000.0);
        assert_eq!((all[0].rate_bps(), third.rate_bps()), (400.0, 100.0));
        assert_eq!(third.update(100.0), 250.0);
    }

    /// An independent form of the shares: max-min, by filling all flows at the speed of their
    /// priorities until each is full or nothing is left.
    #[test]
    fn shares_are_those_of_filling_slowly() {
        let wants = [(1.0, 130.0), (2.0, 900.0), (0.5, 40.0), (4.0, 1_000.0)];
        for sum in [10.0, 300.0, 777.0, 1_500.0, 2_070.0] {
            let start = |(priority, desired): &(f64, f64)| (*priority, 0.0, *desired);
            let all = flows(&wants.iter().map(start).collect::<Vec<_>>());
            all[0].update(sum);
            let mut filled = [0.0; 4];
            let mut left: f64 = sum;
            while left > 1e-6 {
                let thirsty: Vec<usize> = (0..4).filter(|i| filled[*i] < wants[*i].1).collect();
                for i in thirsty {
                    let drop = (1e-3 * wants[i].0).min(wants[i].1 - filled[i]).min(left);
                    filled[i] += drop;
                    left -= drop;
                }
            }
            for (rate, filled) in rates(&all).iter().zip(filled) {
                assert!((rate - filled).abs() < 0.02, "{sum}: {rate} and {filled}");
            }
        }
    }
}
