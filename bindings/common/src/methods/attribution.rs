use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use xynergy::attribution::StageValues;
use xynergy::store::{DealRevenue, RevenueTotals};
use xynergy::{Result, Timestamp};

use super::{Nothing, Session, methods};

methods! {
    /// Stores a click on an ad and returns its id. Fields: `ts` (RFC 3339), `url`, `ad_id`, `adset_id`, `campaign_id`, `ip`,
    /// `user_agent`, `consent`, and perhaps `accept_language`, `click_id`, `x_forwarded_for`, `client_hints` (the `Sec-CH-UA` headers
    /// by name) and `fbc`; every other field is kept. Without consent nothing that identifies is stored. A known bot's click is not
    /// stored.
    "attribution.track_click"(click) Value ClickArguments => String =
        |session, arguments: ClickArguments| async move { session.scope.attribution().track_click(&line(&arguments.click)).await };

    /// Stores clicks, all of those that are clicks at once, and reports the rest by their index. Giving the same batch again
    /// stores nothing twice. `source` names the batch, for counting.
    "attribution.track_clicks"(clicks, source) Value ClicksArguments => TrackedClicks = track_clicks;

    /// How many clicks are stored, of all or of one batch.
    "attribution.count_clicks"(source) Value SourceArguments => u64 = |session, arguments: SourceArguments| async move {
        session.scope.attribution().count_clicks(arguments.source.as_deref()).await
    };

    /// Revenue by ad and the number of deals by layer, of everything that was processed.
    "attribution.totals"() Value Nothing => RevenueTotals =
        |session, _: Nothing| async move { session.scope.attribution().totals().await };

    /// Every processed deal with its value, its ledger and its match, by id; as it was known at `as_of` when that is given, by
    /// what had arrived then.
    "attribution.deals"(as_of) Value AsOfArguments => Vec<DealRevenue> = |session, arguments: AsOfArguments| async move {
        match arguments.as_of {
            Some(as_of) => session.scope.attribution().deals_as_of(as_of).await,
            None => session.scope.attribution().deals().await,
        }
    };

    /// What a deal is worth by its stage.
    "attribution.stages"() Value Nothing => StageValues =
        |session, _: Nothing| async move { Ok(session.scope.attribution().stages().clone()) };
}

async fn track_clicks(session: Session, arguments: ClicksArguments) -> Result<TrackedClicks> {
    let attribution = session.scope.attribution();
    let mut tracked = TrackedClicks::default();
    let mut clicks = Vec::with_capacity(arguments.clicks.len());
    for (index, click) in (0_u64..).zip(&arguments.clicks) {
        let parsed = match click {
            Value::Object(_) => attribution.parse_click(&line(click)).await?,
            // A line of a log, as it came.
            Value::String(text) => attribution.parse_click(text.as_bytes()).await?,
            _ => {
                let problem = "a click is an object, or a line of JSON".to_owned();
                tracked.rejected.push(RejectedClick { index, problem });
                continue;
            }
        };
        match parsed {
            Ok(click) => clicks.push(click),
            Err(problem) if problem.bot_click.is_some() => tracked.bots += 1,
            Err(problem) => tracked.rejected.push(RejectedClick { index, problem: problem.to_string() }),
        }
    }
    let stored = attribution.track_clicks(&clicks, arguments.source.as_deref().unwrap_or("")).await?;
    tracked.inserted = stored.inserted;
    tracked.duplicates = stored.duplicates;
    Ok(tracked)
}

fn line(click: &Value) -> Vec<u8> {
    click.to_string().into_bytes()
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClickArguments {
    /// The click.
    #[schemars(with = "Map<String, Value>")]
    click: Value,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClicksArguments {
    /// The clicks: objects, or lines of JSON.
    clicks: Vec<Value>,
    /// The name of the batch.
    #[serde(default)]
    source: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceArguments {
    /// The name of the batch.
    #[serde(default)]
    pub(crate) source: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AsOfArguments {
    /// By what had arrived at this time; now when absent.
    #[serde(default)]
    as_of: Option<Timestamp>,
}

/// What became of a batch of clicks.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct TrackedClicks {
    /// Clicks that are stored now and were not before.
    inserted: u64,
    /// Clicks that were there already.
    duplicates: u64,
    /// Clicks of known bots, which are not stored.
    bots: u64,
    /// Those that are no click.
    rejected: Vec<RejectedClick>,
}

/// An element of a batch that is no click.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RejectedClick {
    /// Its place in the batch, from 0.
    index: u64,
    /// The field, what is wrong with it, and the way out.
    problem: String,
}
