//! The statements. Each takes the tenant as its first parameter.

/// The columns of a change, as `rows::change` reads them.
macro_rules! change_columns {
    () => {
        "p.id, p.account_id, p.campaign_id, p.owner_level, p.owner_id, p.field, p.expected_from, p.target, p.currency,
         p.allocation_id, p.causation_id, p.purpose, p.wanted_until, p.ramp_id, p.ramp_step, p.ramp_steps, p.ramp_target,
         p.status, p.reason, p.retry_at, p.due_at, p.run_at, p.expires_at, p.attempt, p.attempts_forgiven,
         p.observed_from, p.sent_value, p.intent_at, p.lease_until, p.token, p.detail, p.plan_digest, p.approved_by,
         p.approved_at, p.queued_at, p.updated_at"
    };
}

/// The time that a call goes by: the one that it is given, or the server's.
macro_rules! time_of_call {
    ($bound:literal, $clock:literal) => {
        concat!("coalesce(", $bound, "::bigint, (extract(epoch FROM ", $clock, "()) * 1000000)::bigint)")
    };
}

/// The account as a transition needs it.
macro_rules! account_columns {
    () => {
        "a.high_water, a.head_seq, a.head_hash, a.currency, a.total_daily_minor, a.min_minor, a.max_minor"
    };
}

