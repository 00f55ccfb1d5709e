//! What work costs: the built-in profile, and profiles in files.
//!
//! A file has a key for each figure of [`CostProfile`], all of them, and nothing else; it is called
//! by its name. `rtclab calibrate` writes one for the machine that it runs on.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::ops::RangeInclusive;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::document::{self, Finding, Keys, Section};
use crate::error::Problem;
use crate::plan::CostProfile;

/// What a file may say, in the order of [`CostProfile`].
pub(crate) const KEYS: Keys = Keys {
    section: "Cost profiles",
    names: &[
        "video_encode_pixel_ns",
        "video_decode_pixel_ns",
        "scale_pixel_ns",
        "compose_pixel_ns",
        "audio_encode_sample_ns",
        "audio_decode_sample_ns",
        "mix_sample_ns",
        "packet_send_ns",
        "packet_receive_ns",
        "packet_forward_ns",
        "packet_relay_ns",
    ],
};

/// Nothing that is charged takes longer than a millisecond a pixel, sample or packet.
const COSTS: RangeInclusive<f64> = 0.0..=1e6;

/// What the reader of a file is told about each figure, in the order of [`KEYS`].
const MEANINGS: [&str; 11] = [
    "H.264 encoding, per luma pixel",
    "H.264 decoding, per luma pixel",
    "scaling a picture, per luma pixel read or made",
    "composing a grid, per luma pixel drawn",
    "Opus encoding, per sample at 48 kHz",
    "Opus decoding, per sample at 48 kHz",
    "mixing, per sample of each sound in or out",
    "sending a packet through a peer connection",
    "receiving a packet through a peer connection",
    "forwarding a copy at an SFU, beside receiving and sending",
    "relaying a packet at a TURN server, in and out",
];

impl CostProfile {
    /// The built-in profile, so that runs replay anywhere: one core of a cloud server (two virtual
    /// cores, x86-64, shared with other tenants), in a release build, with OpenH264 built without
    /// `nasm`. Video is what calls took on that machine when it did nothing else; all the rest is
    /// what `rtclab calibrate` said there, medians of several runs, in the two digits that a busy
    /// machine gives.
    pub fn reference() -> Self {
        /// Luma pixels of 640x360, the picture that codecs were timed on.
        const PICTURE: f64 = 640.0 * 360.0;
        CostProfile {
            name: "reference".to_owned(),
            // 4.5 ms and 1.35 ms a picture (docs/performance.md).
            video_encode_pixel_ns: 4_500_000.0 / PICTURE,
            video_decode_pixel_ns: 1_350_000.0 / PICTURE,
            scale_pixel_ns: 1.1,
            compose_pixel_ns: 0.16,
            audio_encode_sample_ns: 430.0,
            audio_decode_sample_ns: 71.0,
            mix_sample_ns: 3.8,
            // Of one run alone.
            packet_send_ns: 15_000.0,
            packet_receive_ns: 18_000.0, // Likewise.
            packet_forward_ns: 25.0,
            packet_relay_ns: 4_300.0,
        }
    }

    /// The text of a file that [`read`](Self::read) gives the same figures from. The name is not
    /// in it.
    pub fn to_toml(&self) -> String {
        let mut text = String::from(
            "# A cost profile of rtclab: what work takes one core of the machine that this was\n\
             # measured on, in nanoseconds. A scenario names it: cpu = \"FILE.toml\".\n\n",
        );
        for ((key, meaning), figure) in KEYS.names.iter().zip(MEANINGS).zip(self.figures()) {
            // `{:?}` writes the shortest number that reads back as the same float.
            let _ = writeln!(text, "{key} = {figure:?} # {meaning}");
        }
        text
    }

    /// Writes the profile to `file`, whole or not at all, in place of what was there.
    ///
    /// # Errors
    ///
    /// What the system says if the file cannot be written; then everything is as it was.
    pub fn write(&self, file: &Path) -> io::Result<()> {
        let mut whole = beside(file)?;
        whole.write_all(self.to_toml().as_bytes())?;
        whole.as_file().sync_all()?;
        whole.persist(file)?;
        Ok(())
    }

    /// Whether [`write`](Self::write) can be expected to succeed. Nothing is changed.
    ///
    /// # Errors
    ///
    /// What the system says, or that there is a directory.
    pub fn check_writable(file: &Path) -> io::Result<()> {
        beside(file).map(drop)
    }

