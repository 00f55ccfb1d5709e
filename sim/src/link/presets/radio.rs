//! Lines with a radio hop: cellular, Wi-Fi, satellite.

use super::super::config::{LinkConfig, LossConfig, PipeConfig};
use super::{BLOATED, NOMINAL, SHORT, pipe};

/// 4G, FDD, on the default bearer.
///
/// - Rates: 29.5 Mbit/s down and 7.6 Mbit/s up, the averages of 4G in "Mobile Matters" (Ofcom,
///   2023).
/// - Jitter: a tenth of the transport blocks (the block error rate that link adaptation aims at,
///   3GPP TS 36.213 section 7.2.3) is sent again after 8 ms (HARQ, TS 36.321), so the mean square
///   of the extra delay is 0.1 * 8^2 = 6.4 ms^2, that of a half-normal with a standard deviation of
///   2.5 ms. Upwards a packet also waits for its turn to ask for the channel, uniformly up to 10 ms
///   (the scheduling period in the latency budget of Holma and Toskala, "LTE for UMTS", 2009):
///   6.4 + 10^2 / 3 = 39.7 ms^2, 6.3 ms.
/// - Delay: the round trip of 4G in "Mobile Matters" (Ofcom, 2024), between 18.3 ms (EE) and
///   23.7 ms (Vodafone), is 21 ms; less 0.8 * (6.3 + 2.5) = 7 ms of mean jitter, halved.
/// - Buffer: bloated, as cellular networks are (Jiang et al., "Tackling Bufferbloat in 3G/4G
///   Networks", IMC 2012).
pub(super) const LTE: LinkConfig = LinkConfig {
    up: pipe(7_600_000, BLOATED, 7_000, 6_300),
    down: pipe(29_500_000, BLOATED, 7_000, 2_500),
};

/// 5G below 6 GHz, on a 4G core (non-standalone), as most networks were in the years measured.
///
/// - Rates: 129.9 Mbit/s down and 14.7 Mbit/s up, the averages of 5G in "Mobile Matters" (Ofcom,
///   2023).
/// - Jitter: half of that of [`LTE`], since every step of the same procedures takes slots of 0.5 ms
///   (30 kHz subcarriers, 3GPP TS 38.211) instead of subframes of 1 ms.
/// - Delay: the round trip of 5G in "Mobile Matters" (Ofcom, 2024), between 16.3 ms (Three) and
///   21.4 ms (O2), is 18.9 ms; less 0.8 * (3.15 + 1.25) = 3.5 ms of mean jitter, halved.
/// - Buffer: nominal.
pub(super) const NR: LinkConfig = LinkConfig {
    up: pipe(14_700_000, NOMINAL, 7_700, 3_150),
    down: pipe(129_900_000, NOMINAL, 7_700, 1_250),
};

/// The line of [`super::fixed::FIBER`], reached over a good Wi-Fi.
///
/// - Rates and buffer: those of the line, which is taken to be the bottleneck: in over 50 homes the
///   Wi-Fi was it without exception on lines beyond 800 Mbit/s (Sharma et al., "Measuring the
///   Prevalence of WiFi Bottlenecks in Home Access Networks", 2023), far above this one.
/// - Delay: that of the line. Jitter: the median round trip of the Wi-Fi hop, 3 ms (Sui et al.,
///   "Characterizing and Improving WiFi Latency in Large-Scale Operational Networks", MobiSys
///   2016), is 1.488 standard deviations: 2 ms. The tail that they measure, 20 ms at the 90th
///   percentile, is longer than that of any half-normal with this median (5.5 ms).
/// - Loss: 0.05 %, the most of a well-managed network (ITU-T G.1050, 2007, profile A): the radio
///   retransmits.
pub(super) const WIFI: LinkConfig = LinkConfig {
    up: lossy(pipe(30_000_000, SHORT, 8_500, 2_000), RARE),
    down: lossy(pipe(150_000_000, SHORT, 8_500, 2_000), RARE),
};

/// The same line, reached over a Wi-Fi that is shared with many busy stations.
///
/// - Rate: a tenth of 65 Mbit/s, one stream of 802.11n in 20 MHz (IEEE 802.11, MCS 7), as the
///   channel gives ten busy stations, one of them the access point, equal turns.
/// - Jitter: more than half of the packets take over 20 ms for the Wi-Fi hop (Pei et al., "WiFi can
///   be the weakest link of round trip network latency in the wild", INFOCOM 2016); a median of
///   20 ms is 1.488 standard deviations: 13.4 ms. Their 90th percentile, 100 ms, is again longer.
/// - Buffer: bloated.
/// - Loss: 2 %, the most of a partially managed network, in gaps of 40 ms, the shortest sequential
///   loss there (ITU-T G.1050, 2007, profile B): 5.3 packets, so bad_to_good = 0.19, and
///   good_to_bad = 0.19 * 0.02 / 0.98.
pub(super) const CONGESTED_WIFI: LinkConfig = LinkConfig::symmetric(lossy(
    pipe(6_500_000, BLOATED, 8_500, 13_400),
    LossConfig::GilbertElliott {
        good_to_bad: 0.0039,
        bad_to_good: 0.19,
        loss_good: 0.0,
        loss_bad: 1.0,
    },
));

/// Satellites in low orbit, as Starlink.
///
/// - Rates: 104.7 Mbit/s down and 14.8 Mbit/s up, the US medians of Ookla's Speedtest (Q1 2025:
///   104.71 and 14.84 Mbit/s).
/// - Jitter: 2.6 to 5.7 ms between consecutive packets of a stream of 1 Mbit/s, 4.3 ms in the
///   middle ("Analyzing Packet Loss in Starlink", blog.wirelessmoves.com, July 2024), which is
///   0.661 standard deviations: 6.5 ms.
/// - Delay: the median round trip of US users at peak hours is 33 ms ("Improving Starlink's
///   Latency", SpaceX, March 2024); less 1.488 * 6.5 = 9.7 ms of jitter, halved.
/// - Buffer: nominal.
/// - Loss: links are reassigned every 15 s (Mohan et al., "A Multifaceted Look at Starlink
///   Performance", WWW 2024), with up to half of the packets lost around handovers (Kassem et al.,
///   "A Browser-side View of Starlink Connectivity", IMC 2022), here for 120 ms, the middle of the
///   sequential losses of ITU-T G.1050 (2007) profile B, 40 to 200 ms. At 133 packets/s that is
///   16 bad packets after 1,984 good ones, and 0.4 % lost in all.
pub(super) const SATELLITE: LinkConfig = LinkConfig {
    up: lossy(pipe(14_800_000, NOMINAL, 11_650, 6_500), HANDOVERS),
    down: lossy(pipe(104_700_000, NOMINAL, 11_650, 6_500), HANDOVERS),
};

const RARE: LossConfig = LossConfig::Bernoulli {
    probability: 0.0005,
};

const HANDOVERS: LossConfig = LossConfig::GilbertElliott {
    good_to_bad: 1.0 / 1_984.0,
    bad_to_good: 1.0 / 16.0,
    loss_good: 0.0,
    loss_bad: 0.5,
};

const fn lossy(pipe: PipeConfig, loss: LossConfig) -> PipeConfig {
    PipeConfig { loss, ..pipe }
}
