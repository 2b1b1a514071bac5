-- One row for each organization; its key is the organization's id.
--
-- Run by the projection runner with the schema of one build first in the search path. The document is the row as the
-- projection folds it; the columns after it are what queries search and sort by.
CREATE TABLE record (
    key text PRIMARY KEY,
    position bigint NOT NULL,
    document jsonb NOT NULL,
    id bigint GENERATED ALWAYS AS ((document ->> 'id')::bigint) STORED,
    status text GENERATED ALWAYS AS (document ->> 'status') STORED
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX record_id ON record (id);
