//! The loss stage: independent (Bernoulli) or in bursts (Gilbert-Elliott).

use rand::distr::{Bernoulli, Distribution};
use rand_chacha::ChaCha8Rng;

use super::config::LossConfig;
use super::validate::LinkError;

/// Decides, packet by packet, which are lost. It draws only where there is something to decide.
#[derive(Debug)]
pub(super) struct Loss {
    model: Model,
    /// Boxed: it is larger than all else of a link together, and most links never draw.
    rng: Box<ChaCha8Rng>,
}

#[derive(Debug)]
enum Model {
    None,
    Bernoulli(Bernoulli),
    GilbertElliott(Chain),
}

/// A two-state Markov chain (E. N. Gilbert, "Capacity of a burst-noise channel", Bell System
/// Technical Journal 39, 1960; E. O. Elliott, "Estimates of error rates for codes on burst-noise
/// channels", Bell System Technical Journal 42, 1963).
///
/// Each packet is first lost or not according to the state that the chain is in, and then the
/// chain takes one step. The chain starts in its stationary distribution, so that a short run is
/// not biased towards the good state: the loss rate is that of the formula from the first packet.
#[derive(Debug)]
struct Chain {
    bad: bool,
    good: State,
    faulty: State,
}

#[derive(Debug)]
struct State {
    lose: Bernoulli,
    leave: Bernoulli,
}

impl Loss {
    pub(super) fn new(config: LossConfig, mut rng: ChaCha8Rng) -> Result<Self, LinkError> {
        let model = Model::new(config, None, &mut rng)?;
        let rng = Box::new(rng);
        Ok(Loss { model, rng })
    }

    /// Changes the model; a chain that stays one keeps its state.
    pub(super) fn set_model(&mut self, config: LossConfig) -> Result<(), LinkError> {
        let bad = match &self.model {
            Model::GilbertElliott(chain) => Some(chain.bad),
            _ => None,
        };
        self.model = Model::new(config, bad, &mut self.rng)?;
        Ok(())
    }

    /// Whether the next packet is lost.
    pub(super) fn strikes(&mut self) -> bool {
        match &mut self.model {
            Model::None => false,
            Model::Bernoulli(lose) => lose.sample(&mut self.rng),
            Model::GilbertElliott(chain) => chain.strikes(&mut self.rng),
        }
    }
}

impl Model {
    fn new(config: LossConfig, bad: Option<bool>, rng: &mut ChaCha8Rng) -> Result<Self, LinkError> {
        Ok(match config {
            LossConfig::None => Model::None,
            LossConfig::Bernoulli { probability } => {
                Model::Bernoulli(bernoulli("probability", probability)?)
            }
            LossConfig::GilbertElliott {
                good_to_bad,
                bad_to_good,
                loss_good,
                loss_bad,
            } => {
                let good = State::new(("loss_good", loss_good), ("good_to_bad", good_to_bad))?;
                let faulty = State::new(("loss_bad", loss_bad), ("bad_to_good", bad_to_good))?;
                let bad = match bad {
                    Some(bad) => bad,
                    None => stationary(good_to_bad, bad_to_good)?.sample(rng),
                };
                Model::GilbertElliott(Chain { bad, good, faulty })
            }
        })
    }
}

impl Chain {
    fn strikes(&mut self, rng: &mut ChaCha8Rng) -> bool {
        let state = if self.bad { &self.faulty } else { &self.good };
        let lost = state.lose.sample(rng);
        self.bad ^= state.leave.sample(rng);
        lost
    }
}

impl State {
    fn new(lose: (&'static str, f64), leave: (&'static str, f64)) -> Result<Self, LinkError> {
        Ok(State {
            lose: bernoulli(lose.0, lose.1)?,
            leave: bernoulli(leave.0, leave.1)?,
        })
    }
}

/// The probability of the bad state, `p / (p + r)`; a chain that never moves is good.
fn stationary(good_to_bad: f64, bad_to_good: f64) -> Result<Bernoulli, LinkError> {
    let moves = good_to_bad + bad_to_good;
    bernoulli(
        "good_to_bad",
        if moves > 0.0 {
            good_to_bad / moves
        } else {
            0.0
        },
    )
}

