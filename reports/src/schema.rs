//! The published JSON Schemas, and that what is written keeps to them.
//!
//! They follow from the types. To write them again after a change of the types, run these tests with
//! `RTCLAB_WRITE_SCHEMA=1`.

use std::fs;
use std::path::Path;

use schemars::generate::SchemaSettings;
use serde_json::Value;
use tempfile::TempDir;

use crate::fixture::{cell, provenance, run};
use crate::record::{Measured, SCHEMA_VERSION};
use crate::render::check;
use crate::store::{self, Output, StoreError};
use crate::{Limit, Run};

/// The schema in `schema/NAME`, which is that of the types.
fn published(name: &str, title: &str, mut expected: Value) -> Value {
    expected["title"] = title.into();
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("schema")
        .join(name);
    if std::env::var_os("RTCLAB_WRITE_SCHEMA").is_some() {
        fs::write(
            &path,
            serde_json::to_string_pretty(&expected).unwrap() + "\n",
        )
        .unwrap();
    }
    let found: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(found, expected, "{name} is not that of the types");
    found
}

fn of_runs() -> Value {
    let settings = SchemaSettings::draft2020_12();
    let schema = settings.into_generator().into_root_schema_for::<Run>();
    let mut schema = schema.to_value();
    // What older schemas lack, and this one has.
    let required = schema["required"].as_array_mut().expect("a list of names");
    for new in ["program", "limits", "sha256"] {
        if !required.contains(&new.into()) {
            required.push(new.into());
        }
    }
    let name = format!("run-{SCHEMA_VERSION}.schema.json");
    published(&name, "run.json of rtclab", schema)
}

fn of_checks() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings
        .into_generator()
        .into_root_schema_for::<check::Document>();
    published(
        "check-1.schema.json",
        "rtclab check --format json",
        schema.to_value(),
    )
}

/// What is wrong with `document`, at most.
fn faults(schema: &Value, document: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).unwrap();
    let faults = validator.iter_errors(document);
    faults
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect()
}

/// `run.json` of the fixture, with a limit.
fn written() -> (TempDir, Value) {
    let dir = TempDir::new().unwrap();
    let mut run = run(vec![cell()]);
    run.program = Some("rtclab 0.1.0".to_owned());
    run.limits = vec![Limit {
        metric: "freezes".to_owned(),
        min: None,
        max: Some(5.0),
        topologies: Some(vec!["mesh".to_owned()]),
        participants: None,
        group: None,
    }];
    let output = Output {
        run: &run,
        measured: &[Measured::default()],
        provenance: &provenance(),
        captures: &[],
    };
    store::write(dir.path(), &output).unwrap();
    let text = fs::read_to_string(dir.path().join("run.json")).unwrap();
    (dir, serde_json::from_str(&text).unwrap())
}

#[test]
fn what_a_run_writes_keeps_to_its_schema_and_nothing_else_does() {
    let (schema, (_dir, document)) = (of_runs(), written());
    assert_eq!(faults(&schema, &document), Vec::<String>::new());
    let is_refused = |edit: &dyn Fn(&mut Value)| {
        let mut edited = document.clone();
        edit(&mut edited);
        !faults(&schema, &edited).is_empty()
    };
    assert!(is_refused(&|run| run["smell"] = 1.into()));
    assert!(is_refused(&|run| drop(
        run["cells"][0].as_object_mut().unwrap().remove("hosts")
    )));
    assert!(is_refused(
        &|run| run["cells"][0]["participants"] = (-3).into()
    ));
    assert!(is_refused(
        &|run| run["cells"][0]["streams"][0]["kind"] = "smell".into()
    ));
    assert!(is_refused(&|run| drop(
        run.as_object_mut().unwrap().remove("sha256")
    )));
}

#[test]
fn what_check_prints_keeps_to_its_schema() {
    let schema = of_checks();
    let text = check::json(&check::tests::findings());
    let mut document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(faults(&schema, &document), Vec::<String>::new());
    assert_eq!(document["good"], false);
    document["verdicts"][0]["outcome"] = "perhaps".into();
    assert_ne!(faults(&schema, &document), Vec::<String>::new());
}

#[test]
fn edited_results_are_refused_and_results_laid_out_anew_are_not() {
    let (dir, document) = written();
    let file = dir.path().join("run.json");
    // Keys sorted and on one line, as another program might write them.
    fs::write(&file, document.to_string()).unwrap();
    store::read(dir.path()).unwrap();
    for (place, value) in [("/cells/0/streams/0/freezes", 0_u64), ("/limits/0/max", 9)] {
        let mut edited = document.clone();
        let found = edited.pointer_mut(place).unwrap();
        *found = (found.as_f64().unwrap() as u64 + value + 1).into();
        fs::write(&file, edited.to_string()).unwrap();
        let error = store::read(dir.path()).unwrap_err();
        assert!(matches!(error, StoreError::Edited { .. }), "{error}");
    }
    // Nor is the digest itself left out.
    let mut bare = document.clone();
    bare.as_object_mut().unwrap().remove("sha256");
    fs::write(&file, bare.to_string()).unwrap();
    assert!(matches!(
        store::read(dir.path()),
        Err(StoreError::Edited { .. })
    ));
}

#[test]
fn results_of_schema_2_are_still_read() {
    let (dir, mut old) = written();
    let fields = old.as_object_mut().unwrap();
    for new in ["program", "limits", "sha256"] {
        fields.remove(new).unwrap();
    }
    fields["schema"] = 2.into();
    fs::write(dir.path().join("run.json"), old.to_string()).unwrap();
    let run = store::read(dir.path()).unwrap();
    assert_eq!(
        (run.schema, run.program.as_deref(), run.limits.len()),
        (2, None, 0)
    );
}
