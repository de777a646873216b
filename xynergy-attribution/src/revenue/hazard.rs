//! Won or lost by age: a discrete-time table of two competing risks.

use super::decimal::divide;
use super::rules::Outcome;
use super::table::{AGE_DAYS, AgeRow};
use super::worth::{ONE, scaled};
use xynergy_core::Minor;

/// One, as shares are computed: eighteen digits, which times a count fit 128 bits.
const SHARE: i128 = 1_000_000_000_000_000_000;

/// The last of a deal in a stage: the bucket of its age, and what became of it; open when it was last seen so.
pub(super) type Stay = (usize, Outcome);

/// The table of these stays, up to the oldest. Deals that were still open in a bucket count as at risk in it.
///
/// With `d` of `n` at risk in a bucket, the hazards are `d / n` for each outcome, the share that is open after it is that before
/// times `1 - (won + lost) / n`, and each outcome's cumulative incidence grows by the share open before times its hazard (Aalen
/// and Johansen 1978, in discrete time).
pub(super) fn ages(
    stays: &[Stay],
    value_minor: Minor,
    probability_millionths: i64,
    prior_deals: u64,
) -> Vec<AgeRow> {
    let Some(oldest) = stays.iter().map(|(bucket, _)| *bucket).max() else { return Vec::new() };
    let mut ends = vec![[0_u64; 3]; oldest + 1];
    for (bucket, outcome) in stays {
        ends[*bucket][match outcome {
            Outcome::Won => 0,
            Outcome::Lost => 1,
            Outcome::Open => 2,
        }] += 1;
    }
    let mut at_risk = stays.len() as u64;
    let (mut open, mut incidence) = (SHARE, [0_i128; 2]);
    let mut before = Vec::with_capacity(ends.len());
    let mut rows = Vec::with_capacity(ends.len());
    for ([won, lost, censored], days) in ends.iter().zip((0_u32..).step_by(AGE_DAYS as usize)) {
        before.push((open, incidence[0], at_risk));
        let of_open = |count: u64| open * i128::from(count) / i128::from(at_risk.max(1));
        let gone = [of_open(*won), of_open(*lost)];
        incidence = [incidence[0] + gone[0], incidence[1] + gone[1]];
        open -= gone[0] + gone[1];
        if at_risk == won + lost {
            // What the divisions left over: nobody is open any more.
            incidence[usize::from(*won == 0)] += open;
            open = 0;
        }
        let hazard = |count: u64| millionths(i128::from(count), i128::from(at_risk.max(1)));
        let [won_by_millionths, lost_by_millionths, open_millionths] =
            thirds([incidence[0], incidence[1], open]);
        rows.push(AgeRow {
            from_days: days,
            at_risk,
            won: *won,
            lost: *lost,
            won_hazard_millionths: hazard(*won),
            lost_hazard_millionths: hazard(*lost),
            won_by_millionths,
            lost_by_millionths,
            open_millionths,
            factor_millionths: ONE,
            value_minor,
        });
        at_risk -= won + lost + censored;
    }
    let won_at_last = incidence[0];
    let chance = |(open, won, _): &(i128, i128, u64)| {
        if *open == 0 { 0 } else { divide((won_at_last - won) * i128::from(ONE), *open) }
    };
    let fresh = before.first().map_or(0, chance);
    for (row, before) in rows.iter_mut().zip(&before) {
        // Where nobody is won, age says nothing.
        let raw = if fresh == 0 { i128::from(ONE) } else { divide(chance(before) * i128::from(ONE), fresh) };
        let (prior, seen) = (i128::from(prior_deals), i128::from(before.2));
        let shrunk = divide(prior * i128::from(ONE) + seen * raw, (prior + seen).max(1));
        let most = i128::from(ONE) * i128::from(ONE) / i128::from(probability_millionths.max(1));
        row.factor_millionths = i64::try_from(shrunk.min(most)).unwrap_or(ONE);
        row.value_minor = scaled(value_minor, row.factor_millionths);
    }
    rows
}

fn millionths(part: i128, whole: i128) -> i64 {
    i64::try_from(divide(part * i128::from(ONE), whole)).unwrap_or(ONE)
}

