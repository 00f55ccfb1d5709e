use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::fixture::{cell, provenance, run};
use crate::record::SCHEMA_VERSION;
use crate::render::text;

fn write_to(dir: &Path, run: &Run) -> Result<(), StoreError> {
    let measured = vec![Measured::default(); run.cells.len()];
    let captures = [Capture {
        file_name: "capture-mesh-3-7.pcapng".into(),
        bytes: vec![1, 2],
    }];
    let provenance = provenance();
    write(
        dir,
        &Output {
            run,
            measured: &measured,
            provenance: &provenance,
            captures: &captures,
        },
    )
}

fn names(dir: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(dir).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn a_run_that_was_written_reads_back_equal_and_renders_to_the_same_text() {
    let top = TempDir::new().unwrap();
    let dir = top.path().join("new/and/deep");
    let mut awkward = cell();
    // Floats with all their digits, some of which a parser that rounds twice gets wrong.
    awkward.streams[0].latency_parts_ms = (2..1_000)
        .map(|n| (n.to_string(), f64::from(n).ln()))
        .collect();
    let written = run(vec![awkward, cell()]);
    write_to(&dir, &written).unwrap();
    let back = read(&dir).unwrap();
    assert_eq!(back, written);
    assert_eq!(
        text::render(&back, "again"),
        text::render(&written, "again")
    );
}

#[test]
fn the_directory_holds_the_documented_files_and_no_others() {
    let dir = TempDir::new().unwrap();
    write_to(dir.path(), &run(vec![cell()])).unwrap();
    let documented = [
        "capture-mesh-3-7.pcapng",
        "charts",
        "charts.csv",
        "data.csv",
        "decisions.csv",
        "flows.csv",
        "measured.csv",
        "peers.csv",
        "provenance.json",
        "report.html",
        "run.json",
        "streams.csv",
        "summary.csv",
        "timeline.csv",
    ];
    assert_eq!(names(dir.path()), documented.map(String::from).into());
    // A second run takes the place of the first.
    write_to(dir.path(), &run(vec![])).unwrap();
    assert_eq!(read(dir.path()).unwrap().cells.len(), 0);
    assert_eq!(names(dir.path()).len(), documented.len());
}

#[test]
fn captures_of_the_run_before_are_removed_and_nothing_else() {
    let dir = TempDir::new().unwrap();
    let touch = |name: &str| fs::write(dir.path().join(name), "mine").unwrap();
    // Not yet the directory of a run: whatever is in it is somebody else's.
    touch("capture-mesh-2-1.pcapng");
    write_to(dir.path(), &run(vec![cell()])).unwrap();
    assert!(names(dir.path()).contains("capture-mesh-2-1.pcapng"));
    // Now it is one. Its captures are of the run before, but for the one that the run brings.
    for mine in ["capture-notes.txt", "other.pcapng"] {
        touch(mine);
    }
    write_to(dir.path(), &run(vec![cell()])).unwrap();
    let left = names(dir.path());
    assert!(!left.contains("capture-mesh-2-1.pcapng"), "{left:?}");
    for kept in [
        "capture-mesh-3-7.pcapng",
        "capture-notes.txt",
        "other.pcapng",
    ] {
        assert!(left.contains(kept), "{left:?}");
    }
    let capture = fs::read(dir.path().join("capture-mesh-3-7.pcapng")).unwrap();
    assert_eq!(capture, [1, 2]);
}

#[test]
fn rendering_again_gives_the_bytes_that_the_run_wrote() {
    let (first, second) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    write_to(first.path(), &run(vec![cell()])).unwrap();
    // From run.json alone.
    fs::copy(
        first.path().join("run.json"),
        second.path().join("run.json"),
    )
    .unwrap();
    let back = read(second.path()).unwrap();
    let mut files = Vec::new();
    for format in [Format::Csv, Format::Svg, Format::Html] {
        files.extend(render(second.path(), &back, format).unwrap());
    }
    for file in &files {
        let of = |dir: &TempDir| fs::read(dir.path().join(file)).unwrap();
        assert!(of(&first) == of(&second), "{file}");
    }
    // The five tables, the page, and at least one chart.
    assert!(files.len() > 6, "{files:?}");
}

#[test]
fn charts_of_the_run_before_are_removed_and_nothing_else() {
    let dir = TempDir::new().unwrap();
    write_to(dir.path(), &run(vec![cell()])).unwrap();
    let charts = dir.path().join("charts");
    assert!(charts.join("client-traffic.svg").is_file());
    fs::write(charts.join("mine.svg"), "mine").unwrap();
    // A run without cells has no charts.
    write_to(dir.path(), &run(vec![])).unwrap();
    assert_eq!(names(&charts), ["mine.svg".to_owned()].into());
}

#[cfg(unix)]
#[test]
fn files_are_as_readable_as_any_other() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TempDir::new().unwrap();
    write_to(dir.path(), &run(vec![])).unwrap();
    // The system decides, by the umask, what a plain new file may be.
    fs::write(dir.path().join("plain"), "").unwrap();
    let mode = |name: &str| {
        fs::metadata(dir.path().join(name))
            .unwrap()
            .permissions()
            .mode()
    };
    assert_eq!(mode("run.json"), mode("plain"));
}