/// What else the machine sees of an account, as `load::Rest` reads it: kind, five texts and numbers, and a flag.
macro_rules! clock_row {
    () => {
        "SELECT 'now'::text AS kind, NULL::text AS s1, NULL::text AS s2, NULL::text AS s3, NULL::text AS s4,
                (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS n1,
                (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint AS n2, NULL::bigint AS n3,
                NULL::text AS s5, NULL::bigint AS n4, NULL::boolean AS flag, NULL::bigint AS n5"
    };
}

macro_rules! kill_rows {
    () => {
        "SELECT 'kill', k.value, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
         FROM kill_switches k WHERE k.tenant_id IN ($1, '')"
    };
}

macro_rules! movement_columns {
    () => {
        "'move', m.owner_level, m.owner_id, m.campaign_id, m.field, m.from_value, m.to_value, m.at, m.change_id, m.attempt,
         m.open, m.id"
    };
}

/// Locks the account, the campaign and the owner of a change, in this order.
pub(super) const LOCK_CHANGE: &str = concat!(
    "SELECT ",
    account_columns!(),
    ", o.hidden_until
     FROM pending_ad_changes c
     CROSS JOIN LATERAL (VALUES ('campaign', c.campaign_id), (c.owner_level, c.owner_id)) AS k (level, id)
     JOIN ad_accounts a ON a.tenant_id = c.tenant_id AND a.account_id = c.account_id
     JOIN ad_owners o ON o.tenant_id = c.tenant_id AND o.account_id = c.account_id AND o.owner_level = k.level
       AND o.owner_id = k.id
     WHERE c.tenant_id = $1 AND c.id = $2
     ORDER BY o.owner_level DESC
     FOR NO KEY UPDATE OF a, o"
);

/// The change, and those of its account that are in flight or share its owner or allocation and are not over; some of
/// them more than once.
///
/// What is known of the change is looked up once, as values: whatever the tables' statistics say, each part is then a look
/// into one index.
pub(super) const OPEN_OF_CHANGE: &str = concat!(
    "WITH c AS MATERIALIZED (
       SELECT account_id, owner_level, owner_id, allocation_id FROM pending_ad_changes WHERE tenant_id = $1 AND id = $2)
     SELECT ",
    change_columns!(),
    " FROM pending_ad_changes p WHERE p.tenant_id = $1 AND p.id = $2
     UNION ALL SELECT ",
    change_columns!(),
    " FROM pending_ad_changes p WHERE p.tenant_id = $1 AND p.account_id = (SELECT account_id FROM c)
       AND p.status IN ('claimed', 'executing')
     UNION ALL SELECT ",
    change_columns!(),
    " FROM pending_ad_changes p WHERE p.tenant_id = $1 AND p.account_id = (SELECT account_id FROM c)
       AND p.owner_level = (SELECT owner_level FROM c) AND p.owner_id = (SELECT owner_id FROM c)
       AND p.due_at IS NOT NULL
     UNION ALL SELECT ",
    change_columns!(),
    " FROM pending_ad_changes p WHERE p.tenant_id = $1 AND p.account_id = (SELECT account_id FROM c)
       AND p.allocation_id = (SELECT allocation_id FROM c) AND p.allocation_id IS NOT NULL AND p.due_at IS NOT NULL"
);

/// $3 the bound time, $4 the longest window, $5 the rate's window, $6 how old a reading may be at the beginning of the
/// transaction. Some movements come more than once.
///
/// Without a bound time the windows start at the transaction's time, which is before the one that counts: what is read
/// is a little more than is asked for, never less.
pub(super) const REST_OF_CHANGE: &str = concat!(
    "WITH c AS MATERIALIZED (
       SELECT p.account_id, p.campaign_id, p.owner_level, p.owner_id,
              ",
    time_of_call!("$3", "transaction_timestamp"),
    " AS asked, greatest(a.high_water, ",
    time_of_call!("$3", "transaction_timestamp"),
    ") AS now
       FROM pending_ad_changes p
       JOIN ad_accounts a ON a.tenant_id = p.tenant_id AND a.account_id = p.account_id
       WHERE p.tenant_id = $1 AND p.id = $2) ",
    clock_row!(),
    " UNION ALL ",
    kill_rows!(),
    " UNION ALL
     SELECT 'pause', s.owner_level, s.owner_id, NULL, s.reason, s.until, s.learned_changes, s.learned_until, NULL, NULL,
            NULL, NULL
     FROM ad_platform_pauses s WHERE s.tenant_id = $1 AND s.account_id = (SELECT account_id FROM c)
     UNION ALL
     SELECT 'known', v.owner_level, v.owner_id, NULL, v.field, v.value, NULL, NULL, NULL, NULL, NULL, NULL
     FROM ad_owner_values v WHERE v.tenant_id = $1 AND v.account_id = (SELECT account_id FROM c)
       AND v.owner_level = (SELECT owner_level FROM c) AND v.owner_id = (SELECT owner_id FROM c)
     UNION ALL SELECT ",
    movement_columns!(),
    " FROM ad_owner_movements m WHERE m.tenant_id = $1 AND m.account_id = (SELECT account_id FROM c)
       AND m.campaign_id = (SELECT campaign_id FROM c) AND m.at > (SELECT now FROM c) - $4::bigint
     UNION ALL SELECT ",
    movement_columns!(),
    " FROM ad_owner_movements m WHERE m.tenant_id = $1 AND m.account_id = (SELECT account_id FROM c) AND m.open
       AND m.campaign_id = (SELECT campaign_id FROM c) AND m.at <= (SELECT now FROM c) - $4::bigint
     UNION ALL SELECT ",
    movement_columns!(),
    " FROM ad_owner_movements m WHERE m.tenant_id = $1 AND m.account_id = (SELECT account_id FROM c)
       AND m.change_id IS NOT NULL AND m.at > (SELECT asked FROM c) - $6::bigint
     UNION ALL
     SELECT 'recent', NULL, NULL, NULL, NULL, count(*), min(r.at), NULL, NULL, NULL, NULL, NULL FROM (
       SELECT m.at FROM ad_owner_movements m WHERE m.tenant_id = $1 AND m.account_id = (SELECT account_id FROM c)
         AND m.change_id IS NOT NULL AND m.at > (SELECT now FROM c) - $5::bigint
       UNION ALL
       SELECT m.at FROM ad_owner_movements m WHERE m.tenant_id = $1 AND m.account_id = (SELECT account_id FROM c)
         AND m.open AND m.change_id IS NOT NULL AND m.at <= (SELECT now FROM c) - $5::bigint) r"
);

/// An account, not locked; $2 the account.
pub(super) const ACCOUNT: &str = concat!(
    "SELECT ",
    account_columns!(),
    " FROM ad_accounts a WHERE a.tenant_id = $1 AND a.account_id = $2"
);

pub(super) const LOCK_ACCOUNT: &str = concat!(
    "SELECT ",
    account_columns!(),
    " FROM ad_accounts a WHERE a.tenant_id = $1 AND a.account_id = $2 FOR NO KEY UPDATE OF a"
);

/// $3 and $4 the levels and ids of owners and campaigns.
pub(super) const LOCK_OWNERS: &str =
    "SELECT FROM unnest($3::text[], $4::text[]) AS k (level, id)
     JOIN ad_owners o ON o.tenant_id = $1 AND o.account_id = $2 AND o.owner_level = k.level AND o.owner_id = k.id
     ORDER BY o.owner_level DESC, o.owner_id
     FOR NO KEY UPDATE OF o";

