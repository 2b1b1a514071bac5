-- One row for each event of each instance; its key is the event's position.
--
-- Run by the projection runner with the schema of one build first in the search path. The document is the row as the
-- projection folds it; the columns after it are what queries search and sort by.
CREATE TABLE record (
    key text PRIMARY KEY,
    position bigint NOT NULL,
    document jsonb NOT NULL,
    instance_id bigint GENERATED ALWAYS AS ((document ->> 'instanceId')::bigint) STORED
) WITH (fillfactor = 70);
CREATE INDEX record_instance ON record (instance_id, position);
