//! The computers that scenarios know by name.
//!
//! A core's speed is relative to the machine of the [`reference`](crate::costs) profile, a virtual
//! core of a shared AMD EPYC server (Zen 3 class, about 1,500 points in Geekbench 6, single core).
//! The others are ratios of such scores, as browser.geekbench.com lists them by processor, rounded
//! to what they are worth: single-core scores compare short bursts of mixed work, not minutes of
//! software codecs, and spread by a third within a class. They are estimates. Who knows the
//! computer in question writes its `cores` and `speed`.
//!
//! Codecs run in software here, on every device. Phones and laptops that leave H.264 to hardware
//! encode a few streams for nearly nothing, and no more than a few.

use crate::plan::Device;

/// Name, cores, speed of one core.
const PRESETS: [(&str, u32, f64); 8] = [
    // A mid-range Android phone (Snapdragon 7 class, about 1,000 to 1,100 points): 0.7 of the
    // reference, of which 0.6 is left when it is warm (an estimate). Four of the eight cores are
    // worth counting: the little ones are a third as fast.
    ("phone", 4, 0.6),
    // A business laptop of some years (four cores of 15 W, 1,300 to 1,900 points in a burst):
    // about the reference, over a whole call (an estimate).
    ("laptop", 4, 1.0),
    // A six-core desktop (Ryzen 5 5600, Core i5-12400: 2,000 to 2,300 points): 1.4.
    ("desktop", 6, 1.4),
    // Instances of a cloud, by their virtual cores, each of which is one of the reference's.
    ("server-2", 2, 1.0),
    ("server-4", 4, 1.0),
    ("server-8", 8, 1.0),
    ("server-16", 16, 1.0),
    ("server-32", 32, 1.0),
];

/// The names of all presets, from the smallest computer of a person to the largest server.
pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
    PRESETS.iter().map(|(name, ..)| *name)
}

/// The computer called `name`.
pub(crate) fn preset(name: &str) -> Option<Device> {
    let (name, cores, speed) = *PRESETS.iter().find(|(known, ..)| *known == name)?;
    Some(Device {
        label: name.to_owned(),
        cores,
        speed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_of_plans_are_presets() {
        assert_eq!(preset("laptop"), Some(Device::default()));
        assert_eq!(preset("server-4"), Some(Device::server()));
    }

    /// A server's name says its cores, and each is one of the machine that costs are told for.
    #[test]
    fn servers_are_what_their_names_say() {
        for name in names() {
            if let Some(cores) = name.strip_prefix("server-") {
                let server = preset(name).unwrap();
                assert_eq!(
                    (server.cores.to_string().as_str(), server.speed),
                    (cores, 1.0)
                );
            }
        }
    }
}
