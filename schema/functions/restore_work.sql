-- Puts rows of work in place of what is there, as far as their streams are still at the versions they were made from;
-- returns the streams that were not. Whoever works on them loses its lease: the fence that was there is exceeded, and one
-- that was lost is replaced by the time in seconds, which no number of claims reaches. Rows of one lane come together.
CREATE OR REPLACE FUNCTION log.restore_work(
    names text[],
    seen bigint[],
    kinds text[],
    lanes text[],
    priorities smallint[],
    statuses text[],
    steps text[],
    targets text[],
    wakes timestamptz[],
    deadlines timestamptz[]
) RETURNS SETOF text LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = log, pg_temp
AS $$
DECLARE
    base CONSTANT bigint := extract(epoch FROM clock_timestamp())::bigint;
    ids bigint[];
    fences bigint[];
BEGIN
    PERFORM pg_advisory_xact_lock(7203);
    SELECT array_agg(CASE WHEN s.version = r.version THEN s.stream_id END ORDER BY r.nth),
           array_agg(coalesce(w.fence + 1, base) ORDER BY r.nth)
      INTO ids, fences
      FROM unnest(names, seen) WITH ORDINALITY AS r(name, version, nth)
      LEFT JOIN log.stream_head AS s ON s.name = r.name
      LEFT JOIN log.work AS w ON w.stream_id = s.stream_id;

    DELETE FROM log.work AS w WHERE w.stream_id = ANY (ids);
    INSERT INTO log.work (stream_id, kind, lane, priority, status, step, target, fence, wake_at, deadline)
    SELECT ids[r.nth], r.kind, r.lane, r.priority, r.status, r.step, r.target, fences[r.nth], r.wake_at, r.deadline
      FROM unnest(kinds, lanes, priorities, statuses, steps, targets, wakes, deadlines)
           WITH ORDINALITY AS r(kind, lane, priority, status, step, target, wake_at, deadline, nth)
     WHERE ids[r.nth] IS NOT NULL;
    RETURN QUERY SELECT r.name FROM unnest(names, ids) AS r(name, id) WHERE r.id IS NULL;
END $$;

REVOKE ALL ON FUNCTION log.restore_work(
    text[], bigint[], text[], text[], smallint[], text[], text[], text[], timestamptz[], timestamptz[]
) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.restore_work(
    text[], bigint[], text[], text[], smallint[], text[], text[], text[], timestamptz[], timestamptz[]
) TO signalbox_append;
