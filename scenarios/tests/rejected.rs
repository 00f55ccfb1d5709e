//! What wrong scenarios are told, to the letter: the messages are what a person works with.
//!
//! The cases are in `rejected/*.txt`. Up to the first line `====` is what every case of the file
//! begins with; a case is TOML, a line `----`, and all that is said about it.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use scenarios::{Overrides, Scenario, ScenarioError, Topology};

/// A scenario with a value of every kind.
const WHOLE: &str = r#"
name = "whole"
participants = [4, 8]
warmup = "3 s"
[video]
size = "640x360"
fps = 30
[congestion]
control = "gcc"
start = "500 kbps"
steps = [{ below = "300 kbps", fps = 15 }, { below = "150 kbps", size = "320x180" }]
ecn = true
[repair]
rtx = true
[[group]]
name = "a"
share = 0.5
nat = ["symmetric", { preset = "full-cone", lifetime = "60 s", reply_pinning = true }]
link = { preset = "lte", up.loss = { good_to_bad = "1 %", bad_to_good = 0.2 } }
device = { preset = "phone", cores = 2 }
sends = false
watches = ["b"]
outages = [{ at = "2 s", for = "500 ms" }]
join = "1 s"
leave = "9 s"
[[group]]
name = "b"
share = "50 %"
nat = { mapping = "address-dependent", filtering = "address-dependent", ports = "random" }
link.up = { rate = "2 Mbps", buffer = "64 kB", jitter = "2 ms", reorder = "allow" }
[stack]
check_interval = "default"
acceptance_waits = { relay = "1 s" }
[servers]
link = "fiber"
media = "server-8"
restart = { at = "4 s", for = "1 s" }
[sfu]
last_n = 3
[[data]]
name = "d"
kind = "state"
from = "a"
to = "all"
start = "1 s"
rate = 60
payload = "64 B"
ordered = true
max_lifetime = "100 ms"
buffer = "1 MiB"
[mcu]
size = "640x360"
encoders = "per-participant"
[[variant]]
name = "v"
topologies = ["mesh"]
video = { fps = 15 }
repair = { nack = false }
"#;

