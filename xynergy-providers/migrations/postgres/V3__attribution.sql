-- Clicks and revenue. Times are microseconds since 1970-01-01 UTC, amounts minor units, keys keyed hashes of 16 bytes. A
-- NUL character, which a text cannot hold, is kept as U+0001 '0', and U+0001 itself as U+0001 '1'.

-- Keys are of one tenant each, and come before it in the indexes: comparing texts is what makes an index slow to fill.
CREATE TABLE clicks (
    tenant_id    text COLLATE "C" NOT NULL,
    key          bytea NOT NULL,
    clicked_at   bigint NOT NULL,
    ad_id        text NOT NULL,
    adset_id     text NOT NULL,
    campaign_id  text NOT NULL,
    utm_source   text,
    utm_medium   text,
    utm_campaign text,
    utm_content  text,
    utm_term     text,
    -- Only with consent.
    click_id     text,
    raw          text,
    PRIMARY KEY (key, tenant_id)
);

-- Every key under which a conversion may find a click, written with the click. Keys are random: by day first, a batch of
-- clicks touches the pages of its days and not those of all clicks there are.
CREATE TABLE click_keys (
    tenant_id  text COLLATE "C" NOT NULL,
    day        integer NOT NULL,
    key        bytea NOT NULL,
    clicked_at bigint NOT NULL,
    click      bytea NOT NULL
);
CREATE INDEX click_keys_of_day ON click_keys (day, key, tenant_id, clicked_at) WITH (deduplicate_items = off);

-- The days that have clicks.
CREATE TABLE click_days (
    tenant_id text COLLATE "C" NOT NULL,
    day       integer NOT NULL,
    PRIMARY KEY (tenant_id, day)
);

-- How many each ingest brought: the sum of its slots. One row would be a lock that all writers wait for.
CREATE TABLE click_ingests (
    tenant_id text COLLATE "C" NOT NULL,
    source    text COLLATE "C" NOT NULL,
    slot      integer NOT NULL,
    clicks    bigint NOT NULL,
    PRIMARY KEY (tenant_id, source, slot)
) WITH (fillfactor = 50);

CREATE TABLE crm_events (
    tenant_id   text COLLATE "C" NOT NULL,
    key         bytea NOT NULL,
    occurred_at bigint NOT NULL,
    event_id    text NOT NULL,
    -- Only of moves of a deal.
    deal_id     text COLLATE "C",
    stage       text,
    raw         text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, key),
    CHECK ((deal_id IS NULL) = (stage IS NULL))
);
CREATE INDEX crm_events_of_deal ON crm_events (tenant_id, deal_id, key) WHERE deal_id IS NOT NULL;

CREATE TABLE crm_event_ingests (
    tenant_id text COLLATE "C" NOT NULL,
    source    text COLLATE "C" NOT NULL,
    slot      integer NOT NULL,
    events    bigint NOT NULL,
    PRIMARY KEY (tenant_id, source, slot)
) WITH (fillfactor = 50);

-- A deal is pending while it has more stage events than its state has seen. The state is null until it is first put.
CREATE TABLE deals (
    tenant_id    text COLLATE "C" NOT NULL,
    deal_id      text COLLATE "C" NOT NULL,
    events       bigint NOT NULL,
    events_seen  bigint NOT NULL DEFAULT 0,
    stage        text,
    value_minor  bigint,
    layer        smallint CHECK (layer IN (1, 2, 3)),
    click_id     text,
    ad_id        text COLLATE "C",
    adset_id     text,
    campaign_id  text,
    anchor       bigint,
    rule_version text,
    receipt      text,
    PRIMARY KEY (tenant_id, deal_id),
    CHECK (events_seen <= events),
    CHECK ((layer IS NULL) = (ad_id IS NULL))
);
CREATE INDEX deals_pending ON deals (tenant_id, deal_id) WHERE events_seen < events;

CREATE TABLE revenue_entries (
    tenant_id   text COLLATE "C" NOT NULL,
    deal_id     text COLLATE "C" NOT NULL,
    position    bigint NOT NULL,
    event_key   bytea NOT NULL,
    occurred_at bigint NOT NULL,
    stage_from  text,
    stage_to    text NOT NULL,
    delta_minor bigint NOT NULL,
    PRIMARY KEY (tenant_id, deal_id, position)
);

UPDATE xynergy_schema SET version = 3;
