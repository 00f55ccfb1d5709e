//! The WebRTC stack as a plan sets it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reports::record::Kind;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::{
    CongestionControlBuilder, FlexFec03SendBuilder, Gcc, NackGeneratorBuilder,
    NackResponderBuilder, PACER_MIN_BURST_BITS, PacerBuilder, Registry, Rfc8888Builder, Slot,
    TwccSenderBuilder,
};
use rtc::peer_connection::configuration::interceptor_registry::{
    CongestionFeedback, configure_congestion_control, configure_rtcp_reports,
    configure_twcc_receiver_only,
};
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_FLEX_FEC03, MIME_TYPE_H264, MIME_TYPE_OPUS, MIME_TYPE_RTX, MediaEngine,
};
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionCapability,
    RTCRtpParameters, RtpCodecKind,
};
use scenarios::{Plan, Playout, RepairPlan, StackPlan, Topology};
use webrtc::error::Result;
use webrtc::peer_connection::crypto::RTCCryptoProvider;
use webrtc::peer_connection::{SettingEngine, SettingEngineBuilder};

use super::congestion::{Gate, PACING, Side, TrendGcc, Watching};
use super::ecn::{Codepoints, FeedbackCodepoints, OnReportTime, ReportTime, WithRepairs};
use super::interceptors::{FirstPackets, JitterBuffer, KeyframeRequests};
use super::playout::PlayoutBuffer;
use super::repair::{RepairLog, Repairs};
use crate::media::audio::SAMPLE_RATE;
use crate::media::rtp_video::VIDEO_CLOCK;

/// The payload type of H.264 (dynamic, RFC 3551 section 3).
pub const VIDEO_PAYLOAD_TYPE: u8 = 102;
/// The payload type of video that is sent again (dynamic).
const RTX_PAYLOAD_TYPE: u8 = 103;
/// The payload type of FlexFEC (dynamic).
const FEC_PAYLOAD_TYPE: u8 = 104;
/// The payload type of Opus (dynamic).
pub const AUDIO_PAYLOAD_TYPE: u8 = 111;

/// The header extension for the level of sound (RFC 6464 section 4).
const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

/// Where codepoints go into feedback: next to the wire.
const CODEPOINTS: usize = 500;
/// On either side of the pacer: where packets are noticed that come out, and that go in.
const EXIT: usize = 2_500;
/// As [`EXIT`].
const ENTRANCE: usize = 3_500;
/// Where repair packets end: behind what reports arrivals.
const REPAIRS: usize = 8_400;
/// Where the NACK generator sits then: it sees what was repaired.
const NACKS_AFTER_REPAIRS: usize = 8_600;
/// Where the audio jitter buffer sits: next to the one for video. A slot holds one interceptor.
const AUDIO_JITTER_BUFFER: usize = 13_500;
/// Where the first packets of streams wait: behind every interceptor that reads RTP.
const FIRST_PACKETS: usize = 13_900;
/// Where keyframe requests are told apart: next to the application.
const KEYFRAME_REQUESTS: usize = 14_000;

/// H.264, constrained baseline, level 3.1, single NAL units and fragments (RFC 6184).
pub fn video_codec() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_H264.to_owned(),
        clock_rate: VIDEO_CLOCK,
        channels: 0,
        sdp_fmtp_line: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
            .to_owned(),
        rtcp_feedback: Vec::new(),
    }
}

/// Opus, always announced with two channels (RFC 7587 section 7).
pub fn audio_codec() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: SAMPLE_RATE,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1".to_owned(),
        rtcp_feedback: Vec::new(),
    }
}

