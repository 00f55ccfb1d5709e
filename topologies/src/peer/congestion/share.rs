//! How the streams of a connection share what it carries: sound first.

use scenarios::{Plan, Topology};

use super::gcc::Bounds;

/// RTP header and the extension of transport-wide sequence numbers, bytes. Feedback of RFC 8888 needs
/// no extension: then 3 kbps more are set aside for sound than it takes.
const HEADER: f64 = 20.0;

/// Packets of sound in a second.
const SOUND_PACKETS: f64 = 50.0;

/// How much of what is left the payload of pictures may be: two per cent are headers, the rest is
/// for repairs, and for frames that are larger than asked for.
pub const VIDEO_SHARE: f64 = 0.93;

/// The same in a call of `plan`: FlexFEC takes its part, too.
fn video_share(plan: &Plan) -> f64 {
    let fec = plan
        .repair
        .flexfec
        .map_or(0.0, |packets| 1.0 / f64::from(packets));
    VIDEO_SHARE / (1.0 + fec)
}

/// What the encoders of one connection are asked for, bits per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares {
    /// Of each stream of sound.
    pub audio_bps: f64,
    /// Of each stream of pictures.
    pub video_bps: f64,
}

/// How many streams of each kind share a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams {
    /// Of sound.
    pub audio: usize,
    /// Of pictures.
    pub video: usize,
}

impl Streams {
    /// One of each kind that the call has.
    pub fn one_each(plan: &Plan) -> Self {
        Streams {
            audio: usize::from(plan.audio.is_some()),
            video: usize::from(plan.video.is_some()),
        }
    }
}

/// Between what the estimate of the connection of `host` to `remote` is: from what its floors send
/// anyway to twice its ceilings, so that there is room for repairs and to recover.
pub fn bounds(plan: &Plan, host: u16, remote: u16) -> Bounds {
    let (video, audio) = (plan.video.as_ref(), plan.audio.as_ref());
    let is_server = usize::from(host) >= plan.participants.len();
    let streams = match (is_server, plan.topology) {
        (true, Topology::Sfu) => plan.watched_by(remote).count(),
        _ => 1,
    };
    let mixed = is_server && plan.topology == Topology::Mcu;
    let of_video = video.map_or(0, |video| match mixed {
        true => plan.mcu.bitrate_bps,
        false => video.bitrate_bps,
    });
    let sound =
        |bps: u32| audio.map_or(0.0, |_| streams as f64 * sound_on_the_wire(f64::from(bps)));
    // An SFU can leave pictures out, everybody else sends some.
    let leaves_out = is_server && plan.topology == Topology::Sfu;
    let floor = plan.congestion.video_floor_bps.min(of_video);
    let least_video = if leaves_out {
        0.0
    } else {
        f64::from(floor) / video_share(plan)
    };
    let most_audio = sound(audio.map_or(0, |audio| audio.bitrate_bps));
    let least_audio = match leaves_out {
        true => most_audio,
        false => sound(plan.congestion.audio_floor_bps),
    };
    let desired_bps = streams as f64 * f64::from(of_video) / video_share(plan) + most_audio;
    Bounds {
        least_bps: least_audio + least_video,
        desired_bps,
        most_bps: 2.0 * desired_bps,
    }
}

/// What sound with a payload of `bps` is on the way, in the bits that estimates count.
pub fn sound_on_the_wire(bps: f64) -> f64 {
    bps + SOUND_PACKETS * HEADER * 8.0
}

/// The shares of streams in `estimate_bps`; pictures have `video_ceiling_bps` at most. Sound gives
/// way only when pictures are at their floor.
pub fn shares(plan: &Plan, estimate_bps: f64, streams: Streams, video_ceiling_bps: u32) -> Shares {
    let congestion = &plan.congestion;
    let ceiling = plan.audio.as_ref().map_or(0, |audio| audio.bitrate_bps);
    let (floor, ceiling) = (f64::from(congestion.audio_floor_bps), f64::from(ceiling));
    let (sounds, pictures) = (streams.audio as f64, streams.video as f64);
    let video_floor = f64::from(congestion.video_floor_bps.min(video_ceiling_bps));
    let for_sound = estimate_bps - pictures * video_floor / video_share(plan);
    let audio_bps = match streams.audio {
        0 => 0.0,
        _ => (for_sound / sounds - sound_on_the_wire(0.0)).clamp(floor.min(ceiling), ceiling),
    };
    let left = estimate_bps - sounds * sound_on_the_wire(audio_bps);
    let video_bps = match streams.video {
        0 => 0.0,
        _ => (video_share(plan) * left / pictures).clamp(video_floor, f64::from(video_ceiling_bps)),
    };
    Shares {
        audio_bps: if streams.audio == 0 { 0.0 } else { audio_bps },
        video_bps,
    }
}