pub(super) const MAKE_ACCOUNT: &str =
    "INSERT INTO ad_accounts (tenant_id, account_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";

pub(super) const MAKE_OWNERS: &str = "INSERT INTO ad_owners (tenant_id, account_id, owner_level, owner_id)
     SELECT $1, $2, k.level, k.id FROM unnest($3::text[], $4::text[]) AS k (level, id)
     ORDER BY k.level DESC, k.id
     ON CONFLICT DO NOTHING";

/// $2 the account, $3 and $4 the levels and ids of owners, $5 allocations.
pub(super) const OPEN_OF_OWNERS: &str = concat!(
    "SELECT ",
    change_columns!(),
    " FROM pending_ad_changes p
     WHERE p.tenant_id = $1 AND p.account_id = $2 AND p.status IN ('claimed', 'executing')
     UNION ALL SELECT ",
    change_columns!(),
    " FROM unnest($3::text[], $4::text[]) AS k (level, id)
     JOIN pending_ad_changes p ON p.tenant_id = $1 AND p.account_id = $2 AND p.owner_level = k.level
       AND p.owner_id = k.id AND p.due_at IS NOT NULL
     UNION ALL SELECT ",
    change_columns!(),
    " FROM unnest($5::text[]) AS l (id)
     JOIN pending_ad_changes p ON p.tenant_id = $1 AND p.account_id = $2 AND p.allocation_id = l.id
       AND p.allocation_id IS NOT NULL AND p.due_at IS NOT NULL"
);

/// $2 the account, $3 and $4 the levels and ids of owners.
pub(super) const REST_OF_OWNERS: &str = concat!(
    clock_row!(),
    " UNION ALL ",
    kill_rows!(),
    " UNION ALL
     SELECT 'pause', s.owner_level, s.owner_id, NULL, s.reason, s.until, s.learned_changes, s.learned_until, NULL, NULL,
            NULL, NULL
     FROM ad_platform_pauses s WHERE s.tenant_id = $1 AND s.account_id = $2
     UNION ALL
     SELECT 'known', v.owner_level, v.owner_id, NULL, v.field, v.value, NULL, NULL, NULL, NULL, NULL, NULL
     FROM unnest($3::text[], $4::text[]) AS k (level, id)
     JOIN ad_owner_values v ON v.tenant_id = $1 AND v.account_id = $2 AND v.owner_level = k.level AND v.owner_id = k.id"
);

/// $2 the account, $3 the campaign, $4 the longest window's start, $5 the rate's window's, $6 since when a reading may lack
/// what was settled.
pub(super) const MOVEMENTS: &str = concat!(
    "SELECT ",
    movement_columns!(),
    " FROM ad_owner_movements m
     WHERE m.tenant_id = $1 AND m.account_id = $2 AND m.campaign_id = $3 AND m.at > $4
     UNION ALL SELECT ",
    movement_columns!(),
    " FROM ad_owner_movements m
     WHERE m.tenant_id = $1 AND m.account_id = $2 AND m.open AND m.campaign_id = $3 AND m.at <= $4
     UNION ALL SELECT ",
    movement_columns!(),
    " FROM ad_owner_movements m
     WHERE m.tenant_id = $1 AND m.account_id = $2 AND m.change_id IS NOT NULL AND m.at > $6
     UNION ALL
     SELECT 'recent', NULL, NULL, NULL, NULL, count(*), min(r.at), NULL, NULL, NULL, NULL, NULL FROM (
       SELECT m.at FROM ad_owner_movements m
       WHERE m.tenant_id = $1 AND m.account_id = $2 AND m.change_id IS NOT NULL AND m.at > $5
       UNION ALL
       SELECT m.at FROM ad_owner_movements m
       WHERE m.tenant_id = $1 AND m.account_id = $2 AND m.open AND m.change_id IS NOT NULL AND m.at <= $5) r"
);

/// $2 ids.
pub(super) const CHANGES: &str = concat!(
    "SELECT ",
    change_columns!(),
    " FROM unnest($2::text[]) AS i (id) JOIN pending_ad_changes p ON p.tenant_id = $1 AND p.id = i.id"
);

