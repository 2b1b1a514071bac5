-- Forgets commands older than seven days, so many at a time that nobody has to wait for it.
CREATE OR REPLACE FUNCTION log.forget_commands(most integer) RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = log, pg_temp
AS $$
DECLARE
    forgotten bigint;
BEGIN
    DELETE FROM log.command
     WHERE command_id IN (
            SELECT c.command_id
              FROM log.command AS c
             WHERE c.recorded_at < statement_timestamp() - interval '7 days'
             LIMIT most
               FOR UPDATE SKIP LOCKED
           );
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END $$;

REVOKE ALL ON FUNCTION log.forget_commands(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.forget_commands(integer) TO signalbox_append;
