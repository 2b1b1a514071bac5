-- The transparency log over the event log: an RFC 6962 tree in tiles of 256 hashes, and its signed checkpoints.
--
-- The index of a leaf is its position minus one. Level 0 holds the leaves; a hash of level n stands for 256^n leaves.
CREATE TABLE log.tile (
    level smallint NOT NULL CHECK (level BETWEEN 0 AND 8),
    number bigint NOT NULL CHECK (number >= 0),
    width smallint NOT NULL CHECK (width BETWEEN 1 AND 256),
    hashes bytea NOT NULL CHECK (octet_length(hashes) = width * 32),
    PRIMARY KEY (level, number)
);
-- Hashes do not compress.
ALTER TABLE log.tile ALTER COLUMN hashes SET STORAGE EXTERNAL;

-- What the tree was at some size. The row is committed before it is signed, so that no size ever gets two roots; an
-- epoch is the incarnation of the log, and begins a tree of its own.
CREATE TABLE log.checkpoint (
    epoch integer NOT NULL,
    size bigint NOT NULL CHECK (size > 0),
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    sealed_at timestamptz NOT NULL,
    note text,
    signed_at timestamptz,
    PRIMARY KEY (epoch, size),
    CHECK ((note IS NULL) = (signed_at IS NULL))
);

-- Which keys have signed, and the sizes they have signed.
CREATE TABLE log.audit_key (
    vkey text PRIMARY KEY,
    epoch integer NOT NULL,
    first_size bigint NOT NULL,
    last_size bigint NOT NULL
);

GRANT SELECT ON log.tile, log.checkpoint, log.audit_key TO signalbox_append, signalbox_audit;