/// $2 a digest.
pub(super) const OF_PLAN: &str = concat!(
    "SELECT ",
    change_columns!(),
    " FROM pending_ad_changes p WHERE p.tenant_id = $1 AND p.plan_digest = $2 ORDER BY p.account_id, p.id"
);

pub(super) const UPDATE_CHANGE: &str =
    "UPDATE pending_ad_changes
     SET status = $3, reason = $4, retry_at = $5, due_at = $6, run_at = $7, attempt = $8, attempts_forgiven = $9,
         observed_from = $10, sent_value = $11, intent_at = $12, lease_until = $13, token = $14, detail = $15,
         approved_by = $16, approved_at = $17, updated_at = $18
     WHERE tenant_id = $1 AND id = $2";

/// What most transitions save, in one statement: one change ($1 to $18 as in `UPDATE_CHANGE`), its place ($19 to $23), its
/// movement where $24 is set, its row of the history where $29 is set, the account ($46 to $48), and the owner's being shown
/// again where $49 is set.
pub(super) const SAVE_STEP: &str =
    "WITH change AS (
       UPDATE pending_ad_changes
       SET status = $3, reason = $4, retry_at = $5, due_at = $6, run_at = $7, attempt = $8, attempts_forgiven = $9,
           observed_from = $10, sent_value = $11, intent_at = $12, lease_until = $13, token = $14, detail = $15,
           approved_by = $16, approved_at = $17, updated_at = $18
       WHERE tenant_id = $1 AND id = $2),
     movement AS (
       INSERT INTO ad_owner_movements
         (tenant_id, account_id, owner_level, owner_id, campaign_id, field, change_id, attempt, from_value, to_value, at,
          open)
       SELECT $1, $19, $20, $21, $22, $23, $2, $24::bigint, $25::bigint, $26::bigint, $27::bigint, $28::boolean
       WHERE $24 IS NOT NULL
       ON CONFLICT (tenant_id, change_id, attempt) WHERE change_id IS NOT NULL
       DO UPDATE SET from_value = excluded.from_value, to_value = excluded.to_value, at = excluded.at,
                     open = excluded.open),
     audit AS (
       INSERT INTO ad_change_history
         (tenant_id, account_id, owner_level, owner_id, campaign_id, field, change_id, seq, kind, attempt, from_value,
          to_value, status, reason, retry_at, detail, duration_ms, allocation_id, causation_id, purpose, actor,
          request_id, at, prev_hash, hash)
       SELECT $1, $19, $20, $21, $22, $23, $2, $29::bigint, $30::text, $31::bigint, $32::bigint, $33::bigint, $34::text,
              $35::text, $36::bigint, $37::text, $38::bigint, $39::text, $40::text, $41::text, $42::text, $43::text,
              $44::bigint, $45::text, $48
       WHERE $29 IS NOT NULL),
     shown AS (
       UPDATE ad_owners SET hidden_until = NULL
       WHERE $49 AND tenant_id = $1 AND account_id = $19 AND owner_level = $20 AND owner_id = $21)
     UPDATE ad_accounts SET high_water = greatest(high_water, $46), head_seq = $47, head_hash = $48
     WHERE tenant_id = $1 AND account_id = $19";

/// The columns of many changes as arrays.
pub(super) const INSERT_CHANGES: &str =
    "INSERT INTO pending_ad_changes
       (tenant_id, id, account_id, campaign_id, owner_level, owner_id, field, expected_from, target, currency,
        allocation_id, causation_id, purpose, wanted_until, ramp_id, ramp_step, ramp_steps, ramp_target, status, reason,
        retry_at, due_at, run_at, expires_at, attempt, attempts_forgiven, observed_from, sent_value, intent_at,
        lease_until, token, detail, plan_digest, approved_by, approved_at, queued_at, updated_at)
     SELECT $1, r.* FROM unnest(
        $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[],
        $10::text[], $11::text[], $12::text[], $13::text[], $14::bigint[], $15::text[], $16::bigint[], $17::bigint[],
        $18::bigint[], $19::text[], $20::text[], $21::bigint[], $22::bigint[], $23::bigint[], $24::bigint[],
        $25::bigint[], $26::bigint[], $27::bigint[], $28::bigint[], $29::bigint[], $30::bigint[], $31::text[],
        $32::text[], $33::text[], $34::text[], $35::bigint[], $36::bigint[], $37::bigint[]) AS r";

