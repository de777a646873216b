-- Clicks by day: what a day has is found, counted and forgotten by itself. Times are microseconds and days whole days since
-- 1970-01-01 UTC, keys keyed hashes of 16 bytes.

ALTER TABLE clicks RENAME TO clicks_v3;
ALTER TABLE click_keys RENAME TO click_keys_v3;
ALTER TABLE click_days RENAME TO click_days_v3;

-- Short names: of tenants, and of ads with what they hang on.
CREATE TABLE click_tenants (
    id        INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE click_ads (
    id          INTEGER PRIMARY KEY,
    tenant      INTEGER NOT NULL,
    ad_id       TEXT NOT NULL,
    adset_id    TEXT NOT NULL,
    campaign_id TEXT NOT NULL,
    UNIQUE (tenant, ad_id, adset_id, campaign_id)
) STRICT;

CREATE TABLE clicks (
    id         INTEGER PRIMARY KEY,
    key        BLOB NOT NULL,
    clicked_at INTEGER NOT NULL,
    ad         INTEGER NOT NULL,
    -- The UTM parameters as JSON, where there is one.
    utm        TEXT,
    -- Only with consent.
    click_id   TEXT,
    device     TEXT,
    raw        TEXT
) STRICT;

-- Of one key on one day there is one click.
CREATE TABLE click_known (
    tenant INTEGER NOT NULL,
    day    INTEGER NOT NULL,
    key    BLOB NOT NULL,
    click  INTEGER NOT NULL,
    PRIMARY KEY (tenant, day, key)
) STRICT, WITHOUT ROWID;

-- Every key under which a conversion may find a click. Keys are random: by day first, a batch of clicks touches the
-- pages of its days and not those of all clicks there are.
CREATE TABLE click_keys (
    tenant     INTEGER NOT NULL,
    day        INTEGER NOT NULL,
    key        BLOB NOT NULL,
    clicked_at INTEGER NOT NULL,
    click      INTEGER NOT NULL,
    PRIMARY KEY (tenant, day, key, clicked_at, click)
) STRICT, WITHOUT ROWID;

-- The days that have clicks.
CREATE TABLE click_days (
    tenant INTEGER NOT NULL,
    day    INTEGER NOT NULL,
    PRIMARY KEY (tenant, day)
) STRICT, WITHOUT ROWID;

-- How often an ad was clicked on a day, of all clicks that ever came: it stays when they are forgotten.
CREATE TABLE click_counts (
    tenant INTEGER NOT NULL,
    day    INTEGER NOT NULL,
    ad     INTEGER NOT NULL,
    clicks INTEGER NOT NULL,
    PRIMARY KEY (tenant, day, ad)
) STRICT, WITHOUT ROWID;

INSERT INTO click_tenants (tenant_id) SELECT DISTINCT tenant_id FROM clicks_v3 ORDER BY tenant_id;
INSERT INTO click_ads (tenant, ad_id, adset_id, campaign_id)
SELECT DISTINCT t.id, c.ad_id, c.adset_id, c.campaign_id FROM clicks_v3 c JOIN click_tenants t USING (tenant_id);
INSERT INTO clicks (id, key, clicked_at, ad, utm, click_id, raw)
SELECT c.id, c.key, c.clicked_at, a.id,
       CASE WHEN coalesce(utm_source, utm_medium, utm_campaign, utm_content, utm_term) IS NOT NULL
            THEN json_object('source', utm_source, 'medium', utm_medium, 'campaign', utm_campaign,
                             'content', utm_content, 'term', utm_term) END,
       c.click_id, c.raw
FROM clicks_v3 c JOIN click_tenants t USING (tenant_id)
JOIN click_ads a ON a.tenant = t.id AND a.ad_id = c.ad_id AND a.adset_id = c.adset_id AND a.campaign_id = c.campaign_id;
-- A division rounds towards zero, a day does not.
INSERT INTO click_known (tenant, day, key, click)
SELECT t.id, (c.clicked_at - ((c.clicked_at % 86400000000) + 86400000000) % 86400000000) / 86400000000, c.key, c.id
FROM clicks_v3 c JOIN click_tenants t USING (tenant_id);
INSERT INTO click_keys (tenant, day, key, clicked_at, click)
SELECT t.id, k.day, k.key, k.clicked_at, k.click FROM click_keys_v3 k JOIN click_tenants t USING (tenant_id);
INSERT INTO click_days (tenant, day) SELECT DISTINCT tenant, day FROM click_known;
INSERT INTO click_counts (tenant, day, ad, clicks)
SELECT k.tenant, k.day, c.ad, count(*) FROM click_known k JOIN clicks c ON c.id = k.click GROUP BY 1, 2, 3;

DROP TABLE click_keys_v3;
DROP TABLE click_days_v3;
DROP TABLE clicks_v3;