/// Codecs and interceptors of a connection.
///
/// # Errors
///
/// What the stack reports; with these codecs it reports nothing.
pub fn media_and_interceptors(
    plan: &Plan,
    watching: Option<Watching>,
    codepoints: Option<&Codepoints>,
    log: RepairLog,
) -> Result<(MediaEngine, Registry)> {
    let mut media = MediaEngine::default();
    let codec = |rtp_codec, payload_type| RTCRtpCodecParameters {
        rtp_codec,
        payload_type,
    };
    media.register_codec(
        codec(video_codec(), VIDEO_PAYLOAD_TYPE),
        RtpCodecKind::Video,
    )?;
    media.register_codec(
        codec(audio_codec(), AUDIO_PAYLOAD_TYPE),
        RtpCodecKind::Audio,
    )?;
    if plan.topology == Topology::Sfu && plan.sfu.last_n.is_some() {
        let level = RTCRtpHeaderExtensionCapability {
            uri: AUDIO_LEVEL.to_owned(),
        };
        media.register_header_extension(level, RtpCodecKind::Audio, None)?;
    }
    let registry = nack(Registry::new(), &mut media, plan);
    let registry = repair(registry, &mut media, &plan.repair, log)?;
    let registry = congestion(registry, &mut media, plan, watching, codepoints)?;
    let mut registry = configure_rtcp_reports(registry);
    if let Some(video) = &plan.video {
        let (clock, depth) = (VIDEO_CLOCK, video.playout_delay);
        registry = buffer(registry, Slot::JitterBuffer, &plan.stack, clock, depth);
    }
    if let Some(audio) = &plan.audio {
        let (clock, depth) = (SAMPLE_RATE, audio.playout_delay);
        let slot = Slot::from(AUDIO_JITTER_BUFFER);
        registry = buffer(registry, slot, &plan.stack, clock, depth);
    }
    if plan.stack.steady_playout {
        // The stack's own jitter buffer holds them for long enough.
        registry = registry.with(Slot::from(FIRST_PACKETS), FirstPackets::default());
    }
    let requests = KeyframeRequests::default();
    Ok((
        media,
        registry.with(Slot::from(KEYFRAME_REQUESTS), requests),
    ))
}

/// The id that was negotiated for audio levels, if it was.
pub fn audio_level_id(parameters: &RTCRtpParameters) -> Option<u8> {
    let mut extensions = parameters.header_extensions.iter();
    let level = extensions.find(|extension| extension.uri == AUDIO_LEVEL)?;
    u8::try_from(level.id).ok()
}

/// The playout buffer of a stream, if it is ours and not the stack's.
pub fn playout_buffer(plan: &Plan, kind: Kind) -> Option<PlayoutBuffer> {
    let (clock, depth) = match kind {
        Kind::Video => (VIDEO_CLOCK, plan.video.as_ref()?.playout_delay),
        Kind::Audio => (SAMPLE_RATE, plan.audio.as_ref()?.playout_delay),
    };
    let ours = plan.stack.steady_playout;
    let mut buffer = ours.then(|| PlayoutBuffer::new(clock, depth))?;
    buffer = match (plan.repair.playout, kind) {
        (Playout::Fixed, _) => buffer,
        (Playout::Adaptive, Kind::Audio) => buffer.adaptive(),
        (Playout::Adaptive, Kind::Video) => buffer.patient(plan.repair.nack),
    };
    if plan.repair.opus_fec && kind == Kind::Audio {
        buffer = buffer.redundant();
    }
    Some(buffer)
}

/// The stack's jitter buffer, unless ours takes its place.
fn buffer(
    registry: Registry,
    slot: Slot,
    stack: &StackPlan,
    clock: u32,
    depth: Duration,
) -> Registry {
    match stack.steady_playout {
        true => registry,
        false => registry.with(slot, JitterBuffer::new(clock, depth)),
    }
}

