//! What makes a pipe possible.

use thiserror::Error;

use super::config::{LossConfig, PipeConfig};

/// The smallest buffer that a pipe may have: one full-size packet on Ethernet (RFC 894).
pub const MIN_BUFFER_BYTES: u64 = 1_500;

/// Why a [`PipeConfig`] cannot be built. The messages name the field.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum LinkError {
    /// Nothing would ever leave the pipe.
    #[error("rate_bps is 0: nothing would ever be sent (leave it out for an unlimited rate)")]
    ZeroRate,
    /// Packets only wait for a rate, so the limit would never apply.
    #[error("buffer_bytes is {0} but there is no rate_bps for packets to wait for")]
    BufferWithoutRate(u64),
    /// Full-size packets would never pass.
    #[error("buffer_bytes is {0}, less than one packet of {MIN_BUFFER_BYTES} bytes")]
    SmallBuffer(u64),
    /// Not a probability.
    #[error("{name} is {value}, not a probability from 0 to 1")]
    Probability {
        /// The field of [`LossConfig`].
        name: &'static str,
        /// What it was set to.
        value: f64,
    },
}

impl PipeConfig {
    /// Whether this pipe delivers every packet at once: no rate, delay, jitter or loss.
    pub fn is_ideal(&self) -> bool {
        self.rate_bps.is_none()
            && self.delay.is_zero()
            && self.jitter.std.is_zero()
            && self.loss == LossConfig::None
    }

    /// Checks that a pipe can be built.
    ///
    /// # Errors
    ///
    /// The first of: a rate of zero, a buffer without a rate, a buffer below [`MIN_BUFFER_BYTES`],
    /// a loss parameter outside 0 to 1 (or not a number).
    pub fn validate(&self) -> Result<(), LinkError> {
        match (self.rate_bps, self.buffer_bytes) {
            (Some(0), _) => return Err(LinkError::ZeroRate),
            (None, Some(bytes)) => return Err(LinkError::BufferWithoutRate(bytes)),
            (_, Some(bytes)) if bytes < MIN_BUFFER_BYTES => {
                return Err(LinkError::SmallBuffer(bytes));
            }
            _ => {}
        }
        self.loss.validate()
    }
}

impl LossConfig {
    /// Checks that every probability is one.
    ///
    /// # Errors
    ///
    /// [`LinkError::Probability`] for the first that is outside 0 to 1 or not a number.
    pub fn validate(&self) -> Result<(), LinkError> {
        match *self {
            LossConfig::None => Ok(()),
            LossConfig::Bernoulli { probability: p } => probability("probability", p),
            LossConfig::GilbertElliott {
                good_to_bad,
                bad_to_good,
                loss_good,
                loss_bad,
            } => {
                probability("good_to_bad", good_to_bad)?;
                probability("bad_to_good", bad_to_good)?;
                probability("loss_good", loss_good)?;
                probability("loss_bad", loss_bad)
            }
        }
    }
}

fn probability(name: &'static str, value: f64) -> Result<(), LinkError> {
    if (0.0..=1.0).contains(&value) {
        Ok(())
    } else {
        Err(LinkError::Probability { name, value })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn impossible_rates_and_buffers_are_refused() {
        let pipe = |rate_bps, buffer_bytes| PipeConfig {
            rate_bps,
            buffer_bytes,
            ..PipeConfig::default()
        };
        assert_eq!(pipe(Some(0), None).validate(), Err(LinkError::ZeroRate));
        assert_eq!(
            pipe(None, Some(9_000)).validate(),
            Err(LinkError::BufferWithoutRate(9_000))
        );
        // 1,499 bytes cannot hold a 1,500-byte packet, 1,500 can.
        assert_eq!(
            pipe(Some(1), Some(1_499)).validate(),
            Err(LinkError::SmallBuffer(1_499))
        );
        assert_eq!(pipe(Some(1), Some(1_500)).validate(), Ok(()));
        assert_eq!(pipe(None, None).validate(), Ok(()));
    }

    #[test]
    fn a_probability_is_from_0_to_1_and_the_error_names_it() {
        for value in [-0.001, 1.001, f64::NAN] {
            let loss = LossConfig::GilbertElliott {
                good_to_bad: 0.0,
                bad_to_good: 1.0,
                loss_good: 0.5,
                loss_bad: value,
            };
            let error = loss.validate().expect_err("not a probability");
            assert!(error.to_string().starts_with("loss_bad is "), "{error}");
            assert!(
                LossConfig::Bernoulli { probability: value }
                    .validate()
                    .is_err()
            );
        }
        assert_eq!(
            LossConfig::Bernoulli { probability: 1.0 }.validate(),
            Ok(())
        );
    }

    #[test]
    fn any_stage_makes_a_pipe_real() {
        let ideal = PipeConfig::default();
        assert!(ideal.is_ideal());
        assert!(
            !PipeConfig {
                rate_bps: Some(1),
                ..ideal
            }
            .is_ideal()
        );
        assert!(
            !PipeConfig {
                delay: Duration::from_nanos(1),
                ..ideal
            }
            .is_ideal()
        );
        let mut jittery = ideal;
        jittery.jitter.std = Duration::from_nanos(1);
        assert!(!jittery.is_ideal());
        let loss = LossConfig::Bernoulli { probability: 0.0 };
        assert!(!PipeConfig { loss, ..ideal }.is_ideal());
    }
}
