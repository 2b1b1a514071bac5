-- Empties the payloads of some events; order, versions and proofs stay as they are. For the owner only.
--
-- What lies in a file of the archive, be its partition still here or not, is noted to be taken out of that. A folded
-- state may hold what was in a payload, and a writer may be about to keep one: what replaces it here, schema version 0,
-- is never replaced, and the stream is read whole from then on.
CREATE OR REPLACE FUNCTION log.erase(positions bigint[]) RETURNS bigint LANGUAGE plpgsql
SET search_path = log, pg_temp
AS $$
DECLARE
    erased bigint;
BEGIN
    PERFORM set_config('log.erasing', 'on', true);
    UPDATE log.event SET payload = NULL, salt = NULL WHERE position = ANY (positions) AND payload IS NOT NULL;
    GET DIAGNOSTICS erased = ROW_COUNT;
    PERFORM set_config('log.erasing', '', true);

    INSERT INTO log.segment_erasure (position)
    SELECT DISTINCT p.position
      FROM unnest(positions) AS p(position)
      JOIN log.segment AS g ON p.position BETWEEN g.first_position AND g.last_position
        ON CONFLICT (position) DO NOTHING;
    -- Of an event that is in a file alone nobody here knows the stream, but between which positions each stream lies.
    DELETE FROM log.snapshot AS n
     USING log.stream AS s, unnest(positions) AS p(position)
     WHERE s.stream_id = n.stream_id
       AND n.schema_version > 0
       AND p.position BETWEEN s.first_position AND s.end_position
       AND EXISTS (SELECT FROM log.segment AS g WHERE p.position BETWEEN g.first_position AND g.last_position);

    INSERT INTO log.snapshot (stream_id, version, schema_version, state)
    SELECT DISTINCT e.stream_id, 0, 0, ''::bytea
      FROM log.event AS e
     WHERE e.position = ANY (positions)
        ON CONFLICT (stream_id) DO UPDATE
       SET version = 0, schema_version = 0, state = '';
    RETURN erased;
END $$;

REVOKE ALL ON FUNCTION log.erase(bigint[]) FROM PUBLIC;
