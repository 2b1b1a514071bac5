-- The last position that a signed checkpoint of this incarnation covers; 0 when there is none.
CREATE OR REPLACE FUNCTION log.sealed() RETURNS bigint LANGUAGE sql STABLE
SET search_path = log, pg_temp
RETURN (
    SELECT coalesce(max(c.size), 0)
      FROM log.checkpoint AS c
      JOIN log.head AS h ON h.incarnation = c.epoch
     WHERE c.note IS NOT NULL
);
