//! From text to plans: the grid, the groups, and every key with an effect.

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU16, NonZeroU32};
use std::path::Path;
use std::time::Duration;

use scenarios::{Overrides, Plan, Scenario, StackPlan, StackProfile, Topology};
use sim::{
    Behavior, FilterScope, Hairpinning, JitterConfig, LinkConfig, LossConfig, NatConfig,
    PipeConfig, PortAssignment, Refresh, Reorder, Seed, TimerScope, WhenFull,
};

fn plans(source: &str, overrides: &Overrides) -> Vec<Plan> {
    let scenario = Scenario::parse(source, Path::new("x.toml"));
    scenario
        .and_then(|scenario| scenario.resolve(overrides))
        .unwrap_or_else(|e| panic!("{e}"))
}

/// The one plan of a scenario of four with these lines.
fn plan(lines: &str) -> Plan {
    let source = format!("name = \"x\"\nparticipants = 4\n{lines}\n");
    let mut plans = plans(&source, &Overrides::default());
    assert_eq!(plans.len(), 1);
    plans.remove(0)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn variants_stand_behind_their_topology_and_change_what_they_name() {
    let source = "name = \"x\"\nparticipants = [2, 3]\ntopologies = [\"sfu\", \"mesh\"]\n\
                  [video]\nsize = \"320x180\"\nfps = 20\n[stack]\ntrickle = true\n\
                  [[variant]]\nname = \"rough\"\nrepair = { nack = false }\n\
                  [[variant]]\nname = \"mute\"\ntopologies = [\"mesh\"]\naudio = false\n\
                  stack = { profile = \"stock\" }\n";
    let all = plans(source, &Overrides::default());
    let cells: Vec<_> = all
        .iter()
        .map(|plan| (plan.label(), plan.participants.len()))
        .collect();
    let expected = ["sfu", "sfu rough", "mesh", "mesh rough", "mesh mute"];
    let expected: Vec<_> = expected
        .iter()
        .flat_map(|label| [2, 3].map(|number| ((*label).to_owned(), number)))
        .collect();
    assert_eq!(cells, expected);
    // What a variant does not name is that of the scenario: rough is the plan but for a value.
    let mut rough = all[0].clone();
    rough.variant = Some("rough".to_owned());
    rough.repair.nack = false;
    assert_eq!(all[2], rough);
    let mute = &all[8];
    assert_eq!(mute.audio, None);
    assert_eq!(mute.video, all[0].video);
    let stock = StackPlan {
        trickle: true,
        ..StackPlan::stock()
    };
    assert_eq!(mute.stack, stock, "what the scenario writes stays");
    let mesh = Overrides {
        topologies: Some(vec![Topology::Mesh]),
        ..Overrides::default()
    };
    assert_eq!(plans(source, &mesh), all[4..]);
}

#[test]
fn the_grid_is_participants_then_seeds() {
    let source = "name = \"x\"\nparticipants = [6, 3]\nseed = 10\nseeds = 2\n";
    let cells = |overrides: &Overrides| -> Vec<_> {
        let cell = |plan: &Plan| (plan.topology, plan.participants.len(), plan.seed);
        plans(source, overrides).iter().map(cell).collect()
    };
    let mesh = |number, seed| (Topology::Mesh, number, Seed(seed));
    assert_eq!(
        cells(&Overrides::default()),
        [mesh(6, 10), mesh(6, 11), mesh(3, 10), mesh(3, 11)]
    );
    // Seeds replace all seeds: one cell is replayed by naming its own.
    let replay = Overrides {
        topologies: Some(vec![Topology::Mesh]),
        participants: Some(vec![3]),
        seeds: Some(vec![u64::MAX, 5]),
    };
    assert_eq!(cells(&replay), [mesh(3, u64::MAX), mesh(3, 5)]);
}

#[test]
fn groups_share_the_participants_in_order() {
    // 7 x 0.6 = 4.2 and 7 x 0.4 = 2.8: 4 and 2, and the one left goes to .8.
    let groups = "[[group]]\nname = \"home\"\nshare = 0.6\n\
                  [[group]]\nname = \"phone\"\nshare = 0.4\nnat = \"symmetric\"\n\
                  link = \"lte\"\njoin = \"1 s\"\nleave = \"20 s\"\n";
    let source = format!("name = \"x\"\nparticipants = 7\n{groups}");
    let plan = &plans(&source, &Overrides::default())[0];
    let names: Vec<_> = plan.participants.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "home-1", "home-2", "home-3", "home-4", "phone-1", "phone-2", "phone-3"
        ]
    );
    let indices: Vec<_> = plan.participants.iter().map(|p| p.index).collect();
    assert_eq!(indices, [0, 1, 2, 3, 4, 5, 6]);
    let phone = &plan.participants[6];
    assert_eq!(
        (phone.group.as_str(), phone.nat_label.as_str()),
        ("phone", "symmetric")
    );
    assert_eq!(Some(phone.link), sim::link::presets::preset("lte"));
    assert_eq!(
        (phone.join, phone.leave),
        (millis(1_000), Some(millis(20_000)))
    );
    let home = &plan.participants[0];
    assert_eq!(
        (home.nat_label.as_str(), home.link_label.as_str()),
        ("port-restricted", "cable")
    );
    assert_eq!((home.join, home.leave), (Duration::ZERO, None));
}

