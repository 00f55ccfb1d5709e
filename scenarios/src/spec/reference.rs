//! Holds `docs/scenarios.md` to the vocabulary, and the vocabulary to its strictness.

use std::path::Path;

use super::vocabulary;
use crate::costs;
use crate::document::Keys;
use crate::{Device, Overrides, Scenario, ScenarioError, devices};

const REFERENCE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/scenarios.md"));

/// The keys in the table under the heading `section`, top to bottom.
fn documented(section: &str) -> Vec<&'static str> {
    let heading = |line: &&str| line.starts_with('#');
    let lines = REFERENCE.lines();
    let body = lines.skip_while(|line| {
        line.trim_start_matches('#').trim() != section || !line.starts_with('#')
    });
    let rows = body
        .skip(1)
        .take_while(|line| !heading(line))
        .filter(|row| row.starts_with("| `"));
    rows.filter_map(|row| row.split('`').nth(1)).collect()
}

fn examples() -> Vec<String> {
    let blocks = REFERENCE.split("```toml\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

fn parse(source: &str) -> Result<Scenario, ScenarioError> {
    Scenario::parse(source, Path::new("example.toml"))
}

#[test]
fn the_reference_lists_exactly_the_keys_that_exist() {
    for Keys { section, names } in vocabulary().into_iter().chain([&costs::KEYS]) {
        assert_eq!(documented(section), *names, "the table under {section:?}");
    }
}

#[test]
fn every_example_resolves() {
    // The count notices a block that this test cannot see.
    let examples = examples();
    assert_eq!(examples.len(), 22);
    for example in examples {
        let whole = match example.starts_with("name") {
            true => example,
            false => format!("name = \"fragment\"\nparticipants = 4\n{example}"),
        };
        let plans = parse(&whole).and_then(|scenario| scenario.resolve(&Overrides::default()));
        if let Err(error) = plans {
            panic!("{error}\n{whole}");
        }
    }
}

#[test]
fn the_worked_example_means_what_its_text_says() {
    let scenario = parse(&examples()[0]).unwrap();
    let plans = scenario.resolve(&Overrides::default()).unwrap();
    assert_eq!(plans.len(), 12);
    let names: Vec<_> = plans[0]
        .participants
        .iter()
        .map(|p| p.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["home-1", "home-2", "home-3", "mobile-1", "mobile-2"]
    );
}

#[test]
fn the_written_out_defaults_are_the_defaults() {
    let plans = |source: &str| {
        parse(source)
            .unwrap()
            .resolve(&Overrides::default())
            .unwrap()
    };
    let written = examples().pop().unwrap();
    assert_eq!(
        plans(&written),
        plans("name = \"defaults\"\nparticipants = 4\n")
    );
}

#[test]
fn no_preset_is_missing_from_the_reference() {
    let presets = sim::link::presets::PRESETS
        .iter()
        .chain(sim::nat::presets::PRESETS);
    for preset in presets {
        assert!(REFERENCE.contains(&format!("`{preset}`")), "{preset}");
    }
    for device in devices::names() {
        let Device { cores, speed, .. } = devices::preset(device).unwrap();
        let row = format!("| `{device}` | {cores} | {speed:?} |");
        let server = device.starts_with("server-") && REFERENCE.contains(&format!("`{device}`"));
        assert!(server || REFERENCE.contains(&row), "{row}");
    }
}

/// An unknown key, `bogus`, in a section of each kind: each must be the one problem found.
#[test]
fn unknown_keys_are_rejected_in_every_section() {
    let group = "[[group]]\nname = \"g\"\n";
    let nat = "mapping = \"address-dependent\", filtering = \"address-dependent\"";
    let event = "at = \"1 s\"\ngroup = \"g\"\n";
    let change = format!("[[network]]\n{event}up.");
    let cases: [(&str, String, &str); 32] = [
        ("Top level", "bogus = 1".to_owned(), "bogus"),
        ("[video]", "[video]\nbogus = 1".to_owned(), "video.bogus"),
        ("[audio]", "[audio]\nbogus = 1".to_owned(), "audio.bogus"),
        (
            "[congestion]",
            "[congestion]\nbogus = 1".to_owned(),
            "congestion.bogus",
        ),
        (
            "steps",
            "[congestion]\ncontrol = \"gcc\"\nsteps = [{ below = \"90 kbps\", bogus = 1 }]"
                .to_owned(),
            "congestion.steps[0].bogus",
        ),
        (
            "priorities",
            format!(
                "{group}[congestion]\ncontrol = \"gcc\"\ncoupled = true\n\
                 priorities = [{{ to = \"g\", priority = 2, bogus = 1 }}]"
            ),
            "congestion.priorities[0].bogus",
        ),
        ("[repair]", "[repair]\nbogus = 1".to_owned(), "repair.bogus"),
        (
            "[[data]]",
            "[[data]]\nname = \"d\"\nkind = \"chat\"\nbogus = 1".to_owned(),
            "data[0].bogus",
        ),
        ("[[group]]", format!("{group}bogus = 1"), "group[0].bogus"),
        (
            "nat",
            format!("{group}nat = {{ {nat}, bogus = 1 }}"),
            "group[0].nat.bogus",
        ),
        (
            "link",
            format!("{group}link = {{ preset = \"lte\", bogus = 1 }}"),
            "group[0].link.bogus",
        ),
        (
            "link.up and link.down",
            format!("{group}link.up.bogus = 1"),
            "group[0].link.up.bogus",
        ),
        (
            "loss in bursts",
            format!("{group}link.up.loss = {{ good_to_bad = 0.1, bad_to_good = 0.1, bogus = 1 }}"),
            "group[0].link.up.loss.bogus",
        ),
        (
            "device",
            format!("{group}device = {{ preset = \"phone\", bogus = 1 }}"),
            "group[0].device.bogus",
        ),
        (
            "outages",
            format!("{group}outages = [{{ at = \"1 s\", for = \"1 s\", bogus = 1 }}]"),
            "group[0].outages[0].bogus",
        ),
        (
            "[[network]]",
            format!(
                "{group}{change}delay = \"1 s\"\n[[network]]\n{event}handover = \"lte\"\nbogus = 1"
            ),
            "network[1].bogus",
        ),
        (
            "network.up and network.down",
            format!("{group}{change}delay = \"1 s\"\nup.bogus = 1"),
            "network[0].up.bogus",
        ),
        (
            "[[cross_traffic]]",
            format!(
                "{group}[[cross_traffic]]\ngroup = \"g\"\nway = \"up\"\nkind = \"tcp\"\nbogus = 1"
            ),
            "cross_traffic[0].bogus",
        ),
        (
            "[[pause]]",
            format!("{group}[[pause]]\ngroup = \"g\"\nat = \"1 s\"\nfor = \"1 s\"\nbogus = 1"),
            "pause[0].bogus",
        ),
        (
            "roam",
            format!("{group}roam = {{ at = \"1 s\", bogus = 1 }}"),
            "group[0].roam.bogus",
        ),
        ("[stack]", "[stack]\nbogus = 1".to_owned(), "stack.bogus"),
        (
            "acceptance_waits",
            "[stack.acceptance_waits]\nbogus = 1".to_owned(),
            "stack.acceptance_waits.bogus",
        ),
        (
            "[servers]",
            "[servers]\nbogus = 1".to_owned(),
            "servers.bogus",
        ),
        (
            "turn_credentials",
            "[servers]\nturn_credentials = { lifetime = \"1 min\", bogus = 1 }".to_owned(),
            "servers.turn_credentials.bogus",
        ),
        ("[sfu]", "[sfu]\nbogus = 1".to_owned(), "sfu.bogus"),
        ("[mcu]", "[mcu]\nbogus = 1".to_owned(), "mcu.bogus"),
        (
            "[[variant]]",
            "[[variant]]\nname = \"v\"\nvideo = { fps = 15 }\nbogus = 1".to_owned(),
            "variant[0].bogus",
        ),
        (
            "[limits]",
            "[limits]\nbogus = { max = 1 }".to_owned(),
            "limits.bogus",
        ),
        (
            "limit",
            "[limits]\nfreezes = { max = 1, bogus = 1 }".to_owned(),
            "limits.freezes.bogus",
        ),
        ("[prices]", "[prices]\nbogus = 1".to_owned(), "prices.bogus"),
        ("[nat]", "[nat]\nbogus = 1".to_owned(), "nat.bogus"),
        (
            "allow",
            "[[nat.allow]]\na = \"EIM/EIF\"\nb = \"EIM/EIF\"\noutcome = \"relay\"\nreason = \"r\"\nbogus = 1".to_owned(),
            "nat.allow[0].bogus",
        ),
    ];
    let sections: Vec<_> = cases.iter().map(|(section, ..)| *section).collect();
    let known: Vec<_> = vocabulary().iter().map(|keys| keys.section).collect();
    assert_eq!(sections, known, "a case for every section");
    for (section, lines, path) in cases {
        let source = format!("name = \"x\"\nparticipants = 4\n{lines}\n");
        let Err(ScenarioError::Invalid { problems }) = parse(&source) else {
            panic!("{section} accepts an unknown key");
        };
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].key, path);
        assert!(
            problems[0]
                .message
                .starts_with("unknown key; write one of "),
            "{}",
            problems[0]
        );
    }
}
