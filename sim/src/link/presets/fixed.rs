//! Wired lines. Those to homes carry three uplinks of 800 kbit/s without loss, but for DSL.
//!
//! Round trips are the averages of the FCC's first report, "Measuring Broadband America" (August
//! 2011), still the plainest comparison of the three on one panel: 17 ms on fiber to the home,
//! 28 ms on cable, 44 ms on DSL. Jitter of cable and DSL is within the 0 to 1 ms that Ofcom
//! reports for packages of both ("UK Home Broadband Performance", 2018 data), with a standard
//! deviation of 1 ms (0.66 ms between consecutive packets).

use std::time::Duration;

use super::super::config::{LinkConfig, LossConfig, PipeConfig, Queue};
use super::{NO_JITTER, NOMINAL, SHORT, pipe};

/// Fiber to the home, GPON, of a common tier.
///
/// - Rate down: 150 Mbit/s, the average of full-fiber lines in "UK Home Broadband Performance"
///   (Ofcom, March 2023 data): 149.2 Mbit/s. Up: 30 Mbit/s, the uplink that Openreach sells with
///   the tier nearest to that, 160/30.
/// - Delay: half of the FCC's 17 ms. Up jitter: 125 us, the length of a GPON frame, in which the
///   line terminal grants the uplink (ITU-T G.984.3). The downlink is broadcast, no one contends.
/// - Buffer: short.
pub(super) const FIBER: LinkConfig = LinkConfig {
    up: pipe(30_000_000, SHORT, 8_400, 125),
    down: pipe(150_000_000, SHORT, 8_500, 0),
};

/// Cable, DOCSIS 3.1.
///
/// - Rate down: 270 Mbit/s, the average of cable lines in "UK Home Broadband Performance" (Ofcom,
///   March 2023 data): 270.6 Mbit/s. Up: 20 Mbit/s, near the median of all UK lines in the same
///   report, 18.4 Mbit/s, and what the FCC asks of a fixed line (100/20, 2024 Section 706 Report).
/// - Delay: half of the FCC's 28 ms less 0.8 ms of mean jitter.
/// - Buffer: short, since these modems must run an active queue management that aims at 10 ms
///   (DOCSIS-PIE, RFC 8034); drop-tail at 70 ms stands in for it.
pub(super) const CABLE: LinkConfig = LinkConfig {
    up: pipe(20_000_000, SHORT, 13_200, 1_000),
    down: pipe(270_000_000, SHORT, 13_200, 1_000),
};

/// ADSL2+ on an ordinary line: its uplink carries one video stream, not three.
///
/// - Rate down: 12 Mbit/s, the most that most DSL providers offered (FCC, "2015 Measuring Broadband
///   America"). Up: 1.4 Mbit/s, the most of ADSL2+ over POTS (ITU-T G.992.5 Annex A).
/// - Delay: half of the FCC's 44 ms less 0.8 ms of mean jitter.
/// - Buffer: nominal. Much longer upstream queues are on record (Dischinger et al., "Characterizing
///   Residential Broadband Networks", IMC 2007).
pub(super) const DSL: LinkConfig = LinkConfig {
    up: pipe(1_400_000, NOMINAL, 21_200, 1_000),
    down: pipe(12_000_000, NOMINAL, 21_200, 1_000),
};

/// A server in a data center, next to the core.
///
/// - Rate and buffer: 10 Gbit/s ports that share 4 MB, the Scorpion switch of Alizadeh et al.,
///   "Data Center TCP (DCTCP)", SIGCOMM 2010, table 1.
/// - Delay: a quarter of the median round trip between servers of different pods, 268 us, which
///   crosses four pipes (Guo et al., "Pingmesh", SIGCOMM 2015).
/// - Loss: none. Pingmesh finds 1e-5 to 1e-4, which the access links of the callers hide.
pub(super) const DATACENTER: LinkConfig = LinkConfig::symmetric(PipeConfig {
    rate_bps: Some(10_000_000_000),
    buffer_bytes: Some(4_000_000),
    queue: Queue::DropTail,
    delay: Duration::from_micros(67),
    jitter: NO_JITTER,
    loss: LossConfig::None,
});
