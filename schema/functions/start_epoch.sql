-- Begins a new incarnation of the log, whose tree is made anew from the events as they are; false when it has begun
-- already. For the owner only, after a restore that lost a tail.
CREATE OR REPLACE FUNCTION log.start_epoch(epoch integer) RETURNS boolean LANGUAGE plpgsql
SET search_path = log, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7206);
    UPDATE log.head AS h
       SET incarnation = start_epoch.epoch, started_at = clock_timestamp()
     WHERE h.incarnation < start_epoch.epoch;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM log.tile;
    RETURN true;
END $$;

REVOKE ALL ON FUNCTION log.start_epoch(integer) FROM PUBLIC;
