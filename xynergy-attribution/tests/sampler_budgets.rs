//! Budgets against an independent solver: everything that the constraints allow is tried, and nothing is nearer.

use proptest::prelude::*;
use xynergy_attribution::sampler::{
    AdEvidence, AdObservation, Allocation, AllocationRequest, Constraints, Day, GroupLimit, Millionths,
    OwnerBudget, SamplerOptions, SamplerState, allocate_from,
};
use xynergy_core::Currency;
use xynergy_core::ads::OwnerLevel;

#[derive(Clone, Debug)]
struct Case {
    request: AllocationRequest,
    state: SamplerState,
}

prop_compose! {
    fn any_case()(
        owners in prop::collection::vec(
            (0_i64..14, prop::option::of(0_i64..10), prop::option::of(4_i64..16), 0_usize..3, prop::bool::weighted(0.15), 0_i64..400),
            1..5,
        ),
        unit in prop_oneof![Just(1_i64), Just(100)],
        limits in (0_i64..4, 8_i64..18),
        groups in prop::collection::vec((prop::option::of(0_i64..14), prop::option::of(0_i64..30)), 2),
        total in 0_i64..40,
        step in prop_oneof![Just(None), Just(Some(500_000)), Just(Some(1_000_000))],
    ) -> Case {
        let mut state = SamplerState::default();
        for (n, (.., clicks)) in owners.iter().enumerate() {
            state.observe(&AdObservation {
                ad_id: format!("ad{n}"), day: Day::new(3), impressions: 40_000, clicks: *clicks, spend_minor: 10, observed_at: None,
            }).unwrap();
        }
        let owners = owners.into_iter().enumerate().map(|(n, (current, min, max, group, learning, _))| {
            let ads = vec![AdEvidence { ad_id: format!("ad{n}"), active: true, ..AdEvidence::default() }];
            OwnerBudget {
                min_minor: min.map(|m| m * unit),
                max_minor: max.map(|m| m * unit),
                group: (group > 0).then(|| format!("g{group}")),
                learning,
                ..OwnerBudget::new(n.to_string(), OwnerLevel::AdSet, current * unit, ads)
            }
        }).collect();
        let groups = groups.into_iter().enumerate().map(|(n, (min, max))| GroupLimit {
            name: format!("g{}", n + 1), min_minor: min.map(|m| m * unit), max_minor: max.map(|m| m * unit),
        }).collect();
        let request = AllocationRequest {
            currency: Currency::USD,
            owners,
            constraints: Constraints {
                total_daily_minor: total * unit,
                min_minor: limits.0 * unit,
                max_minor: limits.1 * unit,
                step: step.map(Millionths::new),
                unit_minor: Some(unit),
                groups,
                ..Constraints::default()
            },
            seed: 1,
            draws: 1,
            sampler: Some(SamplerOptions { day: Some(Day::new(3)), ..SamplerOptions::default() }),
        };
        Case { request, state }
    }
}

/// Where each owner may go in one step, in units.
fn reach(request: &AllocationRequest, owner: &OwnerBudget, with_steps: bool) -> Vec<i64> {
    let c = &request.constraints;
    let unit = c.unit_minor.unwrap();
    if owner.learning {
        return vec![owner.current_minor / unit];
    }
    let (least, most) = (owner.min_minor.unwrap_or(c.min_minor), owner.max_minor.unwrap_or(c.max_minor));
    let step = owner.current_minor * i64::from(c.step.map_or(200_000, Millionths::get)) / 1_000_000;
    let allowed: Vec<i64> = (0..=most / unit)
        .filter(|value| value * unit >= least)
        .filter(|value| !with_steps || (value * unit - owner.current_minor).abs() <= step)
        .collect();
    if with_steps && allowed.is_empty() { vec![owner.current_minor / unit] } else { allowed }
}

/// Every way to keep all of the constraints, in units.
fn ways(request: &AllocationRequest, with_steps: bool) -> Vec<Vec<i64>> {
    let c = &request.constraints;
    let unit = c.unit_minor.unwrap();
    let mut ways = vec![Vec::new()];
    for owner in &request.owners {
        let reach = reach(request, owner, with_steps);
        ways = ways
            .iter()
            .flat_map(|way| reach.iter().map(|value| [way.as_slice(), &[*value]].concat()))
            .collect();
    }
    let fits = |way: &Vec<i64>| {
        way.iter().sum::<i64>() * unit == c.total_daily_minor
            && c.groups.iter().all(|group| {
                let of = |(owner, _): &(&OwnerBudget, &i64)| owner.group.as_ref() == Some(&group.name);
                let sum: i64 = request.owners.iter().zip(way).filter(of).map(|(_, value)| value * unit).sum();
                group.min_minor.is_none_or(|least| sum >= least)
                    && group.max_minor.is_none_or(|most| sum <= most)
            })
    };
    ways.into_iter().filter(fits).collect()
}

