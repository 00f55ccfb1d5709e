//! Options of OpenH264 that its safe interface does not reach.
#![allow(unsafe_code)]

use std::ptr::addr_of_mut;

use openh264::encoder::Encoder;
use openh264_sys2::ENCODER_OPTION_TRACE_LEVEL;

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
