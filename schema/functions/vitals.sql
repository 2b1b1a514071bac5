-- What the database knows about the log's health.
--
-- `oldest_transaction` is the age in seconds of the oldest transaction of the whole cluster, prepared ones too: it keeps
-- everybody's dead rows alive. `wal_bytes` is what the whole cluster has written since its statistics began.
--
-- It runs as the owner, who may see when the transactions of others began (roles.sql).
CREATE OR REPLACE FUNCTION log.vitals(
    OUT newest bigint,
    OUT oldest_transaction double precision,
    OUT wal_bytes bigint
) LANGUAGE sql
SECURITY DEFINER
SET search_path = log, pg_temp
AS $$
    SELECT (SELECT coalesce(max(e.position), 0) FROM log.event AS e),
           (
                SELECT coalesce(max(extract(epoch FROM clock_timestamp() - t.since)), 0)
                  FROM (
                        SELECT a.xact_start
                          FROM pg_stat_activity AS a
                         WHERE a.backend_type = 'client backend'
                           AND a.pid <> pg_backend_pid()
                         UNION ALL
                        SELECT p.prepared
                          FROM pg_prepared_xacts AS p
                       ) AS t (since)
           )::double precision,
           (SELECT w.wal_bytes::bigint FROM pg_stat_wal AS w);
$$;

REVOKE ALL ON FUNCTION log.vitals() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.vitals() TO signalbox_append, signalbox_audit;
