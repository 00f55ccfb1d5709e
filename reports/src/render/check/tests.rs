use quick_junit::{Report, TestCaseStatus};

use super::*;
use crate::compare::compare;
use crate::fixture::{cell, connection, run};
use crate::gates::{Outcome, judge};
use crate::{Limit, Run};

/// A run with one limit that is kept, one that is not, and one that does not apply.
fn limited() -> Run {
    let limit = |metric: &str, max| Limit {
        metric: metric.to_owned(),
        min: None,
        max: Some(max),
        topologies: None,
        participants: None,
        group: None,
    };
    let mut run = run(vec![cell()]);
    run.program = Some("rtclab 0.1.0".to_owned());
    run.limits = vec![
        limit("video_latency_ms_p95", 20.0),
        limit("freezes", 1.0),
        limit("server_out_kbps", 1.0),
    ];
    run
}

/// What there is to say of a run in which a pair is relayed that was direct.
pub(crate) fn findings() -> Findings {
    let baseline = limited();
    let mut current = baseline.clone();
    current.cells[0].connections[0] = connection("a", "b", Some(("relay", "relay", "host")), 400.0);
    Findings {
        scenario: "trio".to_owned(),
        verdicts: judge(&current).unwrap(),
        comparison: Some(compare(&baseline, &current).unwrap()),
    }
}

#[test]
fn the_table_says_what_was_judged_and_how_far_it_is_from_failing() {
    let text = text(&findings());
    let row = |word: &str| {
        let line = text.lines().find(|line| line.contains(word));
        let line = line.unwrap_or_else(|| panic!("no {word} in\n{text}"));
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    // 15 of 20 ms: 5 to spare, a quarter of the limit. Two freezes where one may be.
    assert_eq!(
        row("video_latency_ms_p95"),
        "3 mesh all video_latency_ms_p95 15 <= 20 +5 (+25.0 %) pass"
    );
    assert_eq!(
        row("freezes"),
        "3 mesh all freezes 2 <= 1 -1 (-100.0 %) FAIL"
    );
    assert_eq!(
        row("relayed_pairs"),
        "3 mesh all relayed_pairs 1 2 +1 (+100.0 %) same seeds WORSE"
    );
    assert!(
        text.contains("LOST  mesh of 3: pair now relayed: a - b (seed 7)"),
        "{text}"
    );
    assert!(text.contains("limits: 1 of 2 kept\n"), "{text}");
    assert!(text.ends_with("\ntrio: FAILED\n"), "{text}");
    assert!(!text.contains("server_out_kbps"), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 120),
        "{text}"
    );
}

#[test]
fn only_broken_limits_are_listed_after_a_run() {
    let text = broken(&findings().verdicts);
    assert!(
        text.contains("freezes") && !text.contains("video_latency"),
        "{text}"
    );
    assert!(text.ends_with("\nlimits: 1 of 2 kept\n"), "{text}");
    assert_eq!(broken(&[]), "limits: none apply\n");
}

#[test]
fn junit_is_read_back_with_the_verdicts() {
    let findings = findings();
    let report = Report::deserialize_from_str(&junit(&findings)).unwrap();
    assert_eq!(report.test_suites.len(), 2);
    let limits = &report.test_suites[0];
    assert_eq!((limits.tests, limits.failures, limits.skipped), (3, 1, 1));
    let failed =
        |case: &&quick_junit::TestCase| matches!(case.status, TestCaseStatus::NonSuccess { .. });
    let names: Vec<_> = limits
        .test_cases
        .iter()
        .filter(failed)
        .map(|case| case.name.as_str())
        .collect();
    assert_eq!(names, ["freezes <= 1"]);
    let baseline = &report.test_suites[1];
    // One more relayed pair, and its name.
    assert_eq!(baseline.failures, 2);
}

#[test]
fn markdown_has_what_failed_first_and_fits() {
    let mut findings = findings();
    let text = markdown(&findings);
    assert!(text.starts_with("## trio: failed\n"), "{text}");
    let at = |word: &str| {
        text.find(word)
            .unwrap_or_else(|| panic!("no {word} in\n{text}"))
    };
    assert!(at("freezes") < at("video\\_latency"), "{text}");
    assert!(at("- **lost**") < at("### worse"), "{text}");

    // 2,000 rows of more than 60 bytes each do not fit; rows and the rest add up.
    let failed = findings
        .verdicts
        .iter()
        .find(|verdict| verdict.outcome == Outcome::Fail);
    findings.verdicts = vec![failed.unwrap().clone(); 2_000];
    findings.comparison = None;
    let text = markdown(&findings);
    assert!(
        text.len() <= MOST_BYTES && text.len() > MOST_BYTES - 400,
        "{}",
        text.len()
    );
    let shown = text.lines().filter(|line| line.contains("freezes")).count();
    // The empty line behind the table was left out, too.
    let cut = format!("**Cut here**: {} more lines", 2_000 - shown + 1);
    assert!(
        text.contains(&cut),
        "{shown} shown\n{}",
        &text[text.len() - 300..]
    );
}

#[test]
fn short_figures_keep_four_digits() {
    for (value, text) in [
        (0.0, "0"),
        (15.0, "15"),
        (2_668.4, "2668"),
        (136.26, "136.3"),
        (0.049_999_9, "0.05"),
        (-1.5, "-1.5"),
        (123_456.0, "123456"),
    ] {
        assert_eq!(fields::short(value), text);
    }
}
