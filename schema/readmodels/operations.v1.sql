-- One row for each saga; its key is the saga's id, which is the id of the event that caused it.
--
-- Run by the projection runner with the schema of one build first in the search path. The document is the row as the
-- projection folds it; the columns after it are what queries search and sort by.
CREATE TABLE record (
    key text PRIMARY KEY,
    position bigint NOT NULL,
    document jsonb NOT NULL,
    organization_id bigint GENERATED ALWAYS AS ((document ->> 'organizationId')::bigint) STORED,
    started bigint GENERATED ALWAYS AS ((document ->> 'position')::bigint) STORED,
    subject text GENERATED ALWAYS AS (document ->> 'subject') STORED,
    status text GENERATED ALWAYS AS (document ->> 'status') STORED
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX record_started ON record (started);
CREATE INDEX record_organization ON record (organization_id, started);
CREATE INDEX record_subject ON record (subject, started);
