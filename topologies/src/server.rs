//! The server that carries a call's media: an SFU or an MCU.

use std::sync::Arc;
use std::time::Duration;

use scenarios::{Event, Happening, Plan, Topology};
use sim::Time;
use tokio::sync::mpsc;

use crate::mcu::Mcu;
use crate::member::{self, Access, Command, Identity, Relations};
use crate::peer::Context;
use crate::peer::environment::sleep_until;
use crate::sfu::Sfu;
use crate::world;

/// Serves the call that `context` is in until nobody can tell it anything any more. It stops and
/// starts again as the plan's events say; what it knew is lost then.
///
/// # Panics
///
/// If the call's topology has no server.
pub async fn serve(
    context: Context,
    access: Access,
    mut commands: mpsc::UnboundedReceiver<Command>,
) {
    let now = context.environment.now();
    note_join(&context, now);
    let restarts: Vec<_> = restarts(&context.plan).cloned().collect();
    for (incarnation, restart) in (0..).zip(restarts.iter().map(Some).chain([None])) {
        let crash = restart.map(crash_at);
        if live(&context, &access, incarnation, &mut commands, crash).await == Ended::Told {
            return;
        }
        let Some(restart) = restart else { return };
        let up_again = Time::ZERO + restart.at + restart.lasts;
        sleep_until(context.environment.as_ref(), up_again).await;
    }
}

fn note_join(context: &Context, now: Time) {
    let mut observations = context.observatory.lock();
    observations.calls.joins.insert(context.index, now);
}

fn restarts(plan: &Plan) -> impl Iterator<Item = &Event> {
    let is_restart = |event: &&Event| event.what == Happening::ServerRestart;
    plan.events.iter().filter(is_restart)
}

/// The server's link is down from the event on, and a nanosecond later the server is, too: what it
/// would say as it goes, nobody hears.
fn crash_at(restart: &Event) -> Time {
    Time::ZERO + restart.at + Duration::from_nanos(1)
}

/// Why a server's life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// The call is over.
    Told,
    /// It crashed.
    Crashed,
}

/// One life of the server, until `crash` or until the commands end.
async fn live(
    context: &Context,
    access: &Access,
    incarnation: u32,
    commands: &mut mpsc::UnboundedReceiver<Command>,
    crash: Option<Time>,
) -> Ended {
    let role = world::media_role(&context.plan).expect("the call has a server");
    let identity = Identity {
        name: role.name(),
        incarnation,
    };
    let (told, heard) = mpsc::unbounded_channel();
    let relations = relations(context);
    let life = member::take_part(context.clone(), identity, relations, access.clone(), heard);
    let death = async {
        match crash {
            Some(at) => sleep_until(context.environment.as_ref(), at).await,
            None => std::future::pending().await,
        }
    };
    let (mut life, mut death) = (std::pin::pin!(life), std::pin::pin!(death));
    loop {
        tokio::select! {
            biased;
            command = commands.recv() => match command {
                // A life that is over needs to be told nothing.
                Some(command) => drop(told.send(command)),
                None => break,
            },
            () = &mut life => return Ended::Told,
            () = &mut death => {
                drop(told);
                life.await;
                return Ended::Crashed;
            }
        }
    }
    drop(told);
    life.await;
    Ended::Told
}

fn relations(context: &Context) -> Arc<dyn Relations> {
    match context.plan.topology {
        Topology::Sfu => Arc::new(Sfu::new(context.clone())),
        Topology::Mcu => Arc::new(Mcu::new(context.clone())),
        Topology::Mesh => unreachable!("a mesh has no server"),
    }
}
