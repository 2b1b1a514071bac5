-- One row for each organization, with the names that it has had.
CREATE TABLE record (
    key text PRIMARY KEY,
    position bigint NOT NULL,
    document jsonb NOT NULL,
    name text GENERATED ALWAYS AS (document -> 'names' ->> -1) STORED
) WITH (fillfactor = 70);
CREATE INDEX record_name ON record (name);
