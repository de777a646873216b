-- Revenue of everything that happens to deals: amounts, merges, refunds, other values of the stages.

-- What an event says as JSON, and the ids of the deals that it concerns as a JSON array.
CREATE TABLE crm_events_now (
    tenant_id   TEXT NOT NULL,
    key         BLOB NOT NULL,
    occurred_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    event_id    TEXT NOT NULL,
    deals       TEXT NOT NULL,
    change      TEXT,
    raw         TEXT NOT NULL,
    PRIMARY KEY (tenant_id, key)
) STRICT, WITHOUT ROWID;

-- When they were recorded was not kept: no earlier than they happened.
INSERT INTO crm_events_now
SELECT tenant_id, key, occurred_at, occurred_at, event_id,
       CASE WHEN deal_id IS NULL THEN '[]' ELSE json_array(deal_id) END,
       CASE WHEN stage IS NOT NULL THEN json_object('type', 'stage', 'stage', stage) END, raw
FROM crm_events;

-- The events of each deal.
CREATE TABLE crm_event_deals (
    tenant_id TEXT NOT NULL,
    deal_id   TEXT NOT NULL,
    key       BLOB NOT NULL,
    PRIMARY KEY (tenant_id, deal_id, key)
) STRICT, WITHOUT ROWID;
INSERT INTO crm_event_deals SELECT tenant_id, deal_id, key FROM crm_events WHERE deal_id IS NOT NULL;

DROP TABLE crm_events;
ALTER TABLE crm_events_now RENAME TO crm_events;
CREATE INDEX crm_events_by_time ON crm_events (tenant_id, occurred_at) WHERE deals <> '[]';

ALTER TABLE deals ADD COLUMN keyword TEXT;
ALTER TABLE deals ADD COLUMN content TEXT;
ALTER TABLE deals ADD COLUMN pipeline TEXT;
ALTER TABLE deals ADD COLUMN amount_minor INTEGER;
ALTER TABLE deals ADD COLUMN merged_into TEXT;
ALTER TABLE deals ADD COLUMN problem TEXT;
-- JSON.
ALTER TABLE deals ADD COLUMN facts TEXT;
ALTER TABLE deals ADD COLUMN values_seen INTEGER NOT NULL DEFAULT 0;
CREATE INDEX deals_by_values ON deals (tenant_id, values_seen, deal_id);

ALTER TABLE revenue_entries ADD COLUMN cause TEXT NOT NULL DEFAULT 'stage';

-- Other values of the stages from a time on.
CREATE TABLE revaluations (
    tenant_id   TEXT NOT NULL,
    cut         INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    events_seen INTEGER NOT NULL,
    stage_table TEXT NOT NULL,
    PRIMARY KEY (tenant_id, cut)
) STRICT, WITHOUT ROWID;