#[test]
fn counts_fix_the_participants() {
    let groups = "[[group]]\nname = \"a\"\ncount = 1\n[[group]]\nname = \"b\"\ncount = 2\n";
    let plan = &plans(&format!("name = \"x\"\n{groups}"), &Overrides::default())[0];
    let names: Vec<_> = plan.participants.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["a-1", "b-1", "b-2"]);
    // Saying the sum again, on the command line too, is fine.
    let sum = Overrides {
        participants: Some(vec![3]),
        ..Overrides::default()
    };
    assert_eq!(
        plans(&format!("name = \"x\"\nparticipants = 3\n{groups}"), &sum).len(),
        1
    );
}

#[test]
fn media_times_and_servers() {
    let plan = plan(
        "warmup = \"0 s\"\nduration = \"1 min\"\naudio = false\n\
         [video]\nsize = \"1280x720\"\nfps = 25\nbitrate = \"1.5 Mbps\"\nplayout_delay = \"0 ms\"\n\
         [servers]\nlink = \"fiber\"\nnonce_lifetime = \"60 s\"",
    );
    assert_eq!(
        (plan.warmup, plan.duration),
        (Duration::ZERO, millis(60_000))
    );
    let video = plan.video.expect("on");
    assert_eq!((video.width, video.height, video.fps), (1280, 720, 25));
    assert_eq!(
        (video.bitrate_bps, video.playout_delay),
        (1_500_000, Duration::ZERO)
    );
    assert_eq!(plan.audio, None);
    assert_eq!(plan.servers.link_label, "fiber");
    assert_eq!(Some(plan.servers.link), sim::link::presets::preset("fiber"));
    assert_eq!(plan.servers.nonce_lifetime, millis(60_000));
}

