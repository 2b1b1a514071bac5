-- The log for people with psql.
CREATE OR REPLACE VIEW log.event_json AS
SELECT e.position,
       e.event_id,
       e.org_id,
       s.name AS stream,
       e.version,
       t.name AS type,
       e.schema_version,
       e.recorded_at,
       e.actor,
       e.command_id,
       e.causation_id,
       e.correlation_id,
       e.metadata::jsonb AS metadata,
       convert_from(e.payload, 'UTF8')::jsonb AS data
  FROM log.event AS e
  JOIN log.stream AS s USING (stream_id)
  JOIN log.event_type AS t USING (type_id);

GRANT SELECT ON log.event_json TO signalbox_append, signalbox_project, signalbox_audit;
