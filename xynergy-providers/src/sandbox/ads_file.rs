//! The file of the ad account: which ads there are, who owns their budgets, what they brought.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use xynergy_core::{Currency, Error, Minor, Result};

use super::file::{self, RowProblem};

/// The greatest amount or count: sums of as many as an account can have stay far inside 64 bits.
const LARGEST: i64 = 1_000_000_000_000_000;

/// The most characters of the id of an ad set or campaign, as changes of budgets take it.
const LONGEST_ID: usize = 128;

/// An ad account as `ads.json` describes it. Unknown fields are kept.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AdsFile {
    /// The account.
    pub account: AdAccountRow,
    /// Its ads, one row each, in the order of the file.
    pub ads: Vec<AdRow>,
    /// The bounds that an allocation has to keep.
    pub constraints: BudgetConstraints,
    /// Every other field.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The account of an [`AdsFile`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdAccountRow {
    /// The id, with or without `act_`.
    #[serde(deserialize_with = "file::id")]
    pub id: String,
    /// The currency of every amount in the file.
    pub currency: Currency,
    /// Every other field.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl AdAccountRow {
    /// The id without `act_`.
    pub fn number(&self) -> &str {
        self.id.strip_prefix("act_").unwrap_or(&self.id)
    }
}

/// One ad. The budget is its owner's, repeated on every ad of the owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdRow {
    /// The ad.
    #[serde(deserialize_with = "file::id")]
    pub ad_id: String,
    /// Its ad set.
    #[serde(deserialize_with = "file::id")]
    pub adset_id: String,
    /// Its campaign.
    #[serde(deserialize_with = "file::id")]
    pub campaign_id: String,
    /// The ad's name; empty when the row has none.
    #[serde(default)]
    pub name: String,
    /// `ACTIVE`, `PAUSED` or another of the platform's.
    pub status: String,
    /// The owner's daily budget in minor units.
    pub daily_budget_minor: Minor,
    /// Which object owns the budget.
    #[serde(default)]
    pub budget_level: BudgetLevel,
    /// Impressions so far.
    pub impressions: u64,
    /// Clicks so far.
    pub clicks: u64,
    /// Spend so far, in minor units.
    pub spend_minor: Minor,
    /// Every other field.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl AdRow {
    /// An amount of minor units among the other fields: `lifetime_budget_minor` in place of the daily budget, `bid_minor`.
    pub(super) fn amount(&self, name: &str) -> Option<Minor> {
        self.other.get(name).and_then(Value::as_i64).filter(|amount| (1..=LARGEST).contains(amount))
    }

    /// The object whose budget the ad draws on: its ad set, or its campaign where the budget sits there.
    pub fn owner_id(&self) -> &str {
        match self.budget_level {
            BudgetLevel::Adset => &self.adset_id,
            BudgetLevel::Campaign => &self.campaign_id,
        }
    }
}

/// Which object owns a budget.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum BudgetLevel {
    /// The ad set.
    #[default]
    Adset,
    /// The campaign, for all its ad sets together.
    Campaign,
}

impl BudgetLevel {
    fn name(self) -> &'static str {
        match self {
            Self::Adset => "adset",
            Self::Campaign => "campaign",
        }
    }
}

/// The bounds of an allocation, in minor units a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetConstraints {
    /// What all owners together may spend.
    pub total_daily_minor: Minor,
    /// The least budget of an owner.
    pub min_minor: Minor,
    /// The greatest budget of an owner.
    pub max_minor: Minor,
    /// Every other field.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A budget owner of an [`AdsFile`] with its ads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerRow {
    /// The ad set or campaign.
    pub owner_id: String,
    /// Which of the two it is.
    pub level: BudgetLevel,
    /// Its campaign; itself when it is one.
    pub campaign_id: String,
    /// Its daily budget in minor units.
    pub daily_budget_minor: Minor,
    /// Its ads, in the order of the file.
    pub ad_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with account, ads and constraints")]
struct Raw {
    account: AdAccountRow,
    ads: Vec<Value>,
    constraints: BudgetConstraints,
    #[serde(flatten)]
    other: Map<String, Value>,
}

impl AdsFile {
    /// Reads the file at `path`, blocking: a host calls it before it serves. See [`AdsFile::parse`].
    pub fn load(path: &Path) -> Result<(Self, Vec<RowProblem>)> {
        Self::parse(&file::read(path, "ads")?).map_err(|e| file::in_file(e, path))
    }

