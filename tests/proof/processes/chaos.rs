//! What goes wrong while the processes run.

use std::time::Duration;

use serde_json::{Value, json};
use xynergy::env::{Entropy, SeededEntropy};

use crate::field::{TENANTS, owners};

pub(crate) struct Draw(SeededEntropy);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(SeededEntropy::new(seed))
    }

    pub(crate) fn below(&self, bound: usize) -> usize {
        usize::try_from(self.0.next_u64()).unwrap_or(usize::MAX) % bound
    }

    pub(crate) fn tenant(&self) -> &'static str {
        TENANTS[self.below(TENANTS.len())]
    }

    fn owner(&self) -> String {
        let owners = owners(self.tenant());
        owners[self.below(owners.len())].0.id.clone()
    }

    pub(crate) fn pause(&self, most_ms: usize) -> Duration {
        Duration::from_millis(u64::try_from(self.below(most_ms)).unwrap_or(0))
    }

    /// A person's edit of some budget.
    pub(crate) fn edit(&self) -> Value {
        let percents = [-8, -3, -1, 1, 2, 5, 9];
        let percent = percents[self.below(percents.len())];
        json!({"id": self.owner(), "daily_budget_percent": percent, "actor": "Ann"})
    }

    /// What befalls the next writes: now and then one lands later than is promised for.
    pub(crate) fn rules(&self) -> Value {
        let mut rules = Vec::new();
        for _ in 0..3 {
            let fault = match self.below(14) {
                0 | 1 => json!({"cut": "before"}),
                2 | 3 => json!({"cut": "after"}),
                4 => json!({"late_ms": 300 + self.below(700)}),
                // The lease and the landing are over after three seconds.
                5 | 12 | 13 => json!({"late_ms": 5_000}),
                6 => json!({"delay_ms": 700}),
                7 => json!({"graph_error": {"code": 17}}),
                8 => {
                    let code = [1, 2, 613, 4][self.below(4)];
                    json!({"graph_error": {"code": code}})
                }
                9 => json!({"graph_error": {"code": 100}}),
                10 => json!({"status": 502}),
                _ => json!({"edit": self.edit()}),
            };
            let nth = self.below(6) + 1;
            rules.push(json!({"method": "POST", "path": "/v*/t*", "nth": nth, "fault": fault}));
        }
        // A change is claimed while its owner is read again: held up there, more workers die with a claim.
        let path = format!("/v*/{}_c*", self.tenant());
        rules.push(json!({"method": "GET", "path": path, "nth": [2, 4, 6], "fault": {"delay_ms": 300}}));
        if self.below(3) == 0 {
            // A reading is repeated twice before it is given up.
            let nth: Vec<usize> = (1..=12).collect();
            let fault = [json!({"status": 503}), json!({"cut": "before"})][self.below(2)].clone();
            rules.push(json!({"method": "GET", "path": path, "nth": nth, "fault": fault}));
        }
        json!({"rules": rules})
    }
}