pub(super) const SAVE_MOVEMENT: &str =
    "INSERT INTO ad_owner_movements
       (tenant_id, account_id, owner_level, owner_id, campaign_id, field, from_value, to_value, at, change_id, attempt,
        open)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     ON CONFLICT (tenant_id, change_id, attempt) WHERE change_id IS NOT NULL
     DO UPDATE SET from_value = excluded.from_value, to_value = excluded.to_value, at = excluded.at, open = excluded.open";

/// $2 the change, $3 the attempt.
pub(super) const UNMOVE: &str =
    "DELETE FROM ad_owner_movements WHERE tenant_id = $1 AND change_id = $2 AND attempt = $3";

pub(super) const WATCH: &str =
    "INSERT INTO ad_watched_attempts (tenant_id, change_id, attempt, intent_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (tenant_id, change_id, attempt) DO UPDATE SET intent_at = excluded.intent_at";

pub(super) const UNWATCH: &str =
    "DELETE FROM ad_watched_attempts WHERE tenant_id = $1 AND change_id = $2 AND attempt = $3";

pub(super) const SAVE_KNOWN: &str =
    "INSERT INTO ad_owner_values (tenant_id, account_id, owner_level, owner_id, field, value)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (tenant_id, account_id, owner_level, owner_id, field) DO UPDATE SET value = excluded.value";

pub(super) const SAVE_PAUSE: &str =
    "INSERT INTO ad_platform_pauses
       (tenant_id, account_id, owner_level, owner_id, until, reason, learned_changes, learned_until)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (tenant_id, account_id, owner_level, owner_id)
     DO UPDATE SET until = excluded.until, reason = excluded.reason, learned_changes = excluded.learned_changes,
                   learned_until = excluded.learned_until";

/// The columns of the history, as `rows::audit` reads them and `save` writes them.
macro_rules! audit_columns {
    () => {
        "tenant_id, account_id, seq, kind, change_id, attempt, campaign_id, owner_level, owner_id, field, from_value,
         to_value, status, reason, retry_at, detail, duration_ms, allocation_id, causation_id, purpose, actor, request_id,
         at, prev_hash, hash"
    };
}

/// The columns of many rows as arrays.
pub(super) const INSERT_AUDITS: &str = concat!(
    "INSERT INTO ad_change_history (",
    audit_columns!(),
    ") SELECT $1, r.* FROM unnest(
        $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[],
        $10::text[], $11::bigint[], $12::bigint[], $13::text[], $14::text[], $15::bigint[], $16::text[], $17::bigint[],
        $18::text[], $19::text[], $20::text[], $21::text[], $22::text[], $23::bigint[], $24::text[], $25::text[]) AS r"
);

pub(super) const INSERT_AUDIT: &str = concat!(
    "INSERT INTO ad_change_history (",
    audit_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
               $24, $25)"
);

/// $2 the account, $3 after which row, $4 how many.
pub(super) const HISTORY: &str = concat!(
    "SELECT ",
    audit_columns!(),
    " FROM ad_change_history
     WHERE tenant_id = $1 AND account_id = $2 AND seq > $3
     ORDER BY seq LIMIT $4"
);

/// $2 the account, $3 after which row, $4 how many, $5 the change.
pub(super) const HISTORY_OF_CHANGE: &str = concat!(
    "SELECT ",
    audit_columns!(),
    " FROM ad_change_history
     WHERE tenant_id = $1 AND account_id = $2 AND seq > $3 AND change_id = $5
     ORDER BY seq LIMIT $4"
);

/// $2 the account, $3 its time, $4 and $5 the newest row of its history.
pub(super) const SAVE_ACCOUNT: &str =
    "UPDATE ad_accounts SET high_water = greatest(high_water, $3), head_seq = $4, head_hash = $5
     WHERE tenant_id = $1 AND account_id = $2";

/// $2 the account, $3 and $4 the owner.
pub(super) const UNHIDE: &str = "UPDATE ad_owners SET hidden_until = NULL
     WHERE tenant_id = $1 AND account_id = $2 AND owner_level = $3 AND owner_id = $4";

/// $1 the channel.
pub(super) const NOTIFY: &str = "SELECT pg_notify($1, '')";

