//! Opus: 48 kHz, mono, 20 ms frames.

use bytes::Bytes;
use ropus::{Application, Bitrate, Channels, DecodeMode, Decoder, Encoder, InbandFec};

/// Samples per second.
pub const SAMPLE_RATE: u32 = 48_000;

/// Samples of one frame: 20 ms.
pub const FRAME_SAMPLES: usize = 960;

/// How many samples the decoded signal lags behind the input: the codec's look-ahead and overlap,
/// 6.5 ms.
pub const DELAY_SAMPLES: u32 = 312;

/// Largest packet, bytes (RFC 6716, 3.4: a frame has at most 1275 bytes, after one byte of TOC).
const MAX_PACKET: usize = 1276;

/// The loss that an encoder with in-band FEC reckons with, percent: what it repeats is the better the
/// more it is told to expect.
const EXPECTED_LOSS_PERCENT: u8 = 10;

/// A packet of sound on its way to a decoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundPacket {
    /// The RTP timestamp of the 20 ms that it stands for.
    pub timestamp: u32,
    /// An Opus packet.
    pub payload: Bytes,
    /// It stands for the 20 ms before its own, which it repeats.
    pub redundant: bool,
}

impl SoundPacket {
    /// A packet that stands for its own 20 ms.
    pub fn new(timestamp: u32, payload: Bytes) -> Self {
        SoundPacket {
            timestamp,
            payload,
            redundant: false,
        }
    }
}

/// Whether a mono packet of 20 ms repeats the 20 ms before it.
///
/// Modes with a SILK layer are the configurations 0 to 15 (RFC 6716 table 2); their data begin with
/// a bit for each frame's voice activity, of which there is one in 20 ms, and then one for LBRR
/// (section 4.2.3).
pub fn repeats_the_one_before(packet: &[u8]) -> bool {
    let [toc, first, ..] = packet else {
        return false;
    };
    let (configuration, frames) = (toc >> 3, toc & 0b11);
    configuration < 16 && frames == 0 && first & 0b0100_0000 != 0
}

