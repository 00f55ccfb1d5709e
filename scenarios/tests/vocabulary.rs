//! The keys that say what runs on what, and what happens meanwhile: each with its effect.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use scenarios::{
    Access, CostProfile, DataKind, DataPlan, Device, Event, Fidelity, Happening, McuEncoders,
    McuPlan, Overrides, Plan, Playout, Reliability, RepairPlan, Scenario, SfuPlan, Topology,
    VideoPlan,
};

fn plans(lines: &str) -> Vec<Plan> {
    let scenario = Scenario::parse(&format!("name = \"x\"\n{lines}\n"), Path::new("x.toml"));
    scenario
        .and_then(|scenario| scenario.resolve(&Overrides::default()))
        .unwrap_or_else(|e| panic!("{e}"))
}

/// The one plan of a scenario of four with these lines.
fn plan(lines: &str) -> Plan {
    let mut plans = plans(&format!("participants = 4\n{lines}"));
    assert_eq!(plans.len(), 1);
    plans.remove(0)
}

fn device(label: &str, cores: u32, speed: f64) -> Device {
    Device {
        label: label.to_owned(),
        cores,
        speed,
    }
}

fn at(at_ms: u64, lasts_ms: u64, what: Happening) -> Event {
    Event {
        at: Duration::from_millis(at_ms),
        lasts: Duration::from_millis(lasts_ms),
        what,
    }
}

#[test]
fn every_key_of_a_device() {
    let of = |value: &str| {
        plan(&format!("[[group]]\nname = \"g\"\ndevice = {value}"))
            .participants
            .remove(0)
            .device
    };
    assert_eq!(of("\"phone\""), device("phone", 4, 0.6));
    assert_eq!(of("{ preset = \"phone\" }"), device("phone", 4, 0.6));
    assert_eq!(
        of("{ preset = \"phone\", cores = 2 }"),
        device("phone-modified", 2, 0.6)
    );
    assert_eq!(
        of("{ preset = \"desktop\", speed = 2 }"),
        device("desktop-modified", 6, 2.0)
    );
    assert_eq!(of("{ cores = 3, speed = 0.25 }"), device("custom", 3, 0.25));
    assert_eq!(plan("").participants[0].device, Device::default());
}

#[test]
fn servers_have_computers_of_their_own() {
    let servers = plan(
        "servers.signaling = \"server-2\"\nservers.turn = { cores = 1, speed = 2.0 }\n\
         servers.media = \"server-16\"",
    )
    .servers;
    assert_eq!(servers.signaling, device("server-2", 2, 1.0));
    assert_eq!(servers.turn, device("custom", 1, 2.0));
    assert_eq!(servers.media, device("server-16", 16, 1.0));
}

#[test]
fn every_key_of_sfu_and_mcu() {
    let written = plan(
        "sfu = { last_n = 9, keyframe_interval = \"1 s\" }\n[mcu]\nsize = \"960x540\"\n\
         fps = 15\nbitrate = \"1 Mbps\"\nencoders = \"per-participant\"\nwait = \"20 ms\"",
    );
    let sfu = SfuPlan {
        last_n: Some(9),
        keyframe_interval: Duration::from_secs(1),
        ..SfuPlan::default()
    };
    let mcu = McuPlan {
        width: 960,
        height: 540,
        fps: 15,
        bitrate_bps: 1_000_000,
        encoders: McuEncoders::PerParticipant,
        wait: Duration::from_millis(20),
    };
    assert_eq!((written.sfu, written.mcu), (sfu, mcu));
    assert_eq!(plan("sfu.last_n = \"all\"").sfu, SfuPlan::default());
}

