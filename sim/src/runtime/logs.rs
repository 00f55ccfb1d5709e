//! What the stack warns of, collected per simulation.
//!
//! Some faults of the stack show only in its log: `write_rtp` succeeds for packets that are later
//! dropped. A process has one logger, so this one hands each record to the simulation of its
//! thread, and drops records of other threads.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Once;

use log::{LevelFilter, Log, Metadata, Record};

/// Warnings kept of each statement that warns; later ones are only counted.
const KEPT: u64 = 50;

thread_local! {
    static SINK: RefCell<Option<Sink>> = const { RefCell::new(None) };
}

#[derive(Debug, Default)]
struct Sink {
    lines: Vec<String>,
    statements: BTreeMap<Statement, Said>,
    now_nanos: u64,
}

/// A statement that warns: its target and line.
type Statement = (String, Option<u32>);

/// How often a statement warned, and what it said last.
#[derive(Debug, Default)]
struct Said {
    times: u64,
    last: String,
}

impl Sink {
    fn take(&mut self, statement: Statement, message: &str) {
        let line = format!("{:.6}s {message}", self.now_nanos as f64 / 1e9);
        let said = self.statements.entry(statement).or_default();
        said.times += 1;
        match said.times <= KEPT {
            true => self.lines.push(line),
            false => said.last = line,
        }
    }

    /// All lines that were kept, and the last one of each statement that warned more often.
    fn finish(mut self) -> Vec<String> {
        let many = self.statements.into_values().filter(|it| it.times > KEPT);
        let lasts =
            many.map(|Said { times, last }| format!("{last} (time {times} that it warned)"));
        self.lines.extend(lasts);
        self.lines
    }
}

struct Collector;

impl Log for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= LevelFilter::Warn
    }

    fn log(&self, record: &Record<'_>) {
        SINK.with_borrow_mut(|sink| {
            let Some(sink) = sink else { return };
            let statement = (record.target().to_owned(), record.line());
            let message = format!("{} {}: {}", record.level(), record.target(), record.args());
            sink.take(statement, &message);
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
    SINK.take().map(Sink::finish).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_that_warns_often_does_not_hide_the_others() {
        let mut sink = Sink::default();
        for time in 1..=60 {
            sink.now_nanos = time * 1_000_000_000;
            sink.take(
                ("stack".to_owned(), Some(1)),
                &format!("WARN stack: {time}"),
            );
        }
        sink.take(("stack".to_owned(), Some(2)), "WARN stack: once");
        let lines = sink.finish();
        assert_eq!(lines.len(), 52);
        assert_eq!(lines[49], "50.000000s WARN stack: 50");
        assert_eq!(lines[50], "60.000000s WARN stack: once");
        let last = "60.000000s WARN stack: 60 (time 60 that it warned)";
        assert_eq!(lines[51], last);
    }
}
