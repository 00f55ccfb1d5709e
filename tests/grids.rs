//! What `scenarios` takes for a legible grid is what the MCU of `topologies` composes as one.

use std::path::Path;

use scenarios::{Overrides, Scenario};
use topologies::mcu::Layout;

/// Whether a call of `number` through an MCU may be run.
fn is_accepted(grid: (usize, usize), camera: (usize, usize), number: usize, lines: &str) -> bool {
    let source = format!(
        "name = \"x\"\ntopologies = [\"mcu\"]\nparticipants = {number}\n\
         video.size = \"{}x{}\"\nmcu.size = \"{}x{}\"\n{lines}",
        camera.0, camera.1, grid.0, grid.1
    );
    let scenario = Scenario::parse(&source, Path::new("x.toml")).unwrap();
    scenario.resolve(&Overrides::default()).is_ok()
}

#[test]
fn a_grid_is_refused_exactly_if_its_markers_cannot_be_read() {
    let grids = [
        (640, 360),
        (1_280, 720),
        (960, 540),
        (1_920, 1_080),
        (720, 720),
        (500, 300),
    ];
    let mut refused = 0;
    for grid in grids {
        for camera in [(640, 360), (640, 480), (360, 640), (162, 92)] {
            for number in 2..=150 {
                let legible = Layout::new(grid, camera, number).is_legible();
                let accepted = is_accepted(grid, camera, number, "");
                assert_eq!(accepted, legible, "{number} of {camera:?} on {grid:?}");
                refused += u32::from(!legible);
            }
        }
    }
    assert!(refused > 0 && refused < 149 * 24, "both happen");
}

#[test]
fn who_does_not_see_themselves_leaves_room_for_one_more() {
    // 4 x 4 tiles of 160x90 fit 640x360.
    let accepted = |number, lines| is_accepted((640, 360), (640, 360), number, lines);
    let each = "mcu.encoders = \"per-participant\"\n";
    assert!(accepted(16, "") && !accepted(17, ""));
    assert!(accepted(17, each) && !accepted(18, each));
    // One who watches sees all 17; 16 who send and 84 who watch are 16 pictures.
    let group = |count, sends| {
        format!("[[group]]\nname = \"g{count}\"\ncount = {count}\nsends = {sends}\n")
    };
    let watched = format!("{each}{}{}", group(17, true), group(1, false));
    assert!(!accepted(18, &watched));
    let audience = format!("{each}{}{}", group(16, true), group(84, false));
    assert!(accepted(100, &audience));
}
