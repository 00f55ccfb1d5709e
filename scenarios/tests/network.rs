//! Networks that change and cross traffic, from the text to the plan.

use std::fs;
use std::path::Path;
use std::time::Duration;

use scenarios::{NetworkPlan, Overrides, Scenario, ScenarioError};
use sim::{Change, CrossKind, LossConfig, PipeChange, Queue, Time, Way, link_preset};

fn resolve(lines: &str, file: &Path) -> Result<Vec<NetworkPlan>, String> {
    let source = format!(
        "name = \"x\"\nparticipants = 3\n[[group]]\nname = \"home\"\ncount = 1\nlink = \"dsl\"\n\
         [[group]]\nname = \"free\"\nshare = 1.0\nlink = \"ideal\"\n{lines}"
    );
    let plans = Scenario::parse(&source, file).and_then(|it| it.resolve(&Overrides::default()));
    match plans {
        Ok(plans) => Ok(plans[0]
            .participants
            .iter()
            .map(|it| it.network.clone())
            .collect()),
        Err(ScenarioError::Invalid { problems }) => {
            let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
            Err(lines.join("\n"))
        }
        Err(other) => panic!("{other}"),
    }
}

/// The plans of home-1, free-1 and free-2.
fn networks(lines: &str) -> Vec<NetworkPlan> {
    resolve(lines, Path::new("x.toml")).unwrap_or_else(|problems| panic!("{problems}"))
}

fn problem(lines: &str) -> String {
    resolve(lines, Path::new("x.toml")).expect_err("it is wrong")
}

fn change(millis: u64, what: Change) -> PipeChange {
    let at = Time::from_millis(millis);
    PipeChange { at, what }
}

const HOME: &str = "group = \"home\"\n";

#[test]
fn changes_are_those_of_their_group_in_order_of_time() {
    let plans = networks(&format!(
        "[[network]]\nat = \"9 s\"\n{HOME}up.rate = \"500 kbps\"\nramp = \"2 s\"\n\
         [[network]]\nat = \"3 s\"\n{HOME}up = {{ loss = \"1 %\", delay = \"30 ms\" }}\n\
         down.buffer = \"9 kB\"\n"
    ));
    let rate = Change::Rate {
        to_bps: Some(500_000),
        over: Duration::from_secs(2),
    };
    let loss = LossConfig::Bernoulli { probability: 0.01 };
    let up = [
        change(3_000, Change::Delay(Duration::from_millis(30))),
        change(3_000, Change::Loss(loss)),
        change(9_000, rate),
    ];
    assert_eq!(plans[0].changes.up, up);
    let down = [change(3_000, Change::Buffer(Some(9_000)))];
    assert_eq!(plans[0].changes.down, down);
    assert_eq!(plans[1..], [NetworkPlan::default(), NetworkPlan::default()]);
}

#[test]
fn what_comes_after_a_handover_happens_to_the_new_link() {
    let plans = networks(&format!(
        "[[network]]\nat = \"3 s\"\n{HOME}up.delay = \"1 ms\"\n\
         [[network]]\nat = \"5 s\"\n{HOME}handover = \"lte\"\n\
         [[network]]\nat = \"7 s\"\n{HOME}up.delay = \"2 ms\"\n"
    ));
    let [handover] = &plans[0].handovers[..] else {
        panic!("{:?}", plans[0]);
    };
    let delay = |at, millis| [change(at, Change::Delay(Duration::from_millis(millis)))];
    assert_eq!(plans[0].changes.up, delay(3_000, 1));
    assert_eq!(handover.changes.up, delay(7_000, 2));
    assert_eq!(handover.at, Duration::from_secs(5));
    assert_eq!(Some(handover.link), link_preset("lte"));
    assert_eq!(handover.link_label, "lte");
}

#[test]
fn a_trace_is_read_where_the_scenario_is() {
    let directory = tempfile();
    fs::write(directory.join("good.trace"), "10\n20\n").unwrap();
    fs::write(directory.join("bad.trace"), "10\n9\n").unwrap();
    let lines = |file| format!("[[network]]\nat = \"0 s\"\n{HOME}down.trace = \"{file}\"\n");
    let file = directory.join("x.toml");
    let plans = resolve(&lines("good.trace"), &file).unwrap();
    let [PipeChange { at, what }] = &plans[0].changes.down[..] else {
        panic!("{:?}", plans[0]);
    };
    assert_eq!(*at, Time::ZERO);
    // Two packets of 12,000 bits in 20 ms.
    assert!(matches!(what, Change::Trace(trace) if trace.mean_bps() == 1.2e6));
    let bad = resolve(&lines("bad.trace"), &file).unwrap_err();
    assert!(bad.contains("network[0].down.trace: ") && bad.contains("line 2 is 9, before the 10"));
    let none = resolve(&lines("none.trace"), &file).unwrap_err();
    assert!(
        none.contains("none.trace cannot be the trace: No such file"),
        "{none}"
    );
    fs::remove_dir_all(directory).unwrap();
}

