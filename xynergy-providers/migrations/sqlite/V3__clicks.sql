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

-- Every key under which a conversion may find a click.
CREATE TABLE click_keys (
    tenant_id  TEXT NOT NULL,
    key        BLOB NOT NULL,
    clicked_at INTEGER NOT NULL,
    click      INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, key, clicked_at, click)
) STRICT, WITHOUT ROWID;

CREATE TABLE click_ingests (
    tenant_id TEXT NOT NULL,
    source    TEXT NOT NULL,
    clicks    INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, source)
) STRICT, WITHOUT ROWID;
