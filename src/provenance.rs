//! Who ran what, where and when.

use std::env::{args_os, consts};
use std::fs;
use std::num::NonZeroUsize;
use std::time::{Duration, SystemTime};

use reports::Provenance;

/// The provenance of a run of this process, on this machine.
pub fn gather(started: SystemTime, wall: Duration) -> Provenance {
    Provenance {
        program: program(),
        profile: if cfg!(debug_assertions) {
            "debug"
        } else {
            "release"
        }
        .to_owned(),
        target: format!("{}-{}", consts::ARCH, consts::OS),
        host_os: host_os(),
        cpu_model: cpu_model(),
        cpus: cpus().get(),
        started: humantime::format_rfc3339_seconds(started).to_string(),
        command_line: args_os()
            .map(|word| word.to_string_lossy().into_owned())
            .collect(),
        wall_s: wall.as_secs_f64(),
    }
}

/// The program's name and version.
pub fn program() -> String {
    concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned()
}

/// How many CPUs this process may use; 1 if the system does not say.
pub fn cpus() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

fn host_os() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{} {}", consts::OS, release.trim())
        .trim_end()
        .to_owned()
}

/// As Linux tells it on most architectures.
fn cpu_model() -> Option<String> {
    let cpus = fs::read_to_string("/proc/cpuinfo").ok()?;
    let model = cpus.lines().find(|line| line.starts_with("model name"))?;
    Some(model.split_once(':')?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_rfc_3339() {
        // `date -u -d @1767225600` says 2026-01-01 00:00:00.
        let started = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        let provenance = gather(started, Duration::from_millis(1_500));
        assert_eq!(provenance.started, "2026-01-01T00:00:00Z");
        assert_eq!(provenance.wall_s, 1.5);
        assert!(provenance.host_os.starts_with(consts::OS));
    }
}