    /// Reads a profile from a file and calls it by the file's name.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the file; one problem without a place if it cannot be read.
    pub fn read(file: &Path) -> Result<Self, Vec<Problem>> {
        let shown = file.display().to_string();
        let source = fs::read_to_string(file).map_err(|reason| {
            let message = format!("cannot be read: {reason}; check the path");
            vec![Problem::of_file(&shown, message)]
        })?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        parse(&source, &name).map_err(|findings| {
            let locate = |finding| Problem::locate(&shown, &source, finding);
            findings.into_iter().map(locate).collect()
        })
    }

    /// In the order of [`KEYS`].
    fn figures(&self) -> [f64; 11] {
        [
            self.video_encode_pixel_ns,
            self.video_decode_pixel_ns,
            self.scale_pixel_ns,
            self.compose_pixel_ns,
            self.audio_encode_sample_ns,
            self.audio_decode_sample_ns,
            self.mix_sample_ns,
            self.packet_send_ns,
            self.packet_receive_ns,
            self.packet_forward_ns,
            self.packet_relay_ns,
        ]
    }
}

/// A file without content that can take the place of `file`.
fn beside(file: &Path) -> io::Result<NamedTempFile> {
    if file.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".rtclab-");
    #[cfg(unix)]
    {
        // As any new file, within the user's umask; the default is the owner alone.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    // An empty path is the current directory.
    let directory = Path::new(".").join(file.parent().unwrap_or(Path::new("")));
    // The error of what comes next would name a file that nobody asked for.
    fs::metadata(&directory)?;
    builder.tempfile_in(directory)
}

fn parse(source: &str, name: &str) -> Result<CostProfile, Vec<Finding>> {
    document::read(source, &KEYS, |section| profile(section, name))
}

fn profile(section: &Section<'_>, name: &str) -> Option<CostProfile> {
    let figure = |key: &&str| {
        let fix = format!("{key} = 10.0, in nanoseconds");
        section.must(key, &fix, |node| node.number(COSTS))
    };
    // All are read, and reported, before the first `?`.
    let figures: Vec<Option<f64>> = KEYS.names.iter().map(figure).collect();
    let figures: Vec<f64> = figures.into_iter().collect::<Option<_>>()?;
    let figures: [f64; 11] = figures.try_into().expect("one for each key");
    Some(named(name, figures))
}

/// `figures` in the order of [`KEYS`].
fn named(name: &str, figures: [f64; 11]) -> CostProfile {
    let [
        encode,
        decode,
        scale,
        compose,
        opus_encode,
        opus_decode,
        mix,
        send,
        receive,
        forward,
        relay,
    ] = figures;
    CostProfile {
        name: name.to_owned(),
        video_encode_pixel_ns: encode,
        video_decode_pixel_ns: decode,
        scale_pixel_ns: scale,
        compose_pixel_ns: compose,
        audio_encode_sample_ns: opus_encode,
        audio_decode_sample_ns: opus_decode,
        mix_sample_ns: mix,
        packet_send_ns: send,
        packet_receive_ns: receive,
        packet_forward_ns: forward,
        packet_relay_ns: relay,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Serde knows the fields of the contract; each of them but the name is a key.
    #[test]
    fn the_keys_are_the_fields_of_the_contract() {
        let table = toml::Table::try_from(CostProfile::reference()).unwrap();
        let fields: Vec<_> = table.keys().filter(|field| *field != "name").collect();
        let mut keys = KEYS.names.to_vec();
        keys.sort_unstable();
        assert_eq!(fields, keys);
        for (key, figure) in KEYS.names.iter().zip(CostProfile::reference().figures()) {
            assert_eq!(table[*key].as_float(), Some(figure), "{key}");
        }
    }

    /// What docs/performance.md measured is what the profile charges: 4.5 ms to encode a picture
    /// of 640x360 and 1.35 ms to decode it.
    #[test]
    fn the_reference_charges_what_calls_took() {
        let costs = CostProfile::reference();
        let close = |found: f64, expected: f64| (found - expected).abs() < 1e-6;
        assert!(close(costs.video_encode_pixel_ns * 230_400.0, 4.5e6));
        assert!(close(costs.video_decode_pixel_ns * 230_400.0, 1.35e6));
    }

    proptest! {
        #[test]
        fn writing_and_reading_give_the_same(figures: [u32; 11], divisor in 1.0..1e7_f64) {
            let figures = figures.map(|figure| (f64::from(figure) / divisor).min(1e6));
            let written = named("mine.toml", figures);
            prop_assert_eq!(parse(&written.to_toml(), "mine.toml"), Ok(written));
        }
    }
}
