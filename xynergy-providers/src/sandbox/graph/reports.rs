//! Reports of insights that are ordered, watched and then read.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Call, GraphError, insights};
use crate::sandbox::incoming::is_secret;
use crate::sandbox::record::ReportLine;
use crate::sandbox::reply::{Handled, Reply};

/// How often a report is asked for before it is done.
const POLLS: u64 = 2;

/// Where the numbers of reports begin.
const FIRST: u64 = 6_000_000_000_000;

pub(super) fn order(call: &Call<'_>, id: &str) -> Result<Handled, GraphError> {
    // What the rows cannot be made of is refused now, as Meta does.
    insights::check(call, id)?;
    let report_run_id = (FIRST + call.world.seq + 1).to_string();
    let params: BTreeMap<String, String> =
        call.params.iter().filter(|(name, _)| !is_secret(name)).cloned().collect();
    let mut handled = Handled::from(Reply::json(200, &json!({"report_run_id": report_run_id})));
    handled.report = Some(ReportLine { report_run_id, object_id: id.to_owned(), params });
    Ok(handled)
}

pub(super) fn status(call: &Call<'_>, id: &str) -> Value {
    let asked = call.world.reports.get(id).map_or(0, |(_, asked)| *asked);
    let (status, percent) = match asked {
        0 => ("Job Not Started", 0),
        asked if asked < POLLS => ("Job Running", asked * 100 / POLLS),
        _ => ("Job Completed", 100),
    };
    json!({
        "id": id,
        "account_id": call.world.seed.ads.account.number(),
        "async_status": status,
        "async_percent_completion": percent,
        "is_running": percent < 100,
    })
}

/// The rows of a report that is done, page by page: what the query would answer.
pub(super) fn rows(call: &Call<'_>, id: &str) -> Result<Value, GraphError> {
    let Some((report, asked)) = call.world.reports.get(id) else {
        return Err(GraphError::missing("get", id));
    };
    if *asked < POLLS {
        return Err(GraphError::invalid("(#100) The report is not completed yet"));
    }
    let paging = ["limit", "after"];
    let mut params: Vec<(String, String)> =
        report.params.iter().filter(|(name, _)| !paging.contains(&name.as_str())).map(owned).collect();
    params.extend(call.params.iter().filter(|(name, _)| paging.contains(&name.as_str())).cloned());
    let of_report = Call { params, ..*call };
    insights::read(&of_report, &report.object_id, id)
}

fn owned((name, value): (&String, &String)) -> (String, String) {
    (name.clone(), value.clone())
}
