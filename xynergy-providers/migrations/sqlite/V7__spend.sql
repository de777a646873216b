-- The account of AI spend. Times are microseconds since 1970-01-01 UTC, amounts billionths of a dollar. Scopes are JSON arrays
-- of `tenant`, `tag:NAME` and `key:NAME`: what a call counts in.

-- A limit as JSON.
CREATE TABLE spend_limits (
    tenant_id TEXT NOT NULL,
    scope     TEXT NOT NULL,
    span      TEXT NOT NULL,
    value     TEXT NOT NULL,
    PRIMARY KEY (tenant_id, scope, span)
) STRICT, WITHOUT ROWID;

-- Reservations that nobody has settled. A lapsed one was given back, holds nothing, and can still be settled.
CREATE TABLE spend_open (
    tenant_id TEXT NOT NULL,
    id        BLOB NOT NULL,
    amount    INTEGER NOT NULL CHECK (amount >= 0),
    at        INTEGER NOT NULL,
    expires   INTEGER NOT NULL,
    lapsed    INTEGER NOT NULL DEFAULT 0,
    scopes    TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX spend_open_expires ON spend_open (tenant_id, expires);

-- What was settled, alike within a minute.
CREATE TABLE spend_cells (
    tenant_id TEXT NOT NULL,
    minute    INTEGER NOT NULL,
    provider  TEXT NOT NULL,
    model     TEXT NOT NULL,
    scopes    TEXT NOT NULL,
    requests  INTEGER NOT NULL,
    unpriced  INTEGER NOT NULL,
    tokens    INTEGER NOT NULL,
    cost      INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, minute, provider, model, scopes)
) STRICT, WITHOUT ROWID;

-- Sums of both over the spans that limits ask for: made when one asks, kept up from then on, and made again when lost.
CREATE TABLE spend_counters (
    tenant_id TEXT NOT NULL,
    scope     TEXT NOT NULL,
    start_at  INTEGER NOT NULL,
    end_at    INTEGER NOT NULL,
    settled   INTEGER NOT NULL,
    reserved  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, scope, start_at, end_at)
) STRICT, WITHOUT ROWID;
