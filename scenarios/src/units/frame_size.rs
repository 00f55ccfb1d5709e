//! Frame sizes.

use std::fmt;
use std::str::FromStr;

use super::{Quantity, UnitError};

/// Width and height of a video frame in pixels, both even: `"640x360"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameSize {
    /// Pixels, even.
    pub(crate) width: u32,
    /// Pixels, even.
    pub(crate) height: u32,
}

impl FrameSize {
    /// A quarter of 640x360 each way: below it the marker in the picture has no room.
    const SMALLEST: FrameSize = FrameSize::of(160, 90);
    /// 4K UHD, within H.264 level 5.2 (ITU-T H.264 table A-1), the highest that OpenH264 knows.
    const LARGEST: FrameSize = FrameSize::of(3840, 2160);

    /// A size that is known to be valid.
    pub(crate) const fn of(width: u32, height: u32) -> Self {
        FrameSize { width, height }
    }

    /// Whether a picture may be as small and as large as this.
    pub(crate) fn in_range(self) -> bool {
        (Self::SMALLEST.width..=Self::LARGEST.width).contains(&self.width)
            && (Self::SMALLEST.height..=Self::LARGEST.height).contains(&self.height)
    }
}

impl FromStr for FrameSize {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let size = split(text).ok_or_else(|| not_one(text))?;
        let text = text.to_owned();
        if !size.in_range() {
            let (smallest, largest) = (Self::SMALLEST, Self::LARGEST);
            return Err(UnitError::FrameOutOfRange {
                text,
                smallest,
                largest,
            });
        }
        // Both limits are even, so rounding up stays in range.
        let even = FrameSize::of(
            size.width.next_multiple_of(2),
            size.height.next_multiple_of(2),
        );
        match even == size {
            true => Ok(size),
            false => Err(UnitError::OddSide {
                text,
                fix: even.to_string(),
            }),
        }
    }
}

impl fmt::Display for FrameSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl Quantity for FrameSize {
    fn from_number(number: &str) -> Result<Self, UnitError> {
        Err(not_one(number))
    }
}

fn split(text: &str) -> Option<FrameSize> {
    let (width, height) = text.trim().split_once('x')?;
    let side = |text: &str| {
        let text = text.trim();
        text.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| text.parse().ok())
            .flatten()
    };
    Some(FrameSize::of(side(width)?, side(height)?))
}

fn not_one(text: &str) -> UnitError {
    UnitError::NotOne {
        text: text.to_owned(),
        noun: "a frame size",
        example: "640x360",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_limits_are_inclusive() {
        for text in ["160x90", "3840x2160", "640 x 360"] {
            assert!(text.parse::<FrameSize>().is_ok(), "{text}");
        }
        for text in [
            "158x90",
            "160x88",
            "3842x2160",
            "3840x2162",
            "640",
            "x",
            "+640x360",
            "",
        ] {
            assert!(text.parse::<FrameSize>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn writing_and_reading_give_the_same(width in 80u32..=1920, height in 45u32..=1080) {
            let size = FrameSize::of(width * 2, height * 2);
            prop_assert_eq!(size.to_string().parse(), Ok(size));
        }

        /// Every odd size in range is refused with an even one that is accepted.
        #[test]
        fn the_fix_for_an_odd_side_works(width in 160u32..=3840, height in 90u32..=2160) {
            prop_assume!(width % 2 == 1 || height % 2 == 1);
            let read = format!("{width}x{height}").parse::<FrameSize>();
            let Err(UnitError::OddSide { fix, .. }) = read else {
                return Err(TestCaseError::fail("not refused for its side"));
            };
            prop_assert!(fix.parse::<FrameSize>().is_ok());
        }
    }
}
