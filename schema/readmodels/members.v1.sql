-- One row for each member of each organization; the key is <organization>.<user>.
--
-- Run by the projection runner with the schema of one build first in the search path. The document is the row as the
-- projection folds it; the columns after it are what queries search and sort by.
CREATE TABLE record (
    key text PRIMARY KEY,
    position bigint NOT NULL,
    document jsonb NOT NULL,
    organization_id bigint GENERATED ALWAYS AS ((document ->> 'organizationId')::bigint) STORED,
    user_id bigint GENERATED ALWAYS AS ((document ->> 'userId')::bigint) STORED
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX record_organization ON record (organization_id, user_id);
CREATE INDEX record_user ON record (user_id, organization_id);
