//! The built program, as a shell sees it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// Runs the program in `dir`.
fn rtclab(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rtclab"));
    command
        .args(arguments)
        .current_dir(dir)
        .output()
        .expect("the program starts")
}

/// Runs the program in a directory with these files, and expects it to fail with exit code 2,
/// these words on standard error, nothing on standard output, and the directory as it was.
#[track_caller]
fn refused(files: &[(&str, &str)], arguments: &[&str], words: &[&str]) {
    let dir = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let output = rtclab(dir.path(), arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert_eq!(output.stdout, b"");
    for word in words {
        assert!(error.contains(word), "no {word:?} in: {error}");
    }
    let left = fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(left, files.len(), "something was written");
    for (name, text) in files {
        assert_eq!(fs::read_to_string(dir.path().join(name)).unwrap(), *text);
    }
}

#[test]
fn what_is_not_a_run_is_not_rendered_and_the_reason_is_told() {
    let report = ["report", "."];
    refused(
        &[],
        &report,
        &["cannot read the records of a run", "run.json"],
    );
    let file = |text| [("run.json", text)];
    refused(&file("{\"schema\": 2, "), &report, &["cut short"]);
    refused(
        &file("{\"version\": 1}"),
        &report,
        &["does not hold the records"],
    );
    refused(
        &file("{\"schema\": 99}"),
        &report,
        &["schema 99", "use the version"],
    );
    refused(
        &file("{}"),
        &["report", ".", "--format", "pdf"],
        &["html", "markdown"],
    );
}

#[test]
fn list_prints_what_the_built_in_scenarios_compare_and_ask() {
    let output = rtclab(Path::new("."), &["list"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let words = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut lines = text.lines().map(words);
    assert_eq!(
        lines.next().unwrap(),
        ["scenario", "topologies", "N", "question"]
    );
    let lines: Vec<_> = lines.collect();
    for (name, topologies, n) in [
        ("quickstart", "mesh", "4"),
        ("three-way", "mesh,sfu,mcu", "2,4,6,8"),
        ("standup", "mesh,sfu,mcu", "4,8,12,16"),
        ("webinar", "mesh,sfu,mcu", "5,9,17"),
        ("adaptive", "mesh,sfu,mcu", "3"),
        ("simulcast", "mesh,sfu", "3"),
        ("lossy", "mesh,sfu,mcu", "3"),
        ("all-symmetric", "mesh,sfu,mcu", "2,4,6"),
        ("large", "sfu,mcu", "10,25,50"),
        ("symmetric-pair", "mesh", "2"),
    ] {
        let line = lines.iter().find(|line| line[0] == name);
        let line = line.unwrap_or_else(|| panic!("no {name} in:\n{text}"));
        assert_eq!(line[1..3], [topologies, n], "{name}");
        assert!(line.last().unwrap().ends_with('?'), "{name} asks nothing");
    }
}

#[test]
fn show_prints_a_scenario_that_runs_from_a_file_as_well() {
    let dir = TempDir::new().unwrap();
    let shown = rtclab(dir.path(), &["show", "quickstart"]);
    assert!(shown.status.success());
    let text = String::from_utf8(shown.stdout.clone()).unwrap();
    assert!(text.contains("\nname = \"quickstart\"\n"), "{text}");

    fs::write(dir.path().join("mine.toml"), &shown.stdout).unwrap();
    let again = rtclab(dir.path(), &["show", "mine.toml"]);
    assert_eq!(again.stdout, shown.stdout);
}

#[test]
fn a_reader_that_has_read_enough_is_no_failure() {
    // Nobody reads what the program writes: its first write fails with a broken pipe.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_rtclab"));
    let output = command.arg("list").stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn help_names_the_exit_codes() {
    let output = rtclab(Path::new("."), &["--help"]);
    assert!(output.status.success());
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("Exit codes: 0 good")
    );
}

#[test]
fn a_wrong_command_line_is_refused() {
    refused(&[], &[], &["Usage: rtclab"]);
    refused(&[], &["fly"], &["unrecognized subcommand 'fly'"]);
    refused(&[], &["run"], &["<SCENARIO>"]);
    refused(
        &[],
        &["run", "quickstart", "--sed", "1"],
        &["unexpected argument '--sed'", "--seed"],
    );
    refused(
        &[],
        &["run", "quickstart", "--topology", "star"],
        &["[possible values: mesh"],
    );
    for (option, value, range) in [
        ("--seed", "-1", "from 0 to 18446744073709551615"),
        ("--participants", "-4", "from 0 to 4294967295"),
        ("--jobs", "0", "from 1 to 18446744073709551615"),
    ] {
        let words = [
            &format!("invalid value '{value}' for '{option} <"),
            &format!("write a whole number {range}"),
        ];
        let words = words.map(String::as_str);
        refused(&[], &["run", "quickstart", option, value], &words);
    }
}

#[test]
fn an_unknown_scenario_is_refused_with_the_nearest_one() {
    for command in ["run", "show"] {
        refused(
            &[],
            &[command, "quikstart"],
            &["error: ", "\"quikstart\"", "quickstart"],
        );
    }
    refused(
        &[],
        &["run", "no/such.toml"],
        &["no/such.toml: cannot be read"],
    );
}

#[test]
fn a_mistyped_file_is_refused_with_its_neighbour() {
    let scenario = "name = \"x\"\nparticipants = 2\n";
    for typed in ["ofice.toml", "ofice"] {
        let words = ["did you mean office.toml?"];
        refused(&[("office.toml", scenario)], &["run", typed], &words);
    }
}

/// Two who hear each other for a second, without pictures: the quickest call that there is.
#[test]
fn a_run_says_in_a_log_what_is_done_and_prints_its_table() {
    let dir = TempDir::new().unwrap();
    let scenario = "name = \"pair\"\nparticipants = 2\nseeds = 2\nwarmup = \"2 s\"\n\
                    duration = \"1 s\"\nvideo = false\ncpu = \"free\"\n\
                    [[group]]\nname = \"g\"\nnat = \"none\"\nlink = \"ideal\"\n";
    fs::write(dir.path().join("pair.toml"), scenario).unwrap();
    let output = rtclab(dir.path(), &["run", "pair.toml", "--jobs", "1"]);
    let (out, log) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(output.status.success(), "{log}");
    assert!(out.starts_with("pair: 1 s measured, fidelity codec, CPU free, tuned stack\n"));
    assert!(
        out.ends_with("\nreplay: rtclab run pair.toml\nresults: out/pair\n"),
        "{out}"
    );
    let done = |seed, count| format!("mesh of 2, seed {seed}: done ({count} of 2, ");
    let ended: Vec<_> = log
        .lines()
        .filter(|line| line.contains(": done ("))
        .collect();
    assert_eq!(ended.len(), 2, "{log}");
    for (line, (seed, count)) in ended.iter().zip([(1, 1), (2, 2)]) {
        assert!(line.starts_with(&done(seed, count)), "{log}");
    }
    assert_eq!(log.contains("hint: "), cfg!(debug_assertions), "{log}");

    let quiet = rtclab(dir.path(), &["run", "pair.toml", "--seed", "1", "--quiet"]);
    assert_eq!((quiet.stdout, quiet.stderr), (vec![], vec![]));
}

#[test]
fn an_unknown_key_is_refused_with_its_place() {
    let scenario = "name = \"typo\"\nduratoin = \"10 s\"\n";
    let words = ["typo.toml:2:1: duratoin", "duration"];
    refused(&[("typo.toml", scenario)], &["run", "typo.toml"], &words);
}

#[test]
fn an_override_that_does_not_fit_is_refused() {
    refused(
        &[],
        &["run", "quickstart", "--participants", "1"],
        &["participants", "out of range"],
    );
}

#[test]
fn a_directory_that_cannot_be_written_is_refused() {
    for out in ["notes", "notes/results", "notes/far/below"] {
        let arguments = ["run", "quickstart", "--out", out];
        refused(
            &[("notes", "mine")],
            &arguments,
            &[&format!(
                "error: the results cannot go to {out} (choose another directory with --out): \
                 notes is a file, not a directory\n"
            )],
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_reason_of_the_system_is_given_once() {
    // Nobody, root included, may make a directory in /proc.
    let reason = "error: the results cannot go to /proc/results (choose another directory with \
                  --out): cannot write /proc/results: No such file or directory (os error 2)\n";
    refused(
        &[],
        &["run", "quickstart", "--out", "/proc/results"],
        &[reason],
    );
}

#[test]
fn a_profile_that_cannot_be_written_is_refused_before_anything_is_measured() {
    for (file, reason) in [
        ("missing/machine.toml", "No such file or directory"),
        ("notes/machine.toml", "Not a directory"),
        (".", "is a directory"),
    ] {
        let place = format!("error: the profile cannot go to {file} (choose another file");
        let arguments = ["calibrate", "--out", file];
        refused(&[("notes", "mine")], &arguments, &[&place, reason]);
    }
}

#[cfg(debug_assertions)]
#[test]
fn a_debug_build_does_not_calibrate() {
    refused(
        &[],
        &["calibrate", "--out", "machine.toml"],
        &["debug build", "cargo run --release"],
    );
}