/// 3.4 Mbps are 34 shares of 100 kbps: 25, 7 and 2 of them, or 25 and 7 of 32.
#[test]
fn layers_share_the_bitrate_and_halve_the_size() {
    let of = |number: u32| {
        let mut plan = plan(&format!(
            "topologies = [\"sfu\"]\ncongestion.control = \"gcc\"\n\
             video = {{ size = \"1280x720\", bitrate = \"3400 kbps\" }}\n\
             sfu = {{ layers = {number}, tile = \"320x180\" }}"
        ));
        assert_eq!(plan.sfu.tile, Some((320, 180)));
        let layers = plan.layers();
        plan.topology = Topology::Mesh;
        assert_eq!(plan.layers().len(), 1);
        let of = |layer: &VideoPlan| (layer.width, layer.height, layer.bitrate_bps);
        layers.iter().map(of).collect::<Vec<_>>()
    };
    let three = [
        (320, 180, 200_000),
        (640, 360, 700_000),
        (1280, 720, 2_500_000),
    ];
    assert_eq!(of(3), three);
    assert_eq!(of(2), [(640, 360, 743_750), (1280, 720, 2_656_250)]);
    let usual = plan("topologies = [\"sfu\"]").layers();
    let expected = plan("").video.into_iter().collect::<Vec<_>>();
    assert_eq!(usual, expected);
}

#[test]
fn every_key_of_data() {
    let written = plan(
        "[[group]]\nname = \"a\"\ncount = 1\n[[group]]\nname = \"b\"\ncount = 3\n[[data]]\n\
         name = \"moves\"\nkind = \"state\"\nfrom = \"a\"\nto = \"b\"\nstart = \"7 s\"\nrate = 50\n\
         payload = \"64 B\"\nordered = true\nmax_lifetime = \"80 ms\"\nbuffer = \"64 KiB\"",
    )
    .data;
    let moves = DataPlan {
        name: "moves".to_owned(),
        kind: DataKind::State {
            interval: Duration::from_millis(20),
        },
        senders: vec![0],
        receivers: vec![1, 2, 3],
        start: Duration::from_secs(7),
        payload_bytes: 64,
        ordered: true,
        reliability: Reliability::LifetimeMs(80),
        buffer_bytes: 65_536,
    };
    assert_eq!(written, [moves]);
}

#[test]
fn data_is_what_its_kind_is_unless_said_otherwise() {
    let of = |kind: &str| {
        let lines = format!("video = false\naudio = false\n[[data]]\nname = \"d\"\nkind = {kind}");
        plan(&lines).data.remove(0)
    };
    let file = of("\"file\"\nsize = \"2 MB\"");
    // From when measuring starts, the default being 5 s.
    let expected = DataPlan {
        name: "d".to_owned(),
        kind: DataKind::File { bytes: 2_000_000 },
        senders: vec![0, 1, 2, 3],
        receivers: vec![0, 1, 2, 3],
        start: Duration::from_secs(5),
        payload_bytes: 16_384,
        ordered: true,
        reliability: Reliability::Full,
        buffer_bytes: 262_144,
    };
    assert_eq!(file, expected);
    assert!(file.joins(1, 2) && !file.joins(2, 2) && !file.joins(2, 4));
    let interval = Duration::from_secs_f64(1.0 / 30.0);
    let state = DataPlan {
        kind: DataKind::State { interval },
        payload_bytes: 100,
        ordered: false,
        reliability: Reliability::Retransmits(0),
        ..expected.clone()
    };
    assert_eq!(of("\"state\""), state);
    let reliable = Reliability::Full;
    assert_eq!(
        of("\"state\"\nmax_retransmits = \"unlimited\"").reliability,
        reliable
    );
    let interval = Duration::from_secs(5);
    let chat = DataPlan {
        kind: DataKind::Chat { interval },
        payload_bytes: 200,
        ..expected
    };
    assert_eq!(of("\"chat\""), chat);
}

/// Half of two is one, who has nobody in the group to send to.
#[test]
fn nobody_sends_to_themselves_alone() {
    let lines = "participants = [4, 2]\n[[group]]\nname = \"a\"\nshare = 0.5\n[[group]]\nname = \"b\"\n\
                 share = 0.5\n[[data]]\nname = \"d\"\nkind = \"chat\"\nfrom = \"a\"\nto = \"a\"";
    let scenario = Scenario::parse(&format!("name = \"x\"\n{lines}\n"), Path::new("x.toml"));
    let error = scenario
        .unwrap()
        .resolve(&Overrides::default())
        .unwrap_err();
    let said = "x.toml:9:1: data[0]: of 2 participants nobody sends it to somebody else, by the \
                sizes of the groups; write another `from` or `to`, or larger groups";
    assert_eq!(error.to_string(), said);
}

