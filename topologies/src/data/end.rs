//! One end of a connection that has data channels beside what else it carries.

use std::sync::Arc;

use async_trait::async_trait;
use webrtc::data_channel::DataChannel;
use webrtc::error::Result;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::PeerConnection;
use webrtc::runtime::JoinHandle;

use super::outlet::Outlet;
use super::relay::Relay;
use super::streams::{Stream, init, streams};
use super::{sink, source};
use crate::observe::data::ChannelKey;
use crate::peer::Context;
use crate::peer::media::Media;

/// What an end does with messages.
#[derive(Clone)]
pub enum Role {
    /// A participant sends its own and takes those of others.
    Participant,
    /// A server passes them on.
    Relay(Arc<Relay>),
}

/// `media` and the data channels of the connection with `remote`, if the plan has any there.
pub fn with_data(
    context: &Context,
    remote: u16,
    role: Role,
    media: Box<dyn Media>,
) -> Box<dyn Media> {
    let streams = streams(&context.plan, context.index, remote);
    if streams.is_empty() {
        return media;
    }
    Box::new(DataEnd {
        context: context.clone(),
        remote,
        role,
        media,
        unopened: streams,
        outlets: Vec::new(),
        tasks: Vec::new(),
    })
}

/// Media and data channels.
struct DataEnd {
    context: Context,
    remote: u16,
    role: Role,
    media: Box<dyn Media>,
    /// The channels that the connection does not have yet: all of them, or none.
    unopened: Vec<Stream>,
    outlets: Vec<Arc<Outlet>>,
    tasks: Vec<Box<dyn JoinHandle>>,
}

impl DataEnd {
    /// Gives the connection its channels, before the first description.
    async fn open(&mut self, connection: &Arc<dyn PeerConnection>) -> Result<()> {
        for stream in std::mem::take(&mut self.unopened) {
            let data = &self.context.plan.data[stream.workload];
            let init = init(data, stream);
            let channel = connection
                .create_data_channel(&data.name, Some(init))
                .await?;
            match stream.outgoing {
                true => self.open_outgoing(stream.workload, channel).await?,
                false => self.open_incoming(stream.workload, channel),
            }
        }
        Ok(())
    }

    async fn open_outgoing(
        &mut self,
        workload: usize,
        channel: Arc<dyn DataChannel>,
    ) -> Result<()> {
        let context = self.context.clone();
        let data = &self.context.plan.data[workload];
        let key = ChannelKey {
            workload,
            from: context.index,
            to: self.remote,
        };
        let outlet = Arc::new(Outlet::new(context.clone(), key, channel, data).await?);
        self.spawn(Arc::clone(&outlet).follow());
        match &self.role {
            Role::Participant => self.spawn(source::run(context, Arc::clone(&outlet))),
            Role::Relay(relay) => relay.add(Arc::clone(&outlet)),
        }
        self.outlets.push(outlet);
        Ok(())
    }

    fn open_incoming(&mut self, workload: usize, channel: Arc<dyn DataChannel>) {
        match &self.role {
            Role::Participant => self.spawn(sink::run(self.context.clone(), workload, channel)),
            Role::Relay(relay) => {
                let relay = Arc::clone(relay);
                self.spawn(relay.run(workload, self.remote, channel));
            }
        }
    }

    fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        let runtime = self.context.environment.runtime();
        self.tasks.push(runtime.spawn(Box::pin(task)));
    }
}

#[async_trait]
impl Media for DataEnd {
    async fn before_offer(&mut self, connection: &Arc<dyn PeerConnection>) -> Result<()> {
        self.open(connection).await?;
        self.media.before_offer(connection).await
    }

    async fn before_answer(&mut self, connection: &Arc<dyn PeerConnection>) -> Result<()> {
        self.open(connection).await?;
        self.media.before_answer(connection).await
    }

    fn negotiated(&mut self, offered: bool) -> bool {
        self.media.negotiated(offered)
    }

    fn connected(&mut self) {
        self.media.connected();
    }

    async fn track(&mut self, track: Arc<dyn TrackRemote>) {
        self.media.track(track).await;
    }

    fn left(&mut self, source: u16) {
        self.media.left(source);
    }
}

impl Drop for DataEnd {
    fn drop(&mut self) {
        for outlet in &self.outlets {
            if let Role::Relay(relay) = &self.role {
                relay.remove(outlet);
            }
            outlet.close();
        }
        self.tasks.iter().for_each(|task| task.abort());
    }
}