/// Opus failed.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// The encoder cannot be set up.
    #[error("Opus encoder: {0}")]
    EncoderSetup(#[from] ropus::EncoderBuildError),
    /// The decoder cannot be set up.
    #[error("Opus decoder: {0}")]
    DecoderSetup(#[from] ropus::DecoderInitError),
    /// The encoder refused a frame.
    #[error("Opus encoder: {0}")]
    Encode(#[from] ropus::EncodeError),
    /// The decoder refused a packet.
    #[error("Opus decoder: {0}")]
    Decode(#[from] ropus::DecodeError),
    /// The packet is no 20 ms frame.
    #[error("Opus packet of {0} samples instead of 960")]
    Duration(usize),
}

/// An Opus encoder for a microphone.
///
/// It is set as browsers set theirs: application `voip`, constrained VBR. At 24 to 32 kbit/s a quiet
/// room takes somewhat less than the target.
pub struct AudioEncoder {
    encoder: Encoder,
    packet: Vec<u8>,
}

impl AudioEncoder {
    /// An encoder with a target bitrate, bits per second, 6,000 to 510,000 (RFC 6716, 2.1.1).
    ///
    /// # Errors
    ///
    /// If Opus refuses the settings.
    pub fn new(bitrate_bps: u32) -> Result<Self, AudioError> {
        AudioEncoder::protected(bitrate_bps, false)
    }

    /// The same, with in-band FEC if `fec`: most packets repeat the one before at a lower rate, at
    /// the cost of what they say themselves, since the target stays as it is.
    ///
    /// # Errors
    ///
    /// If Opus refuses the settings.
    pub fn protected(bitrate_bps: u32, fec: bool) -> Result<Self, AudioError> {
        let mut builder = Encoder::builder(SAMPLE_RATE, Channels::Mono, Application::Voip)
            .bitrate(Bitrate::Bits(bitrate_bps));
        if fec {
            builder = builder
                .inband_fec(InbandFec::Enabled)
                .packet_loss_perc(EXPECTED_LOSS_PERCENT);
        }
        let encoder = builder.build()?;
        Ok(AudioEncoder {
            encoder,
            packet: vec![0; MAX_PACKET],
        })
    }

    /// Changes the target, bits per second, from the next frame on.
    ///
    /// # Errors
    ///
    /// If Opus refuses it.
    pub fn set_bitrate(&mut self, bitrate_bps: u32) -> Result<(), AudioError> {
        Ok(self.encoder.set_bitrate(Bitrate::Bits(bitrate_bps))?)
    }

    /// Encodes 20 ms.
    ///
    /// # Errors
    ///
    /// If Opus refuses the frame.
    pub fn encode(&mut self, pcm: &[i16; FRAME_SAMPLES]) -> Result<Bytes, AudioError> {
        let length = self.encoder.encode(pcm, &mut self.packet)?;
        Ok(Bytes::copy_from_slice(&self.packet[..length]))
    }

    /// How many samples the decoded signal lags behind the input: the codec's look-ahead and
    /// overlap, 312 (6.5 ms).
    pub fn delay_samples(&self) -> u32 {
        self.encoder.lookahead()
    }
}

/// An Opus decoder.
pub struct AudioDecoder {
    decoder: Decoder,
}

impl AudioDecoder {
    /// A decoder in its initial state.
    ///
    /// # Errors
    ///
    /// If Opus cannot be set up.
    pub fn new() -> Result<Self, AudioError> {
        Ok(AudioDecoder {
            decoder: Decoder::new(SAMPLE_RATE, Channels::Mono)?,
        })
    }

    /// Decodes one packet of 20 ms.
    ///
    /// # Errors
    ///
    /// If the packet is damaged, empty, or has another duration.
    pub fn decode(&mut self, packet: &[u8]) -> Result<[i16; FRAME_SAMPLES], AudioError> {
        // To the decoder an empty packet is a lost one.
        if packet.is_empty() {
            return Err(AudioError::Decode(ropus::DecodeError::InvalidPacket));
        }
        self.run(packet, DecodeMode::Normal)
    }

    /// The 20 ms before those of `packet`, from what it repeats of them.
    ///
    /// # Errors
    ///
    /// If the packet is damaged or empty.
    pub fn recover(&mut self, packet: &[u8]) -> Result<[i16; FRAME_SAMPLES], AudioError> {
        if packet.is_empty() {
            return Err(AudioError::Decode(ropus::DecodeError::InvalidPacket));
        }
        self.run(packet, DecodeMode::Fec)
    }

    /// The 20 ms that a packet stands for.
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode).
    pub fn play(&mut self, packet: &SoundPacket) -> Result<[i16; FRAME_SAMPLES], AudioError> {
        match packet.redundant {
            true => self.recover(&packet.payload),
            false => self.decode(&packet.payload),
        }
    }

    /// Fills in for a lost packet: what the decoder guesses from the packets before.
    ///
    /// # Errors
    ///
    /// If Opus fails.
    pub fn conceal(&mut self) -> Result<[i16; FRAME_SAMPLES], AudioError> {
        self.run(&[], DecodeMode::Normal)
    }

    fn run(&mut self, packet: &[u8], mode: DecodeMode) -> Result<[i16; FRAME_SAMPLES], AudioError> {
        let mut pcm = [0; FRAME_SAMPLES];
        match self.decoder.decode(packet, &mut pcm, mode)? {
            FRAME_SAMPLES => Ok(pcm),
            samples => Err(AudioError::Duration(samples)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::media::ProbeSource;

    const AMPLITUDE: f64 = 8_000.0;

    /// Frame `n` of a tone of 1 kHz.
    fn tone(n: usize) -> [i16; FRAME_SAMPLES] {
        std::array::from_fn(|i| {
            let at = (n * FRAME_SAMPLES + i) as f64 / f64::from(SAMPLE_RATE);
            (AMPLITUDE * (TAU * 1_000.0 * at).sin()) as i16
        })
    }

    fn rms(pcm: &[i16]) -> f64 {
        (pcm.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / pcm.len() as f64).sqrt()
    }

    #[test]
    fn a_tone_keeps_its_level_and_arrives_after_the_stated_delay() {
        let mut encoder = AudioEncoder::new(32_000).unwrap();
        let mut decoder = AudioDecoder::new().unwrap();
        assert_eq!(encoder.delay_samples(), DELAY_SAMPLES);
        let mut heard = Vec::new();
        for n in 0..50 {
            heard.extend(decoder.decode(&encoder.encode(&tone(n)).unwrap()).unwrap());
        }
        // A sine has an RMS of its amplitude over the square root of two.
        let steady = rms(&heard[9_600..]);
        assert!(
            (steady / (AMPLITUDE / 2f64.sqrt()) - 1.0).abs() < 0.1,
            "{steady}"
        );
        // 312 samples are 6.5 periods of 48: the phase is turned by half a period.
        let phase_error: f64 = (9_600..heard.len() - 48)
            .map(|i| f64::from(heard[i]) * (TAU * 1_000.0 * (i as f64 - 312.0) / 48_000.0).sin())
            .sum::<f64>()
            / (heard.len() - 48 - 9_600) as f64
            / (AMPLITUDE / 2.0);
        assert!((phase_error - 1.0).abs() < 0.1, "{phase_error}");
    }

    #[test]
    fn holds_its_bitrate() {
        // 50 packets of 32,000 / 50 / 8 = 80 bytes a second. Constrained VBR keeps the mean of a
        // steady signal within some percent of it.
        let mut encoder = AudioEncoder::new(32_000).unwrap();
        let bytes: usize = (0..250)
            .map(|n| encoder.encode(&tone(n)).unwrap().len())
            .sum();
        let kbps = bytes as f64 * 8.0 / 5.0 / 1_000.0;
        assert!((28.0..=36.0).contains(&kbps), "{kbps}");
    }

    #[test]
    fn follows_its_target_while_it_runs() {
        // 50 packets of bps / 400 bytes a second, as above.
        let mut encoder = AudioEncoder::new(32_000).unwrap();
        for bps in [32_000, 12_000, 24_000] {
            encoder.set_bitrate(bps).unwrap();
            let packets = (0..100).map(|n| encoder.encode(&tone(n)).unwrap().len());
            let ratio = packets.sum::<usize>() as f64 * 8.0 / 2.0 / f64::from(bps);
            assert!((0.85..=1.15).contains(&ratio), "{bps}: {ratio}");
        }
    }

    #[test]
    fn conceals_a_lost_packet() {
        let mut encoder = AudioEncoder::new(32_000).unwrap();
        let mut decoder = AudioDecoder::new().unwrap();
        let packets: Vec<Bytes> = (0..20).map(|n| encoder.encode(&tone(n)).unwrap()).collect();
        let mut level = 0.0;
        for packet in &packets[..15] {
            level = rms(&decoder.decode(packet).unwrap());
        }
        // A steady tone goes on, somewhat fainter; silence or a burst would not do.
        let concealed = rms(&decoder.conceal().unwrap());
        assert!(
            (0.25 * level..1.1 * level).contains(&concealed),
            "{concealed} after {level}"
        );
        assert!(decoder.decode(&packets[16]).is_ok());
    }

    #[test]
    fn refuses_what_is_no_packet_of_20_ms() {
        let mut decoder = AudioDecoder::new().unwrap();
        assert!(decoder.decode(&[]).is_err());
        // TOC 0xe0: CELT, 2.5 ms (RFC 6716, table 2, configuration 28).
        assert!(matches!(
            decoder.decode(&[0xe0, 0, 0]),
            Err(AudioError::Duration(120))
        ));
        // TOC 0x03, code 3, without the byte that counts its frames.
        assert!(matches!(
            decoder.decode(&[0x03]),
            Err(AudioError::Decode(_))
        ));
    }

    /// Ten seconds of what a microphone captures: words of the probe, over noise.
    fn packets(fec: bool) -> Vec<Bytes> {
        let mut noise = ChaCha8Rng::seed_from_u64(1);
        let source = ProbeSource::new(0, &mut noise);
        let mut encoder = AudioEncoder::protected(32_000, fec).unwrap();
        let encode = |n| encoder.encode(&source.frame(n)).unwrap();
        (0..500).map(encode).collect()
    }

    #[test]
    fn packets_repeat_the_one_before_if_asked_to_and_cost_as_much() {
        let (plain, fec) = (packets(false), packets(true));
        let repeating = |packets: &[Bytes]| {
            let repeating = packets
                .iter()
                .filter(|packet| repeats_the_one_before(packet));
            repeating.count()
        };
        assert_eq!(repeating(&plain), 0);
        // Opus repeats what it takes for speech, which is not every pause.
        let share = repeating(&fec) as f64 / fec.len() as f64;
        let bytes = |packets: &[Bytes]| packets.iter().map(Bytes::len).sum::<usize>() as f64;
        let cost = bytes(&fec) / bytes(&plain);
        assert!((0.5..1.0).contains(&share), "{share}");
        // The target is the same; what is repeated comes out of it.
        assert!((0.8..1.25).contains(&cost), "{cost}");
    }

    /// Every fifth packet is lost; what stands in for it is compared with what it said.
    #[test]
    fn what_is_repeated_is_nearer_than_what_is_guessed() {
        let packets = packets(true);
        let mut whole = AudioDecoder::new().unwrap();
        let mut errors = [0.0; 2];
        let mut decoders = [AudioDecoder::new().unwrap(), AudioDecoder::new().unwrap()];
        for (n, packet) in packets.iter().enumerate() {
            let said = whole.decode(packet).unwrap();
            let next = packets
                .get(n + 1)
                .filter(|next| repeats_the_one_before(next));
            let lost = n % 5 == 4 && next.is_some();
            for (way, decoder) in decoders.iter_mut().enumerate() {
                let played = match (lost, way, next) {
                    (false, ..) | (_, _, None) => decoder.decode(packet).unwrap(),
                    (true, 0, Some(next)) => decoder.recover(next).unwrap(),
                    (true, ..) => decoder.conceal().unwrap(),
                };
                if lost {
                    let pairs = said.iter().zip(&played);
                    errors[way] += pairs
                        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
                        .sum::<f64>();
                }
            }
        }
        let [repeated, guessed] = errors;
        assert!(
            repeated > 0.0 && repeated < 0.7 * guessed,
            "{repeated} and {guessed}"
        );
    }

    #[test]
    fn only_silk_frames_of_20_ms_repeat() {
        // Configuration 9 is SILK wide-band, 20 ms; the second bit of the data is LBRR.
        assert!(repeats_the_one_before(&[9 << 3, 0b1100_0000]));
        assert!(!repeats_the_one_before(&[9 << 3, 0b1000_0000]));
        // Configuration 31 is CELT; code 1 has two frames; and there may be no data at all.
        assert!(!repeats_the_one_before(&[31 << 3, 0b1100_0000]));
        assert!(!repeats_the_one_before(&[(9 << 3) | 1, 0b1100_0000]));
        assert!(!repeats_the_one_before(&[9 << 3]));
        assert!(!repeats_the_one_before(&[]));
    }
}