#[test]
fn a_path_below_a_file_is_refused_and_named() {
    let top = TempDir::new().unwrap();
    let file = top.path().join("file");
    fs::write(&file, "mine").unwrap();
    for dir in [file.clone(), file.join("below"), file.join("far/below")] {
        for result in [write_to(&dir, &run(vec![])), check_writable(&dir)] {
            let error = result.unwrap_err();
            assert!(matches!(&error, StoreError::NotADirectory { path } if *path == file));
            assert!(
                error
                    .to_string()
                    .contains("file is a file, not a directory"),
                "{error}"
            );
        }
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn a_failure_leaves_nothing_behind() {
    // The last file to be staged cannot be written: a directory has its name.
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("run.json")).unwrap();
    assert!(matches!(
        write_to(dir.path(), &run(vec![])),
        Err(StoreError::NotAFile { .. })
    ));
    assert_eq!(names(dir.path()), ["run.json".to_owned()].into());

    // A capture in a directory that is not there: the new directories go, too.
    let new = dir.path().join("new/dir");
    let captures = [Capture {
        file_name: "nowhere/capture.pcapng".into(),
        bytes: vec![],
    }];
    let (run, provenance) = (run(vec![]), provenance());
    let output = Output {
        run: &run,
        measured: &[],
        provenance: &provenance,
        captures: &captures,
    };
    assert!(matches!(
        write(&new, &output),
        Err(StoreError::Write { .. })
    ));
    assert_eq!(names(dir.path()), ["run.json".to_owned()].into());
}

#[test]
fn checking_leaves_nothing_behind() {
    let dir = TempDir::new().unwrap();
    check_writable(dir.path()).unwrap();
    check_writable(&dir.path().join("new/dir")).unwrap();
    assert_eq!(names(dir.path()), BTreeSet::new());
}

#[test]
fn wrong_files_are_told_apart() {
    let dir = TempDir::new().unwrap();
    assert!(matches!(read(dir.path()), Err(StoreError::Read { .. })));

    let file = dir.path().join("run.json");
    let good = json(&Sealed::of(&run(vec![cell()])));
    let read_of = |text: &str| {
        fs::write(&file, text).unwrap();
        read(dir.path())
    };
    assert!(read_of(&good).is_ok());
    assert!(matches!(
        read_of(&good[..good.len() / 2]),
        Err(StoreError::Truncated { .. })
    ));
    assert!(matches!(read_of(""), Err(StoreError::Truncated { .. })));
    assert!(matches!(read_of("hello"), Err(StoreError::Foreign { .. })));
    assert!(matches!(
        read_of(r#"{"version": 3}"#),
        Err(StoreError::Foreign { .. })
    ));
    assert!(matches!(
        read_of(&format!(r#"{{"schema": {SCHEMA_VERSION}}}"#)),
        Err(StoreError::Foreign { .. })
    ));
    // Of another schema, whatever else it holds.
    let later = read_of(r#"{"schema": 99, "worlds": []}"#);
    assert!(matches!(later, Err(StoreError::Schema { found: 99, .. })));
    // An unknown field within the records.
    let strange = good.replace("\"signaling_bytes\"", "\"signalling_bytes\"");
    assert!(matches!(read_of(&strange), Err(StoreError::Foreign { .. })));
}
