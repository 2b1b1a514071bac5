-- One row for each tenant database there is or was; its key is the name it was made with.
--
-- Run by the projection runner with the schema of one build first in the search path. The document is the row as the
-- projection folds it; the columns after it are what queries search and sort by.
CREATE TABLE record (
    key text PRIMARY KEY,
    position bigint NOT NULL,
    document jsonb NOT NULL,
    known_at bigint GENERATED ALWAYS AS ((document ->> 'position')::bigint) STORED,
    status text GENERATED ALWAYS AS (document ->> 'status') STORED
) WITH (fillfactor = 70);
CREATE INDEX record_known_at ON record (known_at);
CREATE INDEX record_status ON record (status, known_at);
