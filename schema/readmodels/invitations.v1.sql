-- One row for each invitation; its key is the invitation's id.
--
-- Run by the projection runner with the schema of one build first in the search path. The document is the row as the
-- projection folds it; the columns after it are what queries search and sort by.
CREATE TABLE record (
    key text PRIMARY KEY,
    position bigint NOT NULL,
    document jsonb NOT NULL,
    organization_id bigint GENERATED ALWAYS AS ((document ->> 'organizationId')::bigint) STORED,
    sent bigint GENERATED ALWAYS AS ((document ->> 'position')::bigint) STORED
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX record_organization ON record (organization_id, sent, key);
