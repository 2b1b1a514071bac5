-- Appends leave the rows of streams alone: a row that is changed by every append grows a chain of dead versions behind
-- any old snapshot, and every look-up walks it. The version of a stream is that of its newest event; its row is
-- touched once in a window of log.head.partition_width positions and says where to look:
--   least_version  a version the stream has reached; the exact one when none of its events lies in log.event any more,
--   end_position   the end of the window that its newest event lies in.
--
-- Whoever appends waits for the log lock before it touches a table, so taking it first keeps them out of our way.
SELECT pg_advisory_xact_lock(7203);
LOCK TABLE log.stream, log.event IN ACCESS EXCLUSIVE MODE;

ALTER TABLE log.stream RENAME COLUMN version TO least_version;
ALTER TABLE log.stream RENAME COLUMN last_position TO end_position;
ALTER TABLE log.stream SET (fillfactor = 100);
UPDATE log.stream AS s
   SET end_position = (s.end_position - 1) / h.partition_width * h.partition_width + h.partition_width
  FROM log.head AS h
 WHERE s.end_position IS NOT NULL;

-- Windows are what the rows of streams were written for.
CREATE FUNCTION log.refuse_resizing() RETURNS trigger LANGUAGE plpgsql
SET search_path = log, pg_temp
AS $$
BEGIN
    IF NEW.partition_width <> OLD.partition_width AND EXISTS (SELECT FROM log.stream) THEN
        RAISE EXCEPTION 'the partitions of a log that is in use keep their width' USING ERRCODE = 'object_in_use';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER same_width BEFORE UPDATE ON log.head
    FOR EACH ROW EXECUTE FUNCTION log.refuse_resizing();

-- Streams as they are now. Of one whose newest event is archived, `last_position` is a position not before it.
CREATE VIEW log.stream_head AS
SELECT s.stream_id, s.name, s.category, s.org_id, greatest(n.version, s.least_version) AS version, s.first_position,
       coalesce(n.position, s.end_position) AS last_position
  FROM log.stream AS s
  LEFT JOIN LATERAL (
        SELECT e.version, e.position
          FROM log.event AS e
         WHERE e.stream_id = s.stream_id
           AND e.position > s.end_position - (SELECT h.partition_width FROM log.head AS h WHERE h.log_id = 0)
           AND e.position <= s.end_position
         ORDER BY e.version DESC
         LIMIT 1
       ) AS n ON true;

GRANT SELECT ON log.stream_head TO signalbox_append, signalbox_project, signalbox_audit;

-- A partition leaves the log only when the streams that end in it have their versions in their rows, whoever takes it
-- out. Rows of streams were exact until now, so what is archived already needs nothing.
ALTER TABLE log.segment ADD COLUMN settled boolean NOT NULL DEFAULT false;
UPDATE log.segment SET settled = true WHERE state = 'archived';
ALTER TABLE log.segment ADD CONSTRAINT segment_settled CHECK (state <> 'archived' OR settled);

-- Salts and the hashes of payloads and metadata come with the call: starting a digest costs the server more than the
-- digest, and what one process does under the log lock, all others wait for. The leaf is still made where position,
-- version and time are known. log.append, log.append_one and log.leaf take other arguments than before; their files
-- would stand beside the old ones.
ALTER TABLE log.event
    ADD CONSTRAINT event_payload_hash_size CHECK (octet_length(payload_hash) = 32),
    ADD CONSTRAINT event_salt_size CHECK (octet_length(salt) = 16);
DO $$
DECLARE
    old regprocedure;
BEGIN
    FOR old IN
        SELECT oid::regprocedure
          FROM pg_proc
         WHERE pronamespace = 'log'::regnamespace
           AND proname IN ('append', 'append_one', 'leaf')
    LOOP
        EXECUTE format('DROP FUNCTION %s', old);
    END LOOP;
END $$;
