//! `streams.csv`: a row per sender, receiver and kind.

use super::figures::{fps, kbps, quantile_ms};
use super::row::row;
use crate::record::{CellRecord, Kind, StreamRecord};

row! {
    /// One stream of one cell, in the measured window. Times in ms.
    pub struct StreamRow {
        /// The scenario's name.
        pub scenario: String,
        /// `mesh`, `sfu` or `mcu`.
        pub topology: String,
        /// How many participants the call has.
        pub participants: u32,
        /// The seed of the cell.
        pub seed: u64,
        /// The host that captured it.
        pub sender: String,
        /// The host that rendered it.
        pub receiver: String,
        /// `video` or `audio`.
        pub kind: &'static str,
        /// `direct` or `relay`; missing if the connection never came up.
        pub path: Option<String>,
        /// Type of the sender's selected candidate.
        pub local_candidate: Option<String>,
        /// Type of the receiver's selected candidate.
        pub remote_candidate: Option<String>,
        /// Frames captured and encoded for this receiver.
        pub frames_sent: u64,
        /// Frames of which every packet arrived.
        pub frames_received: u64,
        /// Frames shown or played.
        pub frames_rendered: u64,
        /// RTP packets sent.
        pub packets_sent: u64,
        /// RTP packets received, duplicates not counted.
        pub packets_received: u64,
        /// Encoded bytes handed to RTP.
        pub encoded_bytes: u64,
        /// The same as a rate, thousands of bits per second.
        pub encoded_kbps: Option<f64>,
        /// Frames rendered per second.
        pub fps: Option<f64>,
        /// From the later join to the first rendered frame, over the whole run.
        pub first_frame_ms: Option<f64>,
        /// Capture to render (video), mouth to ear (audio).
        pub latency_ms_p50: Option<f64>,
        /// The same, 95th percentile.
        pub latency_ms_p95: Option<f64>,
        /// The same, 99th percentile.
        pub latency_ms_p99: Option<f64>,
        /// The same, mean.
        pub latency_ms_mean: Option<f64>,
        /// Between two rendered frames.
        pub interval_ms_p50: Option<f64>,
        /// The same, 95th percentile.
        pub interval_ms_p95: Option<f64>,
        /// Freezes, as webrtc-stats counts them; pictures freeze, sound does not.
        pub freezes: Option<u64>,
        /// Time frozen.
        pub freeze_ms: Option<f64>,
        /// Mean luma PSNR of rendered frames, dB.
        pub psnr_db_mean: Option<f64>,
        /// Mean luma SSIM of rendered frames.
        pub ssim_mean: Option<f64>,
        /// Mean width at which rendered frames were decoded, pixels.
        pub width_px_mean: Option<f64>,
        /// Picture loss indications sent by the receiver, whole run; of pictures alone.
        pub plis: Option<u64>,
        /// Keyframes encoded, whole run; of pictures alone.
        pub keyframes: Option<u64>,
        /// `udp`, or `tcp` if any hop is in TCP; missing if the connection never came up.
        pub transport: Option<String>,
        /// The longest gap that a happening of the call made, whole run; missing if nothing happened.
        pub interruption_ms_max: Option<f64>,
        /// RTP packets sent again; of pictures alone, as are the next four.
        pub retransmitted_packets: Option<u64>,
        /// Bytes of those on the wire.
        pub retransmitted_bytes: Option<u64>,
        /// FlexFEC packets sent.
        pub fec_packets: Option<u64>,
        /// Bytes of those on the wire.
        pub fec_bytes: Option<u64>,
        /// RTP packets rebuilt from FlexFEC.
        pub rebuilt_packets: Option<u64>,
        /// 20 ms of sound each, from in-band FEC; of sound alone, as is the next one.
        pub redundant_frames: Option<u64>,
        /// 20 ms of sound each that the decoder filled in, or that were silent.
        pub concealed_frames: Option<u64>,
    }
}

impl StreamRow {
    /// The row of one stream.
    pub fn of(record: &CellRecord, stream: &StreamRecord) -> Self {
        let is_video = stream.kind == Kind::Video;
        let pictures = stream.repair.filter(|_| is_video);
        let sound = stream.repair.filter(|_| !is_video);
        StreamRow {
            scenario: record.scenario.clone(),
            topology: record.topology.clone(),
            participants: record.participants,
            seed: record.seed,
            sender: stream.sender.clone(),
            receiver: stream.receiver.clone(),
            kind: stream.kind.name(),
            path: stream.path.clone(),
            local_candidate: stream.local_candidate.clone(),
            remote_candidate: stream.remote_candidate.clone(),
            frames_sent: stream.frames_sent,
            frames_received: stream.frames_received,
            frames_rendered: stream.frames_rendered,
            packets_sent: stream.packets_sent,
            packets_received: stream.packets_received,
            encoded_bytes: stream.encoded_bytes,
            encoded_kbps: kbps(record, stream.encoded_bytes),
            fps: fps(record, stream),
            first_frame_ms: stream.first_frame_ms,
            latency_ms_p50: quantile_ms(&stream.latency_us, 0.50),
            latency_ms_p95: quantile_ms(&stream.latency_us, 0.95),
            latency_ms_p99: quantile_ms(&stream.latency_us, 0.99),
            latency_ms_mean: stream.latency_us.mean().map(|us| us / 1_000.0),
            interval_ms_p50: quantile_ms(&stream.interval_us, 0.50),
            interval_ms_p95: quantile_ms(&stream.interval_us, 0.95),
            freezes: is_video.then_some(stream.freezes),
            freeze_ms: is_video.then_some(stream.freeze_ms),
            psnr_db_mean: stream.psnr_db_mean,
            ssim_mean: stream.ssim_mean,
            width_px_mean: stream.width_px_mean,
            plis: is_video.then_some(stream.plis),
            keyframes: is_video.then_some(stream.keyframes),
            transport: stream.transport.clone(),
            interruption_ms_max: interruption_ms_max(stream),
            retransmitted_packets: pictures.map(|repair| repair.retransmitted_packets),
            retransmitted_bytes: pictures.map(|repair| repair.retransmitted_bytes),
            fec_packets: pictures.map(|repair| repair.fec_packets),
            fec_bytes: pictures.map(|repair| repair.fec_bytes),
            rebuilt_packets: pictures.map(|repair| repair.rebuilt_packets),
            redundant_frames: sound.map(|repair| repair.redundant_frames),
            concealed_frames: sound.map(|repair| repair.concealed_frames),
        }
    }
}

fn interruption_ms_max(stream: &StreamRecord) -> Option<f64> {
    let gaps = stream.interruptions.iter().map(|it| it.gap_ms);
    gaps.max_by(f64::total_cmp)
}
