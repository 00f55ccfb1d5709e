//! Many tests at once.

/// In at most this share of comparisons without a change does any test find one.
pub const FALSE_ALARMS: f64 = 0.05;

/// Which of these probabilities are significant together, by Holm's method: with this, the chance
/// of any false alarm among all of them is at most [`FALSE_ALARMS`], however they hang together.
pub fn significant(probabilities: &[f64]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
    let mut found = vec![false; probabilities.len()];
    for (rank, &index) in order.iter().enumerate() {
        let left = (probabilities.len() - rank) as f64;
        if probabilities[index] * left > FALSE_ALARMS {
            break;
        }
        found[index] = true;
    }
    found
}
