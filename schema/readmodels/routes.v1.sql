-- One row for each instance that has a published route; its key is the instance's id.
--
-- Run by the projection runner with the schema of one build first in the search path. The document is the row as the
-- projection folds it; the columns after it are what queries search and sort by.
CREATE TABLE record (
    key text PRIMARY KEY,
    position bigint NOT NULL,
    document jsonb NOT NULL,
    router text GENERATED ALWAYS AS (document ->> 'router') STORED
) WITH (fillfactor = 70);
CREATE INDEX record_router ON record (router, key);