    /// Reads the text of an ads file. A row that is wrong by itself is left out and reported with its number.
    ///
    /// # Errors
    ///
    /// No JSON, no account or constraints, constraints that nothing can keep, or rows that contradict one another: two
    /// budgets of one owner, an ad set in two campaigns, an id of two kinds. The message names the field or the row.
    pub fn parse(text: &str) -> Result<(Self, Vec<RowProblem>)> {
        let raw: Raw = serde_json::from_str(file::without_mark(text)).map_err(|e| {
            Error::invalid(file::OPERATION, format!("the ads file is not as it should be: {e}"))
        })?;
        raw.check().map_err(|message| Error::invalid(file::OPERATION, format!("ads file: {message}")))?;
        let mut problems = Vec::new();
        let mut ads = Vec::with_capacity(raw.ads.len());
        let mut agreed = Agreement::default();
        for (index, value) in raw.ads.into_iter().enumerate() {
            let row = index + 1;
            match read_row(value) {
                Err(message) => problems.push(RowProblem { row, id: None, message }),
                Ok(ad) if agreed.has_ad(&ad.ad_id) => problems.push(RowProblem {
                    row,
                    id: Some(ad.ad_id),
                    message: "ad_id: an earlier row has the same ad".to_owned(),
                }),
                Ok(ad) => {
                    agreed.admit(row, &ad).map_err(|message| {
                        Error::invalid(file::OPERATION, format!("ads file, row {row}: {message}"))
                    })?;
                    ads.push(ad);
                }
            }
        }
        Ok((Self { account: raw.account, ads, constraints: raw.constraints, other: raw.other }, problems))
    }

    /// The budget owners by id. Of a value that was built by hand, an owner's first row counts.
    pub fn owners(&self) -> BTreeMap<String, OwnerRow> {
        let mut owners: BTreeMap<String, OwnerRow> = BTreeMap::new();
        for ad in &self.ads {
            owners
                .entry(ad.owner_id().to_owned())
                .or_insert_with(|| OwnerRow {
                    owner_id: ad.owner_id().to_owned(),
                    level: ad.budget_level,
                    campaign_id: ad.campaign_id.clone(),
                    daily_budget_minor: ad.daily_budget_minor,
                    ad_ids: Vec::new(),
                })
                .ad_ids
                .push(ad.ad_id.clone());
        }
        owners
    }
}

impl Raw {
    fn check(&self) -> Result<(), String> {
        let number = self.account.number();
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(format!(
                "account.id: {:?} is no id of an ad account, such as act_1001",
                self.account.id
            ));
        }
        let BudgetConstraints { total_daily_minor, min_minor, max_minor, .. } = self.constraints;
        for (name, value) in
            [("total_daily_minor", total_daily_minor), ("min_minor", min_minor), ("max_minor", max_minor)]
        {
            amount(name, value, 0).map_err(|message| format!("constraints.{message}"))?;
        }
        if min_minor > max_minor {
            return Err(format!("constraints.min_minor: {min_minor} is above max_minor {max_minor}"));
        }
        Ok(())
    }
}

fn read_row(value: Value) -> Result<AdRow, String> {
    for name in ["daily_budget_minor", "impressions", "clicks", "spend_minor"] {
        if let Some(given) = value.get(name).filter(|given| given.as_i64().is_none()) {
            return Err(format!("{name}: {given} is no whole number up to {LARGEST}"));
        }
    }
    let row: AdRow = serde_json::from_value(value).map_err(|e| e.to_string())?;
    for (name, id) in [("adset_id", &row.adset_id), ("campaign_id", &row.campaign_id)] {
        let known = |b: u8| b.is_ascii_alphanumeric() || b"_-.:".contains(&b);
        if id.len() > LONGEST_ID || !id.bytes().all(known) {
            return Err(format!("{name}: is no id of 1 to {LONGEST_ID} of A-Z a-z 0-9 _ - . :"));
        }
    }
    amount("daily_budget_minor", row.daily_budget_minor, 1)?;
    amount("spend_minor", row.spend_minor, 0)?;
    amount("impressions", i64::try_from(row.impressions).unwrap_or(i64::MAX), 0)?;
    if row.clicks > row.impressions {
        return Err(format!("clicks: {} are more than the {} impressions", row.clicks, row.impressions));
    }
    Ok(row)
}

