-- Lets sagas call a target again at once, and wakes those that wait for it.
CREATE OR REPLACE FUNCTION saga.free_target(target text) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = saga, pg_temp
AS $$
BEGIN
    -- The lock of the log comes before all others: claims and appends change work too.
    PERFORM pg_advisory_xact_lock(7203);
    INSERT INTO saga.target (name)
    VALUES (free_target.target)
        ON CONFLICT (name) DO UPDATE
       SET held_because = NULL,
           open_until = NULL,
           openings = 0,
           rests_until = NULL,
           failed_in_a_row = 0,
           window_from = clock_timestamp(),
           window_calls = 0,
           window_failures = 0,
           changed_at = clock_timestamp();
    UPDATE log.work AS w
       SET wake_at = statement_timestamp()
     WHERE w.target = free_target.target
       AND w.status IN ('waiting', 'compensating')
       AND w.wake_at > statement_timestamp()
       AND w.lease_until IS NULL;
END $$;

REVOKE ALL ON FUNCTION saga.free_target(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION saga.free_target(text) TO signalbox_append;
