//! Who takes part in a run.

use std::sync::Arc;

use scenarios::Plan;
use sim::{SimRuntime, Simulation};
use tokio::sync::mpsc;

use super::RunError;
use super::devices::start_devices;
use super::observers::Observers;
use crate::client;
use crate::member::{Access, Command};
use crate::peer::Context;
use crate::peer::capture::Capture;
use crate::server;
use crate::world::{self, Hosts, Servers, SimConnector, SimEnvironment};

/// How each participant is told to report.
pub type Commands = Vec<mpsc::UnboundedSender<Command>>;

/// Starts every participant, and the media server if there is one.
pub fn start_peers(
    world: &Simulation,
    plan: &Plan,
    hosts: &Hosts,
    servers: &Servers,
    observers: &Observers,
) -> Result<Commands, RunError> {
    let shared_plan = Arc::new(plan.clone());
    let context = |index: u16, runtime: &SimRuntime| Context {
        environment: Arc::new(SimEnvironment::new(runtime.clone(), plan)),
        plan: Arc::clone(&shared_plan),
        index,
        observatory: Arc::clone(&observers.observatory),
        capture: Arc::new(Capture::default()),
        estimates: Arc::default(),
    };
    let mut commands = Vec::new();
    for (participant, host) in plan.participants.iter().zip(&hosts.participants) {
        let runtime = world.runtime(*host);
        let context = context(participant.index, &runtime);
        if plan.is_watched(participant.index) {
            start_devices(&context, participant)?;
        }
        let (sender, receiver) = mpsc::unbounded_channel();
        let leave = sender.downgrade();
        commands.push(sender);
        let environment = Arc::clone(&context.environment);
        let life = client::follow_schedule(context, access(servers, runtime), receiver, leave);
        environment.runtime().spawn(Box::pin(life));
    }
    if let Some(host) = hosts.media {
        let runtime = world.runtime(host);
        let context = context(world::media_server(plan), &runtime);
        let (sender, receiver) = mpsc::unbounded_channel();
        commands.push(sender);
        let environment = Arc::clone(&context.environment);
        let life = server::serve(context, access(servers, runtime), receiver);
        environment.runtime().spawn(Box::pin(life));
    }
    Ok(commands)
}

fn access(servers: &Servers, runtime: SimRuntime) -> Access {
    Access {
        ice: servers.ice.clone(),
        signaling: Arc::new(SimConnector(runtime)),
    }
}
