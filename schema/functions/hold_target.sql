-- Leaves a target alone until saga.free_target, whatever its calls are like.
CREATE OR REPLACE FUNCTION saga.hold_target(target text, reason text) RETURNS void LANGUAGE sql
SECURITY DEFINER
SET search_path = saga, pg_temp
BEGIN ATOMIC
    INSERT INTO saga.target (name, held_because)
    VALUES (hold_target.target, hold_target.reason)
        ON CONFLICT (name) DO UPDATE SET held_because = excluded.held_because, changed_at = clock_timestamp();
END;

REVOKE ALL ON FUNCTION saga.hold_target(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION saga.hold_target(text, text) TO signalbox_append;
