//! Campaigns, ad sets, ads, creatives and videos on the wire. Pure functions.

use serde::Deserialize;
use serde_json::{Map, Value};
use xynergy_core::ads::{AdObject, AdObjectKind, AdObjectSpec};
use xynergy_core::{Error, Result};

use super::error::corrupt;
use super::request::with_prefix;
use super::wire;

/// The amounts that Meta writes as texts.
const AMOUNTS: [&str; 9] = [
    "bid_amount",
    "budget_remaining",
    "daily_budget",
    "daily_min_spend_target",
    "daily_spend_cap",
    "lifetime_budget",
    "lifetime_min_spend_target",
    "lifetime_spend_cap",
    "spend_cap",
];

/// The edge of an account that lists the objects of a kind, and takes new ones.
pub(super) fn edge(kind: AdObjectKind) -> &'static str {
    match kind {
        AdObjectKind::Ad => "ads",
        AdObjectKind::AdSet => "adsets",
        AdObjectKind::Campaign => "campaigns",
        AdObjectKind::Creative => "adcreatives",
        AdObjectKind::Video => "advideos",
    }
}

/// The fields that are always asked for. The last is one that no other kind has: Meta takes an id of any kind and refuses
/// fields that its kind lacks, which tells that the id is of another kind.
fn base_fields(kind: AdObjectKind) -> &'static [&'static str] {
    match kind {
        AdObjectKind::Ad => &["id", "name", "account_id", "status", "adset_id"],
        AdObjectKind::AdSet => &["id", "name", "account_id", "status", "optimization_goal"],
        AdObjectKind::Campaign => &["id", "name", "account_id", "status", "objective"],
        AdObjectKind::Creative => &["id", "name", "account_id", "object_type"],
        AdObjectKind::Video => &["id", "title", "length"],
    }
}

/// What a kind's name is called.
pub(super) fn name_field(kind: AdObjectKind) -> &'static str {
    if kind == AdObjectKind::Video { "title" } else { "name" }
}

/// The fields to ask for.
pub(super) fn fields(kind: AdObjectKind, further: &[String]) -> String {
    let base = base_fields(kind);
    let further = further.iter().map(String::as_str).filter(|name| !base.contains(name));
    let all: Vec<&str> = base.iter().copied().chain(further).collect();
    all.join(",")
}

/// An object as Meta shows it.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct ObjectRow(Map<String, Value>);

