-- How many positions a partition holds. The ranges of partitions follow from it, so it stays as it is once there are
-- events.
ALTER TABLE log.head ADD COLUMN partition_width bigint NOT NULL DEFAULT 16777216 CHECK (partition_width > 0);

-- Partitions of the log that were written to files. A file that is `writing` may not be there yet or not be whole; one
-- that is `kept` was read back and proven, and its partition is still there; one that is `archived` is what readers
-- read, and its partition may be gone. `obsolete` is a file that this one took the place of and that must go.
CREATE TABLE log.segment (
    first_position bigint PRIMARY KEY,
    last_position bigint NOT NULL CHECK (last_position >= first_position),
    partition_name text NOT NULL,
    file text NOT NULL,
    obsolete text,
    size bigint NOT NULL,
    sha256 bytea NOT NULL,
    state text NOT NULL CHECK (state IN ('writing', 'kept', 'archived')),
    written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Events whose payloads were erased and still lie in a file: readers see them as erased, and the file is written anew
-- without them by whoever next works on the archive.
CREATE TABLE log.segment_erasure (
    position bigint PRIMARY KEY
);

GRANT SELECT ON log.segment, log.segment_erasure TO signalbox_append, signalbox_project, signalbox_audit;
