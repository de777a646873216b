-- Times are microseconds since 1970-01-01 UTC, amounts minor units of the account's currency.

-- One row of each account, made when it is first used: its lock, which every transition takes first, its time, which never
-- goes back, the newest row of its history, and what the user allows (no currency: nothing was set).
CREATE TABLE ad_accounts (
    tenant_id         text COLLATE "C" NOT NULL,
    account_id        text COLLATE "C" NOT NULL,
    high_water        bigint,
    head_seq          bigint NOT NULL DEFAULT 0,
    head_hash         text COLLATE "C" NOT NULL DEFAULT repeat('0', 64),
    currency          text COLLATE "C",
    total_daily_minor bigint,
    min_minor         bigint,
    max_minor         bigint,
    PRIMARY KEY (tenant_id, account_id)
) WITH (fillfactor = 50);

-- One row of each owner and of each campaign of one: their locks, which are taken after the account's, campaigns first.
-- An owner that a worker is busy with is hidden from the others until a time.
CREATE TABLE ad_owners (
    tenant_id    text COLLATE "C" NOT NULL,
    account_id   text COLLATE "C" NOT NULL,
    owner_level  text COLLATE "C" NOT NULL,
    owner_id     text COLLATE "C" NOT NULL,
    hidden_until bigint,
    PRIMARY KEY (tenant_id, account_id, owner_level, owner_id)
) WITH (fillfactor = 50);

-- An empty tenant has the global one.
CREATE TABLE kill_switches (
    tenant_id text COLLATE "C" NOT NULL,
    scope     text COLLATE "C" NOT NULL,
    value     text NOT NULL,
    PRIMARY KEY (tenant_id, scope)
);

-- The values that were last known of an owner.
CREATE TABLE ad_owner_values (
    tenant_id   text COLLATE "C" NOT NULL,
    account_id  text COLLATE "C" NOT NULL,
    owner_level text COLLATE "C" NOT NULL,
    owner_id    text COLLATE "C" NOT NULL,
    field       text COLLATE "C" NOT NULL,
    value       bigint NOT NULL,
    PRIMARY KEY (tenant_id, account_id, owner_level, owner_id, field)
) WITH (fillfactor = 80);

-- Moves of values, ours and those that others were seen to make, for the limits over time. An open one is a
-- reservation. The id tells the order of their writing.
CREATE TABLE ad_owner_movements (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id   text COLLATE "C" NOT NULL,
    account_id  text COLLATE "C" NOT NULL,
    campaign_id text COLLATE "C" NOT NULL,
    owner_level text COLLATE "C" NOT NULL,
    owner_id    text COLLATE "C" NOT NULL,
    field       text COLLATE "C" NOT NULL,
    from_value  bigint NOT NULL,
    to_value    bigint NOT NULL,
    at          bigint NOT NULL,
    change_id   text COLLATE "C",
    attempt     bigint,
    open        boolean NOT NULL
);
CREATE UNIQUE INDEX ad_owner_movements_own ON ad_owner_movements (tenant_id, change_id, attempt)
    WHERE change_id IS NOT NULL;
CREATE INDEX ad_owner_movements_campaign ON ad_owner_movements (tenant_id, account_id, campaign_id, at);
CREATE INDEX ad_owner_movements_account ON ad_owner_movements (tenant_id, account_id, at);
CREATE INDEX ad_owner_movements_open ON ad_owner_movements (tenant_id, account_id) WHERE open;

-- What the platform's refusals taught; an empty level and id are the whole account.
CREATE TABLE ad_platform_pauses (
    tenant_id       text COLLATE "C" NOT NULL,
    account_id      text COLLATE "C" NOT NULL,
    owner_level     text COLLATE "C" NOT NULL,
    owner_id        text COLLATE "C" NOT NULL,
    until           bigint NOT NULL,
    reason          text COLLATE "C" NOT NULL,
    learned_changes bigint,
    learned_until   bigint,
    PRIMARY KEY (tenant_id, account_id, owner_level, owner_id)
);

