-- Clicks and their keys in a table for each day, so that a day that nobody keeps any more is dropped and leaves nothing to vacuum.
-- A table of a day is made by the first click of the day, and named by it: clicks_20780 has those of day 20780.

ALTER TABLE clicks RENAME TO clicks_whole;
ALTER TABLE click_keys RENAME TO click_keys_whole;
ALTER INDEX clicks_pkey RENAME TO clicks_whole_pkey;
ALTER INDEX click_keys_of_day RENAME TO click_keys_whole_of_day;

CREATE TABLE clicks (
    tenant_id    text COLLATE "C" NOT NULL,
    day          integer NOT NULL,
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
    device       text,
    PRIMARY KEY (key, tenant_id, day)
) PARTITION BY RANGE (day);

CREATE TABLE click_keys (
    tenant_id  text COLLATE "C" NOT NULL,
    day        integer NOT NULL,
    key        bytea NOT NULL,
    clicked_at bigint NOT NULL,
    click      bytea NOT NULL
) PARTITION BY RANGE (day);
CREATE INDEX click_keys_of_day ON click_keys (day, key, tenant_id, clicked_at) WITH (deduplicate_items = off);

-- Clocks that are wrong by decades make no tables of their own: before 2020, and from 2100 on.
CREATE TABLE clicks_past PARTITION OF clicks FOR VALUES FROM (MINVALUE) TO (18262);
CREATE TABLE clicks_future PARTITION OF clicks FOR VALUES FROM (47482) TO (MAXVALUE);
CREATE TABLE click_keys_past PARTITION OF click_keys FOR VALUES FROM (MINVALUE) TO (18262);
CREATE TABLE click_keys_future PARTITION OF click_keys FOR VALUES FROM (47482) TO (MAXVALUE);

-- Both functions run as the owner of the tables, so that a worker needs no more than the rights on their rows.

-- Makes the tables of these days where they are missing. A day that is far from today shares one with its 32 neighbours: a log
-- with random times cannot make thousands. Nobody who reads or writes waits for it.
CREATE FUNCTION open_click_days(wanted integer[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    today  integer := floor(extract(epoch FROM clock_timestamp()) / 86400);
    parent text;
    day    integer;
    block  integer;
    part   text;
    days   integer;
BEGIN
    -- Of many workers that see a new day one makes it.
    PERFORM pg_advisory_xact_lock(hashtextextended('xynergy click days ' || current_schema(), 0));
    FOREACH parent IN ARRAY ARRAY['clicks', 'click_keys'] LOOP
        FOR day IN SELECT DISTINCT w FROM unnest(wanted) AS w WHERE w >= 18262 AND w < 47482 ORDER BY w LOOP
            block := day - day % 32;
            CONTINUE WHEN to_regclass(parent || '_' || day) IS NOT NULL
                OR to_regclass(parent || '_' || block || '_32') IS NOT NULL;
            days := 1;
            IF (block + 32 <= today - 400 OR block > today + 2) AND block >= 18262 AND block + 32 <= 47482
                AND NOT EXISTS (
                    SELECT FROM generate_series(block, block + 31) AS sibling
                    WHERE to_regclass(parent || '_' || sibling) IS NOT NULL)
            THEN
                day := block;
                days := 32;
            END IF;
            part := parent || '_' || day || CASE days WHEN 1 THEN '' ELSE '_32' END;
            -- To attach a table locks out nobody; to create it as a part would.
            EXECUTE format('CREATE TABLE %I (LIKE %I)', part, parent);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                           parent, part, day, day + days);
        END LOOP;
    END LOOP;
END $$;

-- Drops the table of these days when no other tenant has clicks in them, and returns how many clicks it had; null when others
-- have. Who reads waits for no longer than the timeout, at which it fails and leaves everything as it was.
CREATE FUNCTION drop_click_days(parent text, first integer, days integer, tenant text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '100ms' AS $$
DECLARE
    part text := parent || '_' || first || CASE days WHEN 1 THEN '' ELSE '_' || days END;
    gone bigint := 0;
BEGIN
    IF parent NOT IN ('clicks', 'click_keys') THEN
        RAISE EXCEPTION 'no table of clicks';
    END IF;
    IF to_regclass(part) IS NULL THEN
        RETURN 0;
    END IF;
    -- Who is writing into these days ends first, and is seen then.
    EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', part);
    IF EXISTS (SELECT FROM click_days d
               WHERE d.day >= first AND d.day < first + days AND d.tenant_id <> tenant) THEN
        RETURN NULL;
    END IF;
    IF parent = 'clicks' THEN
        EXECUTE format('SELECT count(*) FROM %I', part) INTO gone;
        DELETE FROM click_days d WHERE d.tenant_id = tenant AND d.day >= first AND d.day < first + days;
    END IF;
    EXECUTE format('DROP TABLE %I', part);
    RETURN gone;
END $$;

REVOKE EXECUTE ON FUNCTION open_click_days(integer[]) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION drop_click_days(text, integer, integer, text) FROM PUBLIC;

-- Who has clicks in a day, also such that no key leads to.
INSERT INTO click_days (tenant_id, day) SELECT DISTINCT tenant_id, day FROM clicks_whole ON CONFLICT DO NOTHING;
CREATE INDEX click_days_by_day ON click_days (day, tenant_id);

SELECT open_click_days(ARRAY(SELECT DISTINCT day FROM click_days));
INSERT INTO clicks (tenant_id, day, key, clicked_at, ad_id, adset_id, campaign_id, utm_source, utm_medium, utm_campaign,
                    utm_content, utm_term, click_id, raw, device)
SELECT tenant_id, day, key, clicked_at, ad_id, adset_id, campaign_id, utm_source, utm_medium, utm_campaign,
       utm_content, utm_term, click_id, raw, device
FROM clicks_whole;
INSERT INTO click_keys (tenant_id, day, key, clicked_at, click)
SELECT tenant_id, day, key, clicked_at, click FROM click_keys_whole;
DROP TABLE clicks_whole, click_keys_whole;

-- A version before this one would not make the tables of new days.
UPDATE xynergy_schema SET version = 7, compatible_from = 7;
