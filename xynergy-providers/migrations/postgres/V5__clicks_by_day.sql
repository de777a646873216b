-- Clicks by day: of one key on one day there is one click, and how often an ad was clicked on a day stays when they are
-- forgotten. Days are whole ones since 1970-01-01 UTC.

ALTER TABLE clicks ADD COLUMN day integer, ADD COLUMN device text;
-- A division rounds towards zero, a day does not.
UPDATE clicks SET day = (clicked_at - ((clicked_at % 86400000000) + 86400000000) % 86400000000) / 86400000000;
ALTER TABLE clicks ALTER COLUMN day SET NOT NULL;
ALTER TABLE clicks DROP CONSTRAINT clicks_pkey;
ALTER TABLE clicks ADD PRIMARY KEY (key, tenant_id, day);

-- The sum of its slots: one row would be a lock that all writers wait for.
CREATE TABLE click_counts (
    tenant_id   text COLLATE "C" NOT NULL,
    day         integer NOT NULL,
    ad_id       text COLLATE "C" NOT NULL,
    adset_id    text COLLATE "C" NOT NULL,
    campaign_id text COLLATE "C" NOT NULL,
    slot        integer NOT NULL,
    clicks      bigint NOT NULL,
    PRIMARY KEY (tenant_id, day, ad_id, adset_id, campaign_id, slot)
) WITH (fillfactor = 50);
INSERT INTO click_counts (tenant_id, day, ad_id, adset_id, campaign_id, slot, clicks)
SELECT tenant_id, day, ad_id, adset_id, campaign_id, 0, count(*) FROM clicks GROUP BY 1, 2, 3, 4, 5;

-- A version before this one would write clicks without their day.
UPDATE xynergy_schema SET version = 5, compatible_from = 5;
