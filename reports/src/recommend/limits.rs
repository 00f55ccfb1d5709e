//! What a topology has to keep to: what the scenario limits, and for the rest what is usual.

use crate::metrics::{Metric, streams};
use crate::record::{CellRecord, Kind};
use crate::run::{Limit, Run};

/// A limit, and where it comes from.
pub(super) struct Rule {
    pub limit: Limit,
    pub metric: &'static Metric,
    /// Whether the scenario states it.
    pub is_stated: bool,
}

/// The most that is good, where the scenario does not limit the metric itself.
///
/// - Everybody is connected, and something of every stream is shown.
/// - Links and CPUs keep a reserve, for bursts and for whatever else runs there: a tenth of the
///   link, a fifth of the cores.
/// - Latency: 400 ms one way, beyond which ITU-T G.114 (05/2003) calls a delay unacceptable.
/// - Pictures stand still for 1 % of the time, and connections take 5 s, at most: our judgement.
const USUAL: [(&str, f64); 10] = [
    ("unconnected_pairs", 0.0),
    ("missing_streams", 0.0),
    ("client_up_use_max", 0.9),
    ("client_down_use_max", 0.9),
    ("client_cpu_use_max", 0.8),
    ("server_cpu_use", 0.8),
    ("setup_ms_p95", 5_000.0),
    ("video_latency_ms_p95", 400.0),
    ("audio_latency_ms_p95", 400.0),
    ("freeze_ratio", 0.01),
];
/// The least frame rate, as a share of the camera's: below half of it motion falls apart, in our
/// judgement.
const USUAL_FRAME_RATE: f64 = 0.5;

/// All limits of a run: those that it states, then the usual ones of other metrics. Of metrics that
/// this program does not know nothing is said.
pub(super) fn of(run: &Run) -> Vec<Rule> {
    let stated = run.limits.iter().cloned().map(|limit| (limit, true));
    let is_stated = |metric: &str| run.limits.iter().any(|limit| limit.metric == metric);
    let usual = usual(run)
        .into_iter()
        .filter(|limit| !is_stated(&limit.metric));
    let all = stated.chain(usual.map(|limit| (limit, false)));
    all.filter_map(|(limit, is_stated)| {
        let metric = Metric::named(&limit.metric)?;
        Some(Rule {
            limit,
            metric,
            is_stated,
        })
    })
    .collect()
}

fn usual(run: &Run) -> Vec<Limit> {
    let most = USUAL.iter().map(|&(metric, max)| Limit {
        max: Some(max),
        ..bare(metric)
    });
    let least = camera_fps(run).map(|fps| Limit {
        min: Some(USUAL_FRAME_RATE * fps),
        ..bare("fps_mean")
    });
    most.chain(least).collect()
}

fn bare(metric: &str) -> Limit {
    Limit {
        metric: metric.to_owned(),
        min: None,
        max: None,
        topologies: None,
        participants: None,
        group: None,
    }
}

/// What the best camera sent, in pictures per second; `None` of calls without video.
fn camera_fps(run: &Run) -> Option<f64> {
    let of_cell = |cell: &CellRecord| {
        let seconds = (cell.window_to_ms - cell.window_from_ms) / 1_000.0;
        let most = streams(cell, Kind::Video)
            .map(|stream| stream.frames_sent)
            .max()?;
        (seconds > 0.0 && most > 0).then(|| most as f64 / seconds)
    };
    run.cells.iter().filter_map(of_cell).max_by(f64::total_cmp)
}