#[test]
fn every_key_of_a_nat() {
    let nat = |value: &str| {
        let participant = plan(&format!("[[group]]\nname = \"g\"\nnat = {value}"))
            .participants
            .remove(0);
        (participant.nats, participant.nat_label)
    };
    let written = NatConfig {
        mapping: Behavior::AddressDependent,
        filtering: Behavior::AddressAndPortDependent,
        ports: PortAssignment::Random,
        udp_lifetime: millis(90_000),
        refresh: Refresh::Both,
        hairpinning: Hairpinning::None,
        reply_pinning: true,
        block_udp: true,
        ..sim::nat::presets::FULL_CONE
    };
    let carrier = "filter_scope = \"internal-endpoint\", port_parity = true, port_block = 512, \
                   port_rest = \"120 s\", timer_scope = \"remote\", max_mappings = 100, \
                   max_mappings_per_host = 10, when_full = \"evict\", only_tcp_443 = true, \
                   ports = \"overloading\", hairpinning = \"internal-source\"";
    let rare = NatConfig {
        mapping: Behavior::AddressDependent,
        filtering: Behavior::AddressAndPortDependent,
        filter_scope: FilterScope::InternalEndpoint,
        ports: PortAssignment::Overloading,
        port_parity: true,
        port_block: NonZeroU16::new(512),
        port_rest: millis(120_000),
        timer_scope: TimerScope::Remote,
        hairpinning: Hairpinning::InternalSource,
        max_mappings: NonZeroU32::new(100),
        max_mappings_per_host: NonZeroU32::new(10),
        when_full: WhenFull::Evict,
        only_tcp_443: true,
        ..sim::nat::presets::FULL_CONE
    };
    let keys = "ports = \"random\", lifetime = \"90 s\", refresh = \"both\", \
                hairpinning = \"none\", reply_pinning = true, block_udp = true";
    let behaviors = "mapping = \"address-dependent\", filtering = \"address-and-port-dependent\"";
    assert_eq!(
        nat(&format!("{{ {behaviors}, {keys} }}")),
        (vec![written], "custom".to_owned())
    );
    assert_eq!(
        nat(&format!("{{ {behaviors}, {carrier} }}")),
        (vec![rare], "custom".to_owned())
    );
    let modified = "full-cone-modified".to_owned();
    assert_eq!(
        nat(&format!(
            "{{ preset = \"full-cone\", {behaviors}, {keys} }}"
        )),
        (vec![written], modified)
    );
    // RFC 4787: 5 minutes (REQ-5c), outbound refresh (REQ-6), hairpinning (REQ-9a).
    let plain = NatConfig {
        ports: PortAssignment::Preserving,
        udp_lifetime: millis(300_000),
        refresh: Refresh::Outbound,
        hairpinning: Hairpinning::ExternalSource,
        reply_pinning: false,
        block_udp: false,
        ..written
    };
    assert_eq!(
        nat(&format!("{{ {behaviors} }}")),
        (vec![plain], "custom".to_owned())
    );
    let preset = |name| sim::nat::presets::preset(name).unwrap();
    assert_eq!(
        nat("{ preset = \"symmetric\" }"),
        (preset("symmetric"), "symmetric".to_owned())
    );
    assert_eq!(nat("\"none\""), (vec![], "none".to_owned()));
    let chain = [preset("port-restricted"), vec![plain]].concat();
    assert_eq!(
        nat(&format!("[\"port-restricted\", {{ {behaviors} }}]")),
        (chain, "port-restricted+custom".to_owned())
    );
}

#[test]
fn every_key_of_a_link() {
    let link = |value: &str| {
        let participant = plan(&format!("[[group]]\nname = \"g\"\nlink = {value}"))
            .participants
            .remove(0);
        (participant.link, participant.link_label)
    };
    let pipe = PipeConfig {
        rate_bps: Some(2_000_000),
        buffer_bytes: Some(65_536),
        queue: sim::Queue::DropTail,
        delay: millis(20),
        jitter: JitterConfig {
            std: millis(3),
            reorder: Reorder::Allow,
        },
        loss: LossConfig::Bernoulli { probability: 0.01 },
    };
    let keys = "rate = \"2 Mbps\", buffer = \"64 KiB\", delay = \"20 ms\", jitter = \"3 ms\", \
                reorder = \"allow\", loss = \"1 %\"";
    let ideal = PipeConfig::default();
    assert_eq!(
        link(&format!("{{ up = {{ {keys} }} }}")),
        (
            LinkConfig {
                up: pipe,
                down: ideal
            },
            "custom".to_owned()
        )
    );
    // A changed preset keeps every key that is not changed.
    let lte = sim::link::presets::preset("lte").unwrap();
    let loss = LossConfig::GilbertElliott {
        good_to_bad: 0.01,
        bad_to_good: 0.25,
        loss_good: 0.0,
        loss_bad: 1.0,
    };
    let expected = LinkConfig {
        up: lte.up,
        down: PipeConfig {
            loss,
            rate_bps: None,
            ..lte.down
        },
    };
    let bursts = "{ good_to_bad = \"1 %\", bad_to_good = 0.25 }";
    assert_eq!(
        link(&format!(
            "{{ preset = \"lte\", down.loss = {bursts}, down.rate = \"unlimited\" }}"
        )),
        (expected, "lte-modified".to_owned())
    );
    assert_eq!(link("{ preset = \"lte\" }"), (lte, "lte".to_owned()));
}

