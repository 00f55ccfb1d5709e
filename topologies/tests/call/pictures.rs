//! The picture that a receiver of an MCU saves shows everybody.

use scenarios::{McuPlan, Plan, Topology};
use topologies::mcu::layout::Layout;
use topologies::media::{Frame, Marker, marker};
use topologies::{RunOptions, run_with};

use crate::support::call;

/// A grey picture with the luma of a PNG: 219 steps from 16 (BT.601-7 section 2.5.1).
fn luma(png: &[u8]) -> Frame {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png))
        .read_info()
        .unwrap();
    let mut data = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut data).unwrap();
    let mut frame = Frame::new(info.width as usize, info.height as usize);
    for (y, rgb) in frame.y_mut().iter_mut().zip(data.chunks_exact(3)) {
        let [red, green, blue] = [rgb[0], rgb[1], rgb[2]].map(f64::from);
        let light = 0.299 * red + 0.587 * green + 0.114 * blue;
        *y = (16.0 + light * 219.0 / 255.0).round() as u8;
    }
    frame
}

#[test]
fn every_tile_of_a_saved_picture_has_its_participants_marker() {
    for number in [2, 3, 4, 7, 9] {
        let mut plan = Plan {
            topology: Topology::Mcu,
            audio: None,
            ..call(&vec!["none"; number])
        };
        // Three by three pictures as they are.
        plan.mcu = McuPlan {
            width: 480,
            height: 270,
            bitrate_bps: 1_500_000,
            ..McuPlan::default()
        };
        let options = RunOptions {
            pictures: true,
            ..RunOptions::default()
        };
        let output = run_with(&plan, &options, Vec::new(), &|_| {}).unwrap();
        // One picture for each receiver, all of the MCU.
        assert_eq!(output.pictures.len(), number);
        let layout = Layout::new((480, 270), (160, 90), number);
        for screen in &output.pictures {
            assert_eq!(screen.source, "mcu");
            let picture = luma(&screen.png);
            assert_eq!((picture.width(), picture.height()), (480, 270));
            for participant in 0..number {
                let Marker { sender, frame } = marker::read(&picture, layout.tile(participant))
                    .unwrap_or_else(|| panic!("{participant} of {number} for {}", screen.receiver));
                assert_eq!(usize::from(sender), participant);
                // It is of the last second of a call of 5 s, at 30 frames per second.
                assert!((105..=150).contains(&frame), "{participant}: {frame}");
            }
        }
    }
}