/// What is left of `estimate_bps` for the payload of pictures beside so many streams of sound that
/// are passed on as they come.
pub fn left_for_pictures(plan: &Plan, estimate_bps: f64, sounds: usize) -> f64 {
    let each = plan.audio.as_ref().map_or(0, |audio| audio.bitrate_bps);
    let sound = sounds as f64 * sound_on_the_wire(f64::from(each));
    (video_share(plan) * (estimate_bps - sound)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let source = "name = \"x\"\nparticipants = 2\nvideo.bitrate = \"800 kbps\"\n\
                      [congestion]\ncontrol = \"gcc\"\nvideo_floor = \"93 kbps\"\n\
                      audio_floor = \"12 kbps\"\n";
        let scenario = scenarios::Scenario::parse(source, "x".as_ref()).unwrap();
        let plans = scenario.resolve(&scenarios::Overrides::default()).unwrap();
        plans.into_iter().next().unwrap()
    }

    /// Sound of 32 kbps is 50 x 20 x 8 = 8 kbps more on the wire, 40 kbps, and its floor 20 kbps; the
    /// floor of pictures, 93 kbps, is 100 kbps of an estimate.
    #[test]
    fn sound_comes_first_and_gives_way_only_to_the_floor_of_pictures() {
        let both = Streams { audio: 1, video: 1 };
        for (estimate, audio, video) in [
            (2e6, 32e3, 800e3),
            (540e3, 32e3, 465e3),
            (140e3, 32e3, 93e3),
            (130e3, 22e3, 93e3),
            (50e3, 12e3, 93e3),
        ] {
            let shares = shares(&plan(), estimate, both, 800_000);
            assert!(
                (shares.audio_bps - audio).abs() < 1.0,
                "{estimate}: {shares:?}"
            );
            assert!(
                (shares.video_bps - video).abs() < 1.0,
                "{estimate}: {shares:?}"
            );
        }
    }

    /// One repair packet for three of media takes a quarter of what pictures have: of 2,000 kbps less
    /// 40 for sound, 93 % are 1,822.8 kbps, and 1,367.1 of them are media.
    #[test]
    fn forward_error_correction_is_paid_by_pictures() {
        let mut plan = plan();
        plan.repair.flexfec = Some(3);
        let both = Streams { audio: 1, video: 1 };
        let shares = shares(&plan, 2e6, both, 5_000_000);
        assert!((shares.audio_bps - 32e3).abs() < 1.0, "{shares:?}");
        assert!((shares.video_bps - 1_367_100.0).abs() < 1.0, "{shares:?}");
    }

    /// The sound of one is 40 kbps on the wire, and an SFU passes on that of all whom a receiver
    /// watches; their pictures it may leave out.
    #[test]
    fn a_leg_of_an_sfu_is_for_those_whom_its_receiver_watches() {
        let watching = |others: [u16; 2]| {
            let mut plan = plan();
            plan.topology = Topology::Sfu;
            let more = [2, 3].map(|index| scenarios::Participant {
                index,
                ..plan.participants[0].clone()
            });
            plan.participants.extend(more);
            plan.participants[1].watches = Some(others.into());
            plan
        };
        for (receiver, streams) in [(1, 2.0), (0, 3.0)] {
            let bounds = bounds(&watching([0, 3]), 4, receiver);
            let most = 2.0 * streams * (800e3 / VIDEO_SHARE + 40e3);
            assert!(
                (bounds.least_bps - streams * 40e3).abs() < 1.0,
                "{bounds:?}"
            );
            assert!((bounds.most_bps - most).abs() < 1.0, "{bounds:?}");
        }
    }

    #[test]
    fn a_connection_is_never_estimated_below_what_it_sends_anyway() {
        let bounds = bounds(&plan(), 0, 1);
        assert!((bounds.least_bps - 120e3).abs() < 1.0, "{bounds:?}");
        let most = 2.0 * (800e3 / VIDEO_SHARE + 40e3);
        assert!((bounds.most_bps - most).abs() < 1.0, "{bounds:?}");
    }
}
