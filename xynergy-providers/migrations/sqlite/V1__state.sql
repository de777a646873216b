CREATE TABLE state_documents (
    tenant_id  TEXT NOT NULL,
    collection TEXT NOT NULL,
    key        TEXT NOT NULL,
    version    INTEGER NOT NULL,
    value      TEXT NOT NULL,
    PRIMARY KEY (tenant_id, collection, key)
) STRICT, WITHOUT ROWID;
