//! The lists of campaigns, ad sets, ads, creatives and videos.

use serde_json::Value;

use super::{Call, GraphError, fields, filter, node};
use crate::sandbox::record::ObjectKind;

pub(super) fn read(call: &Call<'_>, version: &str, id: &str, edge: &str) -> Result<Value, GraphError> {
    let missing = || GraphError::missing("get", id);
    let parent =
        if call.account(id).is_some() { None } else { Some(call.world.objects.get(id).ok_or_else(missing)?) };
    let kind = match (parent.map(|object| object.kind), edge) {
        (None, "campaigns") => ObjectKind::Campaign,
        (None, "adcreatives") => ObjectKind::Creative,
        (None, "advideos") => ObjectKind::Video,
        (None | Some(ObjectKind::Campaign), "adsets") => ObjectKind::Adset,
        (None | Some(ObjectKind::Campaign | ObjectKind::Adset), "ads") => ObjectKind::Ad,
        _ => return Err(missing()),
    };
    let statuses = call.param("effective_status").map(status_list).transpose()?;
    let filters = call.param("filtering").map(filter::parse).transpose()?.unwrap_or_default();
    let title = call.param("title").filter(|_| kind == ObjectKind::Video);
    let mut items = Vec::new();
    for (child_id, child) in call.world.children(kind, parent.map(|_| id)) {
        let fits = |list: &Vec<String>| list.contains(&node::effective_status(call.world, child));
        let named = filters.iter().all(|filter| filter.passes(call.world, child_id, child))
            && title.is_none_or(|title| title == child.name);
        if statuses.as_ref().is_none_or(fits) && named {
            items.push((child_id.as_str(), node::shown(call, child_id, child)?));
        }
    }
    fields::page(call, version, &format!("{id}/{edge}"), items.into_iter(), |key, after| *key > after)
}

fn status_list(text: &str) -> Result<Vec<String>, GraphError> {
    serde_json::from_str(text)
        .map_err(|_| GraphError::invalid("(#100) Param effective_status must be a list such as [\"ACTIVE\"]"))
}
