//! A participant: joins at its time, connects as its topology says, leaves at its time.

use std::sync::Arc;

use scenarios::{Plan, Topology};
use sim::Time;
use tokio::sync::mpsc;

use crate::data::{Role, with_data};
use crate::member::{self, Access, Command, Identity, Relations};
use crate::peer::Context;
use crate::peer::connection::Renegotiate;
use crate::peer::environment::sleep_until;
use crate::peer::media::Media;
use crate::peer::participant::ParticipantMedia;
use crate::{mesh, world};

/// Connects a participant to the one server of its call, to which it offers.
struct Central {
    context: Context,
}

impl Relations for Central {
    fn connects_to(&self, name: &str) -> Option<u16> {
        let plan = &self.context.plan;
        let server = world::media_role(plan)?.name();
        (name == server).then(|| world::media_server(plan))
    }

    fn offers_to(&self, _remote: u16, _newcomer: bool) -> bool {
        true
    }

    fn media(&self, remote: u16, _renegotiate: Renegotiate) -> Box<dyn Media> {
        let media = ParticipantMedia::new(self.context.clone(), remote);
        with_data(&self.context, remote, Role::Participant, Box::new(media))
    }
}

/// The relations that a participant has in its topology.
pub fn relations(context: &Context) -> Arc<dyn Relations> {
    let context = context.clone();
    match context.plan.topology {
        Topology::Mesh => Arc::new(mesh::Pairs::new(context)),
        Topology::Sfu | Topology::Mcu => Arc::new(Central { context }),
    }
}

/// Joins at the participant's time, and leaves at it, or when `commands` ends. `leave` leads to
/// `commands`; it is weak, so that it does not keep the call alive by itself.
pub async fn follow_schedule(
    context: Context,
    access: Access,
    commands: mpsc::UnboundedReceiver<Command>,
    leave: mpsc::WeakUnboundedSender<Command>,
) {
    let environment = Arc::clone(&context.environment);
    let me = participant(&context.plan, context.index).clone();
    sleep_until(environment.as_ref(), Time::ZERO + me.join).await;
    let now = environment.now();
    context.observatory.lock().calls.joins.insert(me.index, now);
    if let Some(at) = me.leave {
        environment.runtime().spawn(Box::pin(async move {
            sleep_until(environment.as_ref(), Time::ZERO + at).await;
            if let Some(commands) = leave.upgrade() {
                let _ = commands.send(Command::Leave);
            }
        }));
    }
    let relations = relations(&context);
    let identity = Identity {
        name: &me.name,
        incarnation: 0,
    };
    member::take_part(context, identity, relations, access, commands).await;
}

fn participant(plan: &Plan, index: u16) -> &scenarios::Participant {
    &plan.participants[usize::from(index)]
}