-- Attempts that were judged not applied while their request may have been on its way.
CREATE TABLE ad_watched_attempts (
    tenant_id text COLLATE "C" NOT NULL,
    change_id text COLLATE "C" NOT NULL,
    attempt   bigint NOT NULL,
    intent_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, change_id, attempt)
);
CREATE INDEX ad_watched_attempts_time ON ad_watched_attempts (tenant_id, intent_at);

CREATE TABLE pending_ad_changes (
    tenant_id         text COLLATE "C" NOT NULL,
    id                text COLLATE "C" NOT NULL,
    account_id        text COLLATE "C" NOT NULL,
    campaign_id       text COLLATE "C" NOT NULL,
    owner_level       text COLLATE "C" NOT NULL,
    owner_id          text COLLATE "C" NOT NULL,
    field             text COLLATE "C" NOT NULL,
    expected_from     bigint NOT NULL,
    target            bigint NOT NULL,
    currency          text COLLATE "C" NOT NULL,
    allocation_id     text COLLATE "C",
    causation_id      text,
    purpose           text NOT NULL,
    wanted_until      bigint,
    ramp_id           text COLLATE "C",
    ramp_step         bigint,
    ramp_steps        bigint,
    ramp_target       bigint,
    status            text COLLATE "C" NOT NULL,
    reason            text COLLATE "C",
    retry_at          bigint,
    due_at            bigint,
    run_at            bigint NOT NULL,
    expires_at        bigint NOT NULL,
    attempt           bigint NOT NULL,
    attempts_forgiven bigint NOT NULL,
    observed_from     bigint,
    sent_value        bigint,
    intent_at         bigint,
    lease_until       bigint,
    token             text COLLATE "C",
    detail            text,
    plan_digest       text COLLATE "C",
    approved_by       text,
    approved_at       bigint,
    queued_at         bigint NOT NULL,
    updated_at        bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
) WITH (fillfactor = 70);
-- At most one request of an owner is on its way, whatever the code above believes.
CREATE UNIQUE INDEX pending_ad_changes_in_flight
    ON pending_ad_changes (tenant_id, account_id, owner_level, owner_id) WHERE status IN ('claimed', 'executing');
