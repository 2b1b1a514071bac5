-- The partitions of the log that readers of log.event see, and the one on its way out.
CREATE OR REPLACE VIEW log.partition AS
SELECT c.relname::text AS name,
       b.bounds[1]::bigint AS first_position,
       b.bounds[2]::bigint - 1 AS last_position,
       i.inhdetachpending AS leaving
  FROM pg_inherits AS i
  JOIN pg_class AS c ON c.oid = i.inhrelid
 CROSS JOIN LATERAL (
        SELECT regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''(\d+)''\) TO \(''(\d+)''\)') AS bounds
       ) AS b
 WHERE i.inhparent = 'log.event'::regclass;

GRANT SELECT ON log.partition TO signalbox_append, signalbox_project, signalbox_audit;
