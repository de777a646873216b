-- The account of AI spend. Times are microseconds since 1970-01-01 UTC, amounts billionths of a dollar. Scopes are `tenant`,
-- `tag:NAME` and `key:NAME`: what a call counts in. Every function that changes an account locks its row first, and sees then
-- what the others did, for each of its statements sees what was committed before it: one trip, and no other order of locks.

-- A tenant, and its limits as JSON. Their version tells a worker that it knows them.
CREATE TABLE spend_accounts (
    tenant_id text COLLATE "C" PRIMARY KEY,
    version   bigint NOT NULL DEFAULT 0,
    limits    text NOT NULL DEFAULT '[]'
);

-- Reservations that nobody has settled. A lapsed one was given back, holds nothing, and can still be settled; a closed one
-- was closed before it came, and must not come.
CREATE TABLE spend_open (
    tenant_id text COLLATE "C" NOT NULL,
    id        text COLLATE "C" NOT NULL,
    amount    bigint NOT NULL CHECK (amount >= 0),
    at        bigint NOT NULL,
    expires   bigint NOT NULL,
    state     text NOT NULL CHECK (state IN ('held', 'lapsed', 'closed')),
    scopes    text[] NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX spend_open_expires ON spend_open (tenant_id, state, expires);

-- What was settled, alike within a minute.
CREATE TABLE spend_cells (
    tenant_id text COLLATE "C" NOT NULL,
    minute    bigint NOT NULL,
    provider  text COLLATE "C" NOT NULL,
    model     text COLLATE "C" NOT NULL,
    scopes    text[] NOT NULL,
    requests  bigint NOT NULL,
    unpriced  bigint NOT NULL,
    tokens    bigint NOT NULL,
    cost      bigint NOT NULL,
    PRIMARY KEY (tenant_id, minute, provider, model, scopes)
) WITH (fillfactor = 80);

-- Sums of both over the spans that limits ask for: made when one asks, kept up from then on, and made again when lost.
CREATE TABLE spend_counters (
    tenant_id text COLLATE "C" NOT NULL,
    scope     text COLLATE "C" NOT NULL,
    start_at  bigint NOT NULL,
    end_at    bigint NOT NULL,
    settled   bigint NOT NULL,
    reserved  bigint NOT NULL,
    PRIMARY KEY (tenant_id, scope, start_at, end_at)
) WITH (fillfactor = 50);

-- Locks a tenant's row, and makes it when there is none.
CREATE FUNCTION spend_lock(of_tenant text) RETURNS spend_accounts LANGUAGE plpgsql AS $$
DECLARE
    account spend_accounts;
BEGIN
    SELECT * INTO account FROM spend_accounts WHERE tenant_id = of_tenant FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO spend_accounts (tenant_id) VALUES (of_tenant) ON CONFLICT DO NOTHING;
        SELECT * INTO account FROM spend_accounts WHERE tenant_id = of_tenant FOR UPDATE;
    END IF;
    RETURN account;
END $$;

-- The server's time, by which closed reservations are forgotten.
CREATE FUNCTION spend_now() RETURNS bigint LANGUAGE sql AS $$
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
$$;

-- Changes the counters that a reservation is in.
CREATE FUNCTION spend_count(of_tenant text, of_scopes text[], made_at bigint, more_reserved bigint, more_settled bigint)
RETURNS void LANGUAGE sql AS $$
    UPDATE spend_counters
    SET reserved = greatest(0, reserved + more_reserved), settled = settled + more_settled
    WHERE tenant_id = of_tenant AND scope = ANY (of_scopes) AND start_at <= made_at AND end_at > made_at
$$;

-- Reserves. `standing` limits are not known here: the caller has joined them to those of `known_version`, and gives for each
-- the scope, the span, the cap and whether it is hard. Returns the limits when that version is old, else the place of the
-- hard limit that refuses (from 1) with what it holds, else the places of the soft ones that are crossed.
CREATE FUNCTION spend_reserve(
    of_tenant text, of_id text, known_version bigint, want bigint, made_at bigint, lapses bigint, forgotten bigint,
    of_scopes text[], limit_scopes text[], starts bigint[], ends bigint[], caps bigint[], hards boolean[],
    OUT stored_version bigint, OUT stored_limits text, OUT refused integer, OUT has_settled bigint, OUT has_reserved bigint,
    OUT crossed integer[]
) LANGUAGE plpgsql AS $$
DECLARE
    account spend_accounts;
    due record;
    place integer;
BEGIN
    account := spend_lock(of_tenant);
    stored_version := account.version;
    IF account.version <> known_version THEN
        stored_limits := account.limits;
        RETURN;
    END IF;
    FOR due IN
        UPDATE spend_open o SET state = 'lapsed', amount = 0
        FROM (SELECT tenant_id, id, amount FROM spend_open
              WHERE tenant_id = of_tenant AND state = 'held' AND expires <= made_at) held
        WHERE o.tenant_id = held.tenant_id AND o.id = held.id
        RETURNING o.scopes, o.at, held.amount
    LOOP
        PERFORM spend_count(of_tenant, due.scopes, due.at, -due.amount, 0);
    END LOOP;
    DELETE FROM spend_open WHERE tenant_id = of_tenant AND state = 'lapsed' AND expires <= forgotten;
    DELETE FROM spend_open WHERE tenant_id = of_tenant AND state = 'closed' AND expires <= spend_now();
    crossed := '{}';
    IF EXISTS (SELECT FROM spend_open WHERE tenant_id = of_tenant AND id = of_id) THEN
        RETURN;
    END IF;
    FOR place IN 1 .. cardinality(caps) LOOP
        SELECT c.settled, c.reserved INTO has_settled, has_reserved FROM spend_counters c
        WHERE tenant_id = of_tenant AND scope = limit_scopes[place] AND start_at = starts[place] AND end_at = ends[place];
        IF NOT FOUND THEN
            -- One that has ended is made again when something late asks for it.
            DELETE FROM spend_counters WHERE tenant_id = of_tenant AND end_at <= starts[place];
            INSERT INTO spend_counters (tenant_id, scope, start_at, end_at, settled, reserved)
            SELECT of_tenant, limit_scopes[place], starts[place], ends[place],
                (SELECT coalesce(sum(cost), 0)::bigint FROM spend_cells
                 WHERE tenant_id = of_tenant AND minute >= starts[place] AND minute < ends[place]
                   AND limit_scopes[place] = ANY (scopes)),
                (SELECT coalesce(sum(amount), 0)::bigint FROM spend_open
                 WHERE tenant_id = of_tenant AND at >= starts[place] AND at < ends[place]
                   AND limit_scopes[place] = ANY (scopes))
            RETURNING settled, reserved INTO has_settled, has_reserved;
        END IF;
        IF has_settled::numeric + has_reserved + want > caps[place] THEN
            IF hards[place] THEN
                refused := place;
                RETURN;
            END IF;
            crossed := crossed || place;
        END IF;
    END LOOP;
    PERFORM spend_count(of_tenant, of_scopes, made_at, want, 0);
    INSERT INTO spend_open (tenant_id, id, amount, at, expires, state, scopes)
    VALUES (of_tenant, of_id, want, made_at, lapses, 'held', of_scopes);
END $$;

-- Closes a reservation, if it is open, with what was used when `used`. Where `wins`, one that is not known stays closed for
-- an hour: it may still be on its way.
CREATE FUNCTION spend_close(
    of_tenant text, of_id text, wins boolean, used boolean, of_provider text, of_model text,
    more_unpriced bigint, more_tokens bigint, more_cost bigint, keep bigint
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    gone record;
    of_minute bigint;
BEGIN
    PERFORM spend_lock(of_tenant);
    DELETE FROM spend_open WHERE tenant_id = of_tenant AND id = of_id AND state <> 'closed'
    RETURNING scopes, at, amount INTO gone;
    IF NOT FOUND THEN
        IF wins THEN
            INSERT INTO spend_open (tenant_id, id, amount, at, expires, state, scopes)
            VALUES (of_tenant, of_id, 0, 0, spend_now() + 3600000000, 'closed', '{}') ON CONFLICT DO NOTHING;
        END IF;
        RETURN;
    END IF;
    PERFORM spend_count(of_tenant, gone.scopes, gone.at, -gone.amount, more_cost);
    IF used THEN
        of_minute := gone.at - (((gone.at % 60000000) + 60000000) % 60000000);
        INSERT INTO spend_cells AS c (tenant_id, minute, provider, model, scopes, requests, unpriced, tokens, cost)
        VALUES (of_tenant, of_minute, of_provider, of_model, gone.scopes, 1, more_unpriced, more_tokens, more_cost)
        ON CONFLICT (tenant_id, minute, provider, model, scopes) DO UPDATE
        SET requests = c.requests + 1, unpriced = c.unpriced + excluded.unpriced, tokens = c.tokens + excluded.tokens,
            cost = c.cost + excluded.cost;
        DELETE FROM spend_cells WHERE tenant_id = of_tenant AND minute < of_minute - keep;
    END IF;
END $$;

UPDATE xynergy_schema SET version = 4;
