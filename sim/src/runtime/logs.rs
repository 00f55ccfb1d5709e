//! What the stack warns of, collected per simulation.
//!
//! Some faults of the stack show only in its log: `write_rtp` succeeds for packets that are later
//! dropped. A process has one logger, so this one hands each record to the simulation of its
//! thread, and drops records of other threads.

use std::cell::RefCell;
use std::sync::Once;

use log::{LevelFilter, Log, Metadata, Record};

/// Warnings kept per simulation; later ones are only counted.
const KEPT: usize = 200;

thread_local! {
    static SINK: RefCell<Option<Sink>> = const { RefCell::new(None) };
}

#[derive(Debug, Default)]
struct Sink {
    lines: Vec<String>,
    more: u64,
    now_nanos: u64,
}

struct Collector;

impl Log for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= LevelFilter::Warn
    }

    fn log(&self, record: &Record<'_>) {
        SINK.with_borrow_mut(|sink| {
            let Some(sink) = sink else { return };
            if sink.lines.len() == KEPT {
                sink.more += 1;
                return;
            }
            let seconds = sink.now_nanos as f64 / 1e9;
            sink.lines.push(format!(
                "{seconds:.6}s {} {}: {}",
                record.level(),
                record.target(),
                record.args()
            ));
        });
    }

    fn flush(&self) {}
}

/// Starts collecting on this thread. If the program has set another logger, nothing is collected.
pub(crate) fn start() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        if log::set_logger(&Collector).is_ok() {
            log::set_max_level(LevelFilter::Warn);
        }
    });
    SINK.with_borrow_mut(|sink| *sink = Some(Sink::default()));
}

/// Tells the log what virtual time it is, in nanoseconds.
pub(crate) fn set_now(nanos: u64) {
    SINK.with_borrow_mut(|sink| {
        if let Some(sink) = sink {
            sink.now_nanos = nanos;
        }
    });
}

/// Stops collecting and returns the lines, in order.
pub(crate) fn finish() -> Vec<String> {
    let Some(mut sink) = SINK.take() else {
        return Vec::new();
    };
    if sink.more > 0 {
        sink.lines.push(format!("and {} more", sink.more));
    }
    sink.lines
}
