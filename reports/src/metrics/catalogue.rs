//! The metrics that results are judged by: unit, direction, tolerance, and where each comes from.
//!
//! The one place for all of it. What a scenario may limit, what two runs are compared by, and the
//! table in `docs/gates.md` are this list; tests hold them together.

use crate::metrics::SummaryRow;

/// A column of `summary.csv` that says how good a call is.
#[derive(Debug)]
pub struct Metric {
    /// The column.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Which way is better.
    pub better: Better,
    /// How much of the baseline a change may be.
    pub relative: f64,
    /// How much a change may be, in the unit, if that is more.
    pub absolute: f64,
    /// What a call must have, so that there is something to judge.
    pub needs: Needs,
    /// How the seeds of a cell make one figure.
    pub pool: Pool,
    /// Whether it can be that of a group.
    pub of_groups: bool,
    /// The figure of one cell.
    pub of: fn(&SummaryRow) -> Option<f64>,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
}

/// What a call must have, so that a figure that is missing is a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: every call has the figure.
    Nothing,
    /// Connections.
    Connections,
    /// Streams of video.
    Video,
    /// Streams of audio.
    Audio,
    /// Streams of video that are decoded.
    Pictures,
    /// A participant whose link carries so much and no more from it.
    Uplinks,
    /// A participant whose link carries so much and no more to it.
    Downlinks,
    /// A participant whose CPU is modelled.
    ClientCpu,
    /// An SFU or MCU.
    Server,
    /// One whose CPU is modelled.
    ServerCpu,
    /// A TURN server whose CPU is modelled.
    TurnCpu,
}

/// How the seeds of a cell make one figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// A percentile of the samples of all seeds together.
    Samples,
    /// The mean over the seeds.
    Mean,
    /// The mean over the seeds of a count of exceptions: with the same seeds, one more is one more.
    Count,
}

impl Metric {
    /// The metric of this name.
    pub fn named(name: &str) -> Option<&'static Metric> {
        METRICS.iter().find(|metric| metric.name == name)
    }

    /// The largest change from `baseline` that does not matter, in the unit.
    pub fn tolerance(&self, baseline: f64) -> f64 {
        self.absolute.max(self.relative * baseline.abs())
    }
}

/// Counts: every one more matters, unless there are many.
const fn count(
    name: &'static str,
    unit: &'static str,
    relative: f64,
    needs: Needs,
    of: fn(&SummaryRow) -> Option<f64>,
) -> Metric {
    Metric {
        name,
        unit,
        better: Better::Lower,
        relative,
        absolute: 0.0,
        needs,
        pool: Pool::Count,
        of_groups: true,
        of,
    }
}

/// Percentiles of times: 5 %, and less than anybody notices.
const fn time(
    name: &'static str,
    absolute: f64,
    needs: Needs,
    of: fn(&SummaryRow) -> Option<f64>,
) -> Metric {
    Metric {
        name,
        unit: "ms",
        better: Better::Lower,
        relative: 0.05,
        absolute,
        needs,
        pool: Pool::Samples,
        of_groups: true,
        of,
    }
}

/// What is paid for: traffic and CPU.
const fn load(
    name: &'static str,
    unit: &'static str,
    (relative, absolute): (f64, f64),
    needs: Needs,
    of: fn(&SummaryRow) -> Option<f64>,
) -> Metric {
    Metric {
        name,
        unit,
        better: Better::Lower,
        relative,
        absolute,
        needs,
        pool: Pool::Mean,
        of_groups: true,
        of,
    }
}

/// What is seen: more is better.
const fn quality(
    name: &'static str,
    unit: &'static str,
    (relative, absolute): (f64, f64),
    needs: Needs,
    of: fn(&SummaryRow) -> Option<f64>,
) -> Metric {
    Metric {
        better: Better::Higher,
        ..load(name, unit, (relative, absolute), needs, of)
    }
}

impl Metric {
    /// Of the call, or of a server, and so of no group.
    const fn of_the_call(self) -> Self {
        Metric {
            of_groups: false,
            ..self
        }
    }
}

/// Rates are steady to a fraction of a percent from seed to seed.
const RATE: (f64, f64) = (0.02, 1.0);
/// A share of a capacity is as steady as what uses it.
const USE: (f64, f64) = (0.03, 0.005);
const CORES: (f64, f64) = (0.03, 0.01);

