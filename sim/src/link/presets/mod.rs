//! Access links by name, every number with its source.
//!
//! A preset expands to a [`LinkConfig`] and nothing downstream knows which it was. It describes the
//! way from the host to the core of the network, so two hosts on the same preset see the sum of an
//! up and a down pipe between them, and a host and a server in the core see a round trip of one up
//! and one down.
//!
//! What the sources do not give is derived in the same way everywhere:
//!
//! - **Delay** is half of a measured round trip to a nearby server, after the mean of the jitter of
//!   both pipes, `std * sqrt(2 / pi)` each (0.8 std), has been taken off.
//! - **Jitter** from a measured round trip: the extra delays of the two pipes add up to the sum of
//!   two half-normal variates, whose q-quantile is `sqrt(2) * z * std` with `2 Phi(z) - 1 =
//!   sqrt(q)`; the median is 1.488 std. From a measured mean difference between consecutive packets
//!   (the jitter of RFC 3550): that difference is `(4 - 2 sqrt(2)) / sqrt(pi)` = 0.661 std. Order
//!   is preserved everywhere: Ethernet, DOCSIS, Wi-Fi and 3GPP links deliver in sequence.
//! - **Buffer** is a time at the rate of the pipe, one of the drop-tail queues of RFC 8868
//!   (congestion control evaluation for interactive media):
//!   short (70 ms), nominal (300 ms) or bloated (1,000 ms).
//! - **Loss** of wired and cellular lines is that of the buffer alone: their link layers
//!   retransmit or correct (the LTE default bearer, QCI 9, is specified to lose one packet in
//!   1e6, 3GPP TS 23.203 table 6.1.7), and the 0.1 to 0.4 % that Ofcom reports for home lines
//!   (UK Home Broadband Performance, 2018 data) is an average that includes congested hours.
//! - Durations become **probabilities per packet** at 133 packets/s, a stream of 800 kbit/s of
//!   video in packets of 1,200 bytes (83 /s) and of 20 ms audio frames (50 /s).

mod fixed;
mod radio;

use std::time::Duration;

use super::config::{JitterConfig, LinkConfig, LossConfig, PipeConfig, Queue, Reorder};

/// The names of all presets, in alphabetical order.
pub const PRESETS: &[&str] = &[
    "5g",
    "cable",
    "congested-wifi",
    "datacenter",
    "dsl",
    "fiber",
    "ideal",
    "lte",
    "satellite",
    "wifi",
];

/// The link called `name`, one of [`PRESETS`].
pub fn preset(name: &str) -> Option<LinkConfig> {
    Some(match name {
        "5g" => radio::NR,
        "cable" => fixed::CABLE,
        "congested-wifi" => radio::CONGESTED_WIFI,
        "datacenter" => fixed::DATACENTER,
        "dsl" => fixed::DSL,
        "fiber" => fixed::FIBER,
        "ideal" => IDEAL,
        "lte" => radio::LTE,
        "satellite" => radio::SATELLITE,
        "wifi" => radio::WIFI,
        _ => return None,
    })
}

/// Infinitely fast, without delay or loss: for studies of everything but the access.
const IDEAL: LinkConfig = LinkConfig::symmetric(PipeConfig {
    rate_bps: None,
    buffer_bytes: None,
    queue: Queue::DropTail,
    delay: Duration::ZERO,
    jitter: NO_JITTER,
    loss: LossConfig::None,
});

/// Milliseconds of a short (QoS-aware) queue: 70 ms (RFC 8868).
pub const SHORT: u64 = 70;
/// Milliseconds of a nominal queue: RFC 8868 says 300 to 500 ms; the lower end.
pub const NOMINAL: u64 = 300;
/// Milliseconds of a bloated queue: RFC 8868 says 1,000 to 2,000 ms; the lower end.
pub const BLOATED: u64 = 1_000;

/// A loss-free pipe of a rate with a queue in milliseconds, and a delay and jitter in microseconds.
const fn pipe(rate_bps: u64, queue_millis: u64, delay_micros: u64, std_micros: u64) -> PipeConfig {
    PipeConfig {
        rate_bps: Some(rate_bps),
        buffer_bytes: Some(rate_bps * queue_millis / 8_000),
        queue: Queue::DropTail,
        delay: Duration::from_micros(delay_micros),
        jitter: JitterConfig {
            std: Duration::from_micros(std_micros),
            reorder: Reorder::Preserve,
        },
        loss: LossConfig::None,
    }
}

const NO_JITTER: JitterConfig = JitterConfig {
    std: Duration::ZERO,
    reorder: Reorder::Preserve,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_valid_link_and_nothing_else_has() {
        assert!(PRESETS.is_sorted());
        for name in PRESETS {
            let link = preset(name).expect(name);
            assert_eq!(link.up.validate(), Ok(()), "{name} up");
            assert_eq!(link.down.validate(), Ok(()), "{name} down");
        }
        assert_eq!(preset("cable "), None);
        assert_eq!(preset("ideal"), Some(LinkConfig::default()));
    }

    #[test]
    fn buffers_are_their_time_at_the_rate() {
        // 300 ms at 1.4 Mbit/s = 420,000 bits = 52,500 bytes; 70 ms at 30 Mbit/s = 262,500 bytes.
        assert_eq!(fixed::DSL.up.buffer_bytes, Some(52_500));
        assert_eq!(fixed::FIBER.up.buffer_bytes, Some(262_500));
    }

    #[test]
    fn round_trips_to_the_core_are_those_of_the_sources() {
        // Milliseconds, delay of both pipes plus the mean or median of their jitter, as measured
        // by the source that each preset names; half a millisecond for rounded delays.
        let mean = std::f64::consts::FRAC_2_PI.sqrt();
        let median = 1.488 / 2.0;
        for (name, factor, measured) in [
            ("fiber", mean, 17.0),
            ("cable", mean, 28.0),
            ("dsl", mean, 44.0),
            ("lte", mean, 21.0),
            ("5g", mean, 18.9),
            ("wifi", median, 17.0 + 3.0),
            ("congested-wifi", median, 17.0 + 20.0),
            ("satellite", median, 33.0),
            ("datacenter", mean, 0.134),
        ] {
            let link = preset(name).expect(name);
            let millis = |pipe: PipeConfig| {
                1e3 * (pipe.delay.as_secs_f64() + factor * pipe.jitter.std.as_secs_f64())
            };
            let round_trip = millis(link.up) + millis(link.down);
            assert!(
                (round_trip - measured).abs() < 0.5,
                "{name}: {round_trip} ms"
            );
        }
    }
}
