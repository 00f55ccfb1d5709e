//! Options of OpenH264 that its safe interface does not reach.
#![allow(unsafe_code)]

use std::ptr::addr_of_mut;

use openh264::encoder::Encoder;
use openh264_sys2::{
    ENCODER_OPTION, ENCODER_OPTION_BITRATE, ENCODER_OPTION_MAX_BITRATE, ENCODER_OPTION_TRACE_LEVEL,
    SBitrateInfo, SPATIAL_LAYER_ALL,
};

/// `WELS_LOG_QUIET` of `codec_app_def.h`: print nothing.
const QUIET: i32 = 0;

/// Keeps an encoder from printing to standard error; by itself it does that from the first frame
/// on only, after it has commented on the settings.
pub(super) fn silence(encoder: &mut Encoder) {
    let mut level = QUIET;
    // SAFETY: the encoder is alive, and this option takes a pointer to an int that is read during
    // the call (`ISVCEncoder::SetOption` in `codec_api.h`); it may be set before initialisation.
    let result = unsafe {
        encoder
            .raw_api()
            .set_option(ENCODER_OPTION_TRACE_LEVEL, addr_of_mut!(level).cast())
    };
    debug_assert_eq!(result, 0, "OpenH264 takes a trace level at any time");
}

/// Changes the target of a running encoder from `before` to `bps`, bits per second.
///
/// The target may never be above the maximum: going up, the maximum goes first, and going down, it
/// goes last.
pub(super) fn set_bitrate(encoder: &mut Encoder, before: u32, bps: u32) {
    let (first, second) = match bps > before {
        true => (ENCODER_OPTION_MAX_BITRATE, ENCODER_OPTION_BITRATE),
        false => (ENCODER_OPTION_BITRATE, ENCODER_OPTION_MAX_BITRATE),
    };
    set_rate(encoder, first, bps);
    set_rate(encoder, second, bps);
}

fn set_rate(encoder: &mut Encoder, option: ENCODER_OPTION, bps: u32) {
    let mut rate = SBitrateInfo {
        iLayer: SPATIAL_LAYER_ALL,
        iBitrate: i32::try_from(bps).unwrap_or(i32::MAX),
    };
    // SAFETY: the encoder is alive and initialised, and both options take a pointer to an
    // `SBitrateInfo` that is read during the call (`codec_app_def.h`).
    let result = unsafe {
        encoder
            .raw_api()
            .set_option(option, addr_of_mut!(rate).cast())
    };
    if result != 0 {
        log::warn!("OpenH264 refuses {bps} bits per second: {result}");
    }
}