/// Every metric, in the order in which results list them.
pub const METRICS: [Metric; 35] = [
    Metric {
        better: Better::Higher,
        ..count("connected_pairs", "pairs", 0.0, Needs::Connections, |row| {
            Some(row.connected_pairs as f64)
        })
    }
    .of_the_call(),
    count(
        "unconnected_pairs",
        "pairs",
        0.0,
        Needs::Connections,
        |row| row.unconnected_pairs.map(|n| n as f64),
    )
    .of_the_call(),
    count("relayed_pairs", "pairs", 0.0, Needs::Connections, |row| {
        Some(row.relayed_pairs as f64)
    })
    .of_the_call(),
    count("missing_streams", "streams", 0.0, Needs::Nothing, |row| {
        Some(row.missing_streams as f64)
    }),
    time("setup_ms_p50", 20.0, Needs::Connections, |row| {
        row.setup_ms_p50
    }),
    time("setup_ms_p95", 20.0, Needs::Connections, |row| {
        row.setup_ms_p95
    }),
    time("first_frame_ms_p50", 20.0, Needs::Video, |row| {
        row.first_frame_ms_p50
    }),
    time("first_frame_ms_p95", 20.0, Needs::Video, |row| {
        row.first_frame_ms_p95
    }),
    time("video_latency_ms_p50", 2.0, Needs::Video, |row| {
        row.video_latency_ms_p50
    }),
    time("video_latency_ms_p95", 2.0, Needs::Video, |row| {
        row.video_latency_ms_p95
    }),
    time("video_latency_ms_p99", 2.0, Needs::Video, |row| {
        row.video_latency_ms_p99
    }),
    time("audio_latency_ms_p50", 2.0, Needs::Audio, |row| {
        row.audio_latency_ms_p50
    }),
    time("audio_latency_ms_p95", 2.0, Needs::Audio, |row| {
        row.audio_latency_ms_p95
    }),
    quality("fps_mean", "1/s", (0.01, 0.1), Needs::Video, |row| {
        row.fps_mean
    }),
    count("freezes", "freezes", 0.0, Needs::Video, |row| {
        Some(row.freezes as f64)
    }),
    load(
        "freeze_ratio",
        "0 to 1",
        (0.05, 0.001),
        Needs::Video,
        |row| row.freeze_ratio,
    ),
    quality("psnr_db_mean", "dB", (0.0, 0.3), Needs::Pictures, |row| {
        row.psnr_db_mean
    }),
    quality(
        "ssim_mean",
        "0 to 1",
        (0.0, 0.002),
        Needs::Pictures,
        |row| row.ssim_mean,
    ),
    load("client_up_kbps_mean", "kbps", RATE, Needs::Nothing, |row| {
        row.client_up_kbps_mean
    }),
    load(
        "client_down_kbps_mean",
        "kbps",
        RATE,
        Needs::Nothing,
        |row| row.client_down_kbps_mean,
    ),
    load("server_in_kbps", "kbps", RATE, Needs::Server, |row| {
        row.server_in_kbps
    })
    .of_the_call(),
    load("server_out_kbps", "kbps", RATE, Needs::Server, |row| {
        row.server_out_kbps
    })
    .of_the_call(),
    load("turn_in_kbps", "kbps", RATE, Needs::Nothing, |row| {
        row.turn_in_kbps
    })
    .of_the_call(),
    load("turn_out_kbps", "kbps", RATE, Needs::Nothing, |row| {
        row.turn_out_kbps
    })
    .of_the_call(),
    load(
        "client_cpu_cores_mean",
        "cores",
        CORES,
        Needs::ClientCpu,
        |row| row.client_cpu_cores_mean,
    ),
    load(
        "client_cpu_cores_max",
        "cores",
        CORES,
        Needs::ClientCpu,
        |row| row.client_cpu_cores_max,
    ),
    load(
        "server_cpu_cores",
        "cores",
        CORES,
        Needs::ServerCpu,
        |row| row.server_cpu_cores,
    )
    .of_the_call(),
    load("turn_cpu_cores", "cores", CORES, Needs::TurnCpu, |row| {
        row.turn_cpu_cores
    })
    .of_the_call(),
    count("skipped_work", "pieces", 0.1, Needs::ClientCpu, |row| {
        row.skipped_work.map(|n| n as f64)
    }),
    load(
        "signaling_bytes",
        "bytes",
        (0.02, 0.0),
        Needs::Nothing,
        |row| Some(row.signaling_bytes as f64),
    )
    .of_the_call(),
    load("client_up_use_max", "0 to 1", USE, Needs::Uplinks, |row| {
        row.client_up_use_max
    }),
    load(
        "client_down_use_max",
        "0 to 1",
        USE,
        Needs::Downlinks,
        |row| row.client_down_use_max,
    ),
    load(
        "client_cpu_use_max",
        "0 to 1",
        USE,
        Needs::ClientCpu,
        |row| row.client_cpu_use_max,
    ),
    load("server_cpu_use", "0 to 1", USE, Needs::ServerCpu, |row| {
        row.server_cpu_use
    })
    .of_the_call(),
    load(
        "money_per_hour",
        "money",
        (0.03, 0.001),
        Needs::TurnCpu,
        |row| row.money_per_hour,
    )
    .of_the_call(),
];
