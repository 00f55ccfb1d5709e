//! What an hour of a call costs in servers.

use super::figures::{hosts, kbps};
use crate::record::{CellRecord, HostRecord, Role};

/// 10^9 bytes that a rate of 1 kbps makes in an hour: 1,000 / 8 bytes in each of 3,600 s.
const GB_PER_KBPS_HOUR: f64 = 1_000.0 / 8.0 * 3_600.0 / 1e9;

/// What the SFU or MCU and the TURN server cost in an hour that is as the measured window: what
/// they send, and the modelled cores that they use. Signalling and what comes in are free.
///
/// `None` where there is no such server, or the cores of one are not known: a part is not a price.
pub(super) fn per_hour(record: &CellRecord) -> Option<f64> {
    let prices = record.prices.as_ref()?;
    let host = |host: &HostRecord| {
        let sent = kbps(record, host.window_up.bytes)? * GB_PER_KBPS_HOUR;
        let per_gb = match host.role {
            Role::Turn => prices.relay_per_gb,
            _ => prices.egress_per_gb,
        };
        Some(sent * per_gb + host.cpu_cores_mean? * prices.vcpu_hour)
    };
    let charged = hosts(record, &[Role::Turn, Role::Sfu, Role::Mcu]).map(host);
    charged.reduce(|sum, price| Some(sum? + price?)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::cell;

    fn turn(record: &mut CellRecord) -> &mut HostRecord {
        record.hosts.last_mut().expect("TURN is the last host")
    }

    #[test]
    fn what_is_sent_and_the_cores_in_use_are_charged() {
        // The TURN server sends 612,500 B in 10 s: 220.5 MB an hour, at 0.40 a GB 0.0882. Half a
        // core at 0.05 an hour is 0.025.
        let mut relayed = cell();
        turn(&mut relayed).cpu_cores_mean = Some(0.5);
        let found = per_hour(&relayed).unwrap();
        assert!((found - 0.1132).abs() < 1e-12, "{found}");

        // An SFU that sends and computes as much: 0.2205 GB at 0.10 and as many cores, 0.04705.
        let mut server = turn(&mut relayed).clone();
        server.role = Role::Sfu;
        relayed.hosts.push(server);
        let found = per_hour(&relayed).unwrap();
        assert!((found - 0.16025).abs() < 1e-12, "{found}");
    }

    #[test]
    fn without_all_cores_there_is_no_price() {
        // The fixture's TURN server has no modelled CPU; with a server beside it that has one,
        // the sum is still unknown, in whichever order they are.
        let mut record = cell();
        assert_eq!(per_hour(&record), None);
        let mut server = turn(&mut record).clone();
        (server.role, server.cpu_cores_mean) = (Role::Mcu, Some(1.0));
        record.hosts.push(server.clone());
        assert_eq!(per_hour(&record), None);
        record.hosts.pop();
        record.hosts.insert(0, server);
        assert_eq!(per_hour(&record), None);
        // Nobody to be paid.
        record.hosts.retain(|host| host.role == Role::Client);
        assert_eq!(per_hour(&record), None);
    }
}