/// Shares that sum to one as millionths that do: the largest remainders are rounded up, the earlier of equal ones first.
fn thirds(shares: [i128; 3]) -> [i64; 3] {
    let unit = SHARE / i128::from(ONE);
    let mut parts = shares.map(|share| i64::try_from(share / unit).unwrap_or(ONE));
    let mut order = [0, 1, 2];
    order.sort_by_key(|at| (std::cmp::Reverse(shares[*at] % unit), *at));
    let missing = usize::try_from(ONE - parts.iter().sum::<i64>()).unwrap_or(0);
    for at in order.into_iter().take(missing) {
        parts[at] += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(stays: &[Stay]) -> Vec<AgeRow> {
        ages(stays, 100_000, 200_000, 20)
    }

    #[test]
    fn hazards_and_incidences_by_hand() {
        // Ten deals: 2 won and 1 lost of 10, 1 open then; 1 won and 2 lost of 6; 3 open in the third bucket.
        let stays = [
            (0, Outcome::Won),
            (0, Outcome::Won),
            (0, Outcome::Lost),
            (0, Outcome::Open),
            (1, Outcome::Won),
            (1, Outcome::Lost),
            (1, Outcome::Lost),
            (2, Outcome::Open),
            (2, Outcome::Open),
            (2, Outcome::Open),
        ];
        let rows = table(&stays);
        let shown: Vec<_> = rows
            .iter()
            .map(|r| (r.from_days, r.at_risk, r.won_hazard_millionths, r.lost_hazard_millionths))
            .collect();
        assert_eq!(shown, [(0, 10, 200_000, 100_000), (7, 6, 166_667, 333_333), (14, 3, 0, 0)]);
        // 0.2, then + 0.7 / 6; 0.1, then + 0.7 / 3; open 0.7, then 0.35.
        let shares: Vec<_> =
            rows.iter().map(|r| (r.won_by_millionths, r.lost_by_millionths, r.open_millionths)).collect();
        assert_eq!(
            shares,
            [(200_000, 100_000, 700_000), (316_667, 333_333, 350_000), (316_667, 333_333, 350_000)]
        );
        // A fresh deal is won with 0.316667, one of a week with 0.116667 / 0.7 = 0.166667, an older one never.
        assert_eq!(rows[0].factor_millionths, 1_000_000);
        let raw = 166_667 * 1_000_000_i64 / 316_667;
        assert_eq!(rows[1].factor_millionths, (20 * 1_000_000 + 6 * raw + 13) / 26, "shrunk by 20 deals");
        assert_eq!(rows[2].factor_millionths, (20 * 1_000_000 + 11) / 23);
        assert_eq!(rows[2].value_minor, scaled(100_000, rows[2].factor_millionths));
        assert!(table(&[]).is_empty());
    }

    #[test]
    fn where_all_have_ended_nothing_is_open() {
        let rows = table(&[(0, Outcome::Won), (1, Outcome::Lost), (3, Outcome::Lost)]);
        let last = rows.last().unwrap();
        assert_eq!(
            (last.won_by_millionths, last.lost_by_millionths, last.open_millionths),
            (333_333, 666_667, 0)
        );
        assert_eq!(rows[2].at_risk, 1, "a bucket in which nothing ended is there too");
    }

    /// Cumulative incidences of lifelines 0.30.3, `AalenJohansenFitter(calculate_variance=False)`, for durations 1 to 10 (no two
    /// are equal, so that it draws nothing) with these outcomes.
    #[test]
    fn incidences_are_those_of_lifelines() {
        use Outcome::{Lost, Open, Won};
        let outcomes = [Won, Lost, Open, Won, Lost, Won, Open, Lost, Won, Lost];
        let stays: Vec<Stay> = outcomes.into_iter().enumerate().collect();
        let won = [100_000, 100_000, 100_000, 214_286, 214_286, 328_571, 328_571, 328_571, 480_952, 480_952];
        let lost = [0, 100_000, 100_000, 100_000, 214_286, 214_286, 214_286, 366_667, 366_667, 519_048];
        let rows = table(&stays);
        assert_eq!(rows.iter().map(|row| row.won_by_millionths).collect::<Vec<_>>(), won);
        assert_eq!(rows.iter().map(|row| row.lost_by_millionths).collect::<Vec<_>>(), lost);
    }

    proptest! {
        #[test]
        fn shares_sum_to_one_and_factors_stay_probabilities(
            stays in proptest::collection::vec((0_usize..12, 0_u8..3), 1..300), probability in 1_i64..1_000_000
        ) {
            let stays: Vec<Stay> = stays
                .into_iter()
                .map(|(bucket, kind)| (bucket, [Outcome::Won, Outcome::Lost, Outcome::Open][usize::from(kind)]))
                .collect();
            let rows = ages(&stays, 1_000_000, probability, 20);
            for row in &rows {
                prop_assert_eq!(row.won_by_millionths + row.lost_by_millionths + row.open_millionths, ONE);
                prop_assert!(row.factor_millionths >= 0 && scaled(probability, row.factor_millionths) <= ONE);
            }
            prop_assert!(rows.windows(2).all(|w| w[0].won_by_millionths <= w[1].won_by_millionths + 1));
            let mut backwards = stays.clone();
            backwards.reverse();
            prop_assert_eq!(rows, ages(&backwards, 1_000_000, probability, 20));
        }
    }
}
