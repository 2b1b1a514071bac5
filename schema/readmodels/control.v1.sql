-- What the projection runner knows about its builds. It runs this itself, as the owner of the read models; running it
-- again is harmless.
CREATE SCHEMA IF NOT EXISTS rm;

-- One build of one shape of a read model lives in the schema rm_<name>_v<shape>_b<build>. The view rm.<name>_v<shape>
-- shows the live one.
CREATE TABLE IF NOT EXISTS rm.build (
    name text NOT NULL,
    shape integer NOT NULL,
    build integer NOT NULL,
    slices integer NOT NULL CHECK (slices > 0),
    live boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name, shape, build)
);
CREATE UNIQUE INDEX IF NOT EXISTS build_live ON rm.build (name, shape) WHERE live;

-- How far each slice of a build is. It moves in the transaction that writes the rows, from exactly where it was, by
-- the holder of the newest lease: that is what makes every event count once.
CREATE TABLE IF NOT EXISTS rm.checkpoint (
    name text NOT NULL,
    shape integer NOT NULL,
    build integer NOT NULL,
    slice integer NOT NULL,
    position bigint NOT NULL,
    fence bigint NOT NULL,
    PRIMARY KEY (name, shape, build, slice),
    FOREIGN KEY (name, shape, build) REFERENCES rm.build ON DELETE CASCADE
) WITH (fillfactor = 50);

-- Organizations that a build skips since an event of theirs could not be folded. 0 stands for what belongs to no
-- organization.
CREATE TABLE IF NOT EXISTS rm.block (
    name text NOT NULL,
    shape integer NOT NULL,
    build integer NOT NULL,
    org_id bigint NOT NULL,
    from_position bigint NOT NULL,
    error text NOT NULL,
    blocked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name, shape, build, org_id),
    FOREIGN KEY (name, shape, build) REFERENCES rm.build ON DELETE CASCADE
);

-- When the view showed a build last: what rolling back goes by.
ALTER TABLE rm.build ADD COLUMN IF NOT EXISTS shown_at timestamptz;

-- How the rebuilds go and went. A row stays when its build is dropped, so that numbers are never used twice.
CREATE TABLE IF NOT EXISTS rm.rebuild (
    name text NOT NULL,
    shape integer NOT NULL,
    build integer NOT NULL,
    phase text NOT NULL,
    paused boolean NOT NULL DEFAULT false,
    -- Fold no further than this; NULL means to the end, and on.
    until bigint,
    parallel integer NOT NULL CHECK (parallel > 0),
    dry boolean NOT NULL,
    switches boolean NOT NULL,
    goal bigint NOT NULL DEFAULT 0,
    position bigint NOT NULL DEFAULT 0,
    events bigint NOT NULL DEFAULT 0,
    rate double precision NOT NULL DEFAULT 0,
    seconds_left double precision,
    -- What comparing with the live build at one position came to.
    compared_at bigint,
    rows bigint,
    live_rows bigint,
    checksum text,
    live_checksum text,
    differing text[] NOT NULL DEFAULT '{}',
    error text,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    PRIMARY KEY (name, shape, build)
);
-- One at a time for each shape.
CREATE UNIQUE INDEX IF NOT EXISTS rebuild_open ON rm.rebuild (name, shape) WHERE ended_at IS NULL;

-- Where the log ended when the loading began: what was erased before it was read without its payload.
ALTER TABLE rm.rebuild ADD COLUMN IF NOT EXISTS begun bigint NOT NULL DEFAULT 0;

-- The command that asked for it, when that may come again: it is given the same build.
ALTER TABLE rm.rebuild ADD COLUMN IF NOT EXISTS command uuid;

-- What operators were answered, so that the same command again is answered the same.
CREATE TABLE IF NOT EXISTS rm.deed (
    command uuid PRIMARY KEY,
    answer bytea NOT NULL,
    done_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Events that an operator had passed over for good, because nothing could fold them; every build leaves them out.
CREATE TABLE IF NOT EXISTS rm.skipped (
    name text NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (name, position)
);

-- The processes that feed, and what: for each to take its share.
CREATE TABLE IF NOT EXISTS rm.feeder (
    owner text NOT NULL,
    kind text NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (owner, kind)
);
