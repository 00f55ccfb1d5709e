//! What went over data channels.

use std::collections::BTreeMap;

use reports::Distribution;
use sim::Time;

/// A channel: a workload from one host to another, which may be a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChannelKey {
    /// The workload's place in the plan.
    pub workload: usize,
    /// Who sends over it.
    pub from: u16,
    /// Who receives over it.
    pub to: u16,
}

/// A workload from the participant that sends it to one that receives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeliveryKey {
    /// The workload's place in the plan.
    pub workload: usize,
    /// Whose messages.
    pub sender: u16,
    /// Who got them.
    pub receiver: u16,
}

/// Everything about data channels.
#[derive(Debug, Default)]
pub struct DataLog {
    /// By channel.
    pub channels: BTreeMap<ChannelKey, ChannelLog>,
    /// By sender and receiver.
    pub deliveries: BTreeMap<DeliveryKey, Delivery>,
}

/// What a host wrote into a channel.
#[derive(Debug, Default)]
pub struct ChannelLog {
    /// When it opened first.
    pub opened: Option<Time>,
    /// Every message of the host's own, in order.
    pub sent: Vec<Sent>,
    /// Messages of its own that it left out because the channel was full.
    pub skipped: u64,
    /// The most bytes that waited in it.
    pub buffered_max: u64,
}

/// A message that was sent.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// When it was made.
    pub at: Time,
    /// How long it is, with its header.
    pub bytes: u32,
}

/// A message that arrived.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// When it was made.
    pub made: Time,
    /// When it was there.
    pub at: Time,
    /// How long it is, with its header.
    pub bytes: u64,
    /// Bytes of what it is there for.
    pub content: u64,
    /// Of what completes a file: whether that is what was sent.
    pub intact: Option<bool>,
}

/// What came of a sender's messages to a receiver.
#[derive(Debug, Default)]
pub struct Delivery {
    /// Messages that arrived.
    pub messages: u64,
    /// Their bytes, with headers.
    pub bytes: u64,
    /// Bytes of what they are there for.
    pub content: u64,
    /// Messages that a server left out because the receiver's channel was full.
    pub left_out: u64,
    /// When the first of them was made, and the last one was there.
    pub span: Option<(Time, Time)>,
    /// From made to there, us.
    pub latency_us: Distribution,
    /// How old what the receiver knows is.
    pub age: Age,
    /// When a file was complete, and whether it is what was sent.
    pub complete: Option<(Time, bool)>,
}

/// The age of information: at any time, how long ago the newest message that has arrived was made
/// (Kaul, Yates, Gruteser: Real-time status, 2012).
#[derive(Clone, Debug, Default)]
pub struct Age {
    first: Option<Time>,
    /// When the newest message was there, and when it was made.
    newest: Option<(Time, Time)>,
    /// The integral of the age up to then, ns².
    area: f64,
    /// The age just before each newer message, us.
    pub peak_us: Distribution,
}

impl DataLog {
    /// A channel, to add to.
    pub fn channel(&mut self, key: ChannelKey) -> &mut ChannelLog {
        self.channels.entry(key).or_default()
    }

    /// A message arrived.
    pub fn arrived(&mut self, key: DeliveryKey, arrival: Arrival) {
        let delivery = self.deliveries.entry(key).or_default();
        let Arrival { made, at, .. } = arrival;
        delivery.messages += 1;
        delivery.bytes += arrival.bytes;
        delivery.content += arrival.content;
        let first = delivery.span.map_or(made, |(first, _)| first.min(made));
        delivery.span = Some((first, at));
        delivery.latency_us.record(us(made, at));
        delivery.age.update(made, at);
        let complete = arrival.intact.map(|intact| (at, intact));
        delivery.complete = delivery.complete.or(complete);
    }

    /// A server left a message out.
    pub fn left_out(&mut self, key: DeliveryKey) {
        self.deliveries.entry(key).or_default().left_out += 1;
    }
}

impl Age {
    fn update(&mut self, made: Time, at: Time) {
        match self.newest {
            None => self.first = Some(at),
            // What is older than what is known tells nothing.
            Some((_, known)) if made <= known => return,
            Some((since, known)) => {
                self.area += area(since, at, known);
                self.peak_us.record(us(known, at));
            }
        }
        self.newest = Some((at, made));
    }

    /// The mean over time from the first message to `end`, in ms; `None` if there is no such time.
    pub fn mean_ms(&self, end: Time) -> Option<f64> {
        let (first, (since, known)) = (self.first?, self.newest?);
        let end = end.max(since);
        let span = (end - first).as_nanos() as f64;
        let area = self.area + area(since, end, known);
        (span > 0.0).then(|| area / span / 1e6)
    }
}

/// The integral over `from..to` of the time since `made`, ns².
fn area(from: Time, to: Time, made: Time) -> f64 {
    let [a, b] = [from, to].map(|time| (time - made).as_nanos() as f64);
    (b - a) * (a + b) / 2.0
}

fn us(from: Time, to: Time) -> u64 {
    (to.saturating_since(from).as_nanos() as u64 + 500) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn age(messages: &[(u64, u64)]) -> Age {
        let mut age = Age::default();
        for &(made, at) in messages {
            age.update(Time::from_millis(made), Time::from_millis(at));
        }
        age
    }

    /// Every 20 ms, 30 ms on the way: the age rises from 30 to 50, so it is 40 in the mean, and 50
    /// just before each news.
    #[test]
    fn news_at_equal_intervals_are_as_old_as_their_way_and_half_an_interval() {
        let messages: Vec<_> = (0..10).map(|n| (20 * n, 20 * n + 30)).collect();
        let age = age(&messages);
        let mean = age.mean_ms(Time::from_millis(20 * 10 + 30)).unwrap();
        assert!((mean - 40.0).abs() < 1e-9, "{mean}");
        assert_eq!(age.peak_us.count(), 9);
        assert_eq!(age.peak_us.mean(), Some(50_000.0));
    }

    /// The message made at 20 overtakes the one made at 10, which then tells nothing: 0 is known
    /// from 5 to 25, 20 from there on, so the age rises from 5 to 25, and from 5 to 15.
    #[test]
    fn what_is_older_than_what_is_known_does_not_count() {
        let age = age(&[(0, 5), (20, 25), (10, 28)]);
        let mean = age.mean_ms(Time::from_millis(35)).unwrap();
        assert!(
            (mean - (20.0 * 15.0 + 10.0 * 10.0) / 30.0).abs() < 1e-9,
            "{mean}"
        );
        assert_eq!(age.peak_us.mean(), Some(25_000.0));
    }

    #[test]
    fn nothing_has_no_age() {
        assert_eq!(age(&[]).mean_ms(Time::from_millis(9)), None);
        assert_eq!(age(&[(0, 5)]).mean_ms(Time::from_millis(5)), None);
    }
}
