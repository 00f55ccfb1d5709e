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
fn list_prints_names_and_questions_of_the_built_in_scenarios() {
    let output = rtclab(Path::new("."), &["list"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for name in ["quickstart", "full-cone-pair", "symmetric-pair"] {
        let line = text
            .lines()
            .find(|line| line.split_whitespace().next() == Some(name));
        assert!(
            line.is_some_and(|line| line.ends_with('?')),
            "{name} asks nothing in:\n{text}"
        );
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
    refused(&[], &["run", "quickstart", "--jobs", "0"], &["--jobs <N>"]);
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
            &["error: notes is not a directory"],
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_reason_of_the_system_is_given_once() {
    // Nobody, root included, may make a directory in /proc.
    let reason = "error: cannot write /proc/results: No such file or directory (os error 2)\n";
    refused(
        &[],
        &["run", "quickstart", "--out", "/proc/results"],
        &[reason],
    );
}
