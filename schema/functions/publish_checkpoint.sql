-- Gives a checkpoint its signed note, which makes it public, and enters the keys that signed it.
--
-- False when there is no such checkpoint. Signing the same one again, as with one key more, replaces the note.
CREATE OR REPLACE FUNCTION log.publish_checkpoint(
    epoch integer,
    size bigint,
    root bytea,
    note text,
    vkeys text[]
) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = log, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    PERFORM pg_advisory_xact_lock(7206);
    PERFORM set_config('synchronous_commit', 'on', true);
    UPDATE log.checkpoint AS c
       SET note = publish_checkpoint.note, signed_at = clock_timestamp()
     WHERE c.epoch = publish_checkpoint.epoch
       AND c.size = publish_checkpoint.size
       AND c.root = publish_checkpoint.root;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO log.audit_key AS k (vkey, epoch, first_size, last_size)
    SELECT v, publish_checkpoint.epoch, publish_checkpoint.size, publish_checkpoint.size
      FROM unnest(publish_checkpoint.vkeys) AS v
        ON CONFLICT (vkey) DO UPDATE
       SET last_size = greatest(k.last_size, excluded.last_size);
    RETURN true;
END $$;

REVOKE ALL ON FUNCTION log.publish_checkpoint(integer, bigint, bytea, text, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.publish_checkpoint(integer, bigint, bytea, text, text[]) TO signalbox_append;
