use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::change::{AdChange, ChangeId};
use super::policy::Policy;
use crate::ads::ChangeField;
use crate::config::Secret;

/// The key of jitter and fuzz. Both are keyed hashes of the change's id, never drawn anew: a retried or resumed
/// change gets the same ones, and nobody without the key can foretell them.
#[derive(Clone, Debug)]
pub struct DrawKey(Secret);

impl DrawKey {
    /// A key from a secret.
    pub fn new(secret: Secret) -> Self {
        Self(secret)
    }

    /// A key from a seed, for runs that must replay.
    pub fn from_seed(seed: u64) -> Self {
        Self(Secret::new(format!("xynergy.draw.{seed}")))
    }

    /// How long after queueing the change runs.
    pub(super) fn jitter(&self, id: ChangeId, policy: &Policy) -> Duration {
        let span = policy.jitter_max_ms - policy.jitter_min_ms;
        Duration::from_millis(policy.jitter_min_ms + self.hash(b"jitter", id) % span.saturating_add(1))
    }

    /// How far from its target the change's value is moved, before any limit clamps it.
    pub(super) fn fuzz(&self, change: &AdChange, policy: &Policy) -> i64 {
        // A step of a ramp starts exactly where the one before it arrives.
        if change.field != ChangeField::Budget || change.ramp.is_some() {
            return 0;
        }
        let span = i128::from(change.target) * i128::from(policy.fuzz_per_mille) / 1_000;
        let draw = i128::from(self.hash(b"fuzz", change.id)) % (2 * span + 1);
        i64::try_from(draw - span).unwrap_or(0)
    }

    fn hash(&self, purpose: &[u8], id: ChangeId) -> u64 {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.expose().as_bytes()) else { return 0 };
        mac.update(purpose);
        mac.update(&id.to_bytes());
        let digest = mac.finalize().into_bytes();
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&digest[..8]);
        u64::from_be_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ads::Owner;
    use crate::money::Currency;

    fn change(id: ChangeId, target: i64) -> AdChange {
        AdChange {
            id,
            account_id: "act_1".into(),
            campaign_id: "c".into(),
            owner: Owner::ad_set("s"),
            field: ChangeField::Budget,
            expected_from: 1,
            target,
            currency: Currency::USD,
            allocation_id: None,
            causation_id: None,
            reason: String::new(),
            expires_at: None,
            ramp: None,
        }
    }

    proptest! {
        #[test]
        fn fuzz_stays_within_three_per_cent(seed: u64, name: String, target in 1..=i64::MAX / 2) {
            let (key, id) = (DrawKey::from_seed(seed), ChangeId::derive(&[&name]));
            let fuzz = key.fuzz(&change(id, target), &Policy::seed());
            prop_assert!(i128::from(fuzz.abs()) * 1000 <= i128::from(target) * 30);
            prop_assert_eq!(fuzz, key.fuzz(&change(id, target), &Policy::seed()));
            prop_assert_eq!(key.fuzz(&change(id, target), &Policy::standard()), 0);
        }

        #[test]
        fn jitter_stays_within_its_bounds(seed: u64, name: String) {
            let (key, id) = (DrawKey::from_seed(seed), ChangeId::derive(&[&name]));
            let jitter = key.jitter(id, &Policy::standard()).as_millis();
            prop_assert!((3_000..=18_000).contains(&jitter));
            prop_assert_eq!(key.jitter(id, &Policy::exact()), Duration::ZERO);
        }
    }

    #[test]
    fn draws_differ_by_change_and_key() {
        let fuzz = |seed, n: u32| {
            let id = ChangeId::derive(&[&n.to_string()]);
            DrawKey::from_seed(seed).fuzz(&change(id, 1_000_000), &Policy::seed())
        };
        let values: std::collections::BTreeSet<_> = (0..100).map(|n| fuzz(7, n)).collect();
        assert!(values.len() > 90, "{values:?}");
        assert!(values.iter().any(|v| *v > 0) && values.iter().any(|v| *v < 0));
        assert_ne!(fuzz(7, 1), fuzz(8, 1));
    }
}
