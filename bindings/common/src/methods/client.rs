use schemars::JsonSchema;
use serde::Deserialize;
use xynergy::execution::RunReport;
use xynergy_core::health::Health;

use super::{Nothing, methods};

methods! {
    /// How the client and everything that it talks to fare. Every check really connects, reads or writes; the whole answers within
    /// five seconds.
    "health"() Value Nothing => Health = |session, _: Nothing| async move { Ok(session.scope.health().await) };

    /// Brings the tables of the store to this version; with `print_sql` it only returns the SQL, for those who migrate with
    /// a tool of their own.
    "migrate"(print_sql) Value MigrateArguments => xynergy::Migration =
        |session, arguments: MigrateArguments| async move { session.client.migrate(arguments.print_sql).await };

    /// Does every budget change that is due now, of all tenants, and returns: what a scheduler calls.
    "tick"() Value Nothing => RunReport = |session, _: Nothing| async move { session.client.tick().await };

    /// What happened in this process and what is still to be done, of all tenants together, in Prometheus' text format.
    "metrics"() Value Nothing => String = |session, _: Nothing| async move { session.client.metrics().await };
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MigrateArguments {
    /// Whether the SQL is returned and nothing is done.
    #[serde(default)]
    print_sql: bool,
}