CREATE INDEX pending_ad_changes_due ON pending_ad_changes (tenant_id, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX pending_ad_changes_owner
    ON pending_ad_changes (tenant_id, account_id, owner_level, owner_id, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX pending_ad_changes_allocation ON pending_ad_changes (tenant_id, account_id, allocation_id)
    WHERE due_at IS NOT NULL AND allocation_id IS NOT NULL;
CREATE INDEX pending_ad_changes_plan ON pending_ad_changes (tenant_id, plan_digest) WHERE plan_digest IS NOT NULL;
CREATE INDEX pending_ad_changes_list ON pending_ad_changes (tenant_id, queued_at, id);
CREATE INDEX pending_ad_changes_human ON pending_ad_changes (tenant_id, reason)
    WHERE reason IN ('attempts_exhausted', 'conflict');

CREATE TABLE ad_change_history (
    tenant_id     text COLLATE "C" NOT NULL,
    account_id    text COLLATE "C" NOT NULL,
    seq           bigint NOT NULL CHECK (seq > 0),
    kind          text COLLATE "C" NOT NULL,
    change_id     text COLLATE "C" NOT NULL,
    attempt       bigint NOT NULL,
    campaign_id   text COLLATE "C" NOT NULL,
    owner_level   text COLLATE "C" NOT NULL,
    owner_id      text COLLATE "C" NOT NULL,
    field         text COLLATE "C" NOT NULL,
    from_value    bigint NOT NULL,
    to_value      bigint NOT NULL,
    status        text COLLATE "C" NOT NULL,
    reason        text COLLATE "C",
    retry_at      bigint,
    detail        text,
    duration_ms   bigint,
    allocation_id text COLLATE "C",
    causation_id  text,
    purpose       text NOT NULL,
    actor         text,
    request_id    text NOT NULL,
    at            bigint NOT NULL,
    prev_hash     text COLLATE "C" NOT NULL,
    hash          text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, account_id, seq)
);
CREATE UNIQUE INDEX ad_change_history_once ON ad_change_history (tenant_id, change_id, attempt, kind)
    WHERE kind IN ('intent', 'outcome', 'late');
CREATE UNIQUE INDEX ad_change_history_approved ON ad_change_history (tenant_id, change_id) WHERE kind = 'approved';
CREATE INDEX ad_change_history_change ON ad_change_history (tenant_id, change_id);
CREATE INDEX ad_change_history_moved ON ad_change_history (tenant_id, account_id, at)
    WHERE kind IN ('outcome', 'late', 'resolved') AND status = 'completed' AND field = 'budget';

CREATE FUNCTION ad_change_history_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ad_change_history is append-only';
END $$;
CREATE TRIGGER ad_change_history_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ad_change_history
    FOR EACH STATEMENT EXECUTE FUNCTION ad_change_history_is_append_only();

-- The row before a new one must be there. Rows of an account are written under its lock, so that none comes between.
CREATE FUNCTION ad_change_history_has_no_gaps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.seq > 1 THEN
        PERFORM FROM ad_change_history h
        WHERE h.tenant_id = NEW.tenant_id AND h.account_id = NEW.account_id AND h.seq = NEW.seq - 1;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'ad_change_history has no gaps';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ad_change_history_no_gap BEFORE INSERT ON ad_change_history
    FOR EACH ROW EXECUTE FUNCTION ad_change_history_has_no_gaps();

-- Budgets that were changed in the last 24 hours of the account's time.
CREATE VIEW v_recent_budget_changes AS
SELECT h.tenant_id, h.account_id, h.campaign_id, h.owner_level, h.owner_id, h.change_id, h.from_value, h.to_value,
       round(100.0 * (h.to_value - h.from_value) / h.from_value, 2) AS percent, h.reason, h.purpose, h.at,
       to_timestamp(h.at / 1000000.0) AS executed_at
FROM ad_accounts a
JOIN ad_change_history h ON h.tenant_id = a.tenant_id AND h.account_id = a.account_id
WHERE h.kind IN ('outcome', 'late', 'resolved') AND h.status = 'completed' AND h.field = 'budget'
  AND h.at > a.high_water - 86400000000
ORDER BY h.at DESC;

-- What became of each campaign's changes. One that waits for its approval was not held back by a guard.
CREATE VIEW v_campaign_activity_summary AS
SELECT tenant_id, account_id, campaign_id,
       count(*) FILTER (WHERE kind = 'intent') AS attempts,
       count(*) FILTER (WHERE kind IN ('outcome', 'late', 'resolved') AND status = 'completed') AS completed,
       count(*) FILTER (WHERE kind IN ('outcome', 'resolved') AND status = 'failed') AS failed,
       count(*) FILTER (WHERE (kind = 'blocked' OR (kind = 'outcome' AND status = 'blocked'))
                          AND (reason IS NULL OR reason <> 'awaiting_approval')) AS blocked,
       count(*) FILTER (WHERE kind = 'approved') AS approved,
       coalesce(sum(abs(to_value - from_value))
                FILTER (WHERE kind IN ('outcome', 'late', 'resolved') AND status = 'completed' AND field = 'budget'),
                0) AS moved_minor,
       max(at) AS last_at
FROM ad_change_history
GROUP BY tenant_id, account_id, campaign_id;

-- Changes that a guard held back.
CREATE VIEW v_safety_check_failures AS
SELECT tenant_id, account_id, campaign_id, owner_level, owner_id, change_id, field, from_value, to_value, reason,
       reason NOT IN ('rate_limit_account', 'rate_limit_campaign', 'rate_limit_owner') AS rate_limit_passed,
       reason <> 'velocity' AS velocity_check_passed, retry_at, at, to_timestamp(at / 1000000.0) AS blocked_at
FROM ad_change_history
WHERE kind IN ('blocked', 'outcome') AND status = 'blocked'
  AND reason IN ('kill_switch', 'expired', 'drifted', 'edited', 'rate_limit_account', 'rate_limit_campaign',
                 'rate_limit_owner', 'velocity', 'below_floor', 'above_ceiling', 'account_cap', 'learning_phase',
                 'stale_snapshot', 'wrong_object', 'wrong_currency', 'wrong_budget_type', 'throttled')
ORDER BY at DESC;

UPDATE xynergy_schema SET version = 2;