fn cost(allocation: &Allocation, values: &[i64]) -> i128 {
    let distance = |(row, value): (&xynergy_attribution::sampler::OwnerAllocation, &i64)| {
        let share: i64 = row.ads.iter().map(|ad| i64::from(ad.share.get())).sum();
        (i128::from(share) * i128::from(allocation.total_minor) - i128::from(*value) * 1_000_000).pow(2)
    };
    allocation.rows.iter().zip(values).map(distance).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_that_is_allowed_is_nearer(case in any_case()) {
        let Case { request, state } = case;
        let contradiction = request.owners.iter().any(|owner| {
            owner.min_minor.unwrap_or(request.constraints.min_minor) > owner.max_minor.unwrap_or(request.constraints.max_minor)
        }) || request.constraints.groups.iter().any(|group| {
            group.min_minor.zip(group.max_minor).is_some_and(|(least, most)| least > most)
        });
        let unit = request.constraints.unit_minor.unwrap();
        match allocate_from(&request, &state) {
            Err(error) => {
                // Only for limits that contradict each other even without steps.
                prop_assert!(contradiction || ways(&request, false).is_empty(), "{}", error);
            }
            Ok(allocation) => {
                prop_assert!(!contradiction && !ways(&request, false).is_empty());
                let values: Vec<i64> = allocation.rows.iter().map(|row| row.proposed_minor).collect();
                for (owner, value) in request.owners.iter().zip(&values) {
                    prop_assert!(reach(&request, owner, true).contains(&(value / unit)) && value % unit == 0);
                }
                let allowed = ways(&request, true);
                if let Some(least) = allowed.iter().map(|way| {
                    cost(&allocation, &way.iter().map(|value| value * unit).collect::<Vec<_>>())
                }).min() {
                    let units: Vec<i64> = values.iter().map(|value| value / unit).collect();
                    prop_assert!(allowed.contains(&units), "{:?} {:?}", units, allocation);
                    prop_assert_eq!(cost(&allocation, &values), least);
                }
                let propensities: u32 = allocation.rows.iter().filter_map(|row| row.propensity).map(Millionths::get).sum();
                prop_assert_eq!(propensities, 1_000_000);
            }
        }
    }

    #[test]
    fn hysteresis_keeps_small_changes_and_the_total(case in any_case(), part in 10_000_u32..300_000) {
        let Case { mut request, state } = case;
        request.constraints.groups.clear();
        request.owners.iter_mut().for_each(|owner| owner.group = None);
        let Ok(plain) = allocate_from(&request, &state) else { return Ok(()) };
        request.constraints.hysteresis = Some(Millionths::new(part));
        let kept = allocate_from(&request, &state).unwrap();
        prop_assert_eq!(kept.proposed_total_minor, plain.proposed_total_minor);
        for (row, owner) in kept.rows.iter().zip(&request.owners) {
            let unit = request.constraints.unit_minor.unwrap();
            prop_assert!(reach(&request, owner, true).contains(&(row.proposed_minor / unit)));
            if row.reason.contains("since the change would be below") {
                prop_assert_eq!(row.proposed_minor, row.current_minor);
            }
        }
        // Where every change is small and the total is the present one, nothing changes.
        let current: i64 = request.owners.iter().map(|owner| owner.current_minor).sum();
        let small = plain.rows.iter().all(|row| {
            i128::from(row.proposed_minor - row.current_minor).abs() * 1_000_000 < i128::from(part) * i128::from(row.current_minor)
                && reach(&request, &request.owners[row.owner_id.parse::<usize>().unwrap()], false)
                    .contains(&(row.current_minor / request.constraints.unit_minor.unwrap()))
        });
        if small && plain.proposed_total_minor == current {
            prop_assert!(kept.rows.iter().all(|row| row.proposed_minor == row.current_minor));
        }
    }
}
