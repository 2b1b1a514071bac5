-- Takes work that is due or whose lease ran out, and raises its fence: claiming is also recovery.
--
-- Queued work whose lane is free is taken too and becomes running; what else waits for that lane sleeps until log.append
-- ends its predecessor, so that nobody looks at it in vain. The log lock keeps appends, which change work as
-- well, from waiting for a claim that waits for them; it is taken only when there is something to take. `taken_over` says
-- that the one before neither finished nor gave back: its lease ran out.
--
-- Few are due of many that wait, which the planner cannot know: left to itself it reads them all.
CREATE OR REPLACE FUNCTION log.claim(kinds text[], owner text, most integer, ttl interval)
RETURNS TABLE (
    stream text,
    kind text,
    lane text,
    status text,
    step text,
    target text,
    fence bigint,
    deadline timestamptz,
    taken_over boolean
) LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = log, pg_temp
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_seqscan = off
SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    moment CONSTANT timestamptz := statement_timestamp();
BEGIN
    IF NOT EXISTS (
        SELECT
          FROM log.work AS w
         WHERE w.wake_at <= moment
           AND w.kind = ANY (claim.kinds)
           AND (w.lease_until IS NULL OR w.lease_until <= moment)
    ) THEN
        RETURN;
    END IF;

    PERFORM pg_advisory_xact_lock(7203);
    RETURN QUERY
    WITH due AS (
        SELECT w.stream_id, w.lane, w.status, w.priority, w.wake_at, w.owner IS NOT NULL AS taken_over
          FROM log.work AS w
         WHERE w.wake_at <= moment
           AND w.kind = ANY (claim.kinds)
           AND (w.lease_until IS NULL OR w.lease_until <= moment)
           -- Not EXISTS, which may be answered by hashing every lane there is.
           AND (w.status <> 'queued' OR w.lane = '' OR (
                SELECT o.stream_id
                  FROM log.work AS o
                 WHERE o.lane = w.lane
                   AND o.lane <> ''
                   AND o.status IN ('running', 'waiting', 'compensating', 'parked')
                 LIMIT 1
           ) IS NULL)
         ORDER BY w.priority, w.wake_at, w.stream_id
         LIMIT most
           FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE log.work AS w
           SET fence = w.fence + 1,
               owner = claim.owner,
               lease_until = moment + claim.ttl,
               wake_at = moment + claim.ttl,
               nudge_at = NULL,
               status = CASE w.status WHEN 'queued' THEN 'running' ELSE w.status END
          FROM due AS d
         WHERE w.stream_id = d.stream_id
           AND (d.status <> 'queued' OR d.lane = '' OR NOT EXISTS (
                SELECT
                  FROM due AS o
                 WHERE o.lane = d.lane
                   AND o.status = 'queued'
                   AND (o.priority, o.wake_at, o.stream_id) < (d.priority, d.wake_at, d.stream_id)
           ))
        RETURNING w.stream_id, w.kind, w.lane, w.status, w.step, w.target, w.fence, w.deadline, d.priority, d.wake_at,
                  d.taken_over, d.status = 'queued' AS is_new
    ), behind AS (
        UPDATE log.work AS w
           SET wake_at = NULL
          FROM taken AS t
         WHERE t.is_new
           AND w.lane = t.lane
           AND w.lane <> ''
           AND w.status = 'queued'
           AND w.stream_id <> t.stream_id
    )
    SELECT s.name, t.kind, t.lane, t.status, t.step, t.target, t.fence, t.deadline, t.taken_over
      FROM taken AS t
      JOIN log.stream AS s ON s.stream_id = t.stream_id
     ORDER BY t.priority, t.wake_at, t.stream_id;
END $$;

REVOKE ALL ON FUNCTION log.claim(text[], text, integer, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.claim(text[], text, integer, interval) TO signalbox_append, signalbox_project;