/// NACK, if there is any, with the plan's limit of requests per packet; and PLI.
fn nack(registry: Registry, media: &mut MediaEngine, plan: &Plan) -> Registry {
    let asks = plan.repair.nack;
    for parameter in ["", "pli"] {
        if asks || parameter == "pli" {
            let (typ, parameter) = ("nack".to_owned(), parameter.to_owned());
            media.register_feedback(RTCPFeedback { typ, parameter }, RtpCodecKind::Video);
        }
    }
    if !asks {
        return registry;
    }
    // Zero is the stack's default: no limit.
    let limit = plan.stack.max_nacks_per_packet.unwrap_or(0);
    let generator = NackGeneratorBuilder::new().with_max_nacks_per_packet(limit);
    let slot = match repairs_on_streams(&plan.repair) {
        true => Slot::from(NACKS_AFTER_REPAIRS),
        false => Slot::NackGenerator,
    };
    registry
        .with(Slot::NackResponder, NackResponderBuilder::new().build())
        .with(slot, generator.build())
}

/// Whether repair packets come on streams of their own.
fn repairs_on_streams(plan: &RepairPlan) -> bool {
    plan.rtx || plan.flexfec.is_some()
}

/// Streams that repair others: their formats, what makes FlexFEC packets, and what takes repair
/// packets in. The stack's NACK responder uses a stream for what it sends again if there is one.
fn repair(
    mut registry: Registry,
    media: &mut MediaEngine,
    plan: &RepairPlan,
    log: RepairLog,
) -> Result<Registry> {
    let mut register = |mime_type: &str, sdp_fmtp_line: String, payload_type| {
        let rtp_codec = RTCRtpCodec {
            mime_type: mime_type.to_owned(),
            clock_rate: VIDEO_CLOCK,
            channels: 0,
            sdp_fmtp_line,
            rtcp_feedback: Vec::new(),
        };
        let codec = RTCRtpCodecParameters {
            rtp_codec,
            payload_type,
        };
        media.register_codec(codec, RtpCodecKind::Video)
    };
    if plan.rtx {
        let of = format!("apt={VIDEO_PAYLOAD_TYPE}");
        register(MIME_TYPE_RTX, of, RTX_PAYLOAD_TYPE)?;
    }
    if let Some(packets) = plan.flexfec {
        let window = "repair-window=10000000".to_owned();
        register(MIME_TYPE_FLEX_FEC03, window, FEC_PAYLOAD_TYPE)?;
        let encoder = FlexFec03SendBuilder::new()
            .with_num_media_packets(packets)
            .with_num_fec_packets(1);
        registry = registry.with(Slot::FecEncoder, encoder.build());
    }
    Ok(match repairs_on_streams(plan) {
        true => registry.with(Slot::from(REPAIRS), Repairs::new(log)),
        false => registry,
    })
}

/// Feedback on what arrives; and where senders adapt, an estimator, and a pacer that the estimator
/// drives. Feedback is transport-wide, for which packets are numbered, or, with the codepoints of
/// what came, that of RFC 8888, which goes by RTP's own numbers.
fn congestion(
    registry: Registry,
    media: &mut MediaEngine,
    plan: &Plan,
    watching: Option<Watching>,
    codepoints: Option<&Codepoints>,
) -> Result<Registry> {
    let Some(watching) = watching else {
        return configure_twcc_receiver_only(registry, media);
    };
    let (start, bounds) = (f64::from(plan.congestion.start_bps), watching.bounds);
    if !plan.stack.trendline {
        let gcc = Gcc::new(start, bounds.least_bps, bounds.most_bps);
        let watched = watching.watch(gcc, 1.0);
        return configure_congestion_control(registry, watched, CongestionFeedback::Twcc, media);
    }
    // The pacer begins with the estimate, where the stack's begins with 1 Mbps, and lets one packet
    // go at a time, where the stack's lets a tenth of a second go: bursts look like queues.
    let queue = watching.pacer();
    let gcc = TrendGcc::new(start, bounds, plan.congestion.threshold).coupled(watching.flow());
    let pacer = PacerBuilder::new()
        .with_target_bitrate(PACING * start)
        .with_burst_bits(PACER_MIN_BURST_BITS);
    let registry = registry
        .with(Slot::from(EXIT), Gate::new(Arc::clone(&queue), Side::Exit))
        .with(Slot::Pacer, pacer.build())
        .with(Slot::from(ENTRANCE), Gate::new(queue, Side::Entrance));
    let Some(codepoints) = codepoints else {
        let watched = watching.watch(gcc, PACING);
        let controller = CongestionControlBuilder::new(watched).build();
        let registry = configure_twcc_receiver_only(registry, media)?;
        return Ok(registry
            .with(Slot::CongestionControl, controller)
            .with(Slot::TwccSender, TwccSenderBuilder::new().build()));
    };
    for kind in [RtpCodecKind::Video, RtpCodecKind::Audio] {
        // RFC 8888 section 6.
        let (typ, parameter) = ("ack".to_owned(), "ccfb".to_owned());
        media.register_feedback(RTCPFeedback { typ, parameter }, kind);
    }
    let reported = ReportTime::default();
    let filled = FeedbackCodepoints::new(codepoints.clone(), reported.clone());
    let watched = watching.watch(OnReportTime::new(gcc, reported), PACING);
    let controller = WithRepairs(CongestionControlBuilder::new(watched).build());
    Ok(registry
        .with(Slot::from(CODEPOINTS), filled)
        .with(Slot::CongestionControl, controller)
        // Its own slot is behind REPAIRS, where what was repaired passes for what arrived.
        .with(
            Slot::TwccReceiver,
            WithRepairs(Rfc8888Builder::new().build()),
        ))
}

