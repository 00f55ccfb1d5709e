//! The way of a frame that was shown: from capture to render, in parts that add up.

use sim::Time;

use super::Observations;
use super::frames::{Frame, HopKey};
use super::shown::Shown;

/// When the frame was captured, and where each part of its way ended, in order.
///
/// Parts of every topology:
/// - `encode`: from capture to the encoded frame; for audio, the 20 ms of sound of a packet.
/// - `pacing`: to the last packet's departure from the sender's host.
/// - `network`: the last hop, to the last packet's arrival at the receiver's host, repairs included.
/// - `jitter_buffer`: to the last packet's release.
/// - `decode`: to the decoded frame.
/// - `render`: to the display's or the loudspeaker's next tick.
///
/// Through a server, before `network`:
/// - `uplink`: to the last packet's arrival at the server.
/// - `forward`: to the last packet's departure from the SFU.
/// - `mcu_jitter_buffer`, `mcu_decode`: as above, in the MCU; `mcu_wait`: until mixing began;
///   `mcu_encode`: scaling, composing or mixing, and encoding; `mcu_pacing`: to the last packet's
///   departure.
#[derive(Clone, Debug, PartialEq)]
pub struct Journey {
    /// When it began.
    pub captured: Time,
    /// Each part with its end.
    pub ends: Vec<(&'static str, Time)>,
}

impl Journey {
    /// The way of a frame that was shown; `None` if an instant of it is unknown.
    pub fn of(observations: &Observations, sender: u16, shown: &Shown) -> Option<Self> {
        let last = observations.hop_frame(shown.hop, shown.timestamp)?;
        let mut journey = before_last_hop(observations, sender, shown, last)?;
        journey.ends.extend([
            ("network", last.arrived()?),
            ("jitter_buffer", last.assembled?),
            ("decode", last.decoded?),
            ("render", shown.at),
        ]);
        Some(journey)
    }

    /// The length of each part, ms.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let starts = std::iter::once(self.captured).chain(self.ends.iter().map(|(_, end)| *end));
        let ends = self.ends.iter();
        ends.zip(starts).map(|((name, end), start)| {
            let length = end.as_millis_f64() - start.as_millis_f64();
            (*name, length)
        })
    }
}

/// The way to the departure on the last hop.
fn before_last_hop(
    observations: &Observations,
    sender: u16,
    shown: &Shown,
    last: &Frame,
) -> Option<Journey> {
    let hop = shown.hop;
    if hop.from == sender {
        return Some(Journey {
            captured: last.captured,
            ends: vec![("encode", last.ready), ("pacing", last.departed()?)],
        });
    }
    let to_server = HopKey::first(sender, hop.from, hop.kind);
    if hop.source == sender {
        let to_server = to_server.on_layer(last.layer);
        let first = observations.hop_frame(to_server, shown.timestamp)?;
        let mut journey = to_the_server(first)?;
        journey.ends.push(("forward", last.departed()?));
        return Some(journey);
    }
    let part = last.mix.as_ref()?.parts.get(&sender)?;
    let first = observations.hop_frame(to_server, part.timestamp)?;
    let mut journey = to_the_server(first)?;
    journey.ends.extend([
        ("mcu_jitter_buffer", first.assembled?),
        ("mcu_decode", first.decoded?),
        ("mcu_wait", last.captured),
        ("mcu_encode", last.ready),
        ("mcu_pacing", last.departed()?),
    ]);
    Some(journey)
}

fn to_the_server(first: &Frame) -> Option<Journey> {
    Some(Journey {
        captured: first.captured,
        ends: vec![
            ("encode", first.ready),
            ("pacing", first.departed()?),
            ("uplink", first.arrived()?),
        ],
    })
}

