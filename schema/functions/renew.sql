-- Holds on to work for longer; false when the lease is gone. Touches no indexed column, so the update stays HOT.
CREATE OR REPLACE FUNCTION log.renew(stream text, fence bigint, ttl interval) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = log, pg_temp
AS $$
BEGIN
    UPDATE log.work AS w
       SET lease_until = clock_timestamp() + renew.ttl
      FROM log.stream AS s
     WHERE s.name = renew.stream
       AND w.stream_id = s.stream_id
       AND w.fence = renew.fence
       AND w.lease_until > statement_timestamp();
    RETURN FOUND;
END $$;

REVOKE ALL ON FUNCTION log.renew(text, bigint, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.renew(text, bigint, interval) TO signalbox_append, signalbox_project;
