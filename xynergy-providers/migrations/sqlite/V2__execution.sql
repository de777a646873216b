-- Times are microseconds since 1970-01-01 UTC, amounts minor units of the account's currency.

-- The latest time that was seen of a tenant: windows never reopen because a clock went back.
CREATE TABLE execution_clock (
    tenant_id  TEXT NOT NULL PRIMARY KEY,
    high_water INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE kill_switches (
    tenant_id TEXT NOT NULL,
    scope     TEXT NOT NULL,
    value     TEXT NOT NULL,
    PRIMARY KEY (tenant_id, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE ad_account_limits (
    tenant_id         TEXT NOT NULL,
    account_id        TEXT NOT NULL,
    currency          TEXT NOT NULL,
    total_daily_minor INTEGER,
    min_minor         INTEGER,
    max_minor         INTEGER,
    PRIMARY KEY (tenant_id, account_id)
) STRICT, WITHOUT ROWID;

-- The values that were last known of an owner.
CREATE TABLE ad_owner_values (
    tenant_id   TEXT NOT NULL,
    account_id  TEXT NOT NULL,
    owner_level TEXT NOT NULL CHECK (owner_level IN ('campaign', 'adset')),
    owner_id    TEXT NOT NULL,
    field       TEXT NOT NULL CHECK (field IN ('budget', 'status', 'bid')),
    value       INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, account_id, owner_level, owner_id, field)
) STRICT, WITHOUT ROWID;

-- Moves of values, ours and those that others were seen to make, for the limits over time. An open one is a
-- reservation.
CREATE TABLE ad_owner_movements (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id   TEXT NOT NULL,
    account_id  TEXT NOT NULL,
    campaign_id TEXT NOT NULL,
    owner_level TEXT NOT NULL,
    owner_id    TEXT NOT NULL,
    field       TEXT NOT NULL,
    from_value  INTEGER NOT NULL,
    to_value    INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    change_id   TEXT,
    attempt     INTEGER,
    open        INTEGER NOT NULL CHECK (open IN (0, 1))
) STRICT;
CREATE INDEX ad_owner_movements_window ON ad_owner_movements (tenant_id, account_id, campaign_id, at);
CREATE UNIQUE INDEX ad_owner_movements_own ON ad_owner_movements (tenant_id, change_id, attempt)
    WHERE change_id IS NOT NULL;

CREATE TABLE pending_ad_changes (
    tenant_id      TEXT NOT NULL,
    id             TEXT NOT NULL,
    account_id     TEXT NOT NULL,
    campaign_id    TEXT NOT NULL,
    owner_level    TEXT NOT NULL CHECK (owner_level IN ('campaign', 'adset')),
    owner_id       TEXT NOT NULL,
    field          TEXT NOT NULL CHECK (field IN ('budget', 'status', 'bid')),
    expected_from  INTEGER NOT NULL,
    target         INTEGER NOT NULL,
    currency       TEXT NOT NULL,
    allocation_id  TEXT,
    causation_id   TEXT,
    purpose        TEXT NOT NULL,
    wanted_until   INTEGER,
    status         TEXT NOT NULL CHECK (status IN
                       ('pending', 'claimed', 'executing', 'completed', 'failed', 'blocked')),
    reason         TEXT,
    retry_at       INTEGER,
    due_at         INTEGER,
    run_at         INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    attempt        INTEGER NOT NULL,
    observed_from  INTEGER,
    sent_value     INTEGER,
    intent_at      INTEGER,
    lease_until    INTEGER,
    token          TEXT,
    detail         TEXT,
    queued_at      INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
-- At most one request of an owner is on its way, whatever the code above believes.
CREATE UNIQUE INDEX pending_ad_changes_in_flight
    ON pending_ad_changes (tenant_id, account_id, owner_level, owner_id) WHERE status IN ('claimed', 'executing');
CREATE INDEX pending_ad_changes_due ON pending_ad_changes (tenant_id, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX pending_ad_changes_owner
    ON pending_ad_changes (tenant_id, account_id, owner_level, owner_id) WHERE due_at IS NOT NULL;
CREATE INDEX pending_ad_changes_allocation
    ON pending_ad_changes (tenant_id, account_id, allocation_id) WHERE due_at IS NOT NULL;

-- The newest row of each account's history: it shows when rows were cut off its end.
CREATE TABLE ad_change_heads (
    tenant_id  TEXT NOT NULL,
    account_id TEXT NOT NULL,
    seq        INTEGER NOT NULL,
    hash       TEXT NOT NULL,
    PRIMARY KEY (tenant_id, account_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE ad_change_history (
    tenant_id     TEXT NOT NULL,
    account_id    TEXT NOT NULL,
    seq           INTEGER NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('intent', 'outcome', 'blocked')),
    change_id     TEXT NOT NULL,
    attempt       INTEGER NOT NULL,
    campaign_id   TEXT NOT NULL,
    owner_level   TEXT NOT NULL,
    owner_id      TEXT NOT NULL,
    field         TEXT NOT NULL,
    from_value    INTEGER NOT NULL,
    to_value      INTEGER NOT NULL,
    status        TEXT NOT NULL,
    reason        TEXT,
    retry_at      INTEGER,
    detail        TEXT,
    duration_ms   INTEGER,
    allocation_id TEXT,
    causation_id  TEXT,
    purpose       TEXT NOT NULL,
    actor         TEXT,
    request_id    TEXT NOT NULL,
    at            INTEGER NOT NULL,
    prev_hash     TEXT NOT NULL,
    hash          TEXT NOT NULL,
    rate_limit_passed INTEGER GENERATED ALWAYS AS
        (reason IS NULL OR reason NOT IN ('rate_limit_campaign', 'rate_limit_owner')) VIRTUAL,
    velocity_check_passed INTEGER GENERATED ALWAYS AS (reason IS NULL OR reason <> 'velocity') VIRTUAL,
    PRIMARY KEY (tenant_id, account_id, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX ad_change_history_once ON ad_change_history (tenant_id, change_id, attempt, kind)
    WHERE kind IN ('intent', 'outcome');
CREATE INDEX ad_change_history_change ON ad_change_history (tenant_id, account_id, change_id, seq);
CREATE INDEX ad_change_history_campaign ON ad_change_history (tenant_id, account_id, campaign_id, at);

CREATE TRIGGER ad_change_history_no_update BEFORE UPDATE ON ad_change_history
BEGIN SELECT RAISE(ABORT, 'ad_change_history is append-only'); END;
CREATE TRIGGER ad_change_history_no_delete BEFORE DELETE ON ad_change_history
BEGIN SELECT RAISE(ABORT, 'ad_change_history is append-only'); END;
CREATE TRIGGER ad_change_history_no_gap BEFORE INSERT ON ad_change_history
WHEN NEW.seq <> 1 + coalesce((SELECT max(seq) FROM ad_change_history
                              WHERE tenant_id = NEW.tenant_id AND account_id = NEW.account_id), 0)
BEGIN SELECT RAISE(ABORT, 'ad_change_history has no gaps'); END;

-- Budgets that were changed in the last 24 hours of the store's time.
CREATE VIEW v_recent_budget_changes AS
SELECT h.tenant_id, h.account_id, h.campaign_id, h.owner_level, h.owner_id, h.change_id, h.from_value, h.to_value,
       round(100.0 * (h.to_value - h.from_value) / h.from_value, 2) AS percent, h.reason, h.purpose, h.at,
       strftime('%Y-%m-%dT%H:%M:%SZ', h.at / 1000000, 'unixepoch') AS executed_at
FROM ad_change_history h
JOIN execution_clock c ON c.tenant_id = h.tenant_id
WHERE h.kind = 'outcome' AND h.status = 'completed' AND h.field = 'budget' AND h.at > c.high_water - 86400000000
ORDER BY h.at DESC;

-- What became of each campaign's changes.
CREATE VIEW v_campaign_activity_summary AS
SELECT tenant_id, account_id, campaign_id,
       sum(kind = 'intent') AS attempts,
       sum(kind = 'outcome' AND status = 'completed') AS completed,
       sum(kind = 'outcome' AND status = 'failed') AS failed,
       sum(kind = 'blocked' OR (kind = 'outcome' AND status = 'blocked')) AS blocked,
       sum(CASE WHEN kind = 'outcome' AND status = 'completed' AND field = 'budget'
                THEN abs(to_value - from_value) ELSE 0 END) AS moved_minor,
       max(at) AS last_at
FROM ad_change_history
GROUP BY tenant_id, account_id, campaign_id;

-- Changes that a guard held back.
CREATE VIEW v_safety_check_failures AS
SELECT tenant_id, account_id, campaign_id, owner_level, owner_id, change_id, field, from_value, to_value, reason,
       rate_limit_passed, velocity_check_passed, retry_at, at,
       strftime('%Y-%m-%dT%H:%M:%SZ', at / 1000000, 'unixepoch') AS blocked_at
FROM ad_change_history
WHERE kind <> 'intent' AND status = 'blocked'
  AND reason IN ('kill_switch', 'expired', 'drifted', 'rate_limit_campaign', 'rate_limit_owner', 'velocity',
                 'below_floor', 'above_ceiling', 'account_cap', 'stale_snapshot', 'wrong_object', 'wrong_currency')
ORDER BY at DESC;
