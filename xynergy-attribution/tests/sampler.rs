//! The sampler as a whole: budgets within their limits, whatever the evidence.

use proptest::prelude::*;
use xynergy_attribution::sampler::{
    AdEvidence, AdPrior, Allocation, AllocationRequest, Constraints, Millionths, OwnerBudget, allocate,
};
use xynergy_core::ads::OwnerLevel;
use xynergy_core::{Currency, ErrorKind};

fn ad(ad_id: &str, clicks: i64, spend_minor: i64, deals: i64, value_minor: i64) -> AdEvidence {
    AdEvidence {
        ad_id: ad_id.into(),
        active: true,
        impressions: clicks * 60,
        clicks,
        spend_minor,
        deals,
        value_minor,
        ..AdEvidence::default()
    }
}

fn owner(owner_id: &str, current_minor: i64, ads: Vec<AdEvidence>) -> OwnerBudget {
    OwnerBudget::new(owner_id, OwnerLevel::AdSet, current_minor, ads)
}

fn limits(total_daily_minor: i64, min_minor: i64, max_minor: i64) -> Constraints {
    Constraints { total_daily_minor, min_minor, max_minor, ..Constraints::default() }
}

fn request(owners: Vec<OwnerBudget>, total_daily_minor: i64) -> AllocationRequest {
    AllocationRequest {
        currency: Currency::USD,
        owners,
        constraints: limits(total_daily_minor, 1_000, 30_000),
        seed: 7,
        draws: 2_000,
        sampler: None,
    }
}

fn clear_case() -> AllocationRequest {
    request(
        vec![
            owner(
                "1",
                10_000,
                vec![ad("11", 400, 120_000, 40, 9_000_000), ad("12", 200, 60_000, 15, 2_500_000)],
            ),
            owner("2", 10_000, vec![ad("21", 500, 180_000, 3, 200_000)]),
            owner("3", 6_000, vec![ad("31", 300, 100_000, 11, 1_500_000)]),
        ],
        26_000,
    )
}

fn proposed(allocation: &Allocation) -> Vec<i64> {
    allocation.rows.iter().map(|row| row.proposed_minor).collect()
}

#[test]
fn money_moves_to_the_return_within_the_step() {
    let allocation = allocate(&clear_case()).unwrap();
    assert_eq!(proposed(&allocation), [12_000, 8_000, 6_000]);
    assert_eq!(allocation.proposed_total_minor, 26_000);
    let reasons: Vec<_> = allocation.rows.iter().map(|row| row.reason.as_str()).collect();
    assert!(
        reasons[0].ends_with("55 deals worth 115,000.00 USD on 1,800.00 USD spend; limited by the 20 % step"),
        "{}",
        reasons[0]
    );
    assert!(reasons[0].contains(" against 38 % of the budget now; "), "{}", reasons[0]);
    assert!(reasons[1].ends_with("limited by the 20 % step"), "{}", reasons[1]);
    assert!(reasons[2].ends_with(", moved so that the sum is the total"), "{}", reasons[2]);
    assert!(allocation.rows[0].ads[0].probability > allocation.rows[1].ads[0].probability);
}

#[test]
fn a_total_out_of_reach_is_approached_and_said() {
    for (total, expected) in [(50_000, [12_000, 12_000, 7_200]), (5_000, [8_000, 8_000, 4_800])] {
        let mut case = clear_case();
        case.constraints.total_daily_minor = total;
        let allocation = allocate(&case).unwrap();
        assert_eq!(proposed(&allocation), expected);
        assert_eq!(allocation.total_minor, total);
        for row in &allocation.rows {
            assert!(row.reason.contains("cannot be reached within the steps"), "{}", row.reason);
        }
    }
}

#[test]
fn what_does_not_run_gets_nothing() {
    let mut case = clear_case();
    case.owners[0].ads[1].active = false;
    case.owners[1].ads[0].active = false;
    let allocation = allocate(&case).unwrap();
    assert_eq!(allocation.left_out, ["2"]);
    assert_eq!(allocation.rows.iter().map(|row| row.owner_id.as_str()).collect::<Vec<_>>(), ["1", "3"]);
    assert_eq!(allocation.rows[0].ads[1].share, Millionths::default());
    assert!(allocation.rows[0].reason.contains("40 deals"), "{}", allocation.rows[0].reason);

    for owner in &mut case.owners {
        owner.ads.iter_mut().for_each(|ad| ad.active = false);
    }
    let allocation = allocate(&case).unwrap();
    assert!(allocation.rows.is_empty() && allocation.left_out.len() == 3);
}

