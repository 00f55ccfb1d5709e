//! What an MCU spends on composing, beside its codecs.
//!
//! An iteration puts a new 640x360 picture of everybody on a canvas of 1280x720: all are scaled and
//! drawn, which is what a tick costs at most. An element is a luma pixel of the canvas.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use topologies::mcu::{Canvas, Gallery};
use topologies::media::Frame;

const CANVAS: (usize, usize) = (1_280, 720);
const PICTURE: (usize, usize) = (640, 360);

/// Any picture: what composing costs does not depend on what is in it.
fn picture() -> Arc<Frame> {
    let mut frame = Frame::new(PICTURE.0, PICTURE.1);
    for (i, luma) in frame.y_mut().iter_mut().enumerate() {
        *luma = (i * 7_919 % 251) as u8;
    }
    Arc::new(frame)
}

fn compose(c: &mut Criterion) {
    let mut group = c.benchmark_group("mcu/compose");
    group.throughput(Throughput::Elements((CANVAS.0 * CANVAS.1) as u64));
    for side in [2, 3, 7] {
        let participants: Vec<u16> = (0..side * side).collect();
        let (mut canvas, mut gallery) = (Canvas::new(CANVAS, PICTURE), Gallery::default());
        let picture = picture();
        group.bench_function(BenchmarkId::from_parameter(format!("{side}x{side}")), |b| {
            b.iter(|| {
                for &participant in &participants {
                    gallery.put(participant, Arc::clone(&picture));
                }
                black_box(canvas.compose(&participants, &mut gallery))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, compose);
criterion_main!(benches);
