-- Gives work back, due after a while, or at once; false when the lease was gone already.
CREATE OR REPLACE FUNCTION log.release(stream text, fence bigint, after interval) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = log, pg_temp
AS $$
BEGIN
    UPDATE log.work AS w
       SET status = CASE WHEN w.status = 'running' AND release.after > interval '0' THEN 'waiting' ELSE w.status END,
           owner = NULL,
           lease_until = NULL,
           wake_at = least(statement_timestamp() + release.after, w.nudge_at),
           nudge_at = NULL
      FROM log.stream AS s
     WHERE s.name = release.stream
       AND w.stream_id = s.stream_id
       AND w.fence = release.fence
       AND w.lease_until > statement_timestamp();
    RETURN FOUND;
END $$;

REVOKE ALL ON FUNCTION log.release(text, bigint, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.release(text, bigint, interval) TO signalbox_append, signalbox_project;
