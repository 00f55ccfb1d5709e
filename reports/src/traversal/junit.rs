//! The matrix for a CI service: a test suite per group, a test case per cell.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::record::{Cell, Matrix};
use crate::render::junit;

/// `junit.xml`. The time of a case is how long the connection took, in virtual time.
pub fn render(matrix: &Matrix) -> String {
    let mut report = Report::new(format!("NAT traversal of {}", matrix.scenario));
    for (group, cells) in matrix.groups() {
        let mut suite = TestSuite::new(group.title());
        suite.add_test_cases(cells.into_iter().map(case));
        report.add_test_suite(suite);
    }
    junit::text(&report)
}

fn case(cell: &Cell) -> TestCase {
    let mut status = match cell.is_unexpected() {
        false => TestCaseStatus::success(),
        true => TestCaseStatus::non_success(NonSuccessKind::Failure),
    };
    if let (true, Some(deviation)) = (cell.is_unexpected(), &cell.deviation) {
        status.set_message(deviation.what.clone());
        status.set_type(format!(
            "{} instead of {}",
            cell.outcome.name(),
            cell.expected.name()
        ));
    }
    let mut case = TestCase::new(cell.name(), status);
    case.set_classname(format!("nat.{}.{}", cell.topology, cell.suite));
    if let Some(ms) = cell.connect_ms {
        case.set_time(Duration::from_secs_f64(ms / 1e3));
    }
    if let Some(reason) = cell.deviation.as_ref().and_then(|d| d.allowed.as_ref()) {
        case.set_system_out(format!("accepted: {reason}"));
    }
    case
}
