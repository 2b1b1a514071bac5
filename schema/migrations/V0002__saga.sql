-- What the sagas keep beside the log.
CREATE SCHEMA saga;

-- How far the starter has read; its own, so that rebuilding projections never starts a saga.
CREATE TABLE saga.checkpoint (
    name text PRIMARY KEY,
    position bigint NOT NULL CHECK (position >= 0)
);

GRANT USAGE ON SCHEMA saga TO signalbox_append;
GRANT SELECT, INSERT, UPDATE ON saga.checkpoint TO signalbox_append;