fn amount(name: &str, value: i64, least: i64) -> Result<(), String> {
    if value < least {
        return Err(format!("{name}: {value} is below {least}"));
    }
    if value > LARGEST {
        return Err(format!("{name}: {value} is above {LARGEST}; check its unit"));
    }
    Ok(())
}

/// What the rows so far have said of each object, to find the first that contradicts them.
#[derive(Default)]
struct Agreement {
    kinds: BTreeMap<String, (&'static str, usize)>,
    campaign_of: BTreeMap<String, (String, usize)>,
    level_of: BTreeMap<String, (BudgetLevel, usize)>,
    budget_of: BTreeMap<String, (Minor, usize)>,
}

impl Agreement {
    fn has_ad(&self, id: &str) -> bool {
        self.kinds.get(id).is_some_and(|(kind, _)| *kind == "ad")
    }

    fn admit(&mut self, row: usize, ad: &AdRow) -> Result<(), String> {
        for (id, kind) in [(&ad.ad_id, "ad"), (&ad.adset_id, "ad set"), (&ad.campaign_id, "campaign")] {
            let (known, first) = *self.kinds.entry(id.clone()).or_insert((kind, row));
            if known != kind {
                return Err(format!(
                    "{id} is the {kind} here and the {known} in row {first}; ids are unique"
                ));
            }
        }
        agree(&mut self.campaign_of, &ad.adset_id, &ad.campaign_id, row, |mine, theirs, first| {
            format!(
                "campaign_id: ad set {} is of campaign {mine} here and of {theirs} in row {first}",
                ad.adset_id
            )
        })?;
        agree(&mut self.level_of, &ad.campaign_id, &ad.budget_level, row, |mine, theirs, first| {
            format!(
                "budget_level: campaign {} has {} here and {} in row {first}; a campaign has one",
                ad.campaign_id,
                mine.name(),
                theirs.name()
            )
        })?;
        agree(&mut self.budget_of, ad.owner_id(), &ad.daily_budget_minor, row, |mine, theirs, first| {
            format!(
                "daily_budget_minor: {mine} here and {theirs} in row {first}; the rows of one owner ({}) repeat its budget",
                ad.owner_id()
            )
        })
    }
}

fn agree<T: Clone + PartialEq>(
    known: &mut BTreeMap<String, (T, usize)>,
    key: &str,
    value: &T,
    row: usize,
    message: impl FnOnce(&T, &T, usize) -> String,
) -> Result<(), String> {
    let (theirs, first) = known.entry(key.to_owned()).or_insert_with(|| (value.clone(), row));
    if theirs == value { Ok(()) } else { Err(message(value, theirs, *first)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(rows: &str) -> String {
        format!(
            r#"{{"account":{{"id":"act_1","currency":"USD","zone":"x"}},"ads":[{rows}],"more":1,
            "constraints":{{"total_daily_minor":9000,"min_minor":100,"max_minor":9000}}}}"#
        )
    }

    fn row(ad: &str, set: &str, campaign: &str, budget: i64, level: &str) -> String {
        format!(
            r#"{{"ad_id":"{ad}","adset_id":"{set}","campaign_id":"{campaign}","name":"n","status":"ACTIVE","daily_budget_minor":{budget},
            "budget_level":"{level}","impressions":1,"clicks":1,"spend_minor":1,"colour":"red"}}"#
        )
    }

    #[test]
    fn keeps_unknown_fields() {
        let (ads, problems) = AdsFile::parse(&file(&row("a", "s", "c", 500, "adset"))).unwrap();
        assert!(problems.is_empty());
        let json = serde_json::to_value(&ads).unwrap();
        assert_eq!((&json["more"], &json["account"]["zone"]), (&1.into(), &"x".into()));
        assert_eq!(json["ads"][0]["colour"], "red");
    }

    #[test]
    fn rows_that_no_allocation_or_change_can_use_are_left_out() {
        let wrong = |field: &str, value: &str| {
            let row = row("b", "t", "c", 500, "adset");
            let mut fields: Map<String, Value> = serde_json::from_str(&row).unwrap();
            fields.insert(field.to_owned(), serde_json::from_str(value).unwrap());
            let rows = format!("{},{}", self::row("a", "s", "c", 500, "adset"), Value::Object(fields));
            let (ads, problems) = AdsFile::parse(&file(&rows)).unwrap();
            assert_eq!((ads.ads.len(), problems.len()), (1, 1), "{field} {value}");
            problems[0].to_string()
        };
        for (field, value) in [
            ("clicks", "2"),
            ("impressions", "1000000000000001"),
            ("spend_minor", "4611686018427387904"),
            ("spend_minor", "1.0"),
            ("clicks", "\"1\""),
            ("daily_budget_minor", "1000000000000001"),
            ("daily_budget_minor", "0"),
            ("adset_id", "\"a b\""),
            ("campaign_id", "\"\u{e4}\""),
        ] {
            let problem = wrong(field, value);
            assert!(problem.starts_with(&format!("row 2: {field}: ")), "{problem}");
        }
    }

    #[test]
    fn constraints_and_accounts_that_cannot_be_are_errors() {
        let good = file(&row("a", "s", "c", 500, "adset"));
        AdsFile::parse(&format!("\u{feff}{good}")).unwrap();
        for (from, to, field) in [
            ("\"total_daily_minor\":9000", "\"total_daily_minor\":-1", "constraints.total_daily_minor"),
            ("\"max_minor\":9000", "\"max_minor\":99", "constraints.min_minor"),
            ("\"max_minor\":9000", "\"max_minor\":1000000000000001", "constraints.max_minor"),
            ("act_1", "act_", "account.id"),
            ("act_1", "act_1/2", "account.id"),
        ] {
            let error = AdsFile::parse(&good.replace(from, to)).unwrap_err();
            assert!(error.message().contains(field), "{to}: {error}");
        }
        let error = AdsFile::parse("[]").unwrap_err();
        assert!(error.message().contains("an object with account, ads and constraints"), "{error}");
    }

    #[test]
    fn bad_rows_are_left_out_with_their_number() {
        let rows = [
            row("a", "s", "c", 500, "adset"),
            r#"{"ad_id":"b"}"#.to_owned(),
            row("a", "s", "c", 500, "adset"),
            row("d", "s", "c", -5, "adset"),
        ];
        let (ads, problems) = AdsFile::parse(&file(&rows.join(","))).unwrap();
        assert_eq!(ads.ads.len(), 1);
        assert_eq!(problems.iter().map(|p| p.row).collect::<Vec<_>>(), [2, 3, 4]);
        assert!(problems[0].to_string().contains("adset_id"), "{}", problems[0]);
    }

    #[test]
    fn rows_that_disagree_are_an_error_that_names_the_row() {
        let cases = [
            (row("b", "s", "c", 600, "adset"), "daily_budget_minor"),
            (row("b", "s", "k", 500, "adset"), "campaign_id"),
            (row("b", "t", "c", 500, "campaign"), "budget_level"),
            (row("s", "t", "c", 500, "adset"), "unique"),
        ];
        for (second, word) in cases {
            let text = file(&[row("a", "s", "c", 500, "adset"), second].join(","));
            let error = AdsFile::parse(&text).unwrap_err();
            assert!(error.message().contains("row 2") && error.message().contains(word), "{error}");
        }
    }

    #[test]
    fn owners_are_ad_sets_or_campaigns() {
        let rows = [
            row("a", "s", "c", 500, "adset"),
            row("b", "s", "c", 500, "adset"),
            row("x", "u", "k", 900, "campaign"),
            row("y", "v", "k", 900, "campaign"),
        ];
        let (ads, _) = AdsFile::parse(&file(&rows.join(","))).unwrap();
        let owners = ads.owners();
        assert_eq!(owners.keys().collect::<Vec<_>>(), ["k", "s"]);
        assert_eq!(owners["k"].ad_ids, ["x", "y"]);
        assert_eq!(owners["s"].daily_budget_minor, 500);
    }

    #[test]
    fn a_missing_file_is_named_with_the_way_out() {
        let error = AdsFile::load(Path::new("/nowhere/ads.json")).unwrap_err();
        assert_eq!(error.kind(), xynergy_core::ErrorKind::NotFound);
        assert!(error.message().contains("/nowhere/ads.json"), "{error}");
    }
}
