-- Time goes on for each account by itself.
CREATE TABLE ad_account_clocks (
    tenant_id  TEXT NOT NULL,
    account_id TEXT NOT NULL,
    high_water INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, account_id)
) STRICT, WITHOUT ROWID;
INSERT INTO ad_account_clocks
SELECT c.tenant_id, a.account_id, c.high_water
FROM execution_clock c
JOIN (SELECT DISTINCT tenant_id, account_id FROM pending_ad_changes) a ON a.tenant_id = c.tenant_id;

-- Owners that a worker is busy with, hidden from the others.
CREATE TABLE ad_owner_picks (
    tenant_id   TEXT NOT NULL,
    account_id  TEXT NOT NULL,
    owner_level TEXT NOT NULL,
    owner_id    TEXT NOT NULL,
    until       INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, account_id, owner_level, owner_id)
) STRICT, WITHOUT ROWID;

-- What the platform's refusals taught; an empty level and id are the whole account.
CREATE TABLE ad_platform_pauses (
    tenant_id       TEXT NOT NULL,
    account_id      TEXT NOT NULL,
    owner_level     TEXT NOT NULL CHECK (owner_level IN ('', 'campaign', 'adset')),
    owner_id        TEXT NOT NULL,
    until           INTEGER NOT NULL,
    reason          TEXT NOT NULL,
    learned_changes INTEGER,
    learned_until   INTEGER,
    PRIMARY KEY (tenant_id, account_id, owner_level, owner_id)
) STRICT, WITHOUT ROWID;

-- Attempts that were judged not applied while their request may have been on its way.
CREATE TABLE ad_watched_attempts (
    tenant_id TEXT NOT NULL,
    change_id TEXT NOT NULL,
    attempt   INTEGER NOT NULL,
    intent_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, change_id, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX ad_watched_attempts_time ON ad_watched_attempts (tenant_id, intent_at);

ALTER TABLE pending_ad_changes ADD COLUMN attempts_forgiven INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pending_ad_changes ADD COLUMN ramp_id TEXT;
ALTER TABLE pending_ad_changes ADD COLUMN ramp_step INTEGER;
ALTER TABLE pending_ad_changes ADD COLUMN ramp_steps INTEGER;
ALTER TABLE pending_ad_changes ADD COLUMN ramp_target INTEGER;
CREATE INDEX pending_ad_changes_list ON pending_ad_changes (tenant_id, queued_at, id);
CREATE INDEX pending_ad_changes_human ON pending_ad_changes (tenant_id, reason)
    WHERE reason IN ('attempts_exhausted', 'conflict');
CREATE INDEX pending_ad_changes_due_of_any ON pending_ad_changes (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX ad_owner_movements_account ON ad_owner_movements (tenant_id, account_id, at) WHERE change_id IS NOT NULL;
CREATE INDEX ad_owner_movements_open ON ad_owner_movements (tenant_id, account_id) WHERE open = 1;

-- The history learns more kinds, and its views go by the account's time. A CHECK cannot be altered: the table is made
-- anew, row for row.
DROP VIEW v_recent_budget_changes;
DROP VIEW v_campaign_activity_summary;
DROP VIEW v_safety_check_failures;
DROP TABLE execution_clock;

CREATE TABLE ad_change_history_new (
    tenant_id     TEXT NOT NULL,
    account_id    TEXT NOT NULL,
    seq           INTEGER NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN
                      ('intent', 'outcome', 'blocked', 'approved', 'late', 'resolved', 'retried')),
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
        (reason IS NULL OR reason NOT IN ('rate_limit_account', 'rate_limit_campaign', 'rate_limit_owner')) VIRTUAL,
    velocity_check_passed INTEGER GENERATED ALWAYS AS (reason IS NULL OR reason <> 'velocity') VIRTUAL,
    PRIMARY KEY (tenant_id, account_id, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO ad_change_history_new
       (tenant_id, account_id, seq, kind, change_id, attempt, campaign_id, owner_level, owner_id, field, from_value,
        to_value, status, reason, retry_at, detail, duration_ms, allocation_id, causation_id, purpose, actor, request_id,
        at, prev_hash, hash)
SELECT tenant_id, account_id, seq, kind, change_id, attempt, campaign_id, owner_level, owner_id, field, from_value,
       to_value, status, reason, retry_at, detail, duration_ms, allocation_id, causation_id, purpose, actor, request_id,
       at, prev_hash, hash
FROM ad_change_history;
DROP TABLE ad_change_history;
ALTER TABLE ad_change_history_new RENAME TO ad_change_history;

CREATE UNIQUE INDEX ad_change_history_once ON ad_change_history (tenant_id, change_id, attempt, kind)
    WHERE kind IN ('intent', 'outcome', 'late');
CREATE UNIQUE INDEX ad_change_history_approved ON ad_change_history (tenant_id, change_id) WHERE kind = 'approved';
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

-- Budgets that were changed in the last 24 hours of the account's time.
CREATE VIEW v_recent_budget_changes AS
SELECT h.tenant_id, h.account_id, h.campaign_id, h.owner_level, h.owner_id, h.change_id, h.from_value, h.to_value,
       round(100.0 * (h.to_value - h.from_value) / h.from_value, 2) AS percent, h.reason, h.purpose, h.at,
       strftime('%Y-%m-%dT%H:%M:%SZ', h.at / 1000000, 'unixepoch') AS executed_at
FROM ad_change_history h
JOIN ad_account_clocks c ON c.tenant_id = h.tenant_id AND c.account_id = h.account_id
WHERE h.kind IN ('outcome', 'late', 'resolved') AND h.status = 'completed' AND h.field = 'budget'
  AND h.at > c.high_water - 86400000000
ORDER BY h.at DESC;

-- What became of each campaign's changes. One that waits for its approval was not held back by a guard.
CREATE VIEW v_campaign_activity_summary AS
SELECT tenant_id, account_id, campaign_id,
       sum(kind = 'intent') AS attempts,
       sum(kind IN ('outcome', 'late', 'resolved') AND status = 'completed') AS completed,
       sum(kind IN ('outcome', 'resolved') AND status = 'failed') AS failed,
       sum((kind = 'blocked' OR (kind = 'outcome' AND status = 'blocked'))
           AND (reason IS NULL OR reason <> 'awaiting_approval')) AS blocked,
       sum(kind = 'approved') AS approved,
       sum(CASE WHEN kind IN ('outcome', 'late', 'resolved') AND status = 'completed' AND field = 'budget'
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
WHERE kind IN ('blocked', 'outcome') AND status = 'blocked'
  AND reason IN ('kill_switch', 'expired', 'drifted', 'edited', 'rate_limit_account', 'rate_limit_campaign',
                 'rate_limit_owner', 'velocity', 'below_floor', 'above_ceiling', 'account_cap', 'learning_phase',
                 'stale_snapshot', 'wrong_object', 'wrong_currency', 'wrong_budget_type', 'throttled')
ORDER BY at DESC;
