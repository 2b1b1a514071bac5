-- What the sagas of all processes know together about each target: whether it is left alone, how fast it may be asked, and
-- by how many at once. Read and written by saga.admit and saga.settle only; operators by their own two.
CREATE TABLE saga.target (
    name text PRIMARY KEY,
    failed_in_a_row integer NOT NULL DEFAULT 0,
    -- The calls of the last minute or less.
    window_from timestamptz NOT NULL DEFAULT clock_timestamp(),
    window_calls integer NOT NULL DEFAULT 0,
    window_failures integer NOT NULL DEFAULT 0,
    -- Left alone until then; afterwards, and until one call has gone well, one at a time may try. NULL: nothing is wrong.
    open_until timestamptz,
    openings integer NOT NULL DEFAULT 0,
    -- The target itself asked for a rest.
    rests_until timestamptz,
    -- An operator wants it left alone, and why.
    held_because text,
    tokens double precision,
    filled_at timestamptz,
    -- As whoever came last was configured; NULL: no limit.
    most integer,
    rate double precision,
    burst double precision,
    last_error text,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- Who is there now. A visit that nobody ends, ends by itself.
CREATE TABLE saga.visit (
    target text NOT NULL,
    visitor text NOT NULL,
    until timestamptz NOT NULL,
    -- The one that finds out whether the target is well again.
    is_probe boolean NOT NULL,
    PRIMARY KEY (target, visitor)
) WITH (fillfactor = 50);

GRANT SELECT ON saga.target, saga.visit TO signalbox_append, signalbox_project;
