//! How the layers of one camera share what it may send: the smallest first.

use std::time::Duration;

use sim::Time;

/// Below this limit, bits per second, a layer is not wanted at all. The stack reads a limit of 0 as
/// 8.4 Mbps (its REMB has no code for it), so 0 is never sent.
pub const UNWANTED: f64 = 1_000.0;

/// A layer begins when there is this much of its ceiling left for it. An estimate grows no further
/// than 1.5 times what is sent, sound included, so where the layer below is all that is sent, it
/// leaves room for half of 7 shares or of 2 beside them, less what an encoder saves and headers take:
/// never much more than a twelfth of 25 or of 7 is known to be there.
const BEGINS: f64 = 1.0 / 12.0;

/// A layer that has just begun ends when there is less than this: what is sent with it is what the
/// estimate has to grow by.
const TRIES: f64 = 1.0 / 18.0;

/// How long it may take to grow: by 25 % a second, to four times what was sent before.
const TRIAL: Duration = Duration::from_secs(6);

/// Afterwards it ends when there is less than this, as the least of libwebrtc's `kSimulcastFormats`
/// is 0.15 to 0.24 of the most: below it, the next smaller layer looks better.
const ENDS: f64 = 0.2;

/// How long it then rests: a layer that is tried in vain spends bits on keyframes.
const REST: Duration = Duration::from_secs(15);

/// The layers of one camera.
#[derive(Clone, Debug)]
pub struct Layering(Vec<Layer>);

#[derive(Clone, Copy, Debug)]
struct Layer {
    ceiling_bps: f64,
    /// Since when it is encoded.
    begun: Option<Time>,
    /// When it ended for want of room.
    ended: Option<Time>,
}

impl Layering {
    /// Layers with these ceilings, bits per second, the smallest layer first.
    pub fn new(ceilings: impl IntoIterator<Item = u32>) -> Self {
        let layer = |ceiling| Layer {
            ceiling_bps: f64::from(ceiling),
            begun: None,
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
                (layer.begun, layer.ended) = (None, None);
                return None;
            }
            let fits = layer.fits(left, now);
            if !std::mem::take(&mut smallest) && !fits {
                if layer.begun.take().is_some() {
                    layer.ended = Some(now);
                }
                return None;
            }
            layer.begun.get_or_insert(now);
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
        let share = match self.begun {
            None if self.ended.is_some_and(rests) => return false,
            None => BEGINS,
            Some(begun) if now.saturating_since(begun) < TRIAL => TRIES,
            Some(_) => ENDS,
        };
        left >= share * self.ceiling_bps
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

    /// A twelfth of 720 kbps is 60, and of 2,520 it is 210.
    #[test]
    fn small_layers_are_filled_first_and_large_ones_begin_with_a_twelfth() {
        for (bps, expected) in [
            (50e3, [Some(50e3), None, None]),
            (259e3, [Some(200e3), None, None]),
            (260e3, [Some(200e3), Some(60e3), None]),
            (1_129e3, [Some(200e3), Some(720e3), None]),
            (1_130e3, [Some(200e3), Some(720e3), Some(210e3)]),
            (9e6, [Some(200e3), Some(720e3), Some(2_520e3)]),
        ] {
            assert_eq!(layering().split(bps, &FREE, at(0)), expected, "{bps}");
        }
    }

    /// An eighteenth of 720 kbps is 40, and a fifth is 144.
    #[test]
    fn a_layer_that_does_not_grow_within_six_seconds_rests_for_fifteen() {
        let mut layering = layering();
        let mut second = |bps, ms| layering.split(bps, &FREE, at(ms))[1];
        assert_eq!(second(300e3, 0), Some(100e3));
        assert_eq!(second(240e3, 5_999), Some(40e3));
        assert_eq!(second(344e3, 6_000), Some(144e3));
        assert_eq!(second(343e3, 6_100), None);
        assert_eq!(second(900e3, 21_099), None);
        assert_eq!(second(900e3, 21_100), Some(700e3));
        assert_eq!(second(239e3, 21_200), None);
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
