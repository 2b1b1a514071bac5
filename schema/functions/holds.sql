-- Whether a lease is held now, by the database's clock.
CREATE OR REPLACE FUNCTION log.holds(stream text, fence bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = log, pg_temp
RETURN EXISTS (
    SELECT
      FROM log.work AS w
      JOIN log.stream AS s USING (stream_id)
     WHERE s.name = holds.stream
       AND w.fence = holds.fence
       AND w.lease_until > statement_timestamp()
);

REVOKE ALL ON FUNCTION log.holds(text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.holds(text, bigint) TO signalbox_append, signalbox_project;