/// Every setting of the plan, and nothing else.
pub fn settings(stack: &StackPlan, crypto: Arc<dyn RTCCryptoProvider>) -> SettingEngine {
    let [host, server_reflexive, peer_reflexive, relay] = stack.acceptance_waits;
    let mut builder = SettingEngineBuilder::new()
        .with_crypto_provider(crypto)
        // Candidates carry addresses: worlds have no multicast.
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_ice_connection_attempts(stack.check_interval, stack.max_binding_requests)
        .with_host_acceptance_min_wait(host)
        .with_srflx_acceptance_min_wait(server_reflexive)
        .with_prflx_acceptance_min_wait(peer_reflexive)
        .with_relay_acceptance_min_wait(relay)
        .with_discard_local_candidates_during_ice_restart(stack.discard_candidates_on_restart);
    if let Some(mtu) = stack.sctp_mtu {
        builder = builder.with_sctp_mtu(mtu.into());
    }
    if let Some(cap) = stack.turn_refresh_cap {
        builder = builder.with_turn_allocation_refresh_interval_cap(cap);
    }
    builder.build()
}

/// Every stack setting in force, by name, as text.
pub fn describe(stack: &StackPlan) -> BTreeMap<String, String> {
    let span = |value: Option<Duration>| match value {
        Some(value) => format!("{} ms", value.as_millis()),
        None => "default".to_owned(),
    };
    let count = |value: Option<u16>| value.map_or("default".to_owned(), |value| value.to_string());
    let [host, server_reflexive, peer_reflexive, relay] = stack.acceptance_waits;
    [
        ("flush-relay", stack.flush_relay.to_string()),
        ("trickle", stack.trickle.to_string()),
        ("check-interval", span(stack.check_interval)),
        ("max-binding-requests", count(stack.max_binding_requests)),
        ("turn-refresh-cap", span(stack.turn_refresh_cap)),
        (
            "discard-candidates-on-restart",
            stack.discard_candidates_on_restart.to_string(),
        ),
        (
            "restart-when-disconnected",
            stack.restart_when_disconnected.to_string(),
        ),
        ("acceptance-wait-host", span(host)),
        ("acceptance-wait-srflx", span(server_reflexive)),
        ("acceptance-wait-prflx", span(peer_reflexive)),
        ("acceptance-wait-relay", span(relay)),
        ("max-nacks-per-packet", count(stack.max_nacks_per_packet)),
        ("sctp-mtu", count(stack.sctp_mtu)),
        ("steady-playout", stack.steady_playout.to_string()),
        ("trendline", stack.trendline.to_string()),
        ("steady-handshake", stack.steady_handshake.to_string()),
        ("steady-channels", stack.steady_channels.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}
