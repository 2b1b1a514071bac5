-- One row for each roll-out of a release; its key is the roll-out's id.
--
-- Run by the projection runner with the schema of one build first in the search path. The document is the row as the
-- projection folds it; the columns after it are what queries search and sort by.
CREATE TABLE record (
    key text PRIMARY KEY,
    position bigint NOT NULL,
    document jsonb NOT NULL,
    id bigint GENERATED ALWAYS AS ((document ->> 'id')::bigint) STORED
) WITH (fillfactor = 70);
CREATE INDEX record_id ON record (id);
