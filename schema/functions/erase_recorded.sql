-- Carries out erasures that the log records: what is erased must have an event in its stream `erasure-<what>`. Called in
-- the transaction that appends that event, so there is never the one without the other.
CREATE OR REPLACE FUNCTION log.erase_recorded(positions bigint[], subjects text[]) RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = log, pg_temp
AS $$
DECLARE
    unrecorded text;
    erased bigint;
BEGIN
    SELECT w.what INTO unrecorded
      FROM (SELECT p::text FROM unnest(positions) AS p UNION ALL SELECT s FROM unnest(subjects) AS s) AS w(what)
     WHERE NOT EXISTS (SELECT FROM log.stream AS s WHERE s.name = 'erasure-' || w.what AND s.first_position IS NOT NULL)
     LIMIT 1;
    IF unrecorded IS NOT NULL THEN
        RAISE EXCEPTION 'no event records that % is erased', unrecorded USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF EXISTS (
        SELECT
          FROM log.event AS e
          JOIN log.stream AS s USING (stream_id)
         WHERE e.position = ANY (positions)
           AND s.category = 'erasure'
    ) THEN
        RAISE EXCEPTION 'the record of an erasure stays' USING ERRCODE = 'insufficient_privilege';
    END IF;

    INSERT INTO log.subject_key (subject, erased_at)
    SELECT s, clock_timestamp()
      FROM unnest(subjects) AS s
        ON CONFLICT (subject) DO UPDATE
       SET wrapped_key = NULL, erased_at = coalesce(log.subject_key.erased_at, excluded.erased_at);

    erased := log.erase(positions);
    -- An event that is in a file alone has no row to tell its stream, but its record does: of that stream, too, no folded
    -- state is ever kept again, whoever still holds one.
    INSERT INTO log.snapshot (stream_id, version, schema_version, state)
    SELECT DISTINCT s.stream_id, 0, 0, ''::bytea
      FROM unnest(positions) AS p(position)
      JOIN log.stream AS r ON r.name = 'erasure-' || p.position
      JOIN log.event AS e ON e.stream_id = r.stream_id
       AND e.position BETWEEN r.first_position AND r.end_position
       AND e.payload IS NOT NULL
      JOIN log.stream AS s ON s.name = convert_from(e.payload, 'UTF8')::jsonb ->> 'stream'
        ON CONFLICT (stream_id) DO UPDATE
       SET version = 0, schema_version = 0, state = '';
    RETURN erased;
END $$;

REVOKE ALL ON FUNCTION log.erase_recorded(bigint[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.erase_recorded(bigint[], text[]) TO signalbox_append;