/// $2 the bound time, $3 for how long they are hidden, $4 how many.
///
/// Of an owner what is in flight comes first, then what is due first. The rows are locked, and so seen as they
/// are now; those that others have locked are passed over. What is hidden need not survive a crash of
/// the server, so that nothing waits for the disk.
pub(super) const PICK: &str = concat!(
    "WITH lazily AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
     call AS MATERIALIZED (SELECT ",
    time_of_call!("$2", "clock_timestamp"),
    " AS now),
     picked AS MATERIALIZED (
       SELECT ",
    change_columns!(),
    ", greatest(a.high_water, (SELECT now FROM call)) AS account_now
       FROM pending_ad_changes p
       JOIN ad_accounts a ON a.tenant_id = p.tenant_id AND a.account_id = p.account_id
       JOIN ad_owners o ON o.tenant_id = p.tenant_id AND o.account_id = p.account_id AND o.owner_level = p.owner_level
         AND o.owner_id = p.owner_id
       WHERE p.tenant_id = $1 AND p.due_at IS NOT NULL
         AND p.due_at <= (SELECT greatest(max(h.high_water), (SELECT now FROM call)) FROM ad_accounts h
                          WHERE h.tenant_id = $1)
         AND p.due_at <= greatest(a.high_water, (SELECT now FROM call))
         AND (o.hidden_until IS NULL OR o.hidden_until <= greatest(a.high_water, (SELECT now FROM call)))
         AND NOT EXISTS (
           SELECT FROM pending_ad_changes e
           WHERE e.tenant_id = p.tenant_id AND e.account_id = p.account_id AND e.owner_level = p.owner_level
             AND e.owner_id = p.owner_id AND e.due_at IS NOT NULL
             AND (e.status NOT IN ('claimed', 'executing'), e.due_at, e.id)
               < (p.status NOT IN ('claimed', 'executing'), p.due_at, p.id))
       ORDER BY p.due_at, p.id LIMIT $4
       FOR NO KEY UPDATE OF o, p SKIP LOCKED),
     hidden AS (
       UPDATE ad_owners o SET hidden_until = p.account_now + $3::bigint FROM picked p
       WHERE o.tenant_id = $1 AND o.account_id = p.account_id AND o.owner_level = p.owner_level
         AND o.owner_id = p.owner_id)
     SELECT ",
    change_columns!(),
    " FROM picked p CROSS JOIN lazily ORDER BY p.due_at, p.id"
);

/// In the order of the index to the first that nobody is at work on, and of the few that somebody is.
pub(super) const NEXT_DUE: &str =
    "SELECT least(
       (SELECT p.due_at FROM pending_ad_changes p
        JOIN ad_owners o ON o.tenant_id = p.tenant_id AND o.account_id = p.account_id
          AND o.owner_level = p.owner_level AND o.owner_id = p.owner_id
        WHERE p.tenant_id = $1 AND p.due_at IS NOT NULL AND (o.hidden_until IS NULL OR o.hidden_until <= p.due_at)
          AND NOT EXISTS (
                SELECT FROM pending_ad_changes f
                WHERE f.tenant_id = p.tenant_id AND f.account_id = p.account_id AND f.owner_level = p.owner_level
                  AND f.owner_id = p.owner_id AND f.status IN ('claimed', 'executing') AND f.id <> p.id)
        ORDER BY p.due_at, p.id LIMIT 1),
       (SELECT min(greatest(p.due_at, o.hidden_until)) FROM ad_owners o
        JOIN pending_ad_changes p ON p.tenant_id = o.tenant_id AND p.account_id = o.account_id
          AND p.owner_level = o.owner_level AND p.owner_id = o.owner_id AND p.due_at IS NOT NULL
        WHERE o.tenant_id = $1 AND o.hidden_until IS NOT NULL
          AND NOT EXISTS (
                SELECT FROM pending_ad_changes f
                WHERE f.tenant_id = p.tenant_id AND f.account_id = p.account_id AND f.owner_level = p.owner_level
                  AND f.owner_id = p.owner_id AND f.status IN ('claimed', 'executing') AND f.id <> p.id)))";

/// From one tenant to the next by the key, however many changes each has.
macro_rules! each_tenant {
    () => {
        "WITH RECURSIVE t (id) AS (
           (SELECT tenant_id FROM pending_ad_changes ORDER BY tenant_id LIMIT 1)
           UNION ALL
           SELECT (SELECT p.tenant_id FROM pending_ad_changes p WHERE p.tenant_id > t.id ORDER BY p.tenant_id LIMIT 1)
           FROM t WHERE t.id IS NOT NULL) "
    };
}

