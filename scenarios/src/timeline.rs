//! What happens to the links of a group, as the plan of each of its participants.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sim::{Change, DeliveryTrace, LinkConfig, PipeChange, PipeConfig, Time};

use crate::document::Problems;
use crate::plan::{Handover, LinkChanges, NetworkPlan};
use crate::spec::{Group, NamedFile, NetworkChange, NetworkEvent, SpecChange, SpecCross};

/// The traces that a scenario names, by the place of the name in it.
#[derive(Debug)]
pub(crate) struct Traces(BTreeMap<usize, DeliveryTrace>);

impl Traces {
    /// Reads them, relative to `base`. Reports every file that is not a trace.
    pub(crate) fn load(events: &[NetworkEvent], base: &Path, problems: &Problems) -> Self {
        let changes = events.iter().flat_map(|event| match &event.what {
            NetworkChange::Pipes { up, down } => [up.as_slice(), down],
            NetworkChange::Handover(_) => [&[][..], &[]],
        });
        let named = changes.flatten().filter_map(|change| match change {
            SpecChange::Trace(file) => Some(file),
            SpecChange::Known(_) => None,
        });
        let read = named.filter_map(|file| Some((file.at, load(file, base, problems)?)));
        Traces(read.collect())
    }
}

fn load(named: &NamedFile, base: &Path, problems: &Problems) -> Option<DeliveryTrace> {
    let path = base.join(&named.file);
    let text = fs::read_to_string(&path).map_err(|error| error.to_string());
    let trace = text.and_then(|text| DeliveryTrace::parse(&text).map_err(|it| it.to_string()));
    let report = |reason| {
        let message = format!(
            "{} cannot be the trace: {reason}; write the path of a file with a time in \
             milliseconds on each line, relative to the scenario",
            path.display()
        );
        problems.add(Some(named.at), named.path.clone(), message);
    };
    trace.map_err(report).ok()
}

/// What happens to the links of the group at this place.
pub(crate) fn of_group(
    place: usize,
    events: &[NetworkEvent],
    cross: &[SpecCross],
    traces: &Traces,
) -> NetworkPlan {
    let mut plan = NetworkPlan::default();
    for event in events.iter().filter(|event| event.group == place) {
        match &event.what {
            NetworkChange::Handover(link) => plan.handovers.push(Handover {
                at: event.at,
                link: link.value,
                link_label: link.label.clone(),
                changes: LinkChanges::default(),
            }),
            NetworkChange::Pipes { up, down } => {
                let last = plan
                    .handovers
                    .last_mut()
                    .map(|handover| &mut handover.changes);
                let changes = last.unwrap_or(&mut plan.changes);
                let at = Time::ZERO + event.at;
                let known = |change| known(change, at, traces);
                changes.up.extend(up.iter().filter_map(known));
                changes.down.extend(down.iter().filter_map(known));
            }
        }
    }
    for flows in cross.iter().filter(|flows| flows.group == place) {
        plan.cross.extend((0..flows.flows).map(|_| flows.traffic));
    }
    plan
}

/// `None` for a trace that could not be read, which is reported.
fn known(change: &SpecChange, at: Time, traces: &Traces) -> Option<PipeChange> {
    let what = match change {
        SpecChange::Known(change) => change.clone(),
        SpecChange::Trace(file) => Change::Trace(traces.0.get(&file.at)?.clone()),
    };
    Some(PipeChange { at, what })
}

/// Reports ramps that begin where there is no rate.
pub(crate) fn check_ramps(group: &Group, plan: &NetworkPlan, problems: &Problems) {
    let links = [(group.link.value, &plan.changes)].into_iter();
    let handovers = plan.handovers.iter().map(|it| (it.link, &it.changes));
    for (LinkConfig { up, down }, changes) in links.chain(handovers) {
        check_pipe(group, "up", up, &changes.up, problems);
        check_pipe(group, "down", down, &changes.down, problems);
    }
}

fn check_pipe(
    group: &Group,
    way: &str,
    pipe: PipeConfig,
    changes: &[PipeChange],
    problems: &Problems,
) {
    let mut rate = pipe.rate_bps;
    for change in changes {
        match change.what {
            Change::Rate { over, .. } if !over.is_zero() && rate.is_none() => {
                let (name, at) = (&group.name, (change.at - Time::ZERO).as_secs_f64());
                let message = format!(
                    "the ramp of {name:?} at {at} s has no {way} rate to begin with; write one \
                     before it, or drop `ramp`"
                );
                problems.add(None, "network".to_owned(), message);
            }
            Change::Rate { to_bps, .. } => rate = to_bps,
            Change::Trace(_) => rate = None,
            _ => {}
        }
    }
}
