//! JUnit XML, which CI services read.

use quick_junit::Report;

/// The report as a file.
pub(crate) fn text(report: &Report) -> String {
    report
        .to_string()
        .expect("writing to memory cannot fail, and the text is escaped")
}
