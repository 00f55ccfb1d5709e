//! The server that carries a call's media: an SFU or an MCU.

use std::sync::Arc;

use scenarios::Topology;
use tokio::sync::mpsc;

use crate::mcu::Mcu;
use crate::member::{self, Access, Command, Identity, Relations};
use crate::peer::Context;
use crate::sfu::Sfu;
use crate::world;

/// Serves the call that `context` is in until nobody can tell it anything any more.
///
/// # Panics
///
/// If the call's topology has no server.
pub async fn serve(context: Context, access: Access, commands: mpsc::UnboundedReceiver<Command>) {
    let role = world::media_role(&context.plan).expect("the call has a server");
    let now = context.environment.now();
    context
        .observatory
        .lock()
        .calls
        .joins
        .insert(context.index, now);
    let identity = Identity {
        name: role.name(),
        incarnation: 0,
    };
    let relations = relations(&context);
    member::take_part(context, identity, relations, access, commands).await;
}

fn relations(context: &Context) -> Arc<dyn Relations> {
    match context.plan.topology {
        Topology::Sfu => Arc::new(Sfu::new(context.clone())),
        Topology::Mcu => Arc::new(Mcu::new(context.clone())),
        Topology::Mesh => unreachable!("a mesh has no server"),
    }
}
