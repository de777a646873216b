//! A tenant with a store, an ad account of its own in a sandbox, and a clock.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use xynergy::ads::{ChangeField, Owner};
use xynergy::env::ManualClock;
use xynergy::execution::{AdChange, ChangeId, ChangeRow, MetaConfig, Step};
use xynergy::sandbox::{self, AdsFile, CrmFile, FaultRule, Sandbox, SandboxClock, SandboxConfig, SandboxLog};
use xynergy::secrets::SecretRef;
use xynergy::{Client, Clock, Config, Currency, Scope, Stores, TenantId, Timestamp};

use crate::place::Place;

pub(crate) const ACCOUNT: &str = "act_1";
pub(crate) const START: Timestamp = Timestamp::from_millis(1_770_000_000_000);

/// The ad account: the ad sets s1 and s2 of 1,000 in the campaign c1, and c2 with a budget of its own of 2,000.
pub(crate) fn ads() -> AdsFile {
    let ad = |id: &str, set: &str, campaign: &str, level: &str, budget: i64| {
        json!({"ad_id": id, "adset_id": set, "campaign_id": campaign, "status": "ACTIVE", "budget_level": level,
            "daily_budget_minor": budget, "impressions": 1, "clicks": 1, "spend_minor": 1})
    };
    let file = json!({
        "account": {"id": ACCOUNT, "currency": "USD"},
        "constraints": {"total_daily_minor": 1_000_000, "min_minor": 100, "max_minor": 1_000_000},
        "ads": [
            ad("a1", "s1", "c1", "adset", 1_000), ad("a2", "s2", "c1", "adset", 1_000),
            ad("a3", "s3", "c2", "campaign", 2_000)
        ],
    });
    let (ads, problems) = AdsFile::parse(&file.to_string()).unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    ads
}

pub(crate) struct Site {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) sandbox: Sandbox,
    pub(crate) place: Place,
    pub(crate) tenant: TenantId,
    pub(crate) require_approval: bool,
    /// A store that is open already; another one is opened each time otherwise.
    pub(crate) stores: Option<Stores>,
    /// Keeps the platform's log for as long as the site is there.
    folder: tempfile::TempDir,
}

impl Site {
    pub(crate) async fn new(
        place: Place,
        tenant: &str,
        require_approval: bool,
        faults: Vec<FaultRule>,
    ) -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let folder = tempfile::tempdir().unwrap();
        let crm = CrmFile::parse(r#"{"deals": {}, "contacts": {}}"#).unwrap().0;
        let config = SandboxConfig {
            clock: SandboxClock::Shared(clock.clone()),
            log: SandboxLog::File(folder.path().join("platform.ndjson")),
            faults,
            ..SandboxConfig::new(ads(), crm)
        };
        let sandbox = sandbox::start(config).await.unwrap();
        Self {
            clock,
            sandbox,
            place,
            tenant: TenantId::new(tenant).unwrap(),
            require_approval,
            stores: None,
            folder,
        }
    }

    /// A client, as another process would have it.
    pub(crate) async fn scope(&self) -> Scope {
        let stores = match &self.stores {
            Some(open) => open.clone(),
            None => self.place.open().await,
        };
        let graph = &self.sandbox.urls().graph;
        scope(stores, graph, self.clock.clone(), &self.tenant, self.require_approval)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A person edits a budget.
    pub(crate) async fn edit(&self, id: &str, daily_budget: i64) {
        let url = format!("{}/_sandbox/edit", self.sandbox.urls().base);
        let body = json!({"id": id, "daily_budget": daily_budget, "actor": "Ann"});
        let answer = reqwest::Client::new().post(url).body(body.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    }

    /// The lines of the platform's own log.
    pub(crate) fn log(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.folder.path().join("platform.ndjson")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The budget of an owner on the platform.
    pub(crate) async fn budget(&self, scope: &Scope, id: &str) -> i64 {
        let owners = scope.execution().owners(ACCOUNT).await.unwrap();
        owners.iter().find(|o| o.owner.id == id).and_then(|o| o.daily_budget_minor).unwrap()
    }

    /// Goes to the next due time and does what is due.
    pub(crate) async fn step(&self, scope: &Scope) -> Step {
        let due = scope.execution().next_due().await.unwrap().expect("something is due");
        self.clock.set(due.max(self.now()));
        scope.execution().run_once().await.unwrap().expect("it is due now")
    }

    /// Goes on until nothing is due any more, or only later than the horizon.
    pub(crate) async fn run(&self, scope: &Scope, horizon: Duration) {
        let end = self.now().plus(horizon);
        for _ in 0..1_000 {
            match scope.execution().next_due().await.unwrap() {
                Some(due) if due <= end => self.clock.set(due.max(self.now())),
                _ => return,
            }
            // A change that somebody else holds is due and hidden for the length of a lease.
            if scope.execution().run_once().await.unwrap().is_none() {
                self.clock.advance(Duration::from_secs(10));
            }
        }
        panic!("it does not come to an end");
    }

    pub(crate) fn id(&self, name: &str) -> ChangeId {
        id(&self.tenant, name)
    }

    /// A budget change of this tenant.
    pub(crate) fn change(&self, name: &str, owner: &str, expected_from: i64, target: i64) -> AdChange {
        change(&self.tenant, name, owner, expected_from, target)
    }

    pub(crate) async fn get(&self, scope: &Scope, name: &str) -> ChangeRow {
        scope.execution().get(self.id(name)).await.unwrap().unwrap_or_else(|| panic!("{name} is lost"))
    }
}

fn id(tenant: &TenantId, name: &str) -> ChangeId {
    ChangeId::derive(&[tenant.as_str(), name])
}

pub(crate) fn change(
    tenant: &TenantId,
    name: &str,
    owner: &str,
    expected_from: i64,
    target: i64,
) -> AdChange {
    let campaign = owner.starts_with('c');
    AdChange {
        id: id(tenant, name),
        account_id: ACCOUNT.into(),
        campaign_id: if campaign { owner } else { "c1" }.into(),
        owner: if campaign { Owner::campaign(owner) } else { Owner::ad_set(owner) },
        field: ChangeField::Budget,
        expected_from,
        target,
        currency: Currency::USD,
        allocation_id: None,
        causation_id: Some("event_7".into()),
        reason: "it earns more".into(),
        expires_at: None,
        ramp: None,
    }
}

/// The configuration of a client whose ad platform is the sandbox.
pub(crate) fn config(graph: &str) -> Config {
    let meta = MetaConfig {
        base_url: graph.to_owned(),
        access_token: SecretRef::Env(sandbox::KEY.to_owned()),
        app_id: Some(sandbox::APP_ID.to_owned()),
        ..MetaConfig::default()
    };
    Config { meta: Some(meta), ..Config::default() }
}

/// A client on these stores.
pub(crate) fn scope(
    stores: Stores,
    graph: &str,
    clock: Arc<ManualClock>,
    tenant: &TenantId,
    require_approval: bool,
) -> Scope {
    let mut config = config(graph);
    config.execution.preset = "standard".to_owned();
    config.execution.require_approval = require_approval;
    let secrets = Arc::new(sandbox::secrets(None));
    let builder = Client::builder(config).secrets(secrets).clock(clock).stores(stores);
    builder.build().unwrap().scope(tenant.clone()).with_actor("tester")
}
