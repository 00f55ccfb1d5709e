//! Whether the pictures in an MCU's grid are large enough to tell whose they are.

use crate::plan::{McuEncoders, McuPlan, VideoPlan};

/// The least size of a picture whose marker can be read, that of the smallest camera.
const LEGIBLE: (u64, u64) = (160, 90);

/// The most pictures that any of the composed ones has, of `senders` among `everybody`.
pub(crate) fn most_tiles(mcu: &McuPlan, senders: u32, everybody: u32) -> u32 {
    match mcu.encoders {
        // Who sends does not see their own picture; who only watches sees all.
        McuEncoders::PerParticipant if senders == everybody => senders - 1,
        McuEncoders::PerParticipant | McuEncoders::Shared => senders,
    }
}

/// Whether `tiles` pictures of a camera can be told apart in the grid: as many columns as the
/// square root of their number, rounded up, as many rows as that takes, and in each cell a tile of
/// the camera's aspect, all sides even.
pub(crate) fn is_legible(mcu: &McuPlan, video: &VideoPlan, tiles: u32) -> bool {
    let columns = tiles.saturating_sub(1).isqrt() + 1;
    let rows = tiles.max(1).div_ceil(columns);
    let cell = (even(mcu.width / columns), even(mcu.height / rows));
    let camera = (u64::from(video.width), u64::from(video.height));
    let nearest = |side: u64, by: u64, per: u64| (side * by + per) / (2 * per) * 2;
    let tile = match cell.0 * camera.1 <= cell.1 * camera.0 {
        true => (cell.0, nearest(cell.0, camera.1, camera.0).min(cell.1)),
        false => (nearest(cell.1, camera.0, camera.1).min(cell.0), cell.1),
    };
    tile.0 >= LEGIBLE.0 && tile.1 >= LEGIBLE.1
}

/// The largest even number that is not above `n`.
fn even(n: u32) -> u64 {
    u64::from(n / 2 * 2)
}