pub(super) const TENANTS: &str = concat!(each_tenant!(), "SELECT id FROM t WHERE id IS NOT NULL ORDER BY id");

/// $1 the bound time.
pub(super) const TENANTS_DUE: &str = concat!(
    each_tenant!(),
    ", call AS MATERIALIZED (SELECT ",
    time_of_call!("$1", "clock_timestamp"),
    " AS now)
     SELECT id FROM t WHERE (
       SELECT true FROM pending_ad_changes p
       JOIN ad_accounts a ON a.tenant_id = p.tenant_id AND a.account_id = p.account_id
       WHERE p.tenant_id = t.id AND p.due_at IS NOT NULL
         AND p.due_at <= (SELECT greatest(max(h.high_water), (SELECT now FROM call)) FROM ad_accounts h
                          WHERE h.tenant_id = t.id)
         AND p.due_at <= greatest(a.high_water, (SELECT now FROM call))
       ORDER BY p.due_at LIMIT 1)
     ORDER BY id"
);

pub(super) const NEXT_DUE_OF_ANY: &str = concat!(
    each_tenant!(),
    "SELECT min((SELECT p.due_at FROM pending_ad_changes p WHERE p.tenant_id = t.id AND p.due_at IS NOT NULL
                 ORDER BY p.due_at LIMIT 1))
     FROM t"
);

/// $2 an account, $3 an allocation, $4 a status, $5 a reason, $6 whether a person has to look, $7 and $8 the place that
/// the page is after, $9 how many; what is null does not matter.
pub(super) const LIST: &str = concat!(
    "SELECT ",
    change_columns!(),
    " FROM pending_ad_changes p
     WHERE p.tenant_id = $1 AND ($2::text IS NULL OR p.account_id = $2) AND ($3::text IS NULL OR p.allocation_id = $3)
       AND ($4::text IS NULL OR p.status = $4) AND ($5::text IS NULL OR p.reason = $5)
       AND (NOT $6 OR p.reason IN ('attempts_exhausted', 'conflict') AND p.due_at IS NULL)
       AND ($7::bigint IS NULL OR (p.queued_at, p.id) > ($7, $8::text))
     ORDER BY p.queued_at, p.id LIMIT $9"
);

/// $2 after which time.
pub(super) const WATCHED: &str = concat!(
    "SELECT ",
    change_columns!(),
    ", w.attempt, w.intent_at FROM ad_watched_attempts w
     JOIN pending_ad_changes p ON p.tenant_id = w.tenant_id AND p.id = w.change_id
     WHERE w.tenant_id = $1 AND w.intent_at > $2 ORDER BY w.intent_at, w.change_id, w.attempt"
);

pub(super) const BACKLOG: &str = "SELECT status, reason, count(*), min(due_at) FROM pending_ad_changes
     WHERE tenant_id = $1 AND due_at IS NOT NULL GROUP BY status, reason
     UNION ALL
     SELECT '', NULL, count(*), NULL FROM pending_ad_changes
     WHERE tenant_id = $1 AND reason IN ('attempts_exhausted', 'conflict') AND due_at IS NULL";

pub(super) const SET_LIMITS: &str =
    "INSERT INTO ad_accounts (tenant_id, account_id, currency, total_daily_minor, min_minor, max_minor)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (tenant_id, account_id)
     DO UPDATE SET currency = excluded.currency, total_daily_minor = excluded.total_daily_minor,
                   min_minor = excluded.min_minor, max_minor = excluded.max_minor";

/// Every transition has locked an account: this waits for those under way and holds new ones off until it is committed.
pub(super) const HOLD_TRANSITIONS: &str = "LOCK TABLE ad_accounts IN EXCLUSIVE MODE";

pub(super) const KILL: &str = "INSERT INTO kill_switches (tenant_id, scope, value) VALUES ($1, $2, $3) ON CONFLICT (tenant_id, scope) DO NOTHING";

pub(super) const UNKILL: &str = "DELETE FROM kill_switches WHERE tenant_id = $1 AND scope = $2";

pub(super) const KILLS: &str = "SELECT value FROM kill_switches WHERE tenant_id IN ($1, '')";

pub(super) const HEADS: &str = "SELECT account_id, head_seq, head_hash FROM ad_accounts WHERE tenant_id = $1 AND head_seq > 0 ORDER BY account_id";

pub(super) const HIGH_WATER: &str = "SELECT max(high_water) FROM ad_accounts WHERE tenant_id = $1";
