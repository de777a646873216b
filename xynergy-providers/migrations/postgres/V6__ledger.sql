-- Revenue of everything that happens to deals: amounts, merges, refunds, other values of the stages.

-- What an event says as JSON, and the ids of the deals that it concerns as a JSON array.
ALTER TABLE crm_events ADD COLUMN recorded_at bigint;
ALTER TABLE crm_events ADD COLUMN deals text COLLATE "C";
ALTER TABLE crm_events ADD COLUMN change text;

-- When they were recorded was not kept: no earlier than they happened.
UPDATE crm_events
SET recorded_at = occurred_at,
    deals = CASE WHEN deal_id IS NULL THEN '[]' ELSE json_build_array(deal_id)::text END,
    change = CASE WHEN stage IS NOT NULL THEN json_build_object('type', 'stage', 'stage', stage)::text END;
ALTER TABLE crm_events ALTER COLUMN recorded_at SET NOT NULL;
ALTER TABLE crm_events ALTER COLUMN deals SET NOT NULL;

-- The events of each deal.
CREATE TABLE crm_event_deals (
    tenant_id text COLLATE "C" NOT NULL,
    deal_id   text COLLATE "C" NOT NULL,
    key       bytea NOT NULL,
    PRIMARY KEY (tenant_id, deal_id, key)
);
INSERT INTO crm_event_deals SELECT tenant_id, deal_id, key FROM crm_events WHERE deal_id IS NOT NULL;

DROP INDEX crm_events_of_deal;
ALTER TABLE crm_events DROP COLUMN deal_id, DROP COLUMN stage;
CREATE INDEX crm_events_by_time ON crm_events (tenant_id, occurred_at) WHERE deals <> '[]';

ALTER TABLE deals ADD COLUMN keyword text;
ALTER TABLE deals ADD COLUMN content text;
ALTER TABLE deals ADD COLUMN pipeline text;
ALTER TABLE deals ADD COLUMN amount_minor bigint;
ALTER TABLE deals ADD COLUMN merged_into text;
ALTER TABLE deals ADD COLUMN problem text;
-- JSON.
ALTER TABLE deals ADD COLUMN facts text;
ALTER TABLE deals ADD COLUMN values_seen bigint NOT NULL DEFAULT 0;
CREATE INDEX deals_by_values ON deals (tenant_id, values_seen, deal_id);

ALTER TABLE revenue_entries ADD COLUMN cause text NOT NULL DEFAULT 'stage';

-- Other values of the stages from a time on.
CREATE TABLE revaluations (
    tenant_id   text COLLATE "C" NOT NULL,
    cut         bigint NOT NULL,
    recorded_at bigint NOT NULL,
    events_seen bigint NOT NULL,
    stage_table text NOT NULL,
    PRIMARY KEY (tenant_id, cut)
);

UPDATE xynergy_schema SET version = 6, compatible_from = 6;