#[test]
fn an_owner_out_of_step_reach_of_the_limits_is_held() {
    let mut case = clear_case();
    case.owners[2].current_minor = 700;
    case.constraints.total_daily_minor = 20_700;
    let allocation = allocate(&case).unwrap();
    assert_eq!(allocation.rows[2].proposed_minor, 700);
    assert!(
        allocation.rows[2].reason.contains("held at its present budget"),
        "{}",
        allocation.rows[2].reason
    );
    assert_eq!(allocation.proposed_total_minor, 20_700);
}

#[test]
fn the_floor_and_the_ceiling_are_named() {
    let mut case = clear_case();
    case.constraints = limits(29_100, 9_000, 11_000);
    case.owners[2].current_minor = 8_000;
    let allocation = allocate(&case).unwrap();
    assert!(
        allocation.rows[0].reason.ends_with("at the ceiling of 110.00 USD"),
        "{}",
        allocation.rows[0].reason
    );
    assert!(allocation.rows[1].reason.contains("at the floor of 90.00 USD"), "{}", allocation.rows[1].reason);
}

#[test]
fn a_new_ad_is_explored_and_does_not_take_over() {
    let mut case = clear_case();
    case.owners[2].ads = vec![ad("31", 0, 0, 0, 0)];
    let row = &allocate(&case).unwrap().rows[2];
    let share = row.ads[0].share.get();
    assert!((150_000..350_000).contains(&share), "an average one of four: {share}");
    assert!(row.reason.contains("no impressions yet"), "{}", row.reason);
}

#[test]
fn every_active_ad_keeps_a_hundredth() {
    let mut case = clear_case();
    case.owners[1].ads = vec![ad("21", 5, 900_000, 0, 0)];
    let allocation = allocate(&case).unwrap();
    assert!(allocation.rows[1].ads[0].share.get() >= 10_000);
    let many = (0..300).map(|n| ad(&format!("{n:03}"), 10 + n % 7, 3_000, 1, 50_000)).collect();
    let allocation = allocate(&request(vec![owner("1", 10_000, many)], 10_000)).unwrap();
    assert!(allocation.rows[0].ads.iter().all(|ad| ad.share.get() >= 1_666));
}

#[test]
fn serialises_without_floats() {
    let json = serde_json::to_value(allocate(&clear_case()).unwrap()).unwrap();
    let row = &json["rows"][0];
    assert_eq!(row["level"], "adset");
    assert_eq!(row["ads"][0]["share"].as_str().unwrap().len(), 8);
    assert!(!json.to_string().contains("null"));
}

#[test]
fn wrong_requests_name_the_field() {
    type Break = fn(&mut AllocationRequest);
    let cases: [(Break, &str); 17] = [
        (|r| r.owners.clear(), "owners: there are none"),
        (|r| r.draws = 0, "draws: 0 is not 1 to"),
        (|r| r.draws = u32::MAX, "draws: 4294967295 is not"),
        (|r| r.constraints.min_minor = 40_000, "min_minor: 40000 is above max_minor 30000"),
        (|r| r.constraints.min_minor = -1, "min_minor: -1 is negative"),
        (|r| r.constraints.total_daily_minor = -5, "total_daily_minor: -5 is negative"),
        (|r| r.owners[1].owner_id = "1".into(), "owners: 1 is given twice"),
        (|r| r.owners[1].ads[0].ad_id = "11".into(), "ads: 11 is given twice"),
        (|r| r.owners[1].current_minor = -1, "owner 2: current_minor: -1 is negative"),
        (
            |r| r.owners[1].ads[0].spend_minor = i64::MIN,
            "ad 21: spend_minor: -9223372036854775808 is negative",
        ),
        (|r| r.owners[1].ads[0].value_minor = i64::MAX, "ad 21: value_minor: 9223372036854775807 is above"),
        (
            |r| r.owners[1].ads[0].clicks = 1_000_000,
            "ad 21: clicks: 1000000 are more than its 30000 impressions",
        ),
        (|r| r.owners[1].ads[0].deals = 0, "ad 21: deals: 0 deals cannot be worth"),
        (|r| r.owners.iter_mut().for_each(|owner| owner.ads.clear()), "owners: none of them has an ad"),
        (
            |r| r.constraints.total_daily_minor = 2_999,
            "total_daily_minor: 29.99 USD is below the 30.00 USD that floors need for 3 owners",
        ),
        (
            |r| r.constraints.total_daily_minor = 90_001,
            "total_daily_minor: 900.01 USD is above the 900.00 USD that ceilings allow for 3 owners",
        ),
        (
            |r| r.owners[1].ads[0].prior = Some(AdPrior::default()),
            "ad 21: prior: counts with the sampler only",
        ),
    ];
    for (break_it, expected) in cases {
        let mut case = clear_case();
        break_it(&mut case);
        let error = allocate(&case).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.message().contains(expected), "{error}");
    }
}

