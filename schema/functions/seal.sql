-- Extends the tree: the tiles that changed and the checkpoint that they make, for the holder of the sealer's lease.
--
-- False when the lease is gone or the tree does not end where the caller believes; nothing is written then. A tile only
-- ever grows, so whatever was published stays as it was.
CREATE OR REPLACE FUNCTION log.seal(
    stream text,
    fence bigint,
    epoch integer,
    old_size bigint,
    old_root bytea,
    size bigint,
    root bytea,
    levels smallint[],
    numbers bigint[],
    tiles bytea[]
) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = log, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    newest bigint[];
    grown bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(7206);
    IF NOT log.holds(seal.stream, seal.fence)
        OR NOT EXISTS (SELECT FROM log.head AS h WHERE h.incarnation = seal.epoch)
        OR seal.old_size <> coalesce((SELECT max(c.size) FROM log.checkpoint AS c WHERE c.epoch = seal.epoch), 0)
        OR (seal.old_size > 0 AND NOT EXISTS (
            SELECT
              FROM log.checkpoint AS c
             WHERE c.epoch = seal.epoch
               AND c.size = seal.old_size
               AND c.root = seal.old_root
        )) THEN
        RETURN false;
    END IF;
    -- A lost tree head is worse than a slow one, whatever the session prefers.
    PERFORM set_config('synchronous_commit', 'on', true);

    INSERT INTO log.tile AS t (level, number, width, hashes)
    SELECT n.level, n.number, octet_length(n.hashes) / 32, n.hashes
      FROM unnest(seal.levels, seal.numbers, seal.tiles) AS n (level, number, hashes)
        ON CONFLICT (level, number) DO UPDATE
       SET width = excluded.width, hashes = excluded.hashes
     WHERE t.width < excluded.width
       AND substring(excluded.hashes FOR octet_length(t.hashes)) = t.hashes;
    GET DIAGNOSTICS grown = ROW_COUNT;
    IF grown <> cardinality(seal.tiles) THEN
        RAISE EXCEPTION 'a tile of the transparency log would be rewritten' USING ERRCODE = 'data_corrupted';
    END IF;

    INSERT INTO log.checkpoint (epoch, size, root, sealed_at)
    VALUES (seal.epoch, seal.size, seal.root, clock_timestamp());

    -- Of the checkpoints of one hour the last is kept, beside the two newest: any other can be made from the tiles.
    SELECT array_agg(c.size ORDER BY c.size DESC) INTO newest
      FROM (
        SELECT c.size FROM log.checkpoint AS c WHERE c.epoch = seal.epoch ORDER BY c.size DESC LIMIT 3
      ) AS c;
    DELETE FROM log.checkpoint AS c
     USING log.checkpoint AS next
     WHERE c.epoch = seal.epoch
       AND c.size = newest[3]
       AND next.epoch = seal.epoch
       AND next.size = newest[2]
       AND date_trunc('hour', c.sealed_at) = date_trunc('hour', next.sealed_at);
    RETURN true;
END $$;

REVOKE ALL ON FUNCTION log.seal(
    text, bigint, integer, bigint, bytea, bigint, bytea, smallint[], bigint[], bytea[]
) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.seal(
    text, bigint, integer, bigint, bytea, bigint, bytea, smallint[], bigint[], bytea[]
) TO signalbox_append;
