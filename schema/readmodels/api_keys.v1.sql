-- One row for each API key; its key is the id of the API key.
--
-- Run by the projection runner with the schema of one build first in the search path. The document is the row as the
-- projection folds it; the columns after it are what queries search and sort by.
CREATE TABLE record (
    key text PRIMARY KEY,
    position bigint NOT NULL,
    document jsonb NOT NULL,
    id bigint GENERATED ALWAYS AS ((document ->> 'id')::bigint) STORED,
    owner text GENERATED ALWAYS AS (document ->> 'owner') STORED
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX record_id ON record (id);
CREATE INDEX record_owner ON record (owner, id);
