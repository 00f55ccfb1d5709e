//! `rtclab nat`, as a shell and a CI service see it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use reports::traversal::{Cell, Matrix, Outcome};
use tempfile::TempDir;

/// The four types of RFC 3489, every pair in both roles.
const CLASSIC: &str = "types = [\"full-cone\", \"address-restricted\", \"port-restricted\", \
                       \"symmetric\"]\nreply_pinning = [false]\ntopologies = [\"mesh\"]\n";

/// What relays of the classic types, by theory: see `topologies::traversal::expectation`.
const RELAYED: [(&str, &str); 3] = [
    ("port-restricted", "symmetric"),
    ("symmetric", "port-restricted"),
    ("symmetric", "symmetric"),
];

/// Runs `rtclab nat` in `dir` on a scenario whose `[nat]` section has these lines.
fn nat(dir: &Path, lines: &str, arguments: &[&str]) -> Output {
    let scenario = format!("name = \"matrix\"\n[nat]\n{lines}");
    fs::write(dir.join("matrix.toml"), scenario).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rtclab"));
    command.args(["nat", "matrix.toml"]).args(arguments);
    command.current_dir(dir).output().unwrap()
}

/// The exit code, the matrix, and what was said on standard error.
fn matrix(lines: &str) -> (Option<i32>, Matrix, String) {
    let dir = TempDir::new().unwrap();
    let output = nat(dir.path(), lines, &["--format", "json"]);
    let error = String::from_utf8(output.stderr).unwrap();
    let matrix = serde_json::from_slice(&output.stdout).expect(&error);
    (output.status.code(), matrix, error)
}

fn is_relayed(cell: &Cell) -> bool {
    RELAYED.contains(&(cell.a.name.as_str(), cell.b.name.as_str()))
}

/// How many cells ended how.
fn outcomes(matrix: &Matrix) -> BTreeMap<&'static str, usize> {
    let mut outcomes = BTreeMap::new();
    for cell in &matrix.cells {
        *outcomes.entry(cell.outcome.name()).or_default() += 1;
    }
    outcomes
}

#[test]
fn classic_types_connect_directly_except_symmetric_with_what_filters_by_port() {
    let (code, matrix, error) = matrix(CLASSIC);
    assert_eq!(code, Some(0), "{error}");
    // 16 ordered pairs, 2 roles; 3 of the 16 relay.
    assert_eq!(
        outcomes(&matrix),
        BTreeMap::from([("direct", 26), ("relay", 6)])
    );
    for cell in &matrix.cells {
        let name = cell.name();
        assert_eq!(cell.outcome == Outcome::Relay, is_relayed(cell), "{name}");
        assert_eq!(cell.deviation, None, "{name}");
        // Half a second of sound both ways, and what was sent before the last one had heard it:
        // 2 x 25 packets, and up to some 30 more.
        assert!((50..=110).contains(&cell.media_packets), "{name}");
        match cell.outcome {
            Outcome::Direct => assert_eq!(cell.relayed_packets, 0, "{name}"),
            // All but what is on its way, 27 ms and so 2 packets each.
            _ => assert!(
                (cell.media_packets - 6..=cell.media_packets).contains(&cell.relayed_packets),
                "{name}"
            ),
        }
        let phases = cell.phases;
        let sum: f64 = [
            phases.signaling_ms,
            phases.gathering_ms,
            phases.ice_ms,
            phases.dtls_ms,
        ]
        .iter()
        .map(|phase| phase.unwrap())
        .sum();
        let connect = cell.connect_ms.unwrap();
        assert!((sum - connect).abs() < 1e-6, "{name}: {sum} of {connect}");
        // The stack takes a direct pair after 500 ms to 1 s, a relayed one after 2 s.
        let range = match cell.outcome {
            Outcome::Direct => 500.0..1_600.0,
            _ => 2_000.0..3_200.0,
        };
        assert!(range.contains(&connect), "{name}: {connect} ms");
    }
}

/// Runs the classic types with `lines`, and returns their cells and what was said.
fn broken(lines: &str) -> (Vec<Cell>, String) {
    let (code, matrix, error) = matrix(&format!("{CLASSIC}{lines}"));
    let unexpected = matrix.cells.iter().any(Cell::is_unexpected);
    assert_eq!(code, Some(i32::from(unexpected)), "{error}");
    (matrix.cells, error)
}

/// The cells that a build sees which breaks its peers.
fn changed(cells: &[Cell]) -> Vec<&Cell> {
    cells.iter().filter(|cell| cell.is_unexpected()).collect()
}