#[test]
fn every_key_of_the_stack() {
    assert_eq!(plan("stack.profile = \"stock\"").stack, StackPlan::stock());
    let written = plan(
        "[stack]\nprofile = \"stock\"\nflush_relay = true\ntrickle = false\n\
         check_interval = \"20 ms\"\nmax_binding_requests = 9\nturn_refresh_cap = \"30 s\"\n\
         discard_candidates_on_restart = true\nrestart_when_disconnected = true\n\
         max_nacks_per_packet = 3\nsctp_mtu = \"1431 B\"\nsteady_playout = true\ntrendline = true\n\
         steady_handshake = true\nsteady_channels = true\n\
         acceptance_waits.host = \"1 ms\"\nacceptance_waits.srflx = \"2 ms\"\n\
         acceptance_waits.prflx = \"3 ms\"\nacceptance_waits.relay = \"4 ms\"",
    );
    let expected = StackPlan {
        profile: StackProfile::Stock,
        flush_relay: true,
        trickle: false,
        check_interval: Some(millis(20)),
        max_binding_requests: Some(9),
        turn_refresh_cap: Some(millis(30_000)),
        discard_candidates_on_restart: true,
        restart_when_disconnected: true,
        acceptance_waits: [1, 2, 3, 4].map(|wait| Some(millis(wait))),
        max_nacks_per_packet: Some(3),
        sctp_mtu: Some(1_431),
        steady_playout: true,
        trendline: true,
        steady_handshake: true,
        steady_channels: true,
    };
    assert_eq!(written.stack, expected);
    let defaults = plan(
        "[stack]\ncheck_interval = \"default\"\nmax_binding_requests = \"default\"\n\
         turn_refresh_cap = \"default\"\nmax_nacks_per_packet = \"default\"\nsctp_mtu = \"default\"",
    );
    let expected = StackPlan {
        check_interval: None,
        max_binding_requests: None,
        turn_refresh_cap: None,
        max_nacks_per_packet: None,
        sctp_mtu: None,
        ..StackPlan::tuned()
    };
    assert_eq!(defaults.stack, expected);
}

#[test]
fn every_built_in_resolves_under_its_name() {
    let names: Vec<_> = scenarios::list().map(|built_in| built_in.name).collect();
    assert_eq!(
        names,
        [
            "quickstart",
            "three-way",
            "standup",
            "webinar",
            "adaptive",
            "simulcast",
            "lossy",
            "all-symmetric",
            "large",
            "handover",
            "full-cone-pair",
            "symmetric-pair",
            "long-call",
            "ideal-pair",
            "file-share",
            "game"
        ]
    );
    for built_in in scenarios::list() {
        let scenario = scenarios::load(built_in.name).unwrap();
        assert_eq!(scenario.name(), built_in.name);
        assert_eq!(scenario.source(), built_in.source);
        assert_eq!(scenario.question(), Some(built_in.question.as_str()));
        let cells = built_in.topologies.len() * built_in.participants.len();
        let plans = scenario.resolve(&Overrides::default()).unwrap();
        let as_it_is = plans.iter().filter(|plan| plan.variant.is_none());
        assert_eq!(as_it_is.count(), cells, "{}", built_in.name);
        // They are to answer within minutes; so does an hour of two who only talk, and no more.
        let most = if built_in.name == "long-call" {
            3_606
        } else {
            16
        };
        let longest = plans.iter().map(|plan| plan.warmup + plan.duration).max();
        assert!(
            longest <= Some(Duration::from_secs(most)),
            "{}",
            built_in.name
        );
    }
}

