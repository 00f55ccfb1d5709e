//! JUnit XML, as CI services read it: suites of cases.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// Cases that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// Its cases, in order.
    pub cases: Vec<Case>,
}

/// One thing that was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What services group cases by, in words joined by points.
    pub class: String,
    /// Its name, unique in its class.
    pub name: String,
    /// What became of it.
    pub verdict: Verdict,
}

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is as it should be.
    Passed,
    /// It is not, for this reason.
    Failed(String),
    /// It was not judged, for this reason.
    Skipped(String),
}

/// The document, whose name is `name`: equal for equal suites, since it has neither times nor ids.
pub fn render(name: &str, suites: &[Suite]) -> String {
    let mut report = Report::new(name);
    report.add_test_suites(suites.iter().map(suite));
    text(&report)
}

/// The document of a report.
pub(crate) fn text(report: &Report) -> String {
    report
        .to_string()
        .expect("what is written to memory does not fail")
}

fn suite(suite: &Suite) -> TestSuite {
    let mut written = TestSuite::new(suite.name.as_str());
    written.add_test_cases(suite.cases.iter().map(case));
    written
}

fn case(case: &Case) -> TestCase {
    let status = match &case.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Failed(reason) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(reason.as_str()).set_type("gate");
            status
        }
        Verdict::Skipped(reason) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason.as_str());
            status
        }
    };
    let mut written = TestCase::new(case.name.as_str(), status);
    written.set_classname(case.class.as_str());
    written
}
