-- Which browsers are signed in. Of what a browser has only the hash is kept, so nobody who reads this can be one of them.
CREATE SCHEMA access;

CREATE TABLE access.session (
    -- Hex SHA-256 of the token in the cookie.
    token text PRIMARY KEY,
    -- Hex SHA-256 of the state of the login that it came from: a login opens one session, whatever the issuer says.
    login text NOT NULL UNIQUE,
    person bigint NOT NULL,
    started_at timestamptz NOT NULL,
    -- To the minute.
    used_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    -- Signed out. The row stays until the end, so that its login opens no other.
    ended_at timestamptz
);
CREATE INDEX session_ends_at ON access.session (ends_at);

GRANT USAGE ON SCHEMA access TO signalbox_append;
GRANT SELECT, INSERT, UPDATE, DELETE ON access.session TO signalbox_append;
