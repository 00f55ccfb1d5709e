//! How the layers of one camera share what it may send: the smallest first.

use std::time::Duration;

use sim::Time;

/// Below this limit, bits per second, a layer is not wanted at all. The stack reads a limit of 0 as
/// 8.4 Mbps (its REMB has no code for it), so 0 is never sent.
pub const UNWANTED: f64 = 1_000.0;

/// A layer begins when there is this much of its ceiling left for it. An estimate grows no further
/// than 1.5 times what is sent, so it must be less than half of what the smaller layers have: 2 and
/// 7 of their shares leave room for a sixth of 7 and of 25.
const BEGINS: f64 = 1.0 / 6.0;

/// It ends when there is less than this.
const ENDS: f64 = 1.0 / 9.0;

/// How long it then rests: an encoder that comes and goes spends its bits on keyframes.
const REST: Duration = Duration::from_secs(3);

/// The layers of one camera.
#[derive(Clone, Debug)]
pub struct Layering(Vec<Layer>);

#[derive(Clone, Copy, Debug)]
struct Layer {
    ceiling_bps: f64,
    encoded: bool,
    /// When it ended for want of room.
    ended: Option<Time>,
}

impl Layering {
    /// Layers with these ceilings, bits per second, the smallest layer first.
    pub fn new(ceilings: impl IntoIterator<Item = u32>) -> Self {
        let layer = |ceiling| Layer {
            ceiling_bps: f64::from(ceiling),
            encoded: false,
            ended: None,
        };
        Layering(ceilings.into_iter().map(layer).collect())
    }

    /// What all of them may send together, as `limits` have it, bits per second.
    pub fn ceiling_bps(&self, limits: &[f64]) -> f64 {
        let layers = self.0.iter().zip(limits);
        let wanted = layers.filter(|(_, limit)| **limit >= UNWANTED);
        wanted
            .map(|(layer, limit)| layer.ceiling_bps.min(*limit))
            .sum()
    }

    /// The target of each layer out of `bps`, within its limit; `None` if it is not encoded. The
    /// smallest that is wanted always is.
    pub fn split(&mut self, bps: f64, limits: &[f64], now: Time) -> Vec<Option<f64>> {
        let (mut left, mut smallest) = (bps, true);
        let mut target = |(layer, limit): (&mut Layer, &f64)| {
            if *limit < UNWANTED {
                (layer.encoded, layer.ended) = (false, None);
                return None;
            }
            let fits = layer.fits(left, now);
            if !std::mem::take(&mut smallest) && !fits {
                if std::mem::take(&mut layer.encoded) {
                    layer.ended = Some(now);
                }
                return None;
            }
            layer.encoded = true;
            let target = left.min(layer.ceiling_bps).min(*limit);
            left -= target;
            Some(target)
        };
        self.0.iter_mut().zip(limits).map(&mut target).collect()
    }
}

impl Layer {
    fn fits(&self, left: f64, now: Time) -> bool {
        let rests = |ended: Time| now.saturating_since(ended) < REST;
        match self.encoded {
            true => left >= ENDS * self.ceiling_bps,
            false => left >= BEGINS * self.ceiling_bps && !self.ended.is_some_and(rests),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: [f64; 3] = [f64::INFINITY; 3];

    fn layering() -> Layering {
        Layering::new([200_000, 720_000, 2_520_000])
    }

    fn at(ms: u64) -> Time {
        Time::from_millis(ms)
    }

    /// A sixth of 720 kbps is 120, and of 2,520 it is 420.
    #[test]
    fn small_layers_are_filled_first_and_large_ones_begin_with_a_sixth() {
        for (bps, expected) in [
            (50e3, [Some(50e3), None, None]),
            (319e3, [Some(200e3), None, None]),
            (320e3, [Some(200e3), Some(120e3), None]),
            (1_339e3, [Some(200e3), Some(720e3), None]),
            (1_340e3, [Some(200e3), Some(720e3), Some(420e3)]),
            (9e6, [Some(200e3), Some(720e3), Some(2_520e3)]),
        ] {
            assert_eq!(layering().split(bps, &FREE, at(0)), expected, "{bps}");
        }
    }

    /// A ninth of 720 kbps is 80.
    #[test]
    fn a_layer_goes_on_with_a_ninth_and_rests_for_three_seconds() {
        let mut layering = layering();
        let mut second = |bps, ms| layering.split(bps, &FREE, at(ms))[1];
        assert_eq!(second(320e3, 0), Some(120e3));
        assert_eq!(second(280e3, 100), Some(80e3));
        assert_eq!(second(279e3, 200), None);
        assert_eq!(second(900e3, 3_199), None);
        assert_eq!(second(900e3, 3_200), Some(700e3));
    }

    /// What nobody wants takes nothing, and the smallest of the rest is encoded at any rate.
    #[test]
    fn layers_that_nobody_wants_leave_everything_to_the_others() {
        let limits = [1.0, 1.0, 2e6];
        let mut layering = layering();
        assert_eq!(layering.ceiling_bps(&limits), 2e6);
        let of = |bps, layering: &mut Layering| layering.split(bps, &limits, at(0));
        assert_eq!(of(300e3, &mut layering), [None, None, Some(300e3)]);
        assert_eq!(of(5e6, &mut layering), [None, None, Some(2e6)]);
        assert_eq!(layering.ceiling_bps(&FREE), 3_440e3);
    }
}
