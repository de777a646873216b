CREATE TABLE clicks (
    id           INTEGER PRIMARY KEY,
    tenant_id    TEXT NOT NULL,
    key          BLOB NOT NULL,
    clicked_at   INTEGER NOT NULL,
    ad_id        TEXT NOT NULL,
    adset_id     TEXT NOT NULL,
    campaign_id  TEXT NOT NULL,
    utm_source   TEXT,
    utm_medium   TEXT,
    utm_campaign TEXT,
    utm_content  TEXT,
    utm_term     TEXT,
    -- Only with consent.
    click_id     TEXT,
    raw          TEXT,
    UNIQUE (tenant_id, key)
) STRICT;

-- Every key under which a conversion may find a click. Keys are random: by day first, a batch of clicks touches the
-- pages of its days and not those of all clicks there are.
CREATE TABLE click_keys (
    tenant_id  TEXT NOT NULL,
    day        INTEGER NOT NULL,
    key        BLOB NOT NULL,
    clicked_at INTEGER NOT NULL,
    click      INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, day, key, clicked_at, click)
) STRICT, WITHOUT ROWID;

-- The days that have clicks.
CREATE TABLE click_days (
    tenant_id TEXT NOT NULL,
    day       INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE click_ingests (
    tenant_id TEXT NOT NULL,
    source    TEXT NOT NULL,
    clicks    INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, source)
) STRICT, WITHOUT ROWID;
