-- Appends leave the rows of streams alone: a row that is changed by every append grows a chain of dead versions behind
-- any old snapshot, and every look-up walks it. The version of a stream is that of its newest event; its row is
-- touched once in a window of log.head.partition_width positions and says where to look:
--   least_version  a version the stream has reached; the exact one when none of its events lies in log.event any more,
--   end_position   a position that none of its events is behind: the end of the window that it was last written in.
ALTER TABLE log.stream RENAME COLUMN version TO least_version;
ALTER TABLE log.stream RENAME COLUMN last_position TO end_position;
ALTER TABLE log.stream SET (fillfactor = 100);
UPDATE log.stream AS s
   SET end_position = (s.end_position - 1) / h.partition_width * h.partition_width + h.partition_width
  FROM log.head AS h
 WHERE s.end_position IS NOT NULL;

-- Streams as they are now.
CREATE VIEW log.stream_head AS
SELECT s.stream_id, s.name, s.category, s.org_id, greatest(n.version, s.least_version) AS version, s.first_position,
       s.end_position
  FROM log.stream AS s
  LEFT JOIN LATERAL (
        SELECT e.version
          FROM log.event AS e
         WHERE e.stream_id = s.stream_id
           AND e.position >= s.first_position
           AND e.position <= s.end_position
         ORDER BY e.version DESC
         LIMIT 1
       ) AS n ON true;

GRANT SELECT ON log.stream_head TO signalbox_append, signalbox_project, signalbox_audit;

-- Salts and the hashes of payloads and metadata come with the call: starting a digest costs the server more than the
-- digest, and what one process does under the log lock, all others wait for. The leaf is still made where position,
-- version and time are known. log.append, log.append_one and log.leaf take other arguments than before; their files
-- would stand beside the old ones.
ALTER TABLE log.event ADD CONSTRAINT event_payload_hash_size CHECK (octet_length(payload_hash) = 32);
ALTER TABLE log.event ADD CONSTRAINT event_salt_size CHECK (octet_length(salt) = 16);
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
