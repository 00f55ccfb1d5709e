//! What a link is: one pipe each way, each a rate, a buffer, a delay, jitter and loss.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An access link: the pipe from the host to the network and the pipe back.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Default)]
pub struct LinkConfig {
    /// From the host to the network.
    pub up: PipeConfig,
    /// From the network to the host.
    pub down: PipeConfig,
}

impl LinkConfig {
    /// The same pipe both ways.
    pub const fn symmetric(pipe: PipeConfig) -> Self {
        LinkConfig {
            up: pipe,
            down: pipe,
        }
    }
}

/// One direction of a link. The default is ideal: infinitely fast, no delay, no loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Default)]
pub struct PipeConfig {
    /// Bits per second at the IP layer; `None` takes no time to serialise.
    pub rate_bps: Option<u64>,
    /// Bytes that may wait for or be in transmission, at least 1,500; what comes beyond that is
    /// dropped. `None` is unbounded. Only with a rate, since packets wait for nothing else.
    pub buffer_bytes: Option<u64>,
    /// What keeps the buffer short, beside that limit.
    #[serde(default)]
    pub queue: Queue,
    /// Propagation delay, after serialisation.
    pub delay: Duration,
    /// Random extra delay.
    pub jitter: JitterConfig,
    /// Random loss, after serialisation: a lost packet has used its share of the rate.
    pub loss: LossConfig,
}

/// The discipline of a buffer: first in, first out in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Queue {
    /// Nothing but its limit.
    #[default]
    DropTail,
    /// Packets that wait too long for too long are dropped from its head (RFC 8289), with a target
    /// of 5 ms and an interval of 100 ms.
    Codel,
    /// The same, but that packets of senders who understand it are marked where they would be
    /// dropped (RFC 3168 section 5).
    CodelEcn,
}

/// Random extra delay on top of the propagation delay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Default)]
pub struct JitterConfig {
    /// The standard deviation of the extra delay, which is the absolute value of a normal
    /// variate truncated at four standard deviations; zero turns jitter off.
    pub std: Duration,
    /// What happens when a later packet draws a smaller delay.
    pub reorder: Reorder,
}

/// Whether jitter may change the order of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Reorder {
    /// A packet never arrives before one that was sent earlier on the same pipe: it waits.
    #[default]
    Preserve,
    /// Packets arrive when their own delay says.
    Allow,
}

/// Random loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum LossConfig {
    /// No packet is lost.
    #[default]
    None,
    /// Every packet is lost with the same probability (0 to 1), independently.
    Bernoulli {
        /// The probability.
        probability: f64,
    },
    /// Gilbert (1960) and Elliott (1963): a two-state Markov chain. Each packet is lost or not
    /// according to the state that the chain is in, and then the chain takes one step.
    GilbertElliott {
        /// Probability of going from good to bad, per packet (0 to 1).
        good_to_bad: f64,
        /// Probability of going from bad to good, per packet (0 to 1).
        bad_to_good: f64,
        /// Probability of loss in the good state (0 to 1).
        loss_good: f64,
        /// Probability of loss in the bad state (0 to 1).
        loss_bad: f64,
    },
}
