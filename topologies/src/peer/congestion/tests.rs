//! Estimators behind a model of a bottleneck, the stack's beside ours.

use std::sync::Arc;

use rtc::interceptor::{BandwidthEstimator, Gcc, PacketReport};
use scenarios::Threshold;

use super::bottleneck::{Bottleneck, Second, drive, epoch, report};
use super::{Bounds, Flow, FlowStateExchange, PACING, TrendGcc};

const BOUNDS: Bounds = Bounds {
    least_bps: 50_000.0,
    desired_bps: 1_250_000.0,
    most_bps: 2_500_000.0,
};

fn ours() -> TrendGcc {
    TrendGcc::new(300_000.0, BOUNDS, Threshold::Libwebrtc)
}

/// An encoder that is asked for 93 % of the estimate beside sound, and holds that.
fn encoder(estimate: f64) -> f64 {
    (0.93 * (estimate - 40_000.0)).max(30_000.0)
}

fn run(estimator: &mut TrendGcc, link: &Bottleneck, seconds: usize) -> Vec<Second> {
    drive(link, estimator, |target| encoder(target / PACING), seconds)
}

fn steady(bps: f64, buffer_ms: f64) -> Bottleneck {
    Bottleneck {
        rates: vec![(0.0, bps)],
        buffer_ms,
        lose_every: 0,
    }
}

/// Mean rate and mean time in the queue of some seconds.
fn mean(seconds: &[Second]) -> Second {
    let mean = |of: fn(&Second) -> f64| seconds.iter().map(of).sum::<f64>() / seconds.len() as f64;
    Second {
        arrived_bps: mean(|second| second.arrived_bps),
        queue_ms: mean(|second| second.queue_ms),
    }
}

/// 60 to 100 % of the bottleneck, and a queue that is mostly empty: less than half of the smaller
/// buffer in the mean, whatever there is room for.
#[test]
fn ours_fills_a_bottleneck_without_filling_its_buffer() {
    for (bps, buffer_ms) in [
        (3e5, 200.0),
        (5e5, 200.0),
        (1e6, 200.0),
        (1e6, 1_000.0),
        (2e6, 200.0),
    ] {
        let seconds = run(&mut ours(), &steady(bps, buffer_ms), 60);
        let settled = mean(&seconds[20..]);
        let share = settled.arrived_bps / bps;
        assert!((0.6..=1.0).contains(&share), "{bps}: {share}");
        assert!(
            (0.0..100.0).contains(&settled.queue_ms),
            "{bps}: {settled:?}"
        );
    }
}

#[test]
fn ours_follows_steps_down_and_up() {
    let link = Bottleneck {
        rates: vec![(0.0, 1e6), (20.0, 5e5), (40.0, 1e6)],
        buffer_ms: 200.0,
        lose_every: 0,
    };
    let seconds = run(&mut ours(), &link, 60);
    // Within 3 s of the step down the queue is what it is ever after.
    let after = mean(&seconds[23..40]);
    assert!(
        (0.6..=1.0).contains(&(after.arrived_bps / 5e5)),
        "{after:?}"
    );
    assert!(after.queue_ms < 100.0, "{after:?}");
    // 5 s after the step up more than 60 % of the new capacity are used.
    let recovered = seconds[45].arrived_bps / 1e6;
    assert!((0.6..=1.0).contains(&recovered), "{recovered}");
}

/// One packet in 50 is lost, and none of them to congestion: between the thresholds the rate is
/// held, and windows with less than 2 % let it grow.
#[test]
fn ours_is_not_driven_down_by_two_percent_of_loss() {
    let link = Bottleneck {
        lose_every: 50,
        ..steady(1e6, 200.0)
    };
    let settled = mean(&run(&mut ours(), &link, 60)[20..]);
    assert!((6e5..=1e6).contains(&settled.arrived_bps), "{settled:?}");
}

/// What the stack's estimator does on the same link: its delay half never sees the queue and grows
/// to its maximum, so the buffer fills until a tenth of the packets are lost, and empties again: a
/// sawtooth, a quarter of the buffer and more in the mean.
#[test]
fn the_stacks_estimator_fills_the_buffer() {
    let link = steady(1e6, 200.0);
    let mut stock = Gcc::new(300_000.0, BOUNDS.least_bps, BOUNDS.most_bps);
    let settled = mean(&drive(&link, &mut stock, encoder, 60)[20..]);
    assert!((50.0..=210.0).contains(&settled.queue_ms), "{settled:?}");
    assert_eq!(stock.delay_based_bitrate(), BOUNDS.most_bps);
    assert!(stock.loss_based_bitrate() < BOUNDS.most_bps);
    let ours = mean(&run(&mut ours(), &link, 60)[20..]);
    assert!(
        (0.0..0.5 * settled.queue_ms).contains(&ours.queue_ms),
        "{ours:?}"
    );
}

/// Of 550 kbps a flow that counts for a tenth of the other has 50, and sends 74 of them anyway. Nothing
/// grows in no time, however often feedback comes, so the other one keeps its 500.
#[test]
fn a_flow_on_its_floor_finds_nothing_that_others_could_have() {
    let exchange: Arc<FlowStateExchange> = Arc::default();
    let bounds = Bounds {
        least_bps: 74_000.0,
        ..BOUNDS
    };
    let [mut large, mut small] = [(10.0, 500_000.0), (1.0, 50_000.0)].map(|(priority, start)| {
        let flow = Flow::begin(&exchange, priority, start, BOUNDS.desired_bps);
        TrendGcc::new(start, bounds, Threshold::Libwebrtc).coupled(Some(flow))
    });
    let arrived = PacketReport {
        arrived: true,
        ..report()
    };
    for _ in 0..100 {
        small.on_reports(epoch(), std::slice::from_ref(&arrived));
    }
    large.on_reports(epoch(), &[arrived]);
    assert_eq!(small.estimate_bps(), 74_000.0);
    let large = large.estimate_bps();
    assert!((large - 500_000.0).abs() < 1.0, "{large}");
}
