//! Renderings of a small matrix whose figures are known.

use super::record::{Cell, Deviation, Matrix, Outcome, Phases, SCHEMA_VERSION, Side};
use super::summary::Counts;
use super::{Behavior, html, json, junit, markdown, table};

fn side(name: &str) -> Side {
    Side {
        name: name.to_owned(),
        mapping: Some(Behavior::EndpointIndependent),
        filtering: Some(Behavior::AddressDependent),
        udp_blocked: false,
    }
}

fn cell(a: &str, b: &str, offerer: &str, outcome: Outcome) -> Cell {
    Cell {
        suite: "chosen".to_owned(),
        a: side(a),
        b: side(b),
        same_nat: false,
        reply_pinning: false,
        offerer: offerer.to_owned(),
        topology: "mesh".to_owned(),
        outcome,
        a_candidate: None,
        b_candidate: None,
        a_remote_candidate: None,
        b_remote_candidate: None,
        connect_ms: (outcome != Outcome::Failed).then_some(812.5),
        phases: Phases::default(),
        media_ms: None,
        media_packets: 60,
        relayed_packets: 0,
        expected: outcome,
        because: "of a <reason> & more".to_owned(),
        deviation: None,
    }
}

/// Two types: x with y relays in one role though it should not, y with x fails and may.
fn matrix() -> Matrix {
    let mut cells = Vec::new();
    for (a, b) in [("x", "x"), ("x", "y|z"), ("y|z", "x"), ("y|z", "y|z")] {
        cells.extend(["a", "b"].map(|offerer| cell(a, b, offerer, Outcome::Direct)));
    }
    let differ = |cell: &mut Cell, outcome, allowed: Option<&str>| {
        cell.outcome = outcome;
        cell.deviation = Some(Deviation {
            what: "it \"differs\"".to_owned(),
            cause: Some("stun = false".to_owned()),
            warnings: Vec::new(),
            allowed: allowed.map(str::to_owned),
        });
    };
    differ(&mut cells[2], Outcome::Relay, None);
    differ(&mut cells[4], Outcome::Failed, Some("known"));
    Matrix {
        schema: SCHEMA_VERSION,
        scenario: "small".to_owned(),
        seed: 7,
        stack: "tuned".to_owned(),
        settings: [("stun".to_owned(), "false".to_owned())].into(),
        replay: "rtclab nat small.toml --seed 7".to_owned(),
        cells,
    }
}

#[test]
fn counts_tell_the_accepted_from_the_unexpected() {
    let expected = Counts {
        outcomes: [6, 1, 1],
        allowed: 1,
        unexpected: 1,
    };
    assert_eq!(matrix().counts(), expected);
}

#[test]
fn the_table_marks_what_differs() {
    let expected = "\
NAT traversal of small, seed 7, tuned stack
a letter for each of the roles (A offers, B offers): d direct, r relay, F failed;
! not as expected, ~ accepted

chosen, strict - 8 cells: 6 direct, 1 relay, 1 failed, 1 accepted deviations, 1 not as expected
     x     y|z
x    dd    rd!
y|z  Fd~   dd

8 cells: 6 direct, 1 relay, 1 failed, 1 accepted deviations, 1 not as expected in 1.2 s
";
    assert_eq!(table::render(&matrix(), 1.24), expected);
}

#[test]
fn a_regression_names_pairs_expectation_and_cause() {
    let expected = "\
1 of 8 cells are not as expected
  relay instead of direct (1 cells): x x y|z
    expected because of a <reason> & more
    explained by stun = false";
    assert_eq!(matrix().regression().as_deref(), Some(expected));
    let mut good = matrix();
    good.cells.remove(2);
    assert_eq!(good.regression(), None, "what is accepted is none");
}

#[test]
fn junit_has_a_case_for_each_cell_and_a_failure_for_each_regression() {
    let text = junit::render(&matrix());
    assert_eq!(text.matches("<testcase ").count(), 8);
    assert_eq!(text.matches("<failure ").count(), 1);
    assert!(text.contains("tests=\"8\" skipped=\"0\" errors=\"0\" failures=\"1\""));
    assert!(
        text.contains("message=\"it &quot;differs&quot;\""),
        "{text}"
    );
    assert!(text.contains("time=\"0.812\"") || text.contains("time=\"0.813\""));
    assert!(text.contains("accepted: known"));
    // The names of cells are unique, or a CI service shows one for several.
    let matrix = matrix();
    let names: std::collections::BTreeSet<_> = matrix.cells.iter().map(Cell::name).collect();
    assert_eq!(names.len(), 8);
}

#[test]
fn the_page_is_whole_and_shows_every_cell() {
    let page = html::render(&matrix());
    assert_eq!(page.matches("<td class=\"").count(), 4);
    assert_eq!(page.matches("class=\"direct\"").count(), 2);
    assert_eq!(page.matches("class=\"mixed unexpected\"").count(), 1);
    assert_eq!(page.matches("class=\"mixed\"").count(), 1);
    assert!(page.contains("of a &lt;reason&gt; &amp; more"));
    for foreign in ["<script", "http://", "https://"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.ends_with("</html>\n"));
}

#[test]
fn markdown_begins_with_the_verdict() {
    let text = markdown::render(&matrix());
    assert!(
        text.starts_with("## NAT traversal of small: not as expected\n"),
        "{text}"
    );
    assert!(
        text.contains("| chosen, strict | 6 | 1 | 1 | 1 | 1 |"),
        "{text}"
    );
    assert!(text.contains("explained by stun = false"), "{text}");
    let mut good = matrix();
    good.cells.remove(2);
    let text = markdown::render(&good);
    assert!(text.starts_with("## NAT traversal of small: as expected\n"));
}

#[test]
fn json_is_read_back_as_it_was() {
    let matrix = matrix();
    let text = json(&matrix);
    assert_eq!(serde_json::from_str::<Matrix>(&text).unwrap(), matrix);
    // What scripts rely on.
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cell = &value["cells"][0];
    assert_eq!(cell["a"]["mapping"], "endpoint-independent");
    assert_eq!(cell["a"]["filtering"], "address-dependent");
    assert_eq!(cell["outcome"], "direct");
    assert_eq!(cell["connect_ms"], 812.5);
    assert!(cell["deviation"].is_null());
}
