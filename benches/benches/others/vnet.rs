//! UDP in the `vnet` of `webrtc-util`: through one NAT, without link rates, which it lacks.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use benches::world::PAYLOAD_BYTES;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;
use webrtc_util::vnet::nat::{EndpointDependencyType, NatType};
use webrtc_util::vnet::net::{Net, NetConfig};
use webrtc_util::vnet::router::{Nic, Router, RouterConfig};
use webrtc_util::{Conn, Error};

/// Packets on the way at once; a connection drops from 1,024 on.
const WINDOW: u64 = 100;

const EXTERNAL: &str = "198.18.0.1";
const SENDER: &str = "192.168.1.2:4000";
const RECEIVER: &str = "198.18.0.2:4000";

/// A host behind a port-restricted NAT that sends to a host on the internet.
pub struct Vnet {
    runtime: Runtime,
    call: Call,
}

/// Two connected hosts, and what stops when it is dropped: their networks.
struct Call {
    sender: Arc<dyn Conn + Send + Sync>,
    receiver: Arc<dyn Conn + Send + Sync>,
    _routers: [Arc<Mutex<Router>>; 2],
    _hosts: [Net; 2],
}

impl Vnet {
    /// The two hosts, on a single-threaded runtime.
    pub fn new() -> Self {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("the system has room for a runtime");
        let call = runtime.block_on(Call::new()).expect("addresses are free");
        Vnet { runtime, call }
    }

    /// Sends and reads `packets` packets. Routers sleep at times on the way, so the wall time is
    /// longer than the CPU time.
    pub fn exchange(&mut self, packets: u64) {
        self.runtime
            .block_on(self.call.exchange(packets))
            .expect("the network is up");
    }
}

impl Call {
    async fn new() -> Result<Self, Error> {
        let wan = router("198.18.0.0/24", vec![], None)?;
        let nat_type = NatType {
            mapping_behavior: EndpointDependencyType::EndpointIndependent,
            filtering_behavior: EndpointDependencyType::EndpointAddrPortDependent,
            mapping_life_time: Duration::from_secs(300),
            ..NatType::default()
        };
        let lan = router("192.168.1.0/24", vec![EXTERNAL.into()], Some(nat_type))?;
        let (sender_net, sender_at) = host(&lan, SENDER).await?;
        let (receiver_net, receiver_at) = host(&wan, RECEIVER).await?;
        wan.lock().await.add_router(Arc::clone(&lan)).await?;
        lan.lock().await.set_router(Arc::clone(&wan)).await?;
        wan.lock().await.start().await?;
        Ok(Call {
            sender: sender_net.bind(sender_at).await?,
            receiver: receiver_net.bind(receiver_at).await?,
            _routers: [wan, lan],
            _hosts: [sender_net, receiver_net],
        })
    }

    async fn exchange(&self, packets: u64) -> Result<(), Error> {
        let to = self.receiver.local_addr()?;
        let mut payload = [0; PAYLOAD_BYTES];
        let mut left = packets;
        while left > 0 {
            let window = left.min(WINDOW);
            for _ in 0..window {
                self.sender.send_to(&payload, to).await?;
            }
            for _ in 0..window {
                self.receiver.recv_from(&mut payload).await?;
            }
            left -= window;
        }
        Ok(())
    }
}

fn router(
    cidr: &str,
    static_ips: Vec<String>,
    nat_type: Option<NatType>,
) -> Result<Arc<Mutex<Router>>, Error> {
    let config = RouterConfig {
        cidr: cidr.into(),
        static_ips,
        nat_type,
        ..RouterConfig::default()
    };
    Ok(Arc::new(Mutex::new(Router::new(config)?)))
}

async fn host(router: &Arc<Mutex<Router>>, at: &str) -> Result<(Net, SocketAddr), Error> {
    let at: SocketAddr = at.parse().expect("a literal endpoint");
    let net = Net::new(Some(NetConfig {
        static_ips: vec![at.ip().to_string()],
        ..NetConfig::default()
    }));
    let nic = net.get_nic()?;
    router.lock().await.add_net(Arc::clone(&nic)).await?;
    nic.lock().await.set_router(Arc::clone(router)).await?;
    Ok((net, at))
}
