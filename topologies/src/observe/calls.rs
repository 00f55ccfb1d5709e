//! Joins and the set-up of connections.

use std::collections::BTreeMap;
use std::time::Duration;

use reports::record::Phases;
use sim::Time;

/// Who joined when, and how far each end of each connection came.
#[derive(Debug, Default)]
pub struct CallLog {
    /// When each participant began to join.
    pub joins: BTreeMap<u16, Time>,
    /// One end of a connection, by its own participant and the other one.
    pub ends: BTreeMap<(u16, u16), EndLog>,
}

/// One end of a connection. Of repeated instants, the first one counts: it is the set-up.
#[derive(Clone, Debug, Default)]
pub struct EndLog {
    /// What gathering candidates added to signalling.
    pub gathering: Duration,
    /// When both descriptions were applied.
    pub negotiated: Option<Time>,
    /// When ICE was connected.
    pub ice_connected: Option<Time>,
    /// When DTLS was connected too.
    pub connected: Option<Time>,
    /// Types of the selected candidates, local and remote.
    pub candidates: Option<(String, String)>,
    /// What they are reached by: `udp` or `tcp`.
    pub transport: Option<String>,
}

impl CallLog {
    /// One end of a connection, to add to.
    pub fn end(&mut self, local: u16, remote: u16) -> &mut EndLog {
        self.ends.entry((local, remote)).or_default()
    }

    /// When the later of two participants began to join.
    pub fn later_join(&self, a: u16, b: u16) -> Option<Time> {
        Some(*self.joins.get(&a)?.max(self.joins.get(&b)?))
    }

    /// How long each phase of a connection's set-up took at one end.
    pub fn phases(&self, local: u16, remote: u16) -> Phases {
        let (Some(join), Some(end)) = (
            self.later_join(local, remote),
            self.ends.get(&(local, remote)),
        ) else {
            return Phases::default();
        };
        let ms = |span: Duration| span.as_secs_f64() * 1e3;
        let between = |from: Option<Time>, to: Option<Time>| {
            from.zip(to).map(|(from, to)| ms(to.saturating_since(from)))
        };
        let gathering_ms = end.negotiated.map(|_| ms(end.gathering));
        let negotiated_ms = between(Some(join), end.negotiated);
        Phases {
            signaling_ms: negotiated_ms
                .zip(gathering_ms)
                .map(|(all, part)| all - part),
            gathering_ms,
            ice_ms: between(end.negotiated, end.ice_connected),
            dtls_ms: between(end.ice_connected, end.connected),
            setup_ms: between(Some(join), end.connected),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_add_up_to_the_time_from_the_later_join() {
        let at = Time::from_millis;
        let mut calls = CallLog {
            joins: [(0, at(0)), (1, at(500))].into(),
            ..CallLog::default()
        };
        *calls.end(0, 1) = EndLog {
            gathering: Duration::from_millis(80),
            negotiated: Some(at(800)),
            ice_connected: Some(at(1_100)),
            connected: Some(at(1_250)),
            ..EndLog::default()
        };
        let phases = calls.phases(0, 1);
        // 800 - 500 = 300 ms of signalling and gathering, of which 80 gathered.
        assert_eq!(phases.signaling_ms, Some(220.0));
        assert_eq!(phases.gathering_ms, Some(80.0));
        assert_eq!(phases.ice_ms, Some(300.0));
        assert_eq!(phases.dtls_ms, Some(150.0));
        assert_eq!(phases.setup_ms, Some(750.0));
        assert_eq!(calls.phases(1, 0), Phases::default());
    }
}
