-- What authenticated principals asked for and were refused, for auditors to read beside the log. It is no part of the log:
-- written off the request path, some of it may be missing, and all of it goes after 90 days.
CREATE SCHEMA audit;

CREATE TABLE audit.refusal (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    principal text NOT NULL,
    -- Whose things it was about, as far as the request said.
    organization bigint,
    -- The operation, as the API's document calls it.
    action text NOT NULL,
    -- Why, by the slug of the problem.
    problem text NOT NULL,
    request text NOT NULL
);
CREATE INDEX refusal_organization ON audit.refusal (organization, id) WHERE organization IS NOT NULL;
CREATE INDEX refusal_at ON audit.refusal (at);

GRANT USAGE ON SCHEMA audit TO signalbox_append, signalbox_audit;
GRANT SELECT, INSERT, DELETE ON audit.refusal TO signalbox_append;
GRANT SELECT ON audit.refusal TO signalbox_audit;