fn any_ad() -> impl Strategy<Value = AdEvidence> {
    let amount = || prop_oneof![Just(0), 0_i64..1_000, 0_i64..5_000_000, Just(1_000_000_000_000_000)];
    (amount(), amount(), amount(), amount(), amount(), prop::bool::weighted(0.8)).prop_map(
        |(impressions, clicks, spend_minor, deals, value_minor, active)| AdEvidence {
            ad_id: String::new(),
            active,
            impressions,
            clicks: clicks.min(impressions),
            spend_minor,
            deals,
            value_minor: if deals == 0 { 0 } else { value_minor },
            ..AdEvidence::default()
        },
    )
}

/// The nearest total that the floors and the ceilings of the owners that run can sum to.
fn feasible(owners: &[OwnerBudget], total: i64, (floor, width): (i64, i64)) -> i64 {
    let running = owners.iter().filter(|owner| owner.ads.iter().any(|ad| ad.active)).count();
    let running = i64::try_from(running).unwrap();
    total.clamp(floor * running, (floor + width) * running)
}

prop_compose! {
    fn any_request()(
        owners in prop::collection::vec((0_i64..40_000, prop::collection::vec(any_ad(), 0..4)), 1..8)
            .prop_filter("an ad", |owners| owners.iter().any(|(_, ads)| !ads.is_empty())),
        total in 0_i64..150_000,
        limits in (0_i64..20_000, 0_i64..40_000),
        seed in any::<u64>(),
    ) -> AllocationRequest {
        let owners = owners.into_iter().enumerate().map(|(n, (current_minor, mut ads))| {
            for (m, ad) in ads.iter_mut().enumerate() {
                ad.ad_id = format!("{}{m}", n + 1);
            }
            OwnerBudget::new(format!("{}", n + 1), OwnerLevel::AdSet, current_minor, ads)
        }).collect::<Vec<_>>();
        AllocationRequest {
            currency: Currency::USD,
            constraints: self::limits(feasible(&owners, total, limits), limits.0, limits.0 + limits.1),
            owners,
            seed,
            draws: 60,
            sampler: None,
        }
    }
}

proptest! {
    #[test]
    fn budgets_keep_their_limits(request in any_request()) {
        let allocation = allocate(&request).unwrap();
        let Constraints { total_daily_minor: total, min_minor, max_minor, .. } = request.constraints;
        prop_assert_eq!(allocation.rows.len() + allocation.left_out.len(), request.owners.len());
        let (mut lowest, mut highest) = (0, 0);
        for row in &allocation.rows {
            let step = row.current_minor / 5;
            let lower = min_minor.max(row.current_minor - step);
            let upper = max_minor.min(row.current_minor + step);
            let (lower, upper) = if lower <= upper { (lower, upper) } else { (row.current_minor, row.current_minor) };
            prop_assert!((lower..=upper).contains(&row.proposed_minor), "{:?}", row);
            lowest += lower;
            highest += upper;
        }
        let sum: i64 = proposed(&allocation).iter().sum();
        prop_assert_eq!(sum, allocation.proposed_total_minor);
        prop_assert_eq!(sum, total.clamp(lowest, highest));
        let unreached = allocation.rows.iter().filter(|row| row.reason.contains("cannot be reached")).count();
        prop_assert_eq!(unreached, if sum == total { 0 } else { allocation.rows.len() });
    }

    #[test]
    fn shares_and_probabilities_sum_to_one(request in any_request()) {
        let allocation = allocate(&request).unwrap();
        let ads: Vec<_> = allocation.rows.iter().flat_map(|row| &row.ads).collect();
        let whole = if ads.is_empty() { 0 } else { 1_000_000 };
        prop_assert_eq!(ads.iter().map(|ad| ad.share.get()).sum::<u32>(), whole);
        prop_assert_eq!(ads.iter().map(|ad| ad.probability.get()).sum::<u32>(), whole);
        let active = request.owners.iter().flat_map(|owner| &owner.ads).filter(|ad| ad.active);
        for ad in active {
            let share = ads.iter().find(|share| share.ad_id == ad.ad_id).unwrap().share.get();
            prop_assert!(share >= 10_000, "{} has {share}", ad.ad_id);
        }
    }

    #[test]
    fn the_order_of_rows_does_not_matter(request in any_request(), turn in 0_usize..8) {
        let mut other = request.clone();
        let by = turn % other.owners.len();
        other.owners.rotate_left(by);
        other.owners.reverse();
        other.owners.iter_mut().for_each(|owner| owner.ads.reverse());
        let bytes = |request| serde_json::to_vec(&allocate(request).unwrap()).unwrap();
        prop_assert_eq!(bytes(&request), bytes(&other));
    }
}
