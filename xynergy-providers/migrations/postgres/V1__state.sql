-- Which version made these tables, and the oldest version whose workers may still use them: while a newer version is
-- rolled out, old and new workers run side by side. Every migration sets both at its end.
CREATE TABLE xynergy_schema (
    only_row        boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version         integer NOT NULL,
    compatible_from integer NOT NULL CHECK (compatible_from <= version)
);
INSERT INTO xynergy_schema (version, compatible_from) VALUES (1, 1);

CREATE TABLE state_documents (
    tenant_id  text COLLATE "C" NOT NULL,
    collection text COLLATE "C" NOT NULL,
    key        text COLLATE "C" NOT NULL,
    version    bigint NOT NULL CHECK (version > 0),
    value      text NOT NULL,
    PRIMARY KEY (tenant_id, collection, key)
);
