-- A text as the leaf holds it: two bytes of length, big-endian, then UTF-8. For texts below 32 KiB.
CREATE OR REPLACE FUNCTION log.bytes(value text) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE
RETURN int2send(octet_length(value)::smallint) || convert_to(value, 'UTF8');
