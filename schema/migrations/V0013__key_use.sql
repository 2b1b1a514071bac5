-- When keys were used last, to the minute. Nothing is decided by it: it is written off the request path, and some of it
-- may be missing.
CREATE TABLE audit.key_use (
    key bigint PRIMARY KEY,
    used_at timestamptz NOT NULL
);

GRANT SELECT, INSERT, UPDATE ON audit.key_use TO signalbox_append;
GRANT SELECT ON audit.key_use TO signalbox_audit;