/// All problems of `source`, a line each.
fn problems(source: &str) -> String {
    match Scenario::parse(source, Path::new("x.toml")) {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// The beginning of every case of a file, and its cases: the rest of the text, and what is said.
fn cases(file: &Path) -> (String, Vec<(String, String)>) {
    let text = fs::read_to_string(file).unwrap();
    let mut blocks = text.split("====\n");
    let beginning = blocks.next().unwrap_or_default().to_owned();
    let halves = |block: &str| {
        let (source, said) = block.split_once("----\n").expect("a case has two halves");
        (source.to_owned(), said.trim_end().to_owned())
    };
    (beginning, blocks.map(halves).collect())
}

fn files() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rejected");
    let mut files: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    files
}

#[test]
fn every_case_is_rejected_with_its_message() {
    let files = files();
    assert_eq!(files.len(), 20);
    for file in files {
        let (beginning, cases) = cases(&file);
        assert!(cases.len() > 1, "{}", file.display());
        for (source, said) in cases {
            let source = format!("{beginning}{source}");
            assert_eq!(
                problems(&source),
                said,
                "\n{} with\n{source}",
                file.display()
            );
        }
    }
}

/// What the cases begin with is not itself what they are rejected for.
#[test]
fn every_beginning_is_accepted_once_it_is_complete() {
    for file in files() {
        let (beginning, _) = cases(&file);
        let completed = match beginning.as_str() {
            "" => continue,
            text if text.contains("participants") => beginning,
            text => format!("{text}participants = 4\n"),
        };
        assert_eq!(problems(&completed), "accepted", "{}", file.display());
    }
}

#[test]
fn unknown_scenarios_and_files_that_are_not_there() {
    let all = "quickstart, three-way, standup, webinar, adaptive, simulcast, lossy, all-symmetric, \
               large, handover, full-cone-pair, symmetric-pair, long-call, \
               ideal-pair, file-share, game";
    let unknown = |name: &str| format!("{name:?} is neither a file nor a built-in scenario;");
    for (name, expected) in [
        (
            "quickstrt",
            format!(
                "{} did you mean quickstart? (there are: {all})",
                unknown("quickstrt")
            ),
        ),
        (
            "concert",
            format!("{} write one of {all}", unknown("concert")),
        ),
        (
            "no/such.toml",
            "no/such.toml: cannot be read: No such file or directory (os error 2); check the \
             path, or name a built-in scenario"
                .to_owned(),
        ),
    ] {
        assert_eq!(scenarios::load(name).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_mistyped_file_is_told_its_neighbour() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["standup.toml", "standupp.toml", "standup.txt", "other.toml"] {
        fs::write(directory.path().join(name), "").unwrap();
    }
    let shown = directory.path().display().to_string();
    let said = |name: &str| {
        let path = format!("{shown}/{name}");
        let error = scenarios::load(&path).unwrap_err().to_string();
        error.replace(&shown, "DIR")
    };
    let missing = "cannot be read: No such file or directory (os error 2);";
    // One letter is missing from the first, two from the second.
    assert_eq!(
        said("stanup.toml"),
        format!("DIR/stanup.toml: {missing} did you mean DIR/standup.toml?")
    );
    let nothing = "check the path, or name a built-in scenario";
    assert_eq!(
        said("weekly.toml"),
        format!("DIR/weekly.toml: {missing} {nothing}")
    );
    assert_eq!(
        said("none/standup.toml"),
        format!("DIR/none/standup.toml: {missing} {nothing}")
    );
}

#[test]
fn overrides_that_do_not_fit() {
    let shares = "name = \"x\"\nparticipants = 4\n";
    let shares = Scenario::parse(shares, Path::new("x.toml")).unwrap();
    let counts = scenarios::load("quickstart").unwrap();
    let error = |scenario: &Scenario, topologies: Option<Vec<Topology>>, participants| {
        let overrides = Overrides {
            topologies,
            participants,
            seeds: None,
        };
        scenario.resolve(&overrides).unwrap_err().to_string()
    };
    assert_eq!(
        error(&shares, Some(vec![]), Some(vec![1, 4, 4])),
        "x.toml: topologies: the override is empty; name at least one\n\
         x.toml: participants: the override names 4 twice; drop one of them\n\
         x.toml: participants: the override 1 is out of range; write 2 to 200"
    );
    assert_eq!(
        error(&shares, Some(vec![Topology::Mesh; 2]), None),
        "x.toml: topologies: the override names mesh twice; drop one of them"
    );
    let twice = Overrides {
        seeds: Some(vec![7, 7]),
        ..Overrides::default()
    };
    assert_eq!(
        shares.resolve(&twice).unwrap_err().to_string(),
        "x.toml: seed: the override names 7 twice; drop one of them"
    );
    // 16 pictures of 320x180 in 4 x 4 cells of 160x90 fit 640x360, 17 in 5 columns do not.
    let three_way = scenarios::load("three-way").unwrap();
    let grid = "three-way (built-in): mcu.size: on 640x360 a grid of";
    let rest = "has pictures below 160x90, too small to tell whose they are; write a larger size, \
                or fewer participants";
    assert_eq!(
        error(&three_way, None, Some(vec![16, 17, 30])),
        format!("{grid} 17 {rest}\n{grid} 30 {rest}")
    );
    let no_mcu = Overrides {
        topologies: Some(vec![Topology::Sfu]),
        participants: Some(vec![17]),
        seeds: None,
    };
    assert!(three_way.resolve(&no_mcu).is_ok());
    let webinar = scenarios::load("webinar").unwrap();
    assert!(webinar.resolve(&Overrides::default()).is_ok());
    let speakers = "name = \"x\"\nparticipants = 9\n[[group]]\nname = \"a\"\nshare = 0.1\n\
                    [[group]]\nname = \"b\"\nshare = 0.9\nsends = false\n\
                    [[group]]\nname = \"c\"\nsends = false\ncount = 3\n";
    let speakers = Scenario::parse(speakers, Path::new("x.toml")).unwrap();
    // Of 9, 3 are counted, and 0.1 and 0.9 of 6 are 0.6 and 5.4: the one left goes to the .6. Of
    // 5, they are 0.2 and 1.8: the one left goes to the .8.
    assert!(speakers.resolve(&Overrides::default()).is_ok());
    assert_eq!(
        error(&speakers, None, Some(vec![2, 5])),
        "x.toml: participants: the override 2 is less than the 3 that the groups count; write at \
         least 3\n\
         x.toml: participants: of 5 participants nobody sends, by the shares of the groups; write \
         more participants, or give a group that sends a count"
    );
    // A third of four is one, with nobody to talk to; of five it is two.
    let apart = "name = \"x\"\nparticipants = 5\n[[group]]\nname = \"a\"\nshare = \"34 %\"\n\
                 watches = [\"a\"]\n[[group]]\nname = \"b\"\nshare = \"66 %\"\nwatches = []\n";
    let apart = Scenario::parse(apart, Path::new("x.toml")).unwrap();
    assert!(apart.resolve(&Overrides::default()).is_ok());
    assert_eq!(
        error(&apart, None, Some(vec![3, 4])),
        "x.toml: participants: of 3 participants nobody watches anybody else, by the sizes of the \
         groups; write other `watches`, or larger groups\n\
         x.toml: participants: of 4 participants nobody watches anybody else, by the sizes of the \
         groups; write other `watches`, or larger groups"
    );
    assert_eq!(
        error(&apart, Some(vec![Topology::Mcu]), None),
        "x.toml:6:11: group[0].watches: an MCU mixes everybody; drop the key, or run mesh and SFU only\n\
         x.toml:10:11: group[1].watches: an MCU mixes everybody; drop the key, or run mesh and SFU only"
    );
    assert_eq!(
        error(&counts, None, Some(vec![6])),
        "quickstart (built-in): participants: the override 6 does not fit groups whose counts \
         add up to 4; drop the override, or give the groups shares"
    );
    let marked = "name = \"x\"\nparticipants = 9\ncongestion = { control = \"gcc\", ecn = true }\n\
                  video.bitrate = \"800 kbps\"\nrepair.rtx = true\n";
    let marked = Scenario::parse(marked, Path::new("x.toml")).unwrap();
    let sfu = || Some(vec![Topology::Sfu]);
    assert!(
        marked
            .resolve(&Overrides {
                topologies: sfu(),
                ..Overrides::default()
            })
            .is_ok()
    );
    assert_eq!(
        error(&marked, sfu(), Some(vec![10])),
        "x.toml: congestion.ecn: reports of RFC 8888 have no room for all that comes in an SFU call \
         of 10; write ecn = false, fewer participants, or a lower bitrate"
    );
    let pauses = "name = \"x\"\nparticipants = 3\ncongestion = { control = \"gcc\" }\n\
                  [[group]]\nname = \"a\"\ncount = 2\n[[group]]\nname = \"b\"\ncount = 1\n\
                  [[pause]]\ngroup = \"a\"\nto = \"b\"\nat = \"8 s\"\nfor = \"2 s\"\n\
                  [[variant]]\nname = \"coupled\"\ncongestion.coupled = true\n";
    let pauses = Scenario::parse(pauses, Path::new("x.toml")).unwrap();
    assert_eq!(
        error(&pauses, None, None),
        "x.toml:12:6: pause[0].to: connections that share would keep a part for one that pauses; \
         write coupled = false, or drop the key"
    );
}

proptest! {
    /// A scenario with a stretch cut out and something else put in is accepted or has problems,
    /// each with a repair; it never panics.
    #[test]
    fn damaged_scenarios_are_read_or_refused(
        from in any::<prop::sample::Index>(),
        length in 0usize..40,
        patch in r#"[ -~\n]{0,4}|= -1|= \{\}|= \[\]|= 0.5|= "1 %"|= true"#,
    ) {
        let source: Vec<char> = WHOLE.chars().collect();
        let from = from.index(source.len());
        let rest = &source[(from + length).min(source.len())..];
        let damaged: String = source[..from].iter().copied()
            .chain(patch.chars())
            .chain(rest.iter().copied())
            .collect();
        if let Err(error) = Scenario::parse(&damaged, Path::new("x.toml")) {
            let ScenarioError::Invalid { problems } = error else {
                return Err(TestCaseError::fail("not about the text"));
            };
            prop_assert!(!problems.is_empty());
            for problem in problems {
                let syntax = problem.key.is_empty();
                prop_assert!(syntax || problem.message.contains("; "), "{}", problem);
            }
        }
    }
}
