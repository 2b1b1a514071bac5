-- One row for each event that is not a saga's own; its key is the event's position.
--
-- Run by the projection runner with the schema of one build first in the search path. The document is the row as the
-- projection folds it; the columns after it are what queries search and sort by.
CREATE TABLE record (
    key text PRIMARY KEY,
    position bigint NOT NULL,
    document jsonb NOT NULL,
    organization_id bigint GENERATED ALWAYS AS ((document ->> 'organizationId')::bigint) STORED,
    actor text GENERATED ALWAYS AS (document ->> 'actor') STORED
) WITH (fillfactor = 100);
CREATE INDEX record_position ON record (position);
CREATE INDEX record_organization ON record (organization_id, position);
CREATE INDEX record_actor ON record (actor, position);