#[test]
fn without_a_relay_exactly_those_fail_that_need_one() {
    for lines in ["turn = false\n", "turn = \"wrong-credentials\"\n"] {
        let (cells, error) = broken(lines);
        let changed = changed(&cells);
        assert_eq!(changed.len(), 6, "{error}");
        for cell in changed {
            assert!(is_relayed(cell), "{}", cell.name());
            assert_eq!(cell.outcome, Outcome::Failed, "{}", cell.name());
        }
        for words in [
            "6 of 32 cells are not as expected",
            "failed instead of relay (2 cells): symmetric x symmetric",
            "(4 cells): port-restricted x symmetric; symmetric x port-restricted",
            "expected because both map by port",
            "explained by turn = ",
        ] {
            assert!(error.contains(words), "no {words:?} in {error}");
        }
        assert!(!error.contains("full-cone"), "{error}");
    }
}

#[test]
fn with_relays_alone_exactly_those_change_that_need_none() {
    let (cells, error) = broken("transport_policy = \"relay\"\n");
    let changed = changed(&cells);
    assert_eq!(changed.len(), 26, "{error}");
    assert!(changed.iter().all(|cell| !is_relayed(cell)));
    assert!(cells.iter().all(|cell| cell.outcome == Outcome::Relay));
    assert!(error.contains("relay instead of direct"), "{error}");
}

#[test]
fn without_stun_exactly_those_change_that_need_no_relay() {
    let (cells, error) = broken("stun = false\n");
    let changed = changed(&cells);
    assert_eq!(changed.len(), 26, "{error}");
    assert!(changed.iter().all(|cell| !is_relayed(cell)));
    assert!(cells.iter().all(|cell| cell.outcome == Outcome::Relay));
}

#[test]
fn what_is_taken_away_on_purpose_is_expected() {
    let two = "types = [\"full-cone\", \"symmetric\"]\nreply_pinning = [false]\n\
               offerers = [\"a\"]\ntopologies = [\"mesh\"]\n";
    let (code, matrix, error) = matrix(&format!("{two}turn = false\nexpect = \"as-set\"\n"));
    assert_eq!(code, Some(0), "{error}");
    assert_eq!(
        outcomes(&matrix),
        BTreeMap::from([("direct", 3), ("failed", 1)])
    );
}

#[test]
fn a_replay_is_the_same_to_the_byte_however_many_cells_run_at_a_time() {
    let lines = "types = [\"port-restricted\", \"symmetric\"]\ntopologies = [\"mesh\", \"sfu\"]\n";
    let run = |seed: &str, jobs: &str| {
        let dir = TempDir::new().unwrap();
        let arguments = [
            "--format", "json", "--seed", seed, "--jobs", jobs, "--out", "out",
        ];
        let output = nat(dir.path(), lines, &arguments);
        assert_eq!(output.status.code(), Some(0));
        let written = fs::read(dir.path().join("out/nat.json")).unwrap();
        assert_eq!(output.stdout, written);
        let names = fs::read_dir(dir.path().join("out")).unwrap();
        let mut names: Vec<_> = names.map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["junit.xml", "nat.html", "nat.json"]);
        written
    };
    let first = run("7", "1");
    assert_eq!(run("7", "3"), first);
    // Otherwise the comparison could not fail: another seed gives other jitter, so other times.
    assert_ne!(run("8", "3"), first);
}

#[test]
fn what_is_allowed_is_shown_and_does_not_fail() {
    let pair = "pairs = [[\"full-cone\", \"symmetric\"]]\nreply_pinning = [false]\n\
                topologies = [\"mesh\"]\ntransport_policy = \"relay\"\n";
    let allow = "allow = [{ a = \"symmetric\", b = \"full-cone\", outcome = \"relay\", \
                 reason = \"relays only, by law\" }]\n";
    let (code, matrix, error) = matrix(&format!("{pair}{allow}"));
    assert_eq!(code, Some(0), "{error}");
    let allowed = |cell: &Cell| cell.deviation.as_ref()?.allowed.clone();
    for cell in &matrix.cells {
        assert_eq!(allowed(cell).as_deref(), Some("relays only, by law"));
    }
    let dir = TempDir::new().unwrap();
    let failed = allow.replace("\"relay\"", "\"failed\"");
    let output = nat(dir.path(), &format!("{pair}{failed}"), &[]);
    assert_eq!(
        output.status.code(),
        Some(1),
        "another outcome is not allowed"
    );
}

#[test]
fn a_connection_that_takes_too_long_is_not_as_expected() {
    let (code, matrix, error) = matrix(
        "pairs = [[\"full-cone\", \"full-cone\"], [\"symmetric\", \"symmetric\"]]\n\
         reply_pinning = [false]\ntopologies = [\"mesh\"]\nconnect_within = \"1.8 s\"\n",
    );
    // A relay is accepted after 2 s, a direct pair before.
    assert_eq!(code, Some(1));
    for cell in &matrix.cells {
        assert_eq!(cell.is_unexpected(), cell.a.name == "symmetric", "{error}");
    }
    assert!(error.contains("relay, but against a limit"), "{error}");
}