#[test]
fn the_grid_has_the_bits_per_pixel_of_the_cameras() {
    let bitrate = |lines: &str| plan(lines).mcu.bitrate_bps;
    // 1280x720 has four times the pixels of 640x360: 4 x 800 kbps.
    assert_eq!(bitrate(""), 3_200_000);
    // The same pixels at half the pictures: 2 x 800 kbps.
    assert_eq!(bitrate("mcu.fps = 15"), 1_600_000);
    // A quarter of the pixels each way, 300 kbps / 16 = 18.75 kbps: no less than a camera may have.
    let tiny = "mcu.size = \"160x90\"\nvideo.bitrate = \"300 kbps\"";
    assert_eq!(bitrate(tiny), 30_000);
    // 40 Mbps x 4: no more than that, either.
    assert_eq!(bitrate("video.bitrate = \"40 Mbps\""), 50_000_000);
    // The rate of pictures is the camera's.
    assert_eq!(plan("video.fps = 24").mcu.fps, 24);
}

#[test]
fn a_group_may_watch_and_be_cut_off() {
    let plan = plan(
        "[[group]]\nname = \"a\"\ncount = 1\n\
         outages = [{ at = \"8 s\", for = \"3 s\" }, { at = \"12 s\", for = \"1 s\" }]\n\
         [[group]]\nname = \"b\"\ncount = 3\nsends = false\n\
         outages = [{ at = \"9 s\", for = \"500 ms\" }]",
    );
    let sends: Vec<_> = plan.participants.iter().map(|peer| peer.sends).collect();
    assert_eq!(sends, [true, false, false, false]);
    let outage = |participant| Happening::Outage { participant };
    let expected = [
        at(8_000, 3_000, outage(0)),
        at(9_000, 500, outage(1)),
        at(9_000, 500, outage(2)),
        at(9_000, 500, outage(3)),
        at(12_000, 1_000, outage(0)),
    ];
    assert_eq!(plan.events, expected);
}