/// When the frame of `sender` that was shown was captured.
pub fn captured(observations: &Observations, sender: u16, shown: &Shown) -> Option<Time> {
    let last = observations.hop_frame(shown.hop, shown.timestamp)?;
    if shown.hop.source == sender {
        return Some(last.captured);
    }
    let part = last.mix.as_ref()?.parts.get(&sender)?;
    let to_server = HopKey::first(sender, shown.hop.from, shown.hop.kind);
    Some(observations.hop_frame(to_server, part.timestamp)?.captured)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use reports::record::Kind;

    use super::super::shown::{Mix, Part};
    use super::*;

    fn at(ms: u64) -> Time {
        Time::from_millis(ms)
    }

    const SERVER: u16 = 9;

    fn shown(hop: HopKey) -> Shown {
        Shown {
            number: 7,
            at: at(160),
            hop,
            timestamp: 700,
            psnr_db: None,
            ssim: None,
            width: None,
        }
    }

    /// Two packets: the last one leaves at `departed` and arrives at `arrived`.
    fn frame(number: u32, captured: u64, ready: u64, departed: u64, arrived: u64) -> Frame {
        let mut frame = Frame::new(number, at(captured), at(ready));
        frame.departures = [(1, at(ready)), (2, at(departed))].into();
        frame.arrivals = [(2, at(arrived - 5)), (1, at(arrived))].into();
        frame
    }

    fn lengths(observations: &Observations, shown: &Shown) -> Vec<(&'static str, f64)> {
        let journey = Journey::of(observations, 0, shown).expect("every instant is known");
        let parts: Vec<_> = journey.parts().collect();
        let sum: f64 = parts.iter().map(|(_, length)| length).sum();
        assert_eq!(
            sum,
            shown.at.as_millis_f64() - journey.captured.as_millis_f64()
        );
        parts
    }

    #[test]
    fn in_a_mesh_a_frame_has_one_hop() {
        let hop = HopKey::first(0, 1, Kind::Video);
        let mut observations = Observations::default();
        let mut last = frame(7, 100, 102, 105, 141);
        observations.insert(hop, 700, last.clone());
        assert_eq!(Journey::of(&observations, 0, &shown(hop)), None);
        (last.assembled, last.decoded) = (Some(at(150)), Some(at(151)));
        observations.insert(hop, 700, last);
        // 160 - 100 = 60 ms = 2 + 3 + 36 + 9 + 1 + 9.
        let expected = [
            ("encode", 2.0),
            ("pacing", 3.0),
            ("network", 36.0),
            ("jitter_buffer", 9.0),
            ("decode", 1.0),
            ("render", 9.0),
        ];
        assert_eq!(lengths(&observations, &shown(hop)), expected);
    }

    #[test]
    fn through_an_sfu_it_has_two() {
        let up = HopKey::first(0, SERVER, Kind::Video);
        let down = HopKey {
            source: 0,
            from: SERVER,
            to: 1,
            kind: Kind::Video,
            layer: 0,
        };
        let mut observations = Observations::default();
        observations.insert(up, 700, frame(7, 100, 102, 105, 121));
        let mut last = frame(7, 100, 116, 123, 141);
        (last.assembled, last.decoded) = (Some(at(150)), Some(at(151)));
        observations.insert(down, 700, last);
        // 60 ms = 2 + 3 + 16 (105 to 121) + 2 (to 123) + 18 + 9 + 1 + 9.
        let expected = [
            ("encode", 2.0),
            ("pacing", 3.0),
            ("uplink", 16.0),
            ("forward", 2.0),
            ("network", 18.0),
            ("jitter_buffer", 9.0),
            ("decode", 1.0),
            ("render", 9.0),
        ];
        assert_eq!(lengths(&observations, &shown(down)), expected);
        assert_eq!(captured(&observations, 0, &shown(down)), Some(at(100)));
    }

    #[test]
    fn an_mcu_sends_frames_of_its_own() {
        let up = HopKey::first(0, SERVER, Kind::Video);
        let down = HopKey::first(SERVER, 1, Kind::Video);
        let mut observations = Observations::default();
        let mut first = frame(7, 50, 52, 55, 71);
        (first.assembled, first.decoded) = (Some(at(80)), Some(at(82)));
        observations.insert(up, 300, first);
        // Mixed frame 4, begun at 90 and encoded at 99.
        let mut last = frame(4, 90, 99, 101, 141);
        (last.assembled, last.decoded) = (Some(at(150)), Some(at(151)));
        let part = Part {
            timestamp: 300,
            rect: None,
        };
        let parts = [(0, part)].into();
        last.mix = Some(Arc::new(Mix { parts }));
        observations.insert(down, 700, last);
        // 110 ms = 2 + 3 + 16 + 9 + 2 + 8 (82 to 90) + 9 (to 99) + 2 + 40 + 9 + 1 + 9.
        let expected = [
            ("encode", 2.0),
            ("pacing", 3.0),
            ("uplink", 16.0),
            ("mcu_jitter_buffer", 9.0),
            ("mcu_decode", 2.0),
            ("mcu_wait", 8.0),
            ("mcu_encode", 9.0),
            ("mcu_pacing", 2.0),
            ("network", 40.0),
            ("jitter_buffer", 9.0),
            ("decode", 1.0),
            ("render", 9.0),
        ];
        assert_eq!(lengths(&observations, &shown(down)), expected);
        assert_eq!(captured(&observations, 0, &shown(down)), Some(at(50)));
    }
}