#[test]
fn wrong_input_is_refused_before_anything_is_run() {
    let refused = |lines: &str, arguments: &[&str], words: &str| {
        let dir = TempDir::new().unwrap();
        let output = nat(dir.path(), lines, arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(words), "no {words:?} in {error}");
        assert_eq!(output.stdout, b"");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    };
    refused("types = [\"symetric\"]", &[], "did you mean \"symmetric\"?");
    refused("stunn = true", &[], "did you mean stun?");
    refused(
        "",
        &["--out", "matrix.toml"],
        "choose another directory with --out",
    );
    refused("", &["--format", "pdf"], "possible values");
    refused("", &["--jobs", "0"], "whole number");
}

#[test]
fn every_format_says_what_regressed() {
    let lines = "pairs = [[\"symmetric\", \"port-restricted\"]]\nreply_pinning = [false]\n\
                 topologies = [\"mesh\"]\nturn = false\n";
    for (format, words) in [
        ("table", "FF!"),
        ("junit", "failures=\"2\""),
        ("html", "class=\"failed unexpected\""),
        ("markdown", "failed instead of relay"),
    ] {
        let dir = TempDir::new().unwrap();
        let output = nat(dir.path(), lines, &["--format", format]);
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(words), "no {words:?} in {text}");
    }
}

/// Here all depends on checks of B, which answers, and begins 2 s before A gets the answer: 3 s or
/// more if a segment of that is lost (RFC 6298 section 2.4). 60 checks, 50 ms apart, end before that.
/// Of any seed, with 2 % of loss on two links, that has a chance of some 10 % and more; it is that of
/// some of these, and of none with the checks of `tuned`.
#[test]
fn a_pair_is_checked_for_as_long_as_lossy_signaling_takes() {
    let relays = |requests: &str| {
        let dir = TempDir::new().unwrap();
        let lines = format!(
            "pairs = [[\"EIM/ADF\", \"ADM/APDF\"]]\nreply_pinning = [false]\n\
             offerers = [\"a\"]\ntopologies = [\"mesh\"]\nsignaling_delay = \"2 s\"\n\
             signaling_loss = \"2 %\"\nlink.preset = \"cable\"\nlink.up.loss = \"2 %\"\n\
             link.down.loss = \"2 %\"\n[stack]\n{requests}"
        );
        let relays = |seed: &u32| {
            let seed = seed.to_string();
            let output = nat(dir.path(), &lines, &["--format", "json", "--seed", &seed]);
            let matrix: Matrix = serde_json::from_slice(&output.stdout).unwrap();
            matrix.cells[0].outcome == Outcome::Relay
        };
        (8..18).filter(relays).count()
    };
    assert_eq!(relays(""), 0);
    assert!(relays("max_binding_requests = 60\n") >= 1);
}

/// The reason why there is a work-around for handshakes. Both ends are to repeat their flights until
/// the next one of the other end comes (RFC 6347 section 4.2.4). A packet crosses two links of
/// participants, relayed or not, so at 10 % loss each, a flight and the answer to it get through in
/// 0.9^4 = 66 % of attempts, and one of 8 attempts does in all but 0.34^8 = 1 of 5,000 cases. The
/// stack by itself stops after one lost flight, which has 4 chances of 1 - 0.9^2 in a handshake.
/// When there is no failure without the work-around, the stack has been mended, and it can go.
#[test]
fn a_lost_flight_ends_no_handshake_that_is_kept_steady() {
    let lossy = "types = [\"port-restricted\", \"symmetric\"]\nreply_pinning = [false]\n\
                 topologies = [\"mesh\"]\nlink.preset = \"cable\"\nlink.up.loss = \"10 %\"\n\
                 link.down.loss = \"10 %\"\n[stack]\n";
    let failed = |steady: bool| -> Vec<Cell> {
        let dir = TempDir::new().unwrap();
        let lines = format!("{lossy}steady_handshake = {steady}\n");
        let output = nat(dir.path(), &lines, &["--format", "json", "--seed", "3"]);
        let matrix: Matrix = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(matrix.cells.len(), 8);
        let failed = |cell: &Cell| cell.outcome == Outcome::Failed;
        matrix.cells.into_iter().filter(failed).collect()
    };
    assert_eq!(failed(true), []);
    let stopped = failed(false);
    assert!(!stopped.is_empty());
    for cell in stopped {
        let warnings = cell.deviation.as_ref().unwrap().warnings.concat();
        assert!(warnings.contains("maximum_retransmit_number"), "{warnings}");
    }
}
