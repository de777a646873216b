CREATE TABLE crm_events (
    tenant_id   TEXT NOT NULL,
    key         BLOB NOT NULL,
    occurred_at INTEGER NOT NULL,
    event_id    TEXT NOT NULL,
    -- Only of moves of a deal.
    deal_id     TEXT,
    stage       TEXT,
    raw         TEXT NOT NULL,
    PRIMARY KEY (tenant_id, key),
    CHECK ((deal_id IS NULL) = (stage IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX crm_events_of_deal ON crm_events (tenant_id, deal_id) WHERE deal_id IS NOT NULL;

CREATE TABLE crm_event_ingests (
    tenant_id TEXT NOT NULL,
    source    TEXT NOT NULL,
    events    INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, source)
) STRICT, WITHOUT ROWID;

-- A deal is pending while it has more stage events than its state has seen. The state is null until it is first put.
CREATE TABLE deals (
    tenant_id    TEXT NOT NULL,
    deal_id      TEXT NOT NULL,
    events       INTEGER NOT NULL,
    events_seen  INTEGER NOT NULL DEFAULT 0,
    stage        TEXT,
    value_minor  INTEGER,
    layer        INTEGER CHECK (layer IN (1, 2, 3)),
    click_id     TEXT,
    ad_id        TEXT,
    adset_id     TEXT,
    campaign_id  TEXT,
    anchor       INTEGER,
    rule_version TEXT,
    receipt      TEXT,
    PRIMARY KEY (tenant_id, deal_id),
    CHECK (events_seen <= events),
    CHECK ((layer IS NULL) = (ad_id IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX deals_pending ON deals (tenant_id, deal_id) WHERE events_seen < events;

CREATE TABLE revenue_entries (
    tenant_id   TEXT NOT NULL,
    deal_id     TEXT NOT NULL,
    position    INTEGER NOT NULL,
    event_key   BLOB NOT NULL,
    occurred_at INTEGER NOT NULL,
    stage_from  TEXT,
    stage_to    TEXT NOT NULL,
    delta_minor INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, deal_id, position)
) STRICT, WITHOUT ROWID;