impl ObjectRow {
    /// The object, with the fields that were asked for. `account` is the one of the list that it is from.
    pub(super) fn into_object(
        mut self,
        kind: AdObjectKind,
        wanted: &[String],
        account: Option<&str>,
        operation: &'static str,
    ) -> Result<AdObject> {
        let mut text = |name: &str| match self.0.remove(name) {
            Some(Value::String(text)) => Some(text),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let id = text("id")
            .filter(|id| !id.is_empty())
            .ok_or_else(|| corrupt(operation, "id: is missing for an object"))?;
        let account_id = text("account_id").or_else(|| account.map(str::to_owned));
        let name = text(name_field(kind)).unwrap_or_default();
        let status = text("status").filter(|_| kind.is_delivered());
        let mut fields = self.0;
        fields.retain(|name, _| wanted.iter().any(|wanted| wanted.split('{').next() == Some(name)));
        for (name, value) in &mut fields {
            if let Some(amount) = value.as_str().and_then(|text| text.parse::<i64>().ok())
                && AMOUNTS.contains(&name.as_str())
            {
                *value = amount.into();
            }
        }
        Ok(AdObject {
            kind,
            id,
            account_id: account_id.map(|id| with_prefix(&id)).unwrap_or_default(),
            name,
            status: status.map(|status| wire::status(&status)),
            fields,
        })
    }
}

/// The parameters of a create: always paused.
pub(super) fn create_form(spec: &AdObjectSpec, nonce: &str) -> Vec<(String, String)> {
    let mut form = vec![(name_field(spec.kind).to_owned(), spec.tagged_name(nonce))];
    form.extend(set(&spec.fields).filter(|(name, _)| name != "status"));
    if spec.kind.is_delivered() {
        form.push(("status".to_owned(), "PAUSED".to_owned()));
    }
    form
}

/// Fields as parameters: a text as it is, everything else as JSON.
pub(super) fn set(fields: &Map<String, Value>) -> impl Iterator<Item = (String, String)> {
    fields.iter().map(|(name, value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        (name.clone(), text)
    })
}

/// The parameters by which a list shows what was created with a nonce, as far as Meta can be asked: campaigns, ad sets and ads by
/// a part of the name, videos by the whole title, creatives not at all. The rows are compared here in any case.
pub(super) fn lookup(spec: &AdObjectSpec, nonce: &str) -> Vec<(&'static str, String)> {
    match spec.kind {
        AdObjectKind::Ad | AdObjectKind::AdSet | AdObjectKind::Campaign => {
            let filter = serde_json::json!([{"field": "name", "operator": "CONTAIN", "value": nonce}]);
            vec![("filtering", filter.to_string())]
        }
        AdObjectKind::Video => vec![("title", spec.tagged_name(nonce))],
        AdObjectKind::Creative => Vec::new(),
    }
}

/// The id in the answer to a create.
pub(super) fn created_id(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Created {
        id: wire::Id,
    }
    let created: Created = serde_json::from_slice(body).ok()?;
    Some(created.id.to_string()).filter(|id| !id.is_empty())
}

/// The refusal of a budget, bid or status where the kind has none.
pub(super) fn check_parent(query_kind: AdObjectKind, parent: Option<&str>) -> Result<()> {
    let without = matches!(query_kind, AdObjectKind::Campaign | AdObjectKind::Creative | AdObjectKind::Video);
    if without && parent.is_some() {
        return Err(Error::invalid(
            "ads.list",
            format!("parent_id: a {query_kind} has no campaign or ad set above it: leave it out"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use xynergy_core::ads::DeliveryStatus;

    use super::*;

    fn row(value: Value) -> ObjectRow {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn an_object_has_what_was_asked_for_and_amounts_are_numbers() {
        let wanted = ["daily_budget".to_owned(), "targeting".to_owned(), "creative{id}".to_owned()];
        let shown = row(
            json!({"id": 7, "name": "A", "account_id": "77", "status": "PAUSED", "daily_budget": "2500",
                               "optimization_goal": "REACH", "targeting": {"age_min": 18}, "creative": {"id": "9"}}),
        );
        let object = shown.into_object(AdObjectKind::AdSet, &wanted, None, "ads.get").unwrap();
        assert_eq!((object.id.as_str(), object.account_id.as_str()), ("7", "act_77"));
        assert_eq!(object.status, Some(DeliveryStatus::Paused));
        let fields = json!({"daily_budget": 2500, "targeting": {"age_min": 18}, "creative": {"id": "9"}});
        assert_eq!(Value::Object(object.fields), fields);
        let video = row(json!({"id": "8", "title": "Clip", "length": 3.5}));
        let video = video.into_object(AdObjectKind::Video, &[], Some("act_77"), "ads.list").unwrap();
        assert_eq!((video.name.as_str(), video.status, video.account_id.as_str()), ("Clip", None, "act_77"));
        let homeless = row(json!({"name": "A"})).into_object(AdObjectKind::Ad, &[], None, "ads.get");
        assert!(homeless.unwrap_err().message().starts_with("id: "));
    }

    #[test]
    fn a_create_is_paused_and_tagged() {
        let fields =
            json!({"targeting": {"age_min": 18}, "objective": "X", "daily_budget": 5, "status": "PAUSED"});
        let spec = |kind| AdObjectSpec {
            kind,
            account_id: "act_77".into(),
            name: "Spring".into(),
            fields: fields.as_object().unwrap().clone(),
        };
        let form = create_form(&spec(AdObjectKind::AdSet), "00ff");
        let of =
            |name: &str| form.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect::<Vec<_>>();
        assert_eq!(of("name"), ["Spring [xy:00ff]"]);
        assert_eq!((of("status"), of("daily_budget")), (vec!["PAUSED"], vec!["5"]));
        assert_eq!(of("targeting"), [r#"{"age_min":18}"#]);
        let video = create_form(&spec(AdObjectKind::Video), "00ff");
        assert!(
            video.iter().any(|(name, _)| name == "title") && !video.iter().any(|(name, _)| name == "status")
        );
        assert_eq!(lookup(&spec(AdObjectKind::Video), "00ff"), [("title", "Spring [xy:00ff]".to_owned())]);
        assert_eq!(lookup(&spec(AdObjectKind::Creative), "00ff"), []);
    }

    #[test]
    fn an_answer_without_an_id_confirms_nothing() {
        assert_eq!(created_id(br#"{"id":"5"}"#).as_deref(), Some("5"));
        assert_eq!(created_id(br#"{"id":5,"success":true}"#).as_deref(), Some("5"));
        for other in [&b"{}"[..], b"true", br#"{"id":""}"#, br#"{"success":true}"#] {
            assert_eq!(created_id(other), None);
        }
    }

    #[test]
    fn each_kind_asks_for_a_field_of_its_own() {
        for kind in AdObjectKind::ALL {
            let own = *base_fields(kind).last().unwrap();
            let others = AdObjectKind::ALL.into_iter().filter(|other| *other != kind);
            assert!(others.into_iter().all(|other| !base_fields(other).contains(&own)), "{own}");
        }
        assert_eq!(fields(AdObjectKind::Video, &["title".into(), "source".into()]), "id,title,length,source");
    }
}