fn tempfile() -> std::path::PathBuf {
    let name = format!("rtclab-scenarios-network-{}", std::process::id());
    let directory = std::env::temp_dir().join(name);
    fs::create_dir_all(&directory).unwrap();
    directory
}

#[test]
fn cross_traffic_is_on_the_link_of_its_group() {
    let plans = networks(&format!(
        "[[cross_traffic]]\n{HOME}way = \"up\"\nkind = \"tcp\"\necn = true\nflows = 2\nat = \"4 s\"\nfor = \"5 s\"\n\
         [[cross_traffic]]\n{HOME}way = \"down\"\nkind = \"on-off\"\nrate = \"1 Mbps\"\n\
         on = \"2 s\"\noff = \"3 s\"\n"
    ));
    let [one, two, pulsed] = plans[0].cross[..] else {
        panic!("{:?}", plans[0]);
    };
    assert_eq!(one, two);
    assert_eq!(one.way, Way::Up);
    assert_eq!(one.flow.from, Time::from_millis(4_000));
    assert_eq!(one.flow.to, Time::from_millis(9_000));
    let round_trip = Duration::from_millis(20);
    let ecn = true;
    assert_eq!(one.flow.kind, CrossKind::Tcp { round_trip, ecn });
    let kind = CrossKind::OnOff {
        rate_bps: 1_000_000,
        on: Duration::from_secs(2),
        off: Duration::from_secs(3),
    };
    assert_eq!((pulsed.way, pulsed.flow.kind), (Way::Down, kind));
    assert!(plans[1].cross.is_empty());
}

#[test]
fn queues_and_buffers_have_names() {
    // 1.4 Mbit/s for 1,000 ms are 175,000 bytes; for 70 ms 12,250.
    let link = |up: &str| {
        let source = format!(
            "name = \"x\"\nparticipants = 2\n[[group]]\nname = \"g\"\n\
             link = {{ preset = \"dsl\", up = {{ {up} }} }}\n"
        );
        let scenario = Scenario::parse(&source, Path::new("x.toml")).unwrap();
        let plans = scenario.resolve(&Overrides::default()).unwrap();
        plans[0].participants[0].link.up
    };
    let bloated = link("buffer = \"bloated\", queue = \"codel\"");
    assert_eq!(
        (bloated.buffer_bytes, bloated.queue),
        (Some(175_000), Queue::Codel)
    );
    let marking = link("queue = \"codel-ecn\"");
    assert_eq!(marking.queue, Queue::CodelEcn);
    let short = link("buffer = \"short\"");
    assert_eq!(
        (short.buffer_bytes, short.queue),
        (Some(12_250), Queue::DropTail)
    );
}

#[test]
fn what_cannot_be_says_where_and_what_to_write() {
    let network = |lines: &str| problem(&format!("[[network]]\nat = \"1 s\"\n{lines}"));
    let cross = |lines: &str| problem(&format!("[[cross_traffic]]\n{lines}"));
    let cases = [
        (
            network("group = \"hom\"\nup.rate = \"1 Mbps\""),
            "x.toml:13:9: network[0].group: \"hom\" is an unknown group; did you mean \"home\"?",
        ),
        (
            network(HOME),
            "network[0]: nothing changes; write up, down or handover, or drop the table",
        ),
        (
            network(&format!("{HOME}up.delay = \"1 s\"\nramp = \"1 s\"")),
            "network[0].ramp: only a rate has a ramp; write up.rate or down.rate, or drop the key",
        ),
        (
            network(&format!("{HOME}up.delay = \"1 s\"\nhandover = \"lte\"")),
            "network[0].handover: a handover replaces both pipes; write their changes in a \
             [[network]] of their own",
        ),
        (
            network(&format!(
                "{HOME}up = {{ rate = \"1 Mbps\", trace = \"x\" }}"
            )),
            "network[0].up.trace: a trace says when packets leave; drop the key, or `rate`",
        ),
        (
            network("group = \"free\"\nup.rate = \"1 Mbps\"\nramp = \"1 s\""),
            "network: the ramp of \"free\" at 1 s has no up rate to begin with; write one before \
             it, or drop `ramp`",
        ),
        (
            cross("group = \"free\"\nway = \"up\"\nkind = \"tcp\""),
            "cross_traffic[0].way: on a link without a rate nobody is in the way of others; give \
             the group a link with one",
        ),
        (
            cross(&format!(
                "{HOME}way = \"up\"\nkind = \"constant\"\nrate = \"1 Mbps\"\non = \"1 s\""
            )),
            "cross_traffic[0].on: this kind has no such key; drop it",
        ),
        (
            cross(&format!("{HOME}way = \"up\"\nkind = \"constant\"")),
            "cross_traffic[0].rate: missing; write rate = \"1 Mbps\"",
        ),
    ];
    for (said, expected) in cases {
        assert!(said.contains(expected), "{said}\nand not\n{expected}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
