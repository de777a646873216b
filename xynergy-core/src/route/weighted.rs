use crate::env::Entropy;

/// Draws an order without replacement: each next place goes to one of the rest with the probability of its weight over theirs.
/// Those without weight follow in their own order. Beside it the probability of its first.
///
/// `draw` gives a whole number below the one that it is asked for, each as likely as the other.
pub(super) fn order(weights: &[u32], mut draw: impl FnMut(u64) -> u64) -> (Vec<usize>, f64) {
    let mut left: Vec<usize> = (0..weights.len()).collect();
    let mut order = Vec::with_capacity(left.len());
    let mut propensity = None;
    loop {
        let total: u64 = left.iter().map(|place| u64::from(weights[*place])).sum();
        if total == 0 {
            break;
        }
        let mut drawn = draw(total);
        let Some(at) = left.iter().position(|place| {
            let weight = u64::from(weights[*place]);
            let is_it = drawn < weight;
            drawn = drawn.saturating_sub(weight);
            is_it
        }) else {
            break;
        };
        let place = left.remove(at);
        #[allow(clippy::cast_precision_loss)] // A probability.
        propensity.get_or_insert(f64::from(weights[place]) / total as f64);
        order.push(place);
    }
    order.append(&mut left);
    (order, propensity.unwrap_or(1.0))
}

/// A whole number below `bound`, each as likely as the other to within `bound` of 2^64.
pub(super) fn below(entropy: &dyn Entropy, bound: u64) -> u64 {
    let scaled = (u128::from(entropy.next_u64()) * u128::from(bound)) >> 64;
    u64::try_from(scaled).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::env::SeededEntropy;

    fn drawn(entropy: &SeededEntropy, weights: &[u32]) -> (Vec<usize>, f64) {
        order(weights, |bound| below(entropy, bound))
    }

    /// Five standard deviations: wrong once in two million runs, and the seeds are fixed.
    fn is_near(count: u32, of: u32, probability: f64) -> bool {
        let (n, expected) = (f64::from(of), f64::from(of) * probability);
        (f64::from(count) - expected).abs() <= 5.0 * (n * probability * (1.0 - probability)).sqrt()
    }

    #[test]
    fn frequencies_are_the_weights_at_every_place() {
        let entropy = SeededEntropy::new(1);
        let weights = [6, 3, 1];
        let mut seen = std::collections::BTreeMap::<Vec<usize>, u32>::new();
        for _ in 0..20_000 {
            *seen.entry(drawn(&entropy, &weights).0).or_default() += 1;
        }
        let share = |place: usize| f64::from(weights[place]) / 10.0;
        for (order, count) in &seen {
            let [first, second] = [order[0], order[1]];
            let second_of_rest = share(second) / (1.0 - share(first));
            assert!(is_near(*count, 20_000, share(first) * second_of_rest), "{order:?}: {count}");
        }
        assert_eq!(seen.len(), 6);
    }

    #[test]
    fn without_weight_is_last_in_its_own_order() {
        let entropy = SeededEntropy::new(2);
        for _ in 0..100 {
            assert_eq!(drawn(&entropy, &[0, 1, 0]), (vec![1, 0, 2], 1.0));
        }
        assert_eq!(drawn(&entropy, &[0, 0]), (vec![0, 1], 1.0));
        assert_eq!(drawn(&entropy, &[]), (Vec::new(), 1.0));
    }

    proptest! {
        #[test]
        fn each_once_and_told_with_its_probability(weights in proptest::collection::vec(0_u32.., 1..8), seed: u64) {
            let (mut order, propensity) = drawn(&SeededEntropy::new(seed), &weights);
            let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
            if total > 0 {
                #[allow(clippy::cast_precision_loss)]
                let expected = f64::from(weights[order[0]]) / total as f64;
                prop_assert!(weights[order[0]] > 0);
                prop_assert!((propensity - expected).abs() < 1e-12);
            }
            order.sort_unstable();
            prop_assert_eq!(order, (0..weights.len()).collect::<Vec<_>>());
        }

        /// The probabilities of all firsts add up to one, whichever are drawn.
        #[test]
        fn propensities_add_up(weights in proptest::collection::vec(1_u32..1_000, 1..6)) {
            let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
            let mut firsts = std::collections::BTreeMap::new();
            for drawn in 0..total {
                let mut is_first = true;
                let (order, propensity) = order(&weights, |_| if std::mem::take(&mut is_first) { drawn } else { 0 });
                firsts.insert(order[0], propensity);
            }
            prop_assert_eq!(firsts.len(), weights.len());
            prop_assert!((firsts.values().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }
}
