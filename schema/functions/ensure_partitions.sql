-- Makes partitions of log.head.partition_width positions until two empty ones lie ahead of the newest event.
--
-- A partition is made aside and attached: PARTITION OF would take a lock that stalls appends behind one long reader.
-- Attaching waits for nobody but others that change partitions, and not for long; when it fails, nothing was made, and
-- two partitions are time enough to try again. It is empty, so attaching has nothing to look through, and a CHECK of the
-- range, which every append would pay for, is not needed.
CREATE OR REPLACE FUNCTION log.ensure_partitions() RETURNS integer LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = log, pg_temp
SET lock_timeout = '200ms'
AS $$
DECLARE
    width CONSTANT bigint := (SELECT h.partition_width FROM log.head AS h);
    newest bigint;
    made integer := 0;
    name text;
BEGIN
    -- Whoever does not get the lock leaves the work to who has it.
    IF NOT pg_try_advisory_xact_lock(7205) THEN
        RETURN 0;
    END IF;
    SELECT coalesce(max(e.position), 0) INTO newest FROM log.event AS e;
    FOR number IN newest / width .. newest / width + 2 LOOP
        name := format('event_%s', number);
        CONTINUE WHEN to_regclass('log.' || name) IS NOT NULL;
        EXECUTE format('CREATE TABLE log.%I (LIKE log.event INCLUDING ALL)', name);
        EXECUTE format('CREATE UNIQUE INDEX %I ON log.%I (stream_id, version)', name || '_stream', name);
        EXECUTE format(
            'CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON log.%I
                FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change()', name
        );
        EXECUTE format(
            'ALTER TABLE log.event ATTACH PARTITION log.%I FOR VALUES FROM (%s) TO (%s)',
            name, number * width + 1, (number + 1) * width + 1
        );
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;

REVOKE ALL ON FUNCTION log.ensure_partitions() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.ensure_partitions() TO signalbox_append;

-- A log without partitions accepts nothing.
SELECT log.ensure_partitions();