#[test]
fn quickstart_is_four_kinds_of_nat_on_links_that_carry_it() {
    let plan = scenarios::load("quickstart")
        .unwrap()
        .resolve(&Overrides::default())
        .unwrap()
        .remove(0);
    let nats: Vec<_> = plan
        .participants
        .iter()
        .map(|p| p.nat_label.as_str())
        .collect();
    assert_eq!(nats, ["none", "full-cone", "port-restricted", "symmetric"]);
    // Three streams of 800 kbps video and 32 kbps audio, with a third on top for RTP, SRTP, UDP
    // and IP headers of 50 small audio packets a second, RTCP, and encoder peaks: 3.3 Mbps.
    let needed = 3 * (800_000 + 32_000) * 4 / 3;
    for participant in &plan.participants {
        let LinkConfig { up, down } = participant.link;
        for rate in [up.rate_bps, down.rate_bps] {
            assert!(
                rate.is_none_or(|rate| rate >= needed),
                "{} has {rate:?}",
                participant.name
            );
        }
    }
}

#[test]
fn the_ideal_pair_is_ten_milliseconds_apart_and_nothing_else() {
    let plan = scenarios::load("ideal-pair")
        .unwrap()
        .resolve(&Overrides::default())
        .unwrap()
        .remove(0);
    let [one, other] = &plan.participants[..] else {
        panic!("not a pair")
    };
    assert_eq!(one.link.up.delay + other.link.down.delay, millis(10));
    assert_eq!(other.link.up.delay + one.link.down.delay, millis(10));
    for pipe in [one.link.up, one.link.down, other.link.up, other.link.down] {
        assert_eq!(
            PipeConfig {
                delay: Duration::ZERO,
                ..pipe
            },
            PipeConfig::default()
        );
    }
    assert!(one.nats.is_empty() && other.nats.is_empty());
}

#[test]
fn a_hash_belongs_to_a_text() {
    let hashes: BTreeSet<_> = scenarios::list()
        .map(|built_in| scenarios::load(built_in.name).unwrap().hash())
        .collect();
    assert_eq!(hashes.len(), scenarios::list().count());
    // SHA-256 of these 28 bytes by sha256sum(1).
    let scenario =
        Scenario::parse("name = \"x\"\nparticipants = 2\n", Path::new("x.toml")).unwrap();
    assert_eq!(
        scenario.hash(),
        "e6dbc6385561c124b61f93fe1beb63d7ae76c7e33b744effe0b03d2b618d5a66"
    );
}

/// The seeds of the matrix's cells, by name. No two cells may have the same name.
fn cell_seeds(lines: &str, seed: Option<u64>) -> BTreeMap<String, Seed> {
    let source = format!("name = \"x\"\n[nat]\n{lines}");
    let scenario = Scenario::parse(&source, Path::new("x.toml")).unwrap();
    let plan = scenario.traversal(seed);
    let count = plan.cells.len();
    let seeds = plan.cells.iter().map(|cell| (cell.name(), cell.plan.seed));
    let seeds: BTreeMap<_, _> = seeds.collect();
    assert_eq!(seeds.len(), count);
    seeds
}

#[test]
fn every_cell_of_a_matrix_has_a_seed_of_its_own() {
    let all = cell_seeds("", None);
    // docs/nat.md: 324 + 32 + 10 + 8 + 16 + 20 + 24.
    assert_eq!(all.len(), 434);
    assert_eq!(all.values().collect::<BTreeSet<_>>().len(), 434);
    // It follows from the cell, whatever else there is, and from the matrix's seed.
    let some = cell_seeds("offerers = [\"b\"]\ntopologies = [\"mesh\"]\n", Some(1));
    // Half of the cells of meshes.
    assert_eq!(some.len(), 205);
    assert!(some.iter().all(|(name, seed)| all[name] == *seed));
    let others = cell_seeds("", Some(2));
    assert!(others.iter().all(|(name, seed)| all[name] != *seed));
}
