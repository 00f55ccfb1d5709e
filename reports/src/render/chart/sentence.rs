//! Sentences about charts, derived from their figures.

/// Which end of a scale is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Better {
    Less,
    More,
}

/// What is compared, and how its figures are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    /// Begins the sentence, such as `Uplink of a participant`.
    pub name: &'static str,
    /// Follows every figure.
    pub unit: &'static str,
    pub decimals: usize,
    pub better: Better,
}

/// A topology with its figures by number of participants, ascending.
pub(super) type Curve<'a> = (&'a str, Vec<(u32, f64)>);

/// How topologies compare at the largest size that most of them have a figure for, and from which
/// size on that is so; of one topology, how it grows. `None` without figures.
pub(super) fn compare(subject: &Subject, curves: &[Curve]) -> Option<String> {
    let sizes = curves
        .iter()
        .flat_map(|(_, points)| points)
        .map(|&(size, _)| size);
    let size = sizes.max_by_key(|&size| (ranked(subject, curves, size).len(), size))?;
    match ranked(subject, curves, size).as_slice() {
        [(curve, _)] => Some(growth(subject, curve)),
        [best, .., worst] => Some(contrast(subject, size, *best, *worst)),
        [] => None,
    }
}

/// The curves with a figure at this size, the best first.
fn ranked<'a>(subject: &Subject, curves: &'a [Curve], size: u32) -> Vec<(&'a Curve<'a>, f64)> {
    let at_size = |curve: &'a Curve| Some((curve, figure(curve, size)?));
    let mut ranked: Vec<_> = curves.iter().filter_map(at_size).collect();
    ranked.sort_by(|(_, a), (_, b)| match subject.better {
        Better::Less => a.total_cmp(b),
        Better::More => b.total_cmp(a),
    });
    ranked
}

fn figure((_, points): &Curve, size: u32) -> Option<f64> {
    points
        .iter()
        .find(|&&(known, _)| known == size)
        .map(|&(_, figure)| figure)
}

fn growth(subject: &Subject, (topology, points): &Curve) -> String {
    let at = |&(size, value): &(u32, f64)| format!("{} at N = {size}", subject.written(value));
    match points.as_slice() {
        [first, .., last] => {
            format!(
                "{} in {topology}: {}, {}.",
                subject.name,
                at(first),
                at(last)
            )
        }
        points => {
            let all: Vec<String> = points.iter().map(at).collect();
            format!("{} in {topology}: {}.", subject.name, all.join(", "))
        }
    }
}

fn contrast(
    subject: &Subject,
    size: u32,
    (best, good): (&Curve, f64),
    (worst, bad): (&Curve, f64),
) -> String {
    let (good, bad) = (subject.written(good), subject.written(bad));
    if good == bad {
        return format!("{} at N = {size}: {good} in every topology.", subject.name);
    }
    let (first, last) = match subject.better {
        Better::Less => ("least", "most"),
        Better::More => ("best", "worst"),
    };
    let crossing = crossing(subject, best, worst, size).map(|(from, relation)| {
        format!(" {} is {relation} {} from N = {from} on.", best.0, worst.0)
    });
    format!(
        "{} at N = {size}: {first} in {} ({good}), {last} in {} ({bad}).{}",
        subject.name,
        best.0,
        worst.0,
        crossing.unwrap_or_default()
    )
}

/// The size from which `best` stays better than `worst`, if it is not so from the smallest on.
fn crossing(
    subject: &Subject,
    best: &Curve,
    worst: &Curve,
    size: u32,
) -> Option<(u32, &'static str)> {
    let both = best
        .1
        .iter()
        .filter_map(|&(at, a)| Some((at, a, figure(worst, at)?)));
    let both: Vec<_> = both.take_while(|&(at, _, _)| at <= size).collect();
    let (is_better, relation): (fn(f64, f64) -> bool, _) = match subject.better {
        Better::Less => (|a, b| a < b, "below"),
        Better::More => (|a, b| a > b, "above"),
    };
    let before = both.iter().rposition(|&(_, a, b)| !is_better(a, b))?;
    Some((both.get(before + 1)?.0, relation))
}

impl Subject {
    /// A figure with its unit.
    pub(super) fn written(&self, value: f64) -> String {
        let decimals = self.decimals;
        format!("{value:.decimals$} {}", self.unit)
            .trim_end()
            .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPLINK: Subject = Subject {
        name: "Uplink",
        unit: "kbps",
        decimals: 0,
        better: Better::Less,
    };

    #[test]
    fn topologies_are_compared_where_most_have_figures() {
        // At 8 only the mesh has a figure; at 4, where both do, 700 < 2100. At 2 the SFU is not
        // below (700 = 700), at 3 it is (700 < 1400), and stays so.
        let mesh = (
            "mesh",
            vec![(2, 700.0), (3, 1_400.0), (4, 2_100.4), (8, 4_900.0)],
        );
        let sfu = ("sfu", vec![(2, 700.0), (3, 700.0), (4, 700.0)]);
        assert_eq!(
            compare(&UPLINK, &[mesh.clone(), sfu]).unwrap(),
            "Uplink at N = 4: least in sfu (700 kbps), most in mesh (2100 kbps). sfu is below mesh \
             from N = 3 on."
        );
        assert_eq!(
            compare(&UPLINK, &[mesh]).unwrap(),
            "Uplink in mesh: 700 kbps at N = 2, 4900 kbps at N = 8."
        );
        assert_eq!(compare(&UPLINK, &[]), None);
        assert_eq!(compare(&UPLINK, &[("mesh", vec![])]), None);
    }

    #[test]
    fn more_is_better_where_it_is() {
        let psnr = Subject {
            name: "PSNR",
            unit: "dB",
            decimals: 1,
            better: Better::More,
        };
        let curves = [("mesh", vec![(2, 41.0)]), ("mcu", vec![(2, 36.0)])];
        let expected = "PSNR at N = 2: best in mesh (41.0 dB), worst in mcu (36.0 dB).";
        assert_eq!(compare(&psnr, &curves).unwrap(), expected);
        // What is written the same is the same.
        let curves = [("mesh", vec![(2, 41.01)]), ("mcu", vec![(2, 41.04)])];
        let expected = "PSNR at N = 2: 41.0 dB in every topology.";
        assert_eq!(compare(&psnr, &curves).unwrap(), expected);
    }
}
