/// How the tokens that a model's provider reports compare with our estimates.
///
/// Sums of tokens, so that long prompts, for which the difference is money, weigh as much as they cost; older ones are forgotten by
/// halves. It begins as if an estimate had been right on the whole and wrong by the stated part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calibration {
    estimated: u64,
    reported: u64,
    /// By how much the calibrated estimates were off, whichever way.
    off: u64,
}

/// What an estimate is worth before anything was reported: as many tokens, off by a quarter, which is doubled when it is stated.
const BEFORE: Calibration = Calibration { estimated: 400, reported: 400, off: 60 };
/// The sum at which everything is halved: the last several hundred thousand tokens count.
const KEPT: u64 = 1 << 20;
/// Reports beyond this many times the estimate, either way, are of something else than the prompt.
const BELIEVED: u64 = 8;

impl Default for Calibration {
    fn default() -> Self {
        BEFORE
    }
}

impl Calibration {
    /// What is known after a prompt of so many estimated tokens was reported to have so many.
    #[must_use]
    pub fn observe(self, estimated: u64, reported: u64) -> Self {
        let plausible = estimated > 0
            && estimated < KEPT
            && reported <= estimated.saturating_mul(BELIEVED)
            && estimated <= reported.saturating_mul(BELIEVED);
        if !plausible {
            return self;
        }
        let after = Self {
            estimated: self.estimated + estimated,
            reported: self.reported + reported,
            off: self.off + self.calibrated(estimated).abs_diff(reported),
        };
        if after.estimated < KEPT {
            return after;
        }
        Self { estimated: after.estimated / 2, reported: after.reported / 2, off: after.off / 2 }
    }

    /// An estimate, corrected by what was reported; rounded up.
    pub fn calibrated(&self, estimated: u64) -> u64 {
        let tokens = (u128::from(estimated) * u128::from(self.reported)).div_ceil(u128::from(self.estimated));
        u64::try_from(tokens).unwrap_or(u64::MAX)
    }

    /// Twice the mean error of the calibrated estimates, in whole percent, rounded up: what most stay within.
    pub fn error_percent(&self) -> u32 {
        let percent = (200 * self.off).div_ceil(self.reported.max(1));
        u32::try_from(percent).unwrap_or(u32::MAX).clamp(1, 100)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn before_anything_is_reported_an_estimate_is_itself() {
        let before = Calibration::default();
        assert_eq!((before.calibrated(1_000), before.error_percent()), (1_000, 30));
    }

    #[test]
    fn a_model_of_longer_tokens_is_learnt_and_the_error_shrinks() {
        let mut learnt = Calibration::default();
        for n in 0..200 {
            let estimated = 500 + n * 7 % 300;
            // A fifth more, give or take 2 %.
            learnt = learnt.observe(estimated, estimated * (1_200 + n * 13 % 40 - 20) / 1_000);
        }
        assert!((1_180..1_220).contains(&learnt.calibrated(1_000)), "{learnt:?}");
        assert!(learnt.error_percent() <= 6, "{learnt:?}");
    }

    #[test]
    fn a_model_that_changes_is_learnt_anew() {
        let rises = (0..20_000).fold(Calibration::default(), |learnt, _| learnt.observe(1_000, 1_300));
        let falls = (0..20_000).fold(rises, |learnt, _| learnt.observe(1_000, 900));
        assert!((1_290..1_310).contains(&rises.calibrated(1_000)), "{rises:?}");
        assert!((895..910).contains(&falls.calibrated(1_000)), "{falls:?}");
    }

    #[test]
    fn what_cannot_be_is_not_believed() {
        let before = Calibration::default();
        assert_eq!(before.observe(100, 0), before);
        assert_eq!(before.observe(0, 100), before);
        assert_eq!(before.observe(100, u64::MAX), before);
        assert_eq!(before.observe(u64::MAX, u64::MAX), before);
    }

    proptest! {
        #[test]
        fn bounded_whatever_is_reported(reports in proptest::collection::vec((0_u64.., 0_u64..), 0..50), text in 0_u64..) {
            let learnt = reports.iter().fold(Calibration::default(), |c, (e, r)| c.observe(*e, *r));
            prop_assert!((1..=100).contains(&learnt.error_percent()));
            prop_assert!(u128::from(learnt.calibrated(text)) <= u128::from(text) * 8 + 1);
            prop_assert!(learnt.estimated < KEPT && learnt.reported <= 8 * KEPT);
        }
    }
}