fn bernoulli(name: &'static str, value: f64) -> Result<Bernoulli, LinkError> {
    Bernoulli::new(value).map_err(|_| LinkError::Probability { name, value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    const PACKETS: u32 = 1_000_000;

    fn losses(config: LossConfig, name: &str) -> Vec<bool> {
        let mut loss = Loss::new(config, Seed(1).stream(name)).expect("valid");
        (0..PACKETS).map(|_| loss.strikes()).collect()
    }

    fn rate(lost: &[bool]) -> f64 {
        lost.iter().filter(|&&lost| lost).count() as f64 / lost.len() as f64
    }

    fn assert_within(measured: f64, expected: f64, tolerance: f64) {
        assert!(
            (measured - expected).abs() <= tolerance,
            "{measured} is not {expected} +- {tolerance}"
        );
    }

    #[test]
    fn bernoulli_loses_at_its_rate() {
        // The number lost is binomial: the rate has a standard error of sqrt(p (1 - p) / n), and
        // five of them are passed by chance once in 1.7 million seeds.
        for p in [0.001_f64, 0.02, 0.5] {
            let lost = losses(LossConfig::Bernoulli { probability: p }, "bernoulli");
            let error = (p * (1.0 - p) / f64::from(PACKETS)).sqrt();
            assert_within(rate(&lost), p, 5.0 * error);
        }
    }

    #[test]
    fn certain_outcomes_are_certain() {
        let all = losses(LossConfig::Bernoulli { probability: 1.0 }, "certain");
        assert!(all.iter().all(|&lost| lost));
        let none = losses(LossConfig::Bernoulli { probability: 0.0 }, "certain");
        assert!(!none.contains(&true));
        // A chain that never moves is good, whatever the bad state would do.
        let still = LossConfig::GilbertElliott {
            good_to_bad: 0.0,
            bad_to_good: 0.0,
            loss_good: 0.0,
            loss_bad: 1.0,
        };
        assert!(!losses(still, "certain").contains(&true));
    }

    #[test]
    fn gilbert_elliott_loses_at_the_stationary_rate() {
        // The chain is bad with probability b = p / (p + r), so the mean loss is
        // m = (1 - b) g + b h. With l = 1 - p - r the covariance of two losses k packets apart is
        // (h - g)^2 b (1 - b) l^k, so the variance of the mean of n is
        // [m (1 - m) + 2 (h - g)^2 b (1 - b) l / (1 - l)] / n. Five standard errors both ways.
        for (p, r, g, h) in [
            (0.01_f64, 0.2_f64, 0.0_f64, 1.0_f64),
            (0.02, 0.1, 0.01, 0.6),
            (0.3, 0.9, 0.05, 0.5),
        ] {
            let config = LossConfig::GilbertElliott {
                good_to_bad: p,
                bad_to_good: r,
                loss_good: g,
                loss_bad: h,
            };
            let b = p / (p + r);
            let m = (1.0 - b) * g + b * h;
            let l = 1.0 - p - r;
            let bursty = 2.0 * (h - g).powi(2) * b * (1.0 - b) * l / (1.0 - l);
            let error = ((m * (1.0 - m) + bursty) / f64::from(PACKETS)).sqrt();
            assert_within(rate(&losses(config, "rate")), m, 5.0 * error);
        }
    }

    #[test]
    fn gilbert_bursts_have_their_mean_length() {
        // With loss_good = 0 and loss_bad = 1 a burst is a stay in the bad state: geometric, with
        // mean 1 / r and standard deviation sqrt(1 - r) / r. Five standard errors both ways.
        for r in [0.1_f64, 0.25, 0.8] {
            let config = LossConfig::GilbertElliott {
                good_to_bad: 0.02,
                bad_to_good: r,
                loss_good: 0.0,
                loss_bad: 1.0,
            };
            let lost = losses(config, "burst");
            let bursts: Vec<f64> = lost
                .chunk_by(|a, b| a == b)
                .filter(|run| run[0])
                .map(|run| run.len() as f64)
                .collect();
            let mean = bursts.iter().sum::<f64>() / bursts.len() as f64;
            let error = (1.0 - r).sqrt() / r / (bursts.len() as f64).sqrt();
            assert_within(mean, 1.0 / r, 5.0 * error);
        }
    }

    #[test]
    fn a_chain_starts_in_its_stationary_distribution() {
        // b = 0.3 / (0.3 + 0.1) = 0.75 of 10,000 chains lose their first packet; the standard
        // error is sqrt(0.75 * 0.25 / 10,000) = 0.0043. Starting in the good state would give 0.
        let config = LossConfig::GilbertElliott {
            good_to_bad: 0.3,
            bad_to_good: 0.1,
            loss_good: 0.0,
            loss_bad: 1.0,
        };
        let first: Vec<bool> = (0..10_000)
            .map(|seed| {
                let rng = Seed(seed).stream("start");
                Loss::new(config, rng).expect("valid").strikes()
            })
            .collect();
        assert_within(rate(&first), 0.75, 5.0 * 0.0043);
    }

    #[test]
    fn a_chain_keeps_its_state_when_it_is_changed() {
        // In the bad state for good: only a chain that kept it loses everything afterwards.
        let stuck = |good_to_bad| LossConfig::GilbertElliott {
            good_to_bad,
            bad_to_good: 0.0,
            loss_good: 0.0,
            loss_bad: 1.0,
        };
        let mut loss = Loss::new(stuck(1.0), Seed(1).stream("kept")).expect("valid");
        loss.set_model(stuck(0.0)).expect("valid");
        assert!(loss.strikes());
        loss.set_model(LossConfig::None).expect("valid");
        assert!(!loss.strikes());
    }
}
