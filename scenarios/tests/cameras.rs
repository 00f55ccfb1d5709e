//! Y4M cameras: found beside the scenario, refused with the place and the reason.

use std::fs;
use std::path::Path;

use scenarios::Overrides;

const SCENARIO: &str =
    "name = \"x\"\nparticipants = 2\n[[group]]\nname = \"g\"\ncamera = \"c.y4m\"\n";

/// What resolving a scenario in `directory` says about its camera.
fn resolve(directory: &Path) -> Result<Vec<scenarios::Plan>, String> {
    let file = directory.join("x.toml");
    fs::write(&file, SCENARIO).unwrap();
    let scenario = scenarios::load(file.to_str().unwrap()).unwrap();
    scenario
        .resolve(&Overrides::default())
        .map_err(|error| error.to_string())
}

#[test]
fn a_camera_is_relative_to_the_scenario() {
    let directory = tempfile::tempdir().unwrap();
    let camera = directory.path().join("c.y4m");
    fs::write(&camera, "YUV4MPEG2 W160 H90 F30:1\n").unwrap();
    let plans = resolve(directory.path()).unwrap();
    assert_eq!(
        plans[0].participants[1].camera.as_deref(),
        Some(camera.as_path())
    );
}

#[test]
fn a_camera_that_cannot_be_used_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().display().to_string();
    let refused = |reason: &str| {
        Err(format!(
            "{path}/x.toml:5:10: group[0].camera: {path}/c.y4m cannot be the camera: {reason}; \
             write the path of a Y4M file, relative to the scenario"
        ))
    };
    assert_eq!(
        resolve(directory.path()),
        refused("No such file or directory (os error 2)")
    );
    // Shorter than the signature, and as long as it but different.
    for content in ["YUV4", "RIFF......AVI "] {
        fs::write(directory.path().join("c.y4m"), content).unwrap();
        assert_eq!(resolve(directory.path()), refused("it is not a Y4M file"));
    }
    fs::remove_file(directory.path().join("c.y4m")).unwrap();
    fs::create_dir(directory.path().join("c.y4m")).unwrap();
    assert_eq!(
        resolve(directory.path()),
        refused("Is a directory (os error 21)")
    );
}
