-- A generated column is parsed anew by every statement that writes to its table; log.append writes it instead.
ALTER TABLE log.stream ALTER COLUMN category DROP EXPRESSION;

-- log.append takes other arguments than before: functions/append.sql would stand beside the old one.
DO $$
DECLARE
    old regprocedure;
BEGIN
    FOR old IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'log'::regnamespace AND proname = 'append' LOOP
        EXECUTE format('DROP FUNCTION %s', old);
    END LOOP;
END $$;
