-- What the transparency log holds of one event: an RFC 6962 leaf hash over canonical bytes without the payload, so
-- that an erased payload breaks no proof. Swift computes the same in EventStore/Leaf.swift; a test holds them equal.
--
-- Integers are big-endian; what is absent is zeros; a time is microseconds since 2000-01-01 UTC.
CREATE OR REPLACE FUNCTION log.leaf(
    "position" bigint,
    event_id uuid,
    org_id bigint,
    stream text,
    version bigint,
    recorded_at timestamptz,
    type text,
    schema_version smallint,
    command_id uuid,
    actor text,
    causation_id uuid,
    correlation_id uuid,
    metadata_hash bytea,
    payload_hash bytea
) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256(
    '\x0073626f7831'::bytea -- 0x00 of RFC 6962, then "sbox1"
    || int8send("position")
    || uuid_send(event_id)
    || int8send(coalesce(org_id, 0))
    || log.bytes(stream)
    || int4send(version::integer)
    || timestamptz_send(recorded_at)
    || log.bytes(type)
    || int2send(schema_version)
    || uuid_send(command_id)
    || log.bytes(actor)
    || uuid_send(coalesce(causation_id, '00000000-0000-0000-0000-000000000000'))
    || uuid_send(correlation_id)
    || metadata_hash
    || payload_hash
);