/// Who is in the group that is watched does not watch themselves; who is in none watches everybody
/// who sends.
#[test]
fn a_group_may_watch_some_of_the_others() {
    let plan = plan(
        "[[group]]\nname = \"a\"\ncount = 1\nwatches = [\"c\", \"b\"]\n\
         [[group]]\nname = \"b\"\ncount = 1\nwatches = []\n\
         [[group]]\nname = \"c\"\ncount = 2\nwatches = [\"c\"]",
    );
    let all = plan.participants.iter();
    let watches: Vec<_> = all.map(|peer| peer.watches.clone().unwrap()).collect();
    let expected: [BTreeSet<u16>; 4] = [[1, 2, 3].into(), [].into(), [3].into(), [2].into()];
    assert_eq!(watches, expected);
    let gets = |receiver| plan.watched_by(receiver).collect::<Vec<_>>();
    assert_eq!(
        (0..4).map(gets).collect::<Vec<_>>(),
        [vec![1, 2, 3], vec![], vec![3], vec![2]]
    );
    assert_eq!(
        [0, 1, 2].map(|sender| plan.is_watched(sender)),
        [false, true, true]
    );
    // A server, which has the next index, is sent what anybody gets.
    assert!(plan.sends_to(1, 0) && !plan.sends_to(1, 2));
    assert!(plan.sends_to(1, 4) && !plan.sends_to(0, 4));
    let usual = self::plan(
        "[[group]]\nname = \"a\"\ncount = 3\n[[group]]\nname = \"b\"\ncount = 1\nsends = false",
    );
    assert_eq!(usual.participants[0].watches, None);
    assert_eq!(usual.watched_by(1).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn the_network_of_a_group_may_change() {
    let plan = plan(
        "[[group]]\nname = \"a\"\ncount = 2\nnat = \"symmetric\"\n\
         nat_reboots = [\"8 s\", \"12 s\"]\nnat_rebinds = [\"9 s\"]\n\
         [[group]]\nname = \"b\"\ncount = 2\n\
         roam = { at = \"10 s\", nat = \"carrier-grade\", link = \"lte\" }",
    );
    let to = Box::new(Access {
        nats: sim::nat::presets::preset("carrier-grade").unwrap(),
        link: sim::link_preset("lte").unwrap(),
    });
    let reboot = |participant| Happening::NatReboot { participant };
    let roam = |participant, to| Happening::Roam { participant, to };
    let expected = [
        at(8_000, 0, reboot(0)),
        at(8_000, 0, reboot(1)),
        at(9_000, 0, Happening::NatRebind { participant: 0 }),
        at(9_000, 0, Happening::NatRebind { participant: 1 }),
        at(10_000, 0, roam(2, to.clone())),
        at(10_000, 0, roam(3, to)),
        at(12_000, 0, reboot(0)),
        at(12_000, 0, reboot(1)),
    ];
    assert_eq!(plan.events, expected);
}

#[test]
fn a_group_may_pause_for_everybody_or_for_another_group_of_a_mesh() {
    let lines = "[[group]]\nname = \"a\"\ncount = 2\n\
                 [[group]]\nname = \"b\"\ncount = 2\nsends = false\n\
                 [[pause]]\ngroup = \"a\"\nat = \"12 s\"\nfor = \"3 s\"\n\
                 [[pause]]\ngroup = \"a\"\nto = \"b\"\nat = \"8 s\"\nfor = \"2 s\"";
    let pause = |participant, to: Option<Vec<u16>>| Happening::Pause { participant, to };
    let expected = [
        at(8_000, 2_000, pause(0, Some(vec![2, 3]))),
        at(8_000, 2_000, pause(1, Some(vec![2, 3]))),
        at(12_000, 3_000, pause(0, None)),
        at(12_000, 3_000, pause(1, None)),
    ];
    assert_eq!(plan(lines).events, expected);
    // To an SFU everybody sends once for all.
    let lines = format!("name = \"x\"\ntopologies = [\"mesh\", \"sfu\"]\n{lines}");
    let scenario = Scenario::parse(&lines, Path::new("x.toml")).unwrap();
    let said = scenario.resolve(&Overrides::default()).unwrap_err();
    let expected = "pause[1].to: in a call with an SFU nobody sends to some of the others alone; drop \
                    the key, or run a mesh only";
    assert!(said.to_string().contains(expected), "{said}");
}

#[test]
fn servers_fail_in_order_of_time_and_a_mesh_has_none_to_restart() {
    let lines = "participants = 4\ntopologies = [\"mesh\", \"sfu\", \"mcu\"]\n[servers]\n\
                 restart = { at = \"10 s\", for = \"2 s\" }\n\
                 signaling_outage = { at = \"7 s\", for = \"1 min\" }";
    let outage = at(7_000, 60_000, Happening::SignalingOutage);
    let restart = at(10_000, 2_000, Happening::ServerRestart);
    for plan in plans(lines) {
        let expected = match plan.topology {
            Topology::Mesh => vec![outage.clone()],
            Topology::Sfu | Topology::Mcu => vec![outage.clone(), restart.clone()],
        };
        assert_eq!(plan.events, expected, "{}", plan.topology);
    }
}

#[test]
fn counts_come_first_and_shares_divide_the_rest() {
    let sizes = |number: u32| {
        let lines = format!(
            "participants = {number}\n[[group]]\nname = \"a\"\nshare = 0.75\n\
             [[group]]\nname = \"b\"\ncount = 2\n[[group]]\nname = \"c\"\nshare = 0.25"
        );
        let plan = plans(&lines).remove(0);
        let of = |name: &str| plan.participants.iter().filter(|p| p.group == name).count();
        [of("a"), of("b"), of("c")]
    };
    // 8 less 2 are 6: 4.5 and 1.5, a tie for the one left, which the earlier group gets.
    assert_eq!(sizes(8), [5, 2, 1]);
    assert_eq!(sizes(10), [6, 2, 2]);
    assert_eq!(sizes(2), [0, 2, 0]);
}

fn fidelities(topology: &str, numbers: &str, lines: &str) -> Vec<Fidelity> {
    let grid = format!("topologies = [\"{topology}\"]\nparticipants = {numbers}\n{lines}");
    plans(&grid).iter().map(|plan| plan.fidelity).collect()
}

#[test]
fn fidelity_follows_the_size_of_the_call_unless_it_is_said() {
    // At 640x360 and 30 /s a codec works on 6.912 million pixels a second, so 115 of them are
    // within 800 million and 116 are not. A mesh of 8 has 2 x 8 x 7 = 112, of 9 144; an SFU call of
    // 10 has 10 + 90 = 100, of 11 121.
    let both = [Fidelity::Codec, Fidelity::Trace];
    assert_eq!(fidelities("mesh", "[8, 9]", ""), both);
    assert_eq!(fidelities("sfu", "[10, 11]", ""), both);
    assert_eq!(fidelities("sfu", "[10, 11]", "fidelity = \"auto\""), both);
    // An MCU composes pixels: it always has them.
    let always = [Fidelity::Codec; 2];
    assert_eq!(fidelities("mcu", "[2, 60]", ""), always);
    assert_eq!(fidelities("mcu", "[2, 60]", "fidelity = \"trace\""), always);
    let traces = fidelities("mesh", "[2, 3]", "fidelity = \"trace\"");
    assert_eq!(traces, [Fidelity::Trace; 2]);
    let codecs = fidelities("mesh", "[9, 10]", "fidelity = \"codec\"");
    assert_eq!(codecs, [Fidelity::Codec; 2]);
    // Sound alone is always encoded.
    assert_eq!(
        fidelities("mesh", "100", "video = false"),
        [Fidelity::Codec]
    );
}

/// Calls of exactly 800 million pixels a second, and the same with one more picture a second.
#[test]
fn every_codec_counts_towards_the_size_of_a_call() {
    let one_sends = "[[group]]\nname = \"a\"\ncount = 1\n\
                     [[group]]\nname = \"b\"\nshare = 1.0\nsends = false\n";
    let one_is_watched = "[[group]]\nname = \"a\"\ncount = 1\nwatches = []\n\
                          [[group]]\nname = \"b\"\nshare = 1.0\nsends = false\nwatches = [\"a\"]\n\
                          [[group]]\nname = \"c\"\ncount = 1\nwatches = []\n";
    let sizes = [
        // 5 x 4 encoders and 5 x 4 decoders of 20 million each.
        ("mesh", 5, "400x500", ""),
        // 10 encoders and 10 decoders of 40 million.
        ("mesh", 11, "400x1000", one_sends),
        // 10 encoders and 10 x 9 decoders of 8 million.
        ("sfu", 10, "400x200", ""),
        // 1 encoder and 15 decoders of 50 million.
        ("sfu", 16, "500x1000", one_sends),
        // The same, and one who sends to nobody.
        ("mesh", 12, "400x1000", one_is_watched),
        ("sfu", 17, "500x1000", one_is_watched),
    ];
    for (topology, number, size, lines) in sizes {
        let fidelity = |fps: u32| {
            let video = format!("video = {{ size = \"{size}\", fps = {fps} }}\n{lines}");
            fidelities(topology, &number.to_string(), &video)[0]
        };
        let found = (fidelity(100), fidelity(101));
        let expected = (Fidelity::Codec, Fidelity::Trace);
        assert_eq!(found, expected, "{topology} of {number} with {lines}");
    }
}

#[test]
fn work_costs_what_the_reference_a_file_or_nobody_says() {
    assert_eq!(plan("").costs, Some(CostProfile::reference()));
    assert_eq!(
        plan("cpu = \"modelled\"").costs,
        Some(CostProfile::reference())
    );
    assert_eq!(plan("cpu = \"free\"").costs, None);

    // Named after the file, and found beside the scenario.
    let directory = tempfile::tempdir().unwrap();
    let mut mine = CostProfile::reference();
    mine.packet_forward_ns = 0.1;
    mine.write(&directory.path().join("mine.toml")).unwrap();
    let scenario = directory.path().join("x.toml");
    fs::write(
        &scenario,
        "name = \"x\"\nparticipants = 2\ncpu = \"mine.toml\"\n",
    )
    .unwrap();
    let load = || scenarios::load(scenario.to_str().unwrap()).unwrap();
    let plans = load().resolve(&Overrides::default()).unwrap();
    mine.name = "mine.toml".to_owned();
    assert_eq!(plans[0].costs, Some(mine));
}

#[test]
fn a_profile_is_written_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("mine.toml");
    let names = || fs::read_dir(directory.path()).unwrap().count();
    let mut profile = CostProfile::reference();
    for mix_sample_ns in [2.0, 3.0] {
        profile.mix_sample_ns = mix_sample_ns;
        profile.write(&file).unwrap();
        let read = CostProfile::read(&file).unwrap();
        assert_eq!(
            (read.mix_sample_ns, read.name.as_str()),
            (mix_sample_ns, "mine.toml")
        );
        assert_eq!(names(), 1);
    }
    // A directory has the name, or there is no directory: nothing is left behind.
    fs::create_dir(directory.path().join("taken")).unwrap();
    for place in ["taken", "none/mine.toml", "mine.toml/below"] {
        assert!(
            profile.write(&directory.path().join(place)).is_err(),
            "{place}"
        );
        assert_eq!(names(), 2, "{place}");
    }
}

#[test]
fn a_profile_that_is_wrong_is_refused_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let (profile, shown) = (directory.path().join("p.toml"), directory.path().display());
    let said = || {
        let read = CostProfile::read(&profile).unwrap_err();
        let lines: Vec<_> = read.iter().map(ToString::to_string).collect();
        lines.join("\n")
    };
    assert_eq!(
        said(),
        format!(
            "{shown}/p.toml: cannot be read: No such file or directory (os error 2); check the path"
        )
    );
    let mut good = CostProfile::reference();
    (good.packet_send_ns, good.mix_sample_ns) = (10_000.0, 1.0);
    let bad = good
        .to_toml()
        .replace("packet_send_ns = 10000.0", "packet_sent_ns = 10000.0")
        .replace("mix_sample_ns = 1.0", "mix_sample_ns = -1.0");
    fs::write(&profile, bad).unwrap();
    let keys = "video_encode_pixel_ns, video_decode_pixel_ns, scale_pixel_ns, compose_pixel_ns, \
                audio_encode_sample_ns, audio_decode_sample_ns, mix_sample_ns, packet_send_ns, \
                packet_receive_ns, packet_forward_ns, packet_relay_ns";
    let expected = format!(
        "{shown}/p.toml: packet_send_ns: missing; write packet_send_ns = 10.0, in nanoseconds\n\
         {shown}/p.toml:10:17: mix_sample_ns: -1.0 is out of range; write a number from 0 to \
         1000000\n\
         {shown}/p.toml:11:1: packet_sent_ns: unknown key; did you mean packet_send_ns? (there \
         are: {keys})"
    );
    assert_eq!(said(), expected);

    // A scenario that names it says the same, beside all that is wrong with its overrides.
    let scenario = directory.path().join("x.toml");
    fs::write(
        &scenario,
        "name = \"x\"\nparticipants = 2\ncpu = \"p.toml\"\n",
    )
    .unwrap();
    let scenario = scenarios::load(scenario.to_str().unwrap()).unwrap();
    let overrides = Overrides {
        participants: Some(vec![1]),
        ..Overrides::default()
    };
    assert_eq!(
        scenario.resolve(&overrides).unwrap_err().to_string(),
        format!(
            "{expected}\n{shown}/x.toml: participants: the override 1 is out of range; write 2 \
             to 200"
        )
    );
}

