-- Empties the payloads of some events; order, versions and proofs stay as they are. For the owner only.
CREATE OR REPLACE FUNCTION log.erase(positions bigint[]) RETURNS bigint LANGUAGE plpgsql
SET search_path = log, pg_temp
AS $$
DECLARE
    erased bigint;
BEGIN
    PERFORM set_config('log.erasing', 'on', true);
    UPDATE log.event SET payload = NULL, salt = NULL WHERE position = ANY (positions) AND payload IS NOT NULL;
    GET DIAGNOSTICS erased = ROW_COUNT;
    PERFORM set_config('log.erasing', '', true);
    RETURN erased;
END $$;

REVOKE ALL ON FUNCTION log.erase(bigint[]) FROM PUBLIC;
