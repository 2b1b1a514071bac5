-- What log.append does for the plainest of flushes, at a third of its cost: one request that writes one stream, claims
-- nothing, and at most goes on with the work of that stream. Rows, hashes and guards are the same.
--
-- Anything that is not plain is left to log.append, with nothing written: a version other than the expected one, a
-- command that is known, a lease that is lost, an empty log, a `hint` that is gone. Whoever may have made the call
-- before calls log.append.
--
-- `hint`, `durable`, `waited`, the hashes and the rest are those of log.append; `w_fence` is NULL unless a lease is held, which is
-- kept then. `version` is what the stream had before.
CREATE OR REPLACE FUNCTION log.append_one(
    hint bigint,
    durable boolean,
    r_command uuid,
    r_actor text,
    r_cause uuid,
    r_correlation uuid,
    r_metadata text,
    r_metadata_hash bytea,
    r_principal text,
    r_hash bytea,
    r_answer bytea,
    s_name text,
    s_org bigint,
    s_expected bigint,
    e_types text[],
    e_schemas smallint[],
    e_ids uuid[],
    e_payloads bytea[],
    e_salts bytea[],
    e_hashes bytea[],
    w_fence bigint,
    w_status text,
    w_step text,
    w_target text,
    w_deadline timestamptz,
    OUT is_written boolean,
    OUT base bigint,
    OUT version bigint,
    OUT waited bigint
) LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = log, pg_temp
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_seqscan = off
SET enable_sort = off
SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    span CONSTANT bigint := 33554432;
    size CONSTANT integer := cardinality(e_types);
    stream bigint;
    organization bigint;
    moment timestamptz;
    moved text;
    held boolean;
    is_known boolean;
    is_behind boolean;
    is_settling boolean;
    width bigint;
    floor bigint;
    written integer;
BEGIN
    is_written := false;
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the log is written at READ COMMITTED only' USING ERRCODE = 'invalid_transaction_state';
    END IF;
    IF NOT durable THEN
        moved := set_config('synchronous_commit', 'off', true);
    ELSIF current_setting('synchronous_commit') = 'off' THEN
        moved := set_config('synchronous_commit', 'on', true);
    END IF;

    IF octet_length(r_metadata_hash) <> 32 THEN
        RAISE EXCEPTION 'a hash has 32 bytes' USING ERRCODE = 'invalid_parameter_value';
    END IF;

    moment := clock_timestamp();
    held := pg_advisory_xact_lock(7203) IS NOT NULL;
    waited := extract(epoch FROM clock_timestamp() - moment) * 1000000;
    SELECT e.position, greatest(clock_timestamp(), e.recorded_at), h.partition_width
      INTO base, moment, width
      FROM log.head AS h
      LEFT JOIN LATERAL (
            SELECT e.position, e.recorded_at
              FROM log.event AS e
             WHERE e.position >= hint
               AND e.position < hint + span
             ORDER BY e.position DESC
             LIMIT 1
           ) AS e ON true
     WHERE h.log_id = 0;
    floor := (base - 1) / width * width + 1;
    SELECT s.stream_id, s.org_id, coalesce(n.version, s.least_version, 0), c.command_id IS NOT NULL,
           n.version IS NULL AND s.first_position IS NOT NULL,
           s.stream_id IS NOT NULL
           AND (s.end_position >= base + size AND (s.org_id IS NOT NULL OR s_org IS NULL)) IS NOT TRUE
      INTO stream, organization, version, is_known, is_behind, is_settling
      FROM (SELECT) AS o
      LEFT JOIN log.stream AS s ON s.name = s_name
      LEFT JOIN LATERAL (
            SELECT e.version
              FROM log.event AS e
             WHERE e.stream_id = s.stream_id
               AND e.position >= floor
               AND e.position <= base
             ORDER BY e.version DESC
             LIMIT 1
           ) AS n ON true
      LEFT JOIN log.command AS c ON c.command_id = r_command AND r_principal IS NOT NULL;
    IF base IS NULL OR is_known OR is_behind OR s_expected >= 0 AND version <> s_expected OR s_expected = -2 AND version = 0 THEN
        RETURN;
    END IF;

    -- First, for it is also the last guard.
    IF w_fence IS NOT NULL THEN
        UPDATE log.work AS w
           SET status = w_status,
               step = w_step,
               target = w_target,
               deadline = w_deadline
         WHERE w.stream_id = stream
           AND w.fence = w_fence
           AND w.lease_until > clock_timestamp();
        IF NOT FOUND THEN
            RETURN;
        END IF;
    END IF;

    organization := coalesce(organization, s_org);
    IF stream IS NULL THEN
        stream := nextval('log.stream_id');
        INSERT INTO log.stream (stream_id, name, category, org_id, least_version, first_position, end_position)
        VALUES (
            stream, s_name, split_part(s_name, '-', 1), organization, size, base + 1,
            (base + size - 1) / width * width + width
        );
    ELSIF is_settling THEN
        UPDATE log.stream AS s
           SET least_version = append_one.version + size,
               org_id = organization,
               first_position = coalesce(s.first_position, base + 1),
               end_position = (base + size - 1) / width * width + width
         WHERE s.stream_id = stream;
    END IF;

    INSERT INTO log.event (
        position, event_id, org_id, stream_id, version, type_id, schema_version, recorded_at, actor, command_id,
        causation_id, correlation_id, metadata, payload, salt, payload_hash, leaf
    )
    SELECT base + e.nth, e.event_id, organization, stream, append_one.version + e.nth, t.type_id, e.schema_version, moment,
           r_actor, r_command, r_cause, r_correlation, r_metadata, e.payload, e.salt, e.payload_hash,
           log.leaf(
                base + e.nth, e.event_id, organization, s_name, append_one.version + e.nth, moment, e.type,
                e.schema_version, r_command, r_actor, r_cause, r_correlation, r_metadata_hash, e.payload_hash
           )
      FROM unnest(e_types, e_schemas, e_ids, e_payloads, e_salts, e_hashes)
           WITH ORDINALITY AS e(type, schema_version, event_id, payload, salt, payload_hash, nth)
      JOIN log.event_type AS t ON t.name = e.type;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written <> size THEN
        -- log.append gives it its number.
        RAISE EXCEPTION 'a type of event is new' USING ERRCODE = 'transaction_rollback';
    END IF;

    IF r_principal IS NOT NULL THEN
        INSERT INTO log.command (command_id, principal, request_hash, first_position, last_position, answer, recorded_at)
        VALUES (r_command, r_principal, r_hash, base + 1, base + size, r_answer, moment);
    END IF;
    is_written := true;
END $$;

DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', 'log.append_one'::regproc::oid::regprocedure);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO signalbox_append', 'log.append_one'::regproc::oid::regprocedure);
END $$;
