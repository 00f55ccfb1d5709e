//! The model against the closed forms of queueing theory.

use rand::RngExt;

use super::*;
use crate::seed::Seed;

const WHOLE_RUN: (Time, Time) = (Time::ZERO, Time::from_nanos(u64::MAX));
const MS: Duration = Duration::from_millis(1);

fn cpu(cores: u32, speed: f64, backlog: Duration) -> Cpu {
    let config = CpuConfig {
        cores,
        speed,
        backlog,
        packet_send: Duration::ZERO,
        packet_receive: Duration::ZERO,
    };
    Cpu::new(config, WHOLE_RUN).unwrap()
}

#[test]
fn jobs_that_come_at_once_end_in_waves_of_as_many_as_there_are_cores() {
    // D/D/m: the k-th of the jobs of cost c that m cores get at once ends at ceil(k / m) * c.
    for cores in 1..6 {
        let mut cpu = cpu(cores, 1.0, Duration::MAX);
        for k in 1..=20_u32 {
            let end = cpu.admit(Time::ZERO, Work::Encode, 7 * MS);
            assert_eq!(end, Ok(Time::ZERO + 7 * MS * k.div_ceil(cores)), "{k}");
        }
        // All of it is busy time: 20 jobs of 7 ms on however many cores.
        assert_eq!(cpu.usage().busy()[&Work::Encode], 140 * MS);
    }
}

#[test]
fn random_arrivals_wait_as_long_as_in_an_m_d_1_queue() {
    // Pollaczek and Khinchine: with load r and fixed cost c, the mean wait is r * c / (2 (1 - r)).
    // At r = 1/2 and c = 1 ms that is 0.5 ms, with a standard deviation of 0.76 ms; waits are
    // correlated over some eight jobs, so the mean of 200,000 has a standard error of 1 %.
    let mut cpu = cpu(1, 1.0, Duration::MAX);
    let mut random = Seed(3).stream("arrivals");
    let (mut now, mut waited, jobs) = (Time::ZERO, Duration::ZERO, 200_000);
    for _ in 0..jobs {
        let uniform: f64 = random.random();
        now += Duration::from_secs_f64(-(1.0 - uniform).ln() * 2e-3);
        waited += cpu.admit(now, Work::Mix, MS).unwrap() - now - MS;
    }
    let mean_ms = waited.as_secs_f64() * 1e3 / f64::from(jobs);
    assert!((0.475..0.525).contains(&mean_ms), "{mean_ms} ms");
}

#[test]
fn speed_divides_costs() {
    // 6 ms at a speed of 0.25 are 24 ms, at 1.5 they are 4 ms, at 3 they are 2 ms.
    for (speed, ms) in [(0.25, 24), (1.5, 4), (3.0, 2)] {
        let end = cpu(1, speed, MS).admit(Time::from_millis(5), Work::Decode, 6 * MS);
        assert_eq!(end, Ok(Time::from_millis(5 + ms)));
    }
}

#[test]
fn work_is_refused_from_the_first_that_would_wait_longer_than_the_backlog() {
    // On two cores, job k (from 0) of 4 ms waits floor(k / 2) * 4 ms. Of a backlog of 20 ms the
    // jobs up to k = 11 wait no more than that, and k = 12 would wait 24 ms.
    let mut cpu = cpu(2, 1.0, 20 * MS);
    let mut admit = |at| cpu.admit(Time::from_millis(at), Work::Compose, 4 * MS);
    let admitted: Vec<_> = (0..16).map(|_| admit(0).is_ok()).collect();
    assert_eq!(admitted, [[true; 12].as_slice(), &[false; 4]].concat());
    // What was refused takes no time: 4 ms later, two more find a wait of just 20 ms.
    assert_eq!(admit(3), Err(Overloaded));
    assert_eq!(admit(4), Ok(Time::from_millis(28)));
    assert_eq!(admit(4), Ok(Time::from_millis(28)));
    assert_eq!(admit(4), Err(Overloaded));
    assert_eq!(cpu.usage().refused()[&Work::Compose], 6);
    assert_eq!(cpu.usage().busy()[&Work::Compose], 14 * 4 * MS);
}

#[test]
fn busy_time_is_cut_to_the_window_by_kind() {
    // The window is 10 to 20 ms. One core does: decoding 4 to 12 (2 ms inside), mixing 12 to 13
    // (1 ms), encoding 13 to 33 (7 ms), decoding 33 to 34 (none): 10 ms, all of the window.
    let mut cpu = cpu(1, 1.0, Duration::MAX);
    cpu.measure((Time::from_millis(10), Time::from_millis(20)));
    for (work, ms) in [
        (Work::Decode, 8),
        (Work::Mix, 1),
        (Work::Encode, 20),
        (Work::Decode, 1),
    ] {
        cpu.admit(Time::from_millis(4), work, ms * MS).unwrap();
    }
    let busy: Vec<_> = cpu.usage().busy().iter().map(|(w, d)| (*w, *d)).collect();
    let expected = [
        (Work::Encode, 7 * MS),
        (Work::Decode, 2 * MS),
        (Work::Mix, MS),
    ];
    assert_eq!(busy, expected);
}

#[test]
fn impossible_cpus_are_refused() {
    let config = |cores, speed| CpuConfig {
        cores,
        speed,
        ..cpu(1, 1.0, MS).config
    };
    let error = |config| Cpu::new(config, WHOLE_RUN).err();
    assert_eq!(error(config(0, 1.0)), Some(CpuError::NoCores));
    assert_eq!(error(config(1, 0.0)), Some(CpuError::Speed(0.0)));
    assert_eq!(error(config(1, -1.0)), Some(CpuError::Speed(-1.0)));
    assert!(matches!(
        error(config(1, f64::NAN)),
        Some(CpuError::Speed(_))
    ));
    assert_eq!(error(config(1, 0.1)), None);
}
