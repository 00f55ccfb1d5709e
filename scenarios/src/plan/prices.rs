//! What servers cost.

use serde::Serialize;

/// What a call is charged for its servers, in one currency.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prices {
    /// What the prices are in, for tables: a code such as `USD`.
    pub currency: String,
    /// Per 10^9 bytes that the SFU or MCU sends, counted at the IP layer.
    pub egress_per_gb: f64,
    /// Per 10^9 bytes that the TURN server sends, counted likewise.
    pub relay_per_gb: f64,
    /// Per hour of one modelled core in use, of the SFU or MCU and of the TURN server.
    pub vcpu_hour: f64,
}

impl Default for Prices {
    /// List prices of Amazon EC2 in us-east-1, on demand: 0.09 USD per GB to the internet in the
    /// first tier, also for a TURN server there; a c5.large has two vCPUs for 0.085 USD an hour.
    ///
    /// Source: <https://aws.amazon.com/ec2/pricing/on-demand/>.
    fn default() -> Self {
        Prices {
            currency: "USD".to_owned(),
            egress_per_gb: 0.09,
            relay_per_gb: 0.09,
            vcpu_hour: 0.0425,
        }
    }
}