#[test]
fn every_key_of_repair() {
    let lines = "[repair]\nnack = false\nfec = \"flexfec\"\nfec_overhead = \"10 %\"\npli = false\n\
         keyframe_interval = \"2 s\"\nopus_fec = true\nconcealment = false\nplayout = \"adaptive\"\n";
    let expected = RepairPlan {
        nack: false,
        rtx: false,
        flexfec: Some(10),
        pli: false,
        keyframe_interval: Some(Duration::from_secs(2)),
        opus_fec: true,
        concealment: false,
        playout: Playout::Adaptive,
    };
    assert_eq!(plan(lines).repair, expected);
    assert!(plan("repair.rtx = true\n").repair.rtx);
    // Groups have whole packets: 15 % is one for 6.67 of them, so for 7.
    for (overhead, packets) in [("15 %", 7), ("100 %", 1), ("5 %", 20)] {
        let lines = format!("[repair]\nfec = \"flexfec\"\nfec_overhead = \"{overhead}\"\n");
        assert_eq!(plan(&lines).repair.flexfec, Some(packets));
    }
}

#[test]
fn stock_repairs_what_needs_no_buffer_of_ours() {
    let stock = "[stack]\nprofile = \"stock\"\n";
    let lines = format!("{stock}[repair]\nrtx = true\nplayout = \"fixed\"\nopus_fec = false\n");
    assert!(plan(&lines).repair.rtx);
    assert_eq!(plan(stock).repair, RepairPlan::default());
}
