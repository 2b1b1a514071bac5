CREATE SCHEMA access;

ALTER SCHEMA access OWNER TO signalbox_owner;

CREATE SCHEMA audit;

ALTER SCHEMA audit OWNER TO signalbox_owner;

CREATE SCHEMA hook;

ALTER SCHEMA hook OWNER TO signalbox_owner;

CREATE SCHEMA log;

ALTER SCHEMA log OWNER TO signalbox_owner;

CREATE SCHEMA meta;

ALTER SCHEMA meta OWNER TO signalbox_owner;

CREATE SCHEMA saga;

ALTER SCHEMA saga OWNER TO signalbox_owner;

CREATE FUNCTION log.append(hint bigint, again boolean, durable boolean, r_command uuid[], r_actor text[], r_cause uuid[], r_correlation uuid[], r_metadata text[], r_metadata_hash bytea[], r_principal text[], r_hash bytea[], r_answer bytea[], r_size integer[], r_before integer[], r_lead integer[], r_lead_id uuid[], s_owner integer[], s_name text[], s_org bigint[], s_expected bigint[], s_count integer[], s_start integer[], types text[], e_stream integer[], e_nth integer[], e_type integer[], e_schema smallint[], e_id uuid[], e_payload bytea[], e_salt bytea[], e_hash bytea[], c_owner integer[], c_take boolean[], c_kind text[], c_key text[], c_stream integer[], w_owner integer[], w_guard smallint[], w_stream integer[], w_fence bigint[], w_kind text[], w_lane text[], w_priority smallint[], w_status text[], w_step text[], w_target text[], w_wake_at timestamp with time zone[], w_deadline timestamp with time zone[], OUT outcomes smallint[], OUT firsts bigint[], OUT lasts bigint[], OUT versions bigint[], OUT culprits integer[], OUT answers bytea[], OUT waited bigint) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'log', 'pg_temp'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_sort TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    span CONSTANT bigint := 33554432;
    base bigint;
    moment timestamptz;
    ids bigint[];
    orgs bigint[];
    known boolean[];
    rows tid[];
    type_ids integer[];
    written integer;
    moved text;
    held boolean;
    conflicting boolean;
    behind boolean[];
    settling boolean;
    remembering boolean := false;
    width bigint;
    floor bigint;
    found record;
    remembered CONSTANT integer := cardinality(array_remove(r_principal, NULL));
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the log is written at READ COMMITTED only' USING ERRCODE = 'invalid_transaction_state';
    END IF;
    -- Durable means durable, whatever the session says; anything stronger than `on` stays as it is.
    IF NOT durable THEN
        moved := set_config('synchronous_commit', 'off', true);
    ELSIF current_setting('synchronous_commit') = 'off' THEN
        moved := set_config('synchronous_commit', 'on', true);
    END IF;

    IF EXISTS (SELECT FROM unnest(r_metadata_hash) AS m(hash) WHERE octet_length(m.hash) <> 32) THEN
        RAISE EXCEPTION 'a hash has 32 bytes' USING ERRCODE = 'invalid_parameter_value';
    END IF;

    moment := clock_timestamp();
    -- Assigned rather than performed: an expression costs less than a statement.
    held := pg_advisory_xact_lock(7203) IS NOT NULL;
    waited := extract(epoch FROM clock_timestamp() - moment) * 1000000;
    SELECT e.position, greatest(clock_timestamp(), e.recorded_at), h.partition_width INTO base, moment, width
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
    IF base IS NULL THEN
        IF hint > 0 THEN
            RAISE EXCEPTION 'position % is gone from the log', hint USING ERRCODE = 'data_corrupted';
        END IF;
        base := 0;
        moment := clock_timestamp();
    END IF;
    floor := greatest(base - 1, 0) / width * width + 1;

    outcomes := array_fill(0::smallint, ARRAY[cardinality(r_command)]);
    culprits := array_fill(0, ARRAY[cardinality(r_command)]);
    firsts := array_fill(0::bigint, ARRAY[cardinality(r_command)]);
    lasts := firsts;
    answers := array_fill(NULL::bytea, ARRAY[cardinality(r_command)]);

    -- One sort for all of them, instead of one for each. The newest event of a stream that is in use lies in the window
    -- that is being written, so that one partition is looked into; `behind` are those that were left for longer.
    SELECT array_agg(s.stream_id), array_agg(s.org_id), array_agg(s.is_known), array_agg(s.version), array_agg(s.row),
           bool_or(CASE s.expected WHEN -1 THEN false WHEN -2 THEN s.version = 0 ELSE s.version <> s.expected END),
           array_agg(s.is_behind),
           bool_or(s.is_known AND (s.end_position >= base + cardinality(e_id) AND NOT s.is_joining) IS NOT TRUE)
      INTO ids, orgs, known, versions, rows, conflicting, behind, settling
      FROM (
            SELECT coalesce(t.stream_id, nextval('log.stream_id')) AS stream_id, coalesce(t.org_id, s.org_id) AS org_id,
                   t.stream_id IS NOT NULL AS is_known, coalesce(n.version, t.least_version, 0) AS version,
                   t.ctid AS row, s.expected, t.end_position, t.org_id IS NULL AND s.org_id IS NOT NULL AS is_joining,
                   n.version IS NULL AND t.first_position IS NOT NULL AS is_behind
              FROM unnest(s_name, s_org, s_expected) WITH ORDINALITY AS s(name, org_id, expected, nth)
              LEFT JOIN log.stream AS t ON t.name = s.name
              LEFT JOIN LATERAL (
                    SELECT e.version
                      FROM log.event AS e
                     WHERE e.stream_id = t.stream_id
                       AND e.position >= floor
                       AND e.position <= base
                     ORDER BY e.version DESC
                     LIMIT 1
                   ) AS n ON true
             ORDER BY s.nth
           ) AS s;
    IF true = ANY (behind) THEN
        SELECT array_agg(
                   CASE
                       WHEN s.is_behind THEN (SELECT h.version FROM log.stream_head AS h WHERE h.stream_id = s.stream_id)
                       ELSE s.version
                   END ORDER BY s.nth
               )
          INTO versions
          FROM unnest(ids, versions, behind) WITH ORDINALITY AS s(stream_id, version, is_behind, nth);
        conflicting := EXISTS (
            SELECT
              FROM unnest(s_expected, versions) AS s(expected, version)
             WHERE CASE s.expected WHEN -1 THEN false WHEN -2 THEN s.version = 0 ELSE s.version <> s.expected END
        );
    END IF;

    -- Where nothing but a known command can stop anybody, the commands are remembered at once, and are new if that works.
    IF remembered > 0 AND NOT (again OR conflicting OR true = ANY (c_take) OR 1 = ANY (w_guard)) THEN
        BEGIN
            INSERT INTO log.command (command_id, principal, request_hash, first_position, last_position, answer, recorded_at)
            SELECT r.command_id, r.principal, r.hash, base + r.before + 1, base + r.before + r.size, r.answer, moment
              FROM unnest(r_command, r_principal, r_hash, r_answer, r_before, r_size)
                AS r(command_id, principal, hash, answer, before, size)
             WHERE r.principal IS NOT NULL;
            remembering := true;
        EXCEPTION WHEN unique_violation THEN
            NULL; -- Which of them, and how it was answered, is asked below.
        END;
    END IF;

    -- Written before? A client's command is known by its id,
    IF remembered > 0 AND NOT remembering THEN
        FOR found IN
            SELECT r.nth, c.request_hash = r.hash AND c.principal = r.principal AS same, c.first_position, c.last_position, c.answer
              FROM unnest(r_command, r_principal, r_hash) WITH ORDINALITY AS r(command_id, principal, hash, nth)
              JOIN log.command AS c ON c.command_id = r.command_id
             WHERE r.principal IS NOT NULL
        LOOP
            outcomes[found.nth] := CASE WHEN found.same THEN 1 ELSE 2 END;
            IF found.same THEN
                firsts[found.nth] := found.first_position;
                lasts[found.nth] := found.last_position;
                answers[found.nth] := found.answer;
            END IF;
        END LOOP;
    END IF;

    -- all others by their first event, at the version after the expected one, or near the end when nothing was expected.
    IF remembered < cardinality(r_principal) AND (again OR conflicting) THEN
        FOR found IN
            SELECT r.nth, e.position, r_size[r.nth] AS size
              FROM unnest(r_lead, r_lead_id, r_principal) WITH ORDINALITY AS r(lead, lead_id, principal, nth)
             CROSS JOIN LATERAL (
                SELECT e.position
                  FROM log.event AS e
                 WHERE e.stream_id = ids[r.lead]
                   AND e.version > CASE WHEN s_expected[r.lead] < 0 THEN versions[r.lead] - 1000 ELSE s_expected[r.lead] END
                   AND e.version <= CASE WHEN s_expected[r.lead] < 0 THEN versions[r.lead] ELSE s_expected[r.lead] + 1 END
                   AND e.event_id = r.lead_id
                 LIMIT 1
             ) AS e
             WHERE r.principal IS NULL
               AND r.lead > 0
               AND CASE WHEN s_expected[r.lead] < 0 THEN again ELSE versions[r.lead] > s_expected[r.lead] END
        LOOP
            outcomes[found.nth] := 1;
            firsts[found.nth] := found.position;
            lasts[found.nth] := found.position + found.size - 1;
        END LOOP;
    END IF;

    IF 1 = ANY (w_guard) THEN
        PERFORM w.stream_id
           FROM unnest(w_stream, w_guard) AS g(stream, guard)
           JOIN log.work AS w ON w.stream_id = ids[g.stream]
          WHERE g.guard = 1
            FOR UPDATE OF w;
        FOR found IN
            SELECT g.owner
              FROM unnest(w_owner, w_stream, w_guard, w_fence) AS g(owner, stream, guard, fence)
              LEFT JOIN log.work AS w ON w.stream_id = ids[g.stream]
             WHERE g.guard = 1
               AND outcomes[g.owner] = 0
               AND (w.fence = g.fence AND w.lease_until > clock_timestamp()) IS NOT TRUE
        LOOP
            outcomes[found.owner] := 5;
        END LOOP;
    END IF;

    IF conflicting THEN
        FOR found IN
            SELECT s.owner, s.nth
              FROM unnest(s_owner, s_expected, versions) WITH ORDINALITY AS s(owner, expected, version, nth)
             WHERE CASE s.expected WHEN -1 THEN false WHEN -2 THEN s.version = 0 ELSE s.version <> s.expected END
             ORDER BY s.nth DESC
        LOOP
            IF outcomes[found.owner] IN (0, 3) THEN
                outcomes[found.owner] := 3;
                culprits[found.owner] := found.nth;
            END IF;
        END LOOP;
    END IF;

    IF true = ANY (c_take) THEN
        FOR found IN
            SELECT c.owner, c.nth
              FROM unnest(c_owner, c_take, c_kind, c_key, c_stream) WITH ORDINALITY AS c(owner, take, kind, key, stream, nth)
              JOIN log.claim AS h ON h.kind = c.kind AND h.key = c.key
             WHERE c.take
               AND outcomes[c.owner] = 0
               AND h.stream_id <> ids[c.stream]
               AND NOT EXISTS (
                    SELECT
                      FROM unnest(c_owner, c_take, c_kind, c_key, c_stream) AS o(owner, take, kind, key, stream)
                     WHERE o.owner = c.owner
                       AND NOT o.take
                       AND o.kind = c.kind
                       AND o.key = c.key
                       AND ids[o.stream] = h.stream_id
               )
             ORDER BY c.nth DESC
        LOOP
            outcomes[found.owner] := 4;
            culprits[found.owner] := found.nth;
        END LOOP;
    END IF;

    IF 0 <> ALL (outcomes) THEN
        RETURN;
    END IF;

    -- From here on everything is written that was not refused.
    IF 0 = ALL (outcomes) THEN
        SELECT array_agg(base + r.before + 1), array_agg(base + r.before + r.size), max(r.before + r.size)
          INTO firsts, lasts, written
          FROM (
                SELECT r.size, r.before
                  FROM unnest(r_size, r_before) WITH ORDINALITY AS r(size, before, nth)
                 ORDER BY r.nth
               ) AS r;
    ELSE
        SELECT array_agg(CASE WHEN r.live THEN base + r.before + 1 ELSE firsts[r.nth] END ORDER BY r.nth),
               array_agg(CASE WHEN r.live THEN base + r.before + r.size ELSE lasts[r.nth] END ORDER BY r.nth),
               sum(r.size) FILTER (WHERE r.live)
          INTO firsts, lasts, written
          FROM (
                SELECT r.nth, r.size, outcomes[r.nth] = 0 AS live,
                       sum(CASE outcomes[r.nth] WHEN 0 THEN r.size ELSE 0 END) OVER (ORDER BY r.nth ROWS UNBOUNDED PRECEDING)
                       - CASE outcomes[r.nth] WHEN 0 THEN r.size ELSE 0 END AS before
                  FROM unnest(r_size) WITH ORDINALITY AS r(size, nth)
               ) AS r;
    END IF;

    IF false = ANY (known) THEN
        INSERT INTO log.stream (stream_id, name, category, org_id, least_version, first_position, end_position)
        SELECT ids[s.nth], s.name, split_part(s.name, '-', 1), s.org_id, s.count,
               CASE WHEN s.count > 0 THEN firsts[s.owner] + s.start END,
               CASE WHEN s.count > 0 THEN (firsts[s.owner] + s.start + s.count - 2) / width * width + width END
          FROM unnest(s_owner, s_name, s_org, s_count, s_start) WITH ORDINALITY AS s(owner, name, org_id, count, start, nth)
         WHERE NOT known[s.nth]
           AND outcomes[s.owner] = 0
           AND (s.count > 0 OR s.nth = ANY (c_stream) OR s.nth = ANY (w_stream));
    END IF;

    IF written > 0 THEN
        -- Under the log lock nobody moves a row that was just found, and finding it again would cost a look-up more.
        IF settling THEN
            UPDATE log.stream AS t
               SET least_version = s.version,
                   org_id = s.org_id,
                   first_position = coalesce(t.first_position, s.first_position),
                   end_position = (s.last_position - 1) / width * width + width
              FROM (
                    SELECT rows[s.nth] AS row, versions[s.nth] + s.count AS version, orgs[s.nth] AS org_id,
                           firsts[s.owner] + s.start AS first_position,
                           firsts[s.owner] + s.start + s.count - 1 AS last_position
                      FROM unnest(s_owner, s_count, s_start) WITH ORDINALITY AS s(owner, count, start, nth)
                     WHERE known[s.nth]
                       AND s.count > 0
                       AND outcomes[s.owner] = 0
                   ) AS s
             WHERE t.ctid = s.row
               AND (t.end_position >= s.last_position AND t.org_id IS NOT DISTINCT FROM s.org_id) IS NOT TRUE;
        END IF;

        SELECT array_agg(t.type_id ORDER BY n.nth) INTO type_ids
          FROM unnest(types) WITH ORDINALITY AS n(name, nth)
          LEFT JOIN log.event_type AS t ON t.name = n.name;
        IF array_position(type_ids, NULL) IS NOT NULL THEN
            INSERT INTO log.event_type (name)
            SELECT n.name
              FROM unnest(types, type_ids) AS n(name, type_id)
             WHERE n.type_id IS NULL;
            SELECT array_agg(t.type_id ORDER BY n.nth) INTO type_ids
              FROM unnest(types) WITH ORDINALITY AS n(name, nth)
              JOIN log.event_type AS t ON t.name = n.name;
        END IF;

        INSERT INTO log.event (
            position, event_id, org_id, stream_id, version, type_id, schema_version, recorded_at, actor, command_id,
            causation_id, correlation_id, metadata, payload, salt, payload_hash, leaf
        )
        SELECT e.position, e.event_id, orgs[e.stream], ids[e.stream], e.version, type_ids[e.type], e.schema_version,
               moment, r_actor[e.owner], r_command[e.owner], r_cause[e.owner], r_correlation[e.owner],
               r_metadata[e.owner], e.payload, e.salt, e.payload_hash,
               log.leaf(
                    e.position, e.event_id, orgs[e.stream], s_name[e.stream], e.version, moment, types[e.type],
                    e.schema_version, r_command[e.owner], r_actor[e.owner], r_cause[e.owner], r_correlation[e.owner],
                    r_metadata_hash[e.owner], e.payload_hash
               )
          FROM (
                SELECT firsts[s_owner[e.stream]] + s_start[e.stream] + e.nth - 1 AS position, e.event_id,
                       s_owner[e.stream] AS owner, e.stream, versions[e.stream] + e.nth AS version, e.type,
                       e.schema_version, e.payload, e.salt, e.payload_hash
                  FROM unnest(e_stream, e_nth, e_type, e_schema, e_id, e_payload, e_salt, e_hash)
                    AS e(stream, nth, type, schema_version, event_id, payload, salt, payload_hash)
                 WHERE outcomes[s_owner[e.stream]] = 0
                OFFSET 0
               ) AS e;
    END IF;

    IF remembered > 0 AND NOT remembering THEN
        INSERT INTO log.command (command_id, principal, request_hash, first_position, last_position, answer, recorded_at)
        SELECT r.command_id, r.principal, r.hash, firsts[r.nth], lasts[r.nth], r.answer, moment
          FROM unnest(r_command, r_principal, r_hash, r_answer) WITH ORDINALITY AS r(command_id, principal, hash, answer, nth)
         WHERE r.principal IS NOT NULL
           AND outcomes[r.nth] = 0;
    END IF;

    IF cardinality(c_owner) > 0 THEN
        DELETE FROM log.claim AS h
         USING unnest(c_owner, c_take, c_kind, c_key, c_stream) AS c(owner, take, kind, key, stream)
         WHERE h.kind = c.kind
           AND h.key = c.key
           AND h.stream_id = ids[c.stream]
           AND NOT c.take
           AND outcomes[c.owner] = 0;
        INSERT INTO log.claim (kind, key, stream_id)
        SELECT c.kind, c.key, ids[c.stream]
          FROM unnest(c_owner, c_take, c_kind, c_key, c_stream) AS c(owner, take, kind, key, stream)
         WHERE c.take
           AND outcomes[c.owner] = 0
            ON CONFLICT (kind, key) DO NOTHING;
    END IF;

    IF cardinality(w_owner) > 0 THEN
        w_wake_at := array_replace(w_wake_at, '-infinity', moment);
        INSERT INTO log.work (stream_id, kind, lane, priority, status, step, target, wake_at, deadline)
        SELECT ids[w.stream], w.kind, w.lane, w.priority, w.status, w.step, w.target,
               CASE
                   -- Not EXISTS, which may be answered by hashing every lane there is; so below.
                   WHEN w.lane <> '' AND (
                        SELECT o.stream_id
                          FROM log.work AS o
                         WHERE o.lane = w.lane
                           AND o.lane <> ''
                           AND o.status IN ('running', 'waiting', 'compensating', 'parked')
                         LIMIT 1
                   ) IS NOT NULL THEN NULL
                   ELSE w.wake_at
               END,
               w.deadline
          FROM unnest(w_owner, w_guard, w_stream, w_kind, w_lane, w_priority, w_status, w_step, w_target, w_wake_at, w_deadline)
            AS w(owner, guard, stream, kind, lane, priority, status, step, target, wake_at, deadline)
         WHERE w.guard = 0
           AND outcomes[w.owner] = 0
            ON CONFLICT (stream_id) DO NOTHING;

        -- The lease is kept exactly while the work goes on and names no moment to be woken at.
        UPDATE log.work AS t
           SET status = w.status,
               step = w.step,
               target = w.target,
               deadline = w.deadline,
               owner = CASE WHEN w.keeps THEN t.owner END,
               lease_until = CASE WHEN w.keeps THEN t.lease_until END,
               wake_at = CASE
                   WHEN w.keeps THEN t.wake_at
                   WHEN NOT w.ended THEN least(w.wake_at, t.nudge_at)
               END,
               nudge_at = CASE WHEN w.keeps THEN t.nudge_at END
          FROM (
                SELECT w.owner, w.stream, w.status, w.step, w.target, w.wake_at, w.deadline,
                       w.status IN ('running', 'compensating') AND w.wake_at IS NULL AS keeps,
                       w.status IN ('completed', 'compensated', 'abandoned', 'superseded') AS ended
                  FROM unnest(w_owner, w_guard, w_stream, w_status, w_step, w_target, w_wake_at, w_deadline)
                    AS w(owner, guard, stream, status, step, target, wake_at, deadline)
                 WHERE w.guard = 1
                   AND outcomes[w.owner] = 0
               ) AS w
         WHERE t.stream_id = ids[w.stream];

        UPDATE log.work AS t
           SET wake_at = CASE WHEN t.lease_until > moment THEN t.wake_at ELSE least(t.wake_at, w.wake_at) END,
               nudge_at = CASE WHEN t.lease_until > moment THEN least(t.nudge_at, w.wake_at) END
          FROM unnest(w_owner, w_guard, w_stream, w_wake_at) AS w(owner, guard, stream, wake_at)
         WHERE w.guard = 2
           AND outcomes[w.owner] = 0
           AND t.stream_id = ids[w.stream]
           AND t.status NOT IN ('completed', 'compensated', 'abandoned', 'superseded')
           AND NOT (t.status = 'queued' AND t.lane <> '' AND (
                SELECT o.stream_id
                  FROM log.work AS o
                 WHERE o.lane = t.lane
                   AND o.lane <> ''
                   AND o.status IN ('running', 'waiting', 'compensating', 'parked')
                 LIMIT 1
           ) IS NOT NULL);

        UPDATE log.work AS t
           SET fence = t.fence + 1,
               status = w.status,
               step = w.step,
               target = w.target,
               deadline = w.deadline,
               owner = NULL,
               lease_until = NULL,
               wake_at = w.wake_at,
               nudge_at = NULL
          FROM unnest(w_owner, w_guard, w_stream, w_status, w_step, w_target, w_wake_at, w_deadline)
            AS w(owner, guard, stream, status, step, target, wake_at, deadline)
         WHERE w.guard = 3
           AND outcomes[w.owner] = 0
           AND t.stream_id = ids[w.stream];

        -- Whoever waits for a lane that was left is due again, in the order of its beginning.
        IF w_status && '{completed,compensated,abandoned,superseded}' THEN
            UPDATE log.work AS t
               SET wake_at = coalesce(
                       (
                        SELECT e.recorded_at
                          FROM log.stream AS s
                          JOIN log.event AS e ON e.position = s.first_position
                         WHERE s.stream_id = t.stream_id
                       ),
                       moment
                   )
              FROM unnest(w_owner, w_stream, w_guard, w_status) AS w(owner, stream, guard, status)
              JOIN log.work AS o ON o.stream_id = ids[w.stream]
             WHERE w.guard IN (1, 3)
               AND outcomes[w.owner] = 0
               AND w.status IN ('completed', 'compensated', 'abandoned', 'superseded')
               AND o.lane <> ''
               AND t.lane = o.lane
               AND t.lane <> ''
               AND t.status = 'queued'
               AND t.wake_at IS NULL;
        END IF;
    END IF;
END $$;

ALTER FUNCTION log.append(hint bigint, again boolean, durable boolean, r_command uuid[], r_actor text[], r_cause uuid[], r_correlation uuid[], r_metadata text[], r_metadata_hash bytea[], r_principal text[], r_hash bytea[], r_answer bytea[], r_size integer[], r_before integer[], r_lead integer[], r_lead_id uuid[], s_owner integer[], s_name text[], s_org bigint[], s_expected bigint[], s_count integer[], s_start integer[], types text[], e_stream integer[], e_nth integer[], e_type integer[], e_schema smallint[], e_id uuid[], e_payload bytea[], e_salt bytea[], e_hash bytea[], c_owner integer[], c_take boolean[], c_kind text[], c_key text[], c_stream integer[], w_owner integer[], w_guard smallint[], w_stream integer[], w_fence bigint[], w_kind text[], w_lane text[], w_priority smallint[], w_status text[], w_step text[], w_target text[], w_wake_at timestamp with time zone[], w_deadline timestamp with time zone[], OUT outcomes smallint[], OUT firsts bigint[], OUT lasts bigint[], OUT versions bigint[], OUT culprits integer[], OUT answers bytea[], OUT waited bigint) OWNER TO signalbox_owner;

CREATE FUNCTION log.append_one(hint bigint, durable boolean, r_command uuid, r_actor text, r_cause uuid, r_correlation uuid, r_metadata text, r_metadata_hash bytea, r_principal text, r_hash bytea, r_answer bytea, s_name text, s_org bigint, s_expected bigint, e_types text[], e_schemas smallint[], e_ids uuid[], e_payloads bytea[], e_salts bytea[], e_hashes bytea[], w_fence bigint, w_status text, w_step text, w_target text, w_deadline timestamp with time zone, OUT is_written boolean, OUT base bigint, OUT version bigint, OUT waited bigint) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'log', 'pg_temp'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_sort TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
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

ALTER FUNCTION log.append_one(hint bigint, durable boolean, r_command uuid, r_actor text, r_cause uuid, r_correlation uuid, r_metadata text, r_metadata_hash bytea, r_principal text, r_hash bytea, r_answer bytea, s_name text, s_org bigint, s_expected bigint, e_types text[], e_schemas smallint[], e_ids uuid[], e_payloads bytea[], e_salts bytea[], e_hashes bytea[], w_fence bigint, w_status text, w_step text, w_target text, w_deadline timestamp with time zone, OUT is_written boolean, OUT base bigint, OUT version bigint, OUT waited bigint) OWNER TO signalbox_owner;

CREATE FUNCTION log.bytes(value text) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (int2send((octet_length(value))::smallint) || convert_to(value, 'UTF8'::name));

ALTER FUNCTION log.bytes(value text) OWNER TO signalbox_owner;

CREATE FUNCTION log.claim(kinds text[], owner text, most integer, ttl interval) RETURNS TABLE(stream text, kind text, lane text, status text, step text, target text, fence bigint, deadline timestamp with time zone, taken_over boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'log', 'pg_temp'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
#variable_conflict use_column
DECLARE
    moment CONSTANT timestamptz := statement_timestamp();
BEGIN
    IF NOT EXISTS (
        SELECT
          FROM log.work AS w
         WHERE w.wake_at <= moment
           AND w.kind = ANY (claim.kinds)
           AND (w.lease_until IS NULL OR w.lease_until <= moment)
    ) THEN
        RETURN;
    END IF;

    PERFORM pg_advisory_xact_lock(7203);
    RETURN QUERY
    WITH due AS (
        SELECT w.stream_id, w.lane, w.status, w.priority, w.wake_at, w.owner IS NOT NULL AS taken_over
          FROM log.work AS w
         WHERE w.wake_at <= moment
           AND w.kind = ANY (claim.kinds)
           AND (w.lease_until IS NULL OR w.lease_until <= moment)
           -- Not EXISTS, which may be answered by hashing every lane there is.
           AND (w.status <> 'queued' OR w.lane = '' OR (
                SELECT o.stream_id
                  FROM log.work AS o
                 WHERE o.lane = w.lane
                   AND o.lane <> ''
                   AND o.status IN ('running', 'waiting', 'compensating', 'parked')
                 LIMIT 1
           ) IS NULL)
         ORDER BY w.priority, w.wake_at, w.stream_id
         LIMIT most
           FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE log.work AS w
           SET fence = w.fence + 1,
               owner = claim.owner,
               lease_until = moment + claim.ttl,
               wake_at = moment + claim.ttl,
               nudge_at = NULL,
               status = CASE w.status WHEN 'queued' THEN 'running' ELSE w.status END
          FROM due AS d
         WHERE w.stream_id = d.stream_id
           AND (d.status <> 'queued' OR d.lane = '' OR NOT EXISTS (
                SELECT
                  FROM due AS o
                 WHERE o.lane = d.lane
                   AND o.status = 'queued'
                   AND (o.priority, o.wake_at, o.stream_id) < (d.priority, d.wake_at, d.stream_id)
           ))
        RETURNING w.stream_id, w.kind, w.lane, w.status, w.step, w.target, w.fence, w.deadline, d.priority, d.wake_at,
                  d.taken_over, d.status = 'queued' AS is_new
    ), behind AS (
        UPDATE log.work AS w
           SET wake_at = NULL
          FROM taken AS t
         WHERE t.is_new
           AND w.lane = t.lane
           AND w.lane <> ''
           AND w.status = 'queued'
           AND w.stream_id <> t.stream_id
    )
    SELECT s.name, t.kind, t.lane, t.status, t.step, t.target, t.fence, t.deadline, t.taken_over
      FROM taken AS t
      JOIN log.stream AS s ON s.stream_id = t.stream_id
     ORDER BY t.priority, t.wake_at, t.stream_id;
END $$;

ALTER FUNCTION log.claim(kinds text[], owner text, most integer, ttl interval) OWNER TO signalbox_owner;

CREATE FUNCTION log.ensure_partitions() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'log', 'pg_temp'
    SET lock_timeout TO '200ms'
    AS $$
DECLARE
    width CONSTANT bigint := (SELECT h.partition_width FROM log.head AS h);
    newest bigint;
    made integer := 0;
    name text;
BEGIN
    -- Whoever does not get the lock leaves the work to who has it.
    IF NOT pg_try_advisory_xact_lock(7205) THEN
        RETURN 0;
    END IF;
    SELECT coalesce(max(e.position), 0) INTO newest FROM log.event AS e;
    FOR number IN newest / width .. newest / width + 2 LOOP
        name := format('event_%s', number);
        CONTINUE WHEN to_regclass('log.' || name) IS NOT NULL;
        EXECUTE format('CREATE TABLE log.%I (LIKE log.event INCLUDING ALL)', name);
        EXECUTE format('CREATE UNIQUE INDEX %I ON log.%I (stream_id, version)', name || '_stream', name);
        EXECUTE format(
            'CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON log.%I
                FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change()', name
        );
        EXECUTE format(
            'ALTER TABLE log.event ATTACH PARTITION log.%I FOR VALUES FROM (%s) TO (%s)',
            name, number * width + 1, (number + 1) * width + 1
        );
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;

ALTER FUNCTION log.ensure_partitions() OWNER TO signalbox_owner;

CREATE FUNCTION log.erase(positions bigint[]) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'log', 'pg_temp'
    AS $$
DECLARE
    erased bigint;
BEGIN
    PERFORM set_config('log.erasing', 'on', true);
    UPDATE log.event SET payload = NULL, salt = NULL WHERE position = ANY (positions) AND payload IS NOT NULL;
    GET DIAGNOSTICS erased = ROW_COUNT;
    PERFORM set_config('log.erasing', '', true);

    INSERT INTO log.segment_erasure (position)
    SELECT DISTINCT p.position
      FROM unnest(positions) AS p(position)
      JOIN log.segment AS g ON p.position BETWEEN g.first_position AND g.last_position
        ON CONFLICT (position) DO NOTHING;
    -- Of an event that is in a file alone nobody here knows the stream, but between which positions each stream lies.
    DELETE FROM log.snapshot AS n
     USING log.stream AS s, unnest(positions) AS p(position)
     WHERE s.stream_id = n.stream_id
       AND n.schema_version > 0
       AND p.position BETWEEN s.first_position AND s.end_position
       AND EXISTS (SELECT FROM log.segment AS g WHERE p.position BETWEEN g.first_position AND g.last_position);

    INSERT INTO log.snapshot (stream_id, version, schema_version, state)
    SELECT DISTINCT e.stream_id, 0, 0, ''::bytea
      FROM log.event AS e
     WHERE e.position = ANY (positions)
        ON CONFLICT (stream_id) DO UPDATE
       SET version = 0, schema_version = 0, state = '';
    RETURN erased;
END $$;

ALTER FUNCTION log.erase(positions bigint[]) OWNER TO signalbox_owner;

CREATE FUNCTION log.erase_recorded(positions bigint[], subjects text[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'log', 'pg_temp'
    AS $$
DECLARE
    unrecorded text;
    erased bigint;
BEGIN
    SELECT w.what INTO unrecorded
      FROM (SELECT p::text FROM unnest(positions) AS p UNION ALL SELECT s FROM unnest(subjects) AS s) AS w(what)
     WHERE NOT EXISTS (SELECT FROM log.stream AS s WHERE s.name = 'erasure-' || w.what AND s.first_position IS NOT NULL)
     LIMIT 1;
    IF unrecorded IS NOT NULL THEN
        RAISE EXCEPTION 'no event records that % is erased', unrecorded USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF EXISTS (
        SELECT
          FROM log.event AS e
          JOIN log.stream AS s USING (stream_id)
         WHERE e.position = ANY (positions)
           AND s.category = 'erasure'
    ) THEN
        RAISE EXCEPTION 'the record of an erasure stays' USING ERRCODE = 'insufficient_privilege';
    END IF;

    INSERT INTO log.subject_key (subject, erased_at)
    SELECT s, clock_timestamp()
      FROM unnest(subjects) AS s
        ON CONFLICT (subject) DO UPDATE
       SET wrapped_key = NULL, erased_at = coalesce(log.subject_key.erased_at, excluded.erased_at);

    erased := log.erase(positions);
    -- An event that is in a file alone has no row to tell its stream, but its record does: of that stream, too, no folded
    -- state is ever kept again, whoever still holds one.
    INSERT INTO log.snapshot (stream_id, version, schema_version, state)
    SELECT DISTINCT s.stream_id, 0, 0, ''::bytea
      FROM unnest(positions) AS p(position)
      JOIN log.stream AS r ON r.name = 'erasure-' || p.position
      JOIN log.event AS e ON e.stream_id = r.stream_id
       AND e.position BETWEEN r.first_position AND r.end_position
       AND e.payload IS NOT NULL
      JOIN log.stream AS s ON s.name = convert_from(e.payload, 'UTF8')::jsonb ->> 'stream'
        ON CONFLICT (stream_id) DO UPDATE
       SET version = 0, schema_version = 0, state = '';
    RETURN erased;
END $$;

ALTER FUNCTION log.erase_recorded(positions bigint[], subjects text[]) OWNER TO signalbox_owner;

CREATE FUNCTION log.erased_subjects(subjects text[]) RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'log', 'pg_temp'
    AS $$
    SELECT k.subject FROM log.subject_key AS k WHERE k.subject = ANY (subjects) AND k.erased_at IS NOT NULL;
$$;

ALTER FUNCTION log.erased_subjects(subjects text[]) OWNER TO signalbox_owner;

CREATE FUNCTION log.forget_commands(most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'log', 'pg_temp'
    AS $$
DECLARE
    forgotten bigint;
BEGIN
    DELETE FROM log.command
     WHERE command_id IN (
            SELECT c.command_id
              FROM log.command AS c
             WHERE c.recorded_at < statement_timestamp() - interval '7 days'
             LIMIT most
               FOR UPDATE SKIP LOCKED
           );
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END $$;

ALTER FUNCTION log.forget_commands(most integer) OWNER TO signalbox_owner;

CREATE TABLE log.stream (
    stream_id bigint NOT NULL,
    name text NOT NULL,
    org_id bigint,
    category text NOT NULL,
    least_version bigint NOT NULL,
    first_position bigint,
    end_position bigint
)
WITH (fillfactor='100');

ALTER TABLE log.stream OWNER TO signalbox_owner;

CREATE TABLE log.work (
    stream_id bigint NOT NULL,
    kind text NOT NULL,
    lane text NOT NULL,
    priority smallint NOT NULL,
    status text NOT NULL,
    step text NOT NULL,
    target text NOT NULL,
    fence bigint DEFAULT 0 NOT NULL,
    owner text,
    lease_until timestamp with time zone,
    wake_at timestamp with time zone,
    nudge_at timestamp with time zone,
    deadline timestamp with time zone,
    CONSTRAINT work_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'waiting'::text, 'compensating'::text, 'parked'::text, 'completed'::text, 'compensated'::text, 'abandoned'::text, 'superseded'::text])))
)
WITH (fillfactor='70');

ALTER TABLE log.work OWNER TO signalbox_owner;

CREATE FUNCTION log.holds(stream text, fence bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'log', 'pg_temp'
    RETURN (EXISTS (SELECT FROM (log.work w JOIN log.stream s USING (stream_id)) WHERE ((s.name = holds.stream) AND (w.fence = holds.fence) AND (w.lease_until > statement_timestamp()))));

ALTER FUNCTION log.holds(stream text, fence bigint) OWNER TO signalbox_owner;

CREATE FUNCTION log.leaf("position" bigint, event_id uuid, org_id bigint, stream text, version bigint, recorded_at timestamp with time zone, type text, schema_version smallint, command_id uuid, actor text, causation_id uuid, correlation_id uuid, metadata_hash bytea, payload_hash bytea) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN sha256((((((((((((((('\x0073626f7831'::bytea || int8send("position")) || uuid_send(event_id)) || int8send(COALESCE(org_id, (0)::bigint))) || log.bytes(stream)) || int4send((version)::integer)) || timestamptz_send(recorded_at)) || log.bytes(type)) || int2send(schema_version)) || uuid_send(command_id)) || log.bytes(actor)) || uuid_send(COALESCE(causation_id, '00000000-0000-0000-0000-000000000000'::uuid))) || uuid_send(correlation_id)) || metadata_hash) || payload_hash));

ALTER FUNCTION log.leaf("position" bigint, event_id uuid, org_id bigint, stream text, version bigint, recorded_at timestamp with time zone, type text, schema_version smallint, command_id uuid, actor text, causation_id uuid, correlation_id uuid, metadata_hash bytea, payload_hash bytea) OWNER TO signalbox_owner;

CREATE FUNCTION log.publish_checkpoint(epoch integer, size bigint, root bytea, note text, vkeys text[]) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'log', 'pg_temp'
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

ALTER FUNCTION log.publish_checkpoint(epoch integer, size bigint, root bytea, note text, vkeys text[]) OWNER TO signalbox_owner;

CREATE FUNCTION log.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'log', 'pg_temp'
    AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('log.erasing', true) = 'on' THEN
        IF NEW.payload IS NULL AND NEW.salt IS NULL
            AND to_jsonb(NEW) - 'payload' - 'salt' = to_jsonb(OLD) - 'payload' - 'salt' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the log is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;

ALTER FUNCTION log.refuse_change() OWNER TO signalbox_owner;

CREATE FUNCTION log.refuse_resizing() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'log', 'pg_temp'
    AS $$
BEGIN
    IF NEW.partition_width <> OLD.partition_width AND EXISTS (SELECT FROM log.stream) THEN
        RAISE EXCEPTION 'the partitions of a log that is in use keep their width' USING ERRCODE = 'object_in_use';
    END IF;
    RETURN NEW;
END $$;

ALTER FUNCTION log.refuse_resizing() OWNER TO signalbox_owner;

CREATE FUNCTION log.release(stream text, fence bigint, after interval) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'log', 'pg_temp'
    AS $$
BEGIN
    UPDATE log.work AS w
       SET status = CASE WHEN w.status = 'running' AND release.after > interval '0' THEN 'waiting' ELSE w.status END,
           owner = NULL,
           lease_until = NULL,
           wake_at = least(statement_timestamp() + release.after, w.nudge_at),
           nudge_at = NULL
      FROM log.stream AS s
     WHERE s.name = release.stream
       AND w.stream_id = s.stream_id
       AND w.fence = release.fence
       AND w.lease_until > statement_timestamp();
    RETURN FOUND;
END $$;

ALTER FUNCTION log.release(stream text, fence bigint, after interval) OWNER TO signalbox_owner;

CREATE FUNCTION log.renew(stream text, fence bigint, ttl interval) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'log', 'pg_temp'
    AS $$
BEGIN
    UPDATE log.work AS w
       SET lease_until = clock_timestamp() + renew.ttl
      FROM log.stream AS s
     WHERE s.name = renew.stream
       AND w.stream_id = s.stream_id
       AND w.fence = renew.fence
       AND w.lease_until > statement_timestamp();
    RETURN FOUND;
END $$;

ALTER FUNCTION log.renew(stream text, fence bigint, ttl interval) OWNER TO signalbox_owner;

CREATE FUNCTION log.restore_work(names text[], seen bigint[], kinds text[], lanes text[], priorities smallint[], statuses text[], steps text[], targets text[], wakes timestamp with time zone[], deadlines timestamp with time zone[]) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'log', 'pg_temp'
    AS $$
DECLARE
    base CONSTANT bigint := extract(epoch FROM clock_timestamp())::bigint;
    ids bigint[];
    fences bigint[];
BEGIN
    PERFORM pg_advisory_xact_lock(7203);
    SELECT array_agg(CASE WHEN s.version = r.version THEN s.stream_id END ORDER BY r.nth),
           array_agg(coalesce(w.fence + 1, base) ORDER BY r.nth)
      INTO ids, fences
      FROM unnest(names, seen) WITH ORDINALITY AS r(name, version, nth)
      LEFT JOIN log.stream_head AS s ON s.name = r.name
      LEFT JOIN log.work AS w ON w.stream_id = s.stream_id;

    DELETE FROM log.work AS w WHERE w.stream_id = ANY (ids);
    INSERT INTO log.work (stream_id, kind, lane, priority, status, step, target, fence, wake_at, deadline)
    SELECT ids[r.nth], r.kind, r.lane, r.priority, r.status, r.step, r.target, fences[r.nth], r.wake_at, r.deadline
      FROM unnest(kinds, lanes, priorities, statuses, steps, targets, wakes, deadlines)
           WITH ORDINALITY AS r(kind, lane, priority, status, step, target, wake_at, deadline, nth)
     WHERE ids[r.nth] IS NOT NULL;
    RETURN QUERY SELECT r.name FROM unnest(names, ids) AS r(name, id) WHERE r.id IS NULL;
END $$;

ALTER FUNCTION log.restore_work(names text[], seen bigint[], kinds text[], lanes text[], priorities smallint[], statuses text[], steps text[], targets text[], wakes timestamp with time zone[], deadlines timestamp with time zone[]) OWNER TO signalbox_owner;

CREATE FUNCTION log.seal(stream text, fence bigint, epoch integer, old_size bigint, old_root bytea, size bigint, root bytea, levels smallint[], numbers bigint[], tiles bytea[]) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'log', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    newest bigint[];
    grown bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(7206);
    IF NOT log.holds(seal.stream, seal.fence)
        OR NOT EXISTS (SELECT FROM log.head AS h WHERE h.incarnation = seal.epoch)
        OR seal.old_size <> coalesce((SELECT max(c.size) FROM log.checkpoint AS c WHERE c.epoch = seal.epoch), 0)
        OR (seal.old_size > 0 AND NOT EXISTS (
            SELECT
              FROM log.checkpoint AS c
             WHERE c.epoch = seal.epoch
               AND c.size = seal.old_size
               AND c.root = seal.old_root
        )) THEN
        RETURN false;
    END IF;
    -- A lost tree head is worse than a slow one, whatever the session prefers.
    PERFORM set_config('synchronous_commit', 'on', true);

    INSERT INTO log.tile AS t (level, number, width, hashes)
    SELECT n.level, n.number, octet_length(n.hashes) / 32, n.hashes
      FROM unnest(seal.levels, seal.numbers, seal.tiles) AS n (level, number, hashes)
        ON CONFLICT (level, number) DO UPDATE
       SET width = excluded.width, hashes = excluded.hashes
     WHERE t.width < excluded.width
       AND substring(excluded.hashes FOR octet_length(t.hashes)) = t.hashes;
    GET DIAGNOSTICS grown = ROW_COUNT;
    IF grown <> cardinality(seal.tiles) THEN
        RAISE EXCEPTION 'a tile of the transparency log would be rewritten' USING ERRCODE = 'data_corrupted';
    END IF;

    INSERT INTO log.checkpoint (epoch, size, root, sealed_at)
    VALUES (seal.epoch, seal.size, seal.root, clock_timestamp());

    -- Of the checkpoints of one hour the last is kept, beside the two newest: any other can be made from the tiles.
    SELECT array_agg(c.size ORDER BY c.size DESC) INTO newest
      FROM (
        SELECT c.size FROM log.checkpoint AS c WHERE c.epoch = seal.epoch ORDER BY c.size DESC LIMIT 3
      ) AS c;
    DELETE FROM log.checkpoint AS c
     USING log.checkpoint AS next
     WHERE c.epoch = seal.epoch
       AND c.size = newest[3]
       AND next.epoch = seal.epoch
       AND next.size = newest[2]
       AND date_trunc('hour', c.sealed_at) = date_trunc('hour', next.sealed_at);
    RETURN true;
END $$;

ALTER FUNCTION log.seal(stream text, fence bigint, epoch integer, old_size bigint, old_root bytea, size bigint, root bytea, levels smallint[], numbers bigint[], tiles bytea[]) OWNER TO signalbox_owner;

CREATE TABLE log.checkpoint (
    epoch integer NOT NULL,
    size bigint NOT NULL,
    root bytea NOT NULL,
    sealed_at timestamp with time zone NOT NULL,
    note text,
    signed_at timestamp with time zone,
    CONSTRAINT checkpoint_check CHECK (((note IS NULL) = (signed_at IS NULL))),
    CONSTRAINT checkpoint_root_check CHECK ((octet_length(root) = 32)),
    CONSTRAINT checkpoint_size_check CHECK ((size > 0))
);

ALTER TABLE log.checkpoint OWNER TO signalbox_owner;

CREATE TABLE log.head (
    log_id smallint NOT NULL,
    incarnation integer NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    partition_width bigint DEFAULT 16777216 NOT NULL,
    CONSTRAINT head_log_id_check CHECK ((log_id = 0)),
    CONSTRAINT head_partition_width_check CHECK ((partition_width > 0))
);

ALTER TABLE log.head OWNER TO signalbox_owner;

CREATE FUNCTION log.sealed() RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path TO 'log', 'pg_temp'
    RETURN (SELECT COALESCE(max(c.size), (0)::bigint) AS "coalesce" FROM (log.checkpoint c JOIN log.head h ON ((h.incarnation = c.epoch))) WHERE (c.note IS NOT NULL));

ALTER FUNCTION log.sealed() OWNER TO signalbox_owner;

CREATE FUNCTION log.start_epoch(epoch integer) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'log', 'pg_temp'
    AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7206);
    UPDATE log.head AS h
       SET incarnation = start_epoch.epoch, started_at = clock_timestamp()
     WHERE h.incarnation < start_epoch.epoch;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM log.tile;
    RETURN true;
END $$;

ALTER FUNCTION log.start_epoch(epoch integer) OWNER TO signalbox_owner;

CREATE FUNCTION log.vitals(OUT newest bigint, OUT oldest_transaction double precision, OUT wal_bytes bigint) RETURNS record
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'log', 'pg_temp'
    AS $$
    SELECT (SELECT coalesce(max(e.position), 0) FROM log.event AS e),
           (
                SELECT coalesce(max(extract(epoch FROM clock_timestamp() - t.since)), 0)
                  FROM (
                        SELECT a.xact_start
                          FROM pg_stat_activity AS a
                         WHERE a.backend_type = 'client backend'
                           AND a.pid <> pg_backend_pid()
                         UNION ALL
                        SELECT p.prepared
                          FROM pg_prepared_xacts AS p
                       ) AS t (since)
           )::double precision,
           (SELECT w.wal_bytes::bigint FROM pg_stat_wal AS w);
$$;

ALTER FUNCTION log.vitals(OUT newest bigint, OUT oldest_transaction double precision, OUT wal_bytes bigint) OWNER TO signalbox_owner;

CREATE FUNCTION saga.admit(target text, visitor text, span interval, counted boolean, most integer, rate double precision, burst double precision, OUT why text, OUT wait interval) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'saga', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    moment timestamptz;
    known saga.target;
    has_probe boolean;
    full_at CONSTANT double precision := greatest(admit.burst, 1);
    left_over double precision;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO saga.target (name) VALUES (admit.target) ON CONFLICT (name) DO NOTHING;
    SELECT * INTO known FROM saga.target AS t WHERE t.name = admit.target FOR UPDATE;
    moment := clock_timestamp();

    IF known.held_because IS NOT NULL THEN
        why := 'open';
        wait := interval '30 s' * (1 + random() / 4);
        RETURN;
    END IF;
    IF known.open_until > moment THEN
        why := 'open';
        wait := known.open_until - moment + interval '5 s' * random();
        RETURN;
    END IF;
    IF known.rests_until > moment THEN
        why := 'asked';
        wait := known.rests_until - moment + interval '5 s' * random();
        RETURN;
    END IF;

    DELETE FROM saga.visit AS v WHERE v.target = admit.target AND v.until <= moment;
    IF known.open_until IS NOT NULL THEN
        SELECT EXISTS (
            SELECT
              FROM saga.visit AS v
             WHERE v.target = admit.target
               AND v.is_probe
               AND v.visitor <> admit.visitor
        ) INTO has_probe;
        IF has_probe THEN
            why := 'half-open';
            wait := interval '1 s' * (1 + 4 * random());
            RETURN;
        END IF;
    END IF;

    IF counted THEN
        IF (
            SELECT count(*) >= admit.most
              FROM saga.visit AS v
             WHERE v.target = admit.target
               AND v.visitor <> admit.visitor
        ) THEN
            why := 'full';
            wait := interval '100 ms' * (1 + random());
            RETURN;
        END IF;
        IF admit.rate IS NOT NULL THEN
            left_over := least(
                full_at,
                coalesce(known.tokens + admit.rate * extract(epoch FROM moment - known.filled_at), full_at)
            );
            IF left_over < 1 THEN
                why := 'rate';
                wait := interval '1 s' * ((1 - left_over) / admit.rate) * (1 + random());
                RETURN;
            END IF;
            UPDATE saga.target AS t
               SET tokens = left_over - 1, filled_at = moment
             WHERE t.name = admit.target;
        END IF;
        INSERT INTO saga.visit (target, visitor, until, is_probe)
        VALUES (admit.target, admit.visitor, moment + admit.span, known.open_until IS NOT NULL)
            ON CONFLICT (target, visitor) DO UPDATE SET until = excluded.until, is_probe = excluded.is_probe;
    ELSIF known.open_until IS NOT NULL THEN
        INSERT INTO saga.visit (target, visitor, until, is_probe)
        VALUES (admit.target, admit.visitor, moment + admit.span, true)
            ON CONFLICT (target, visitor) DO UPDATE SET until = excluded.until, is_probe = true;
    END IF;
    IF (known.most, known.rate, known.burst) IS DISTINCT FROM (admit.most, admit.rate, admit.burst) THEN
        UPDATE saga.target AS t
           SET most = admit.most, rate = admit.rate, burst = admit.burst
         WHERE t.name = admit.target;
    END IF;
END $$;

ALTER FUNCTION saga.admit(target text, visitor text, span interval, counted boolean, most integer, rate double precision, burst double precision, OUT why text, OUT wait interval) OWNER TO signalbox_owner;

CREATE FUNCTION saga.free_target(target text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'saga', 'pg_temp'
    AS $$
BEGIN
    -- The lock of the log comes before all others: claims and appends change work too.
    PERFORM pg_advisory_xact_lock(7203);
    INSERT INTO saga.target (name)
    VALUES (free_target.target)
        ON CONFLICT (name) DO UPDATE
       SET held_because = NULL,
           open_until = NULL,
           openings = 0,
           rests_until = NULL,
           failed_in_a_row = 0,
           window_from = clock_timestamp(),
           window_calls = 0,
           window_failures = 0,
           changed_at = clock_timestamp();
    UPDATE log.work AS w
       SET wake_at = statement_timestamp()
     WHERE w.target = free_target.target
       AND w.status IN ('waiting', 'compensating')
       AND w.wake_at > statement_timestamp()
       AND w.lease_until IS NULL;
END $$;

ALTER FUNCTION saga.free_target(target text) OWNER TO signalbox_owner;

CREATE TABLE saga.target (
    name text NOT NULL,
    failed_in_a_row integer DEFAULT 0 NOT NULL,
    window_from timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    window_calls integer DEFAULT 0 NOT NULL,
    window_failures integer DEFAULT 0 NOT NULL,
    open_until timestamp with time zone,
    openings integer DEFAULT 0 NOT NULL,
    rests_until timestamp with time zone,
    held_because text,
    tokens double precision,
    filled_at timestamp with time zone,
    most integer,
    rate double precision,
    burst double precision,
    last_error text,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
)
WITH (fillfactor='50');

ALTER TABLE saga.target OWNER TO signalbox_owner;

CREATE FUNCTION saga.hold_target(target text, reason text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'saga', 'pg_temp'
    BEGIN ATOMIC
 INSERT INTO saga.target (name, held_because)
   VALUES (hold_target.target, hold_target.reason) ON CONFLICT(name) DO UPDATE SET held_because = excluded.held_because, changed_at = clock_timestamp();
END;

ALTER FUNCTION saga.hold_target(target text, reason text) OWNER TO signalbox_owner;

CREATE FUNCTION saga.settle(target text, visitor text, answered boolean, rest interval, error text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'saga', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    moment timestamptz;
    known saga.target;
    was_probe boolean;
    opens boolean;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    SELECT * INTO known FROM saga.target AS t WHERE t.name = settle.target FOR UPDATE;
    moment := clock_timestamp();
    DELETE FROM saga.visit AS v
     WHERE v.target = settle.target
       AND v.visitor = settle.visitor
    RETURNING v.is_probe INTO was_probe;
    was_probe := coalesce(was_probe, false);
    IF settle.answered IS NULL OR known.name IS NULL THEN
        RETURN;
    END IF;

    IF known.window_from < moment - interval '60 s' THEN
        known.window_from := moment;
        known.window_calls := 0;
        known.window_failures := 0;
    END IF;
    known.window_calls := known.window_calls + 1;
    IF settle.answered THEN
        known.failed_in_a_row := 0;
        -- Who was let in before the target was left alone says nothing about what it is like now.
        IF was_probe THEN
            known.open_until := NULL;
            known.openings := 0;
            known.window_from := moment;
            known.window_calls := 0;
            known.window_failures := 0;
        END IF;
    ELSE
        known.failed_in_a_row := known.failed_in_a_row + 1;
        known.window_failures := known.window_failures + 1;
        known.last_error := left(settle.error, 500);
        opens := was_probe OR known.open_until IS NULL AND (
            known.failed_in_a_row >= 5
            OR known.window_calls >= 20 AND known.window_failures * 2 >= known.window_calls
        );
        IF opens THEN
            known.open_until := moment + least(interval '30 s' * power(2, least(known.openings, 10)), interval '5 min');
            known.openings := known.openings + 1;
            known.failed_in_a_row := 0;
            known.window_from := moment;
            known.window_calls := 0;
            known.window_failures := 0;
        END IF;
    END IF;
    UPDATE saga.target AS t
       SET failed_in_a_row = known.failed_in_a_row,
           window_from = known.window_from,
           window_calls = known.window_calls,
           window_failures = known.window_failures,
           open_until = known.open_until,
           openings = known.openings,
           -- Without the condition nothing asked for would be five minutes: least() passes over NULL.
           rests_until = CASE
               WHEN settle.rest IS NULL THEN known.rests_until
               ELSE greatest(known.rests_until, moment + least(settle.rest, interval '5 min'))
           END,
           last_error = known.last_error,
           changed_at = moment
     WHERE t.name = settle.target;
END $$;

ALTER FUNCTION saga.settle(target text, visitor text, answered boolean, rest interval, error text) OWNER TO signalbox_owner;

CREATE TABLE access.session (
    token text NOT NULL,
    login text NOT NULL,
    person bigint NOT NULL,
    started_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
);

ALTER TABLE access.session OWNER TO signalbox_owner;

CREATE TABLE audit.key_use (
    key bigint NOT NULL,
    used_at timestamp with time zone NOT NULL
);

ALTER TABLE audit.key_use OWNER TO signalbox_owner;

CREATE TABLE audit.refusal (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    principal text NOT NULL,
    organization bigint,
    action text NOT NULL,
    problem text NOT NULL,
    request text NOT NULL
);

ALTER TABLE audit.refusal OWNER TO signalbox_owner;

ALTER TABLE audit.refusal ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME audit.refusal_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE hook.delivery (
    webhook uuid NOT NULL,
    event uuid NOT NULL,
    "position" bigint NOT NULL,
    type text NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    due timestamp with time zone DEFAULT now() NOT NULL,
    claim uuid,
    claimed_until timestamp with time zone,
    answered integer,
    problem text,
    tried_at timestamp with time zone,
    ended_at timestamp with time zone,
    CONSTRAINT delivery_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text])))
);

ALTER TABLE hook.delivery OWNER TO signalbox_owner;

CREATE TABLE hook.endpoint (
    webhook uuid NOT NULL,
    organization bigint NOT NULL,
    url text NOT NULL,
    types text NOT NULL,
    secret text NOT NULL,
    previous text,
    previous_until timestamp with time zone,
    enabled boolean DEFAULT true NOT NULL,
    since bigint NOT NULL
);

ALTER TABLE hook.endpoint OWNER TO signalbox_owner;

CREATE TABLE log.audit_key (
    vkey text NOT NULL,
    epoch integer NOT NULL,
    first_size bigint NOT NULL,
    last_size bigint NOT NULL
);

ALTER TABLE log.audit_key OWNER TO signalbox_owner;

CREATE TABLE log.claim (
    kind text NOT NULL,
    key text NOT NULL,
    stream_id bigint NOT NULL
);

ALTER TABLE log.claim OWNER TO signalbox_owner;

CREATE TABLE log.command (
    command_id uuid NOT NULL,
    principal text NOT NULL,
    request_hash bytea NOT NULL,
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    answer bytea NOT NULL,
    recorded_at timestamp with time zone NOT NULL
);

ALTER TABLE log.command OWNER TO signalbox_owner;

CREATE TABLE log.event (
    "position" bigint NOT NULL,
    event_id uuid NOT NULL,
    org_id bigint,
    stream_id bigint NOT NULL,
    version bigint NOT NULL,
    type_id integer NOT NULL,
    schema_version smallint NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    command_id uuid NOT NULL,
    causation_id uuid,
    correlation_id uuid NOT NULL,
    metadata text NOT NULL,
    payload bytea,
    salt bytea,
    payload_hash bytea NOT NULL,
    leaf bytea NOT NULL,
    CONSTRAINT event_payload_hash_size CHECK ((octet_length(payload_hash) = 32)),
    CONSTRAINT event_salt_size CHECK ((octet_length(salt) = 16))
)
PARTITION BY RANGE ("position");

ALTER TABLE log.event OWNER TO signalbox_owner;

CREATE TABLE log.event_0 (
    "position" bigint NOT NULL,
    event_id uuid NOT NULL,
    org_id bigint,
    stream_id bigint NOT NULL,
    version bigint NOT NULL,
    type_id integer NOT NULL,
    schema_version smallint NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    command_id uuid NOT NULL,
    causation_id uuid,
    correlation_id uuid NOT NULL,
    metadata text NOT NULL,
    payload bytea,
    salt bytea,
    payload_hash bytea NOT NULL,
    leaf bytea NOT NULL,
    CONSTRAINT event_payload_hash_size CHECK ((octet_length(payload_hash) = 32)),
    CONSTRAINT event_salt_size CHECK ((octet_length(salt) = 16))
);

ALTER TABLE log.event_0 OWNER TO signalbox_owner;

CREATE TABLE log.event_1 (
    "position" bigint NOT NULL,
    event_id uuid NOT NULL,
    org_id bigint,
    stream_id bigint NOT NULL,
    version bigint NOT NULL,
    type_id integer NOT NULL,
    schema_version smallint NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    command_id uuid NOT NULL,
    causation_id uuid,
    correlation_id uuid NOT NULL,
    metadata text NOT NULL,
    payload bytea,
    salt bytea,
    payload_hash bytea NOT NULL,
    leaf bytea NOT NULL,
    CONSTRAINT event_payload_hash_size CHECK ((octet_length(payload_hash) = 32)),
    CONSTRAINT event_salt_size CHECK ((octet_length(salt) = 16))
);

ALTER TABLE log.event_1 OWNER TO signalbox_owner;

CREATE TABLE log.event_2 (
    "position" bigint NOT NULL,
    event_id uuid NOT NULL,
    org_id bigint,
    stream_id bigint NOT NULL,
    version bigint NOT NULL,
    type_id integer NOT NULL,
    schema_version smallint NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    command_id uuid NOT NULL,
    causation_id uuid,
    correlation_id uuid NOT NULL,
    metadata text NOT NULL,
    payload bytea,
    salt bytea,
    payload_hash bytea NOT NULL,
    leaf bytea NOT NULL,
    CONSTRAINT event_payload_hash_size CHECK ((octet_length(payload_hash) = 32)),
    CONSTRAINT event_salt_size CHECK ((octet_length(salt) = 16))
);

ALTER TABLE log.event_2 OWNER TO signalbox_owner;

CREATE TABLE log.event_type (
    type_id integer NOT NULL,
    name text NOT NULL
);

ALTER TABLE log.event_type OWNER TO signalbox_owner;

CREATE VIEW log.event_json AS
 SELECT e."position",
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
    (e.metadata)::jsonb AS metadata,
    (convert_from(e.payload, 'UTF8'::name))::jsonb AS data
   FROM ((log.event e
     JOIN log.stream s USING (stream_id))
     JOIN log.event_type t USING (type_id));

ALTER TABLE log.event_json OWNER TO signalbox_owner;

ALTER TABLE log.event_type ALTER COLUMN type_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME log.event_type_type_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW log.partition AS
 SELECT (c.relname)::text AS name,
    (b.bounds[1])::bigint AS first_position,
    ((b.bounds[2])::bigint - 1) AS last_position,
    i.inhdetachpending AS leaving
   FROM ((pg_inherits i
     JOIN pg_class c ON ((c.oid = i.inhrelid)))
     CROSS JOIN LATERAL ( SELECT regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''(\d+)''\) TO \(''(\d+)''\)'::text) AS bounds) b)
  WHERE (i.inhparent = ('log.event'::regclass)::oid);

ALTER TABLE log.partition OWNER TO signalbox_owner;

CREATE TABLE log.secret (
    name text NOT NULL,
    sealed bytea NOT NULL,
    written_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE log.secret OWNER TO signalbox_owner;

CREATE TABLE log.segment (
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    partition_name text NOT NULL,
    file text NOT NULL,
    obsolete text,
    size bigint NOT NULL,
    sha256 bytea NOT NULL,
    state text NOT NULL,
    written_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    settled boolean DEFAULT false NOT NULL,
    CONSTRAINT segment_check CHECK ((last_position >= first_position)),
    CONSTRAINT segment_settled CHECK (((state <> 'archived'::text) OR settled)),
    CONSTRAINT segment_state_check CHECK ((state = ANY (ARRAY['writing'::text, 'kept'::text, 'archived'::text])))
);

ALTER TABLE log.segment OWNER TO signalbox_owner;

CREATE TABLE log.segment_erasure (
    "position" bigint NOT NULL
);

ALTER TABLE log.segment_erasure OWNER TO signalbox_owner;

CREATE TABLE log.snapshot (
    stream_id bigint NOT NULL,
    version bigint NOT NULL,
    schema_version smallint NOT NULL,
    state bytea NOT NULL
);

ALTER TABLE log.snapshot OWNER TO signalbox_owner;

CREATE VIEW log.stream_head AS
 SELECT s.stream_id,
    s.name,
    s.category,
    s.org_id,
    GREATEST(n.version, s.least_version) AS version,
    s.first_position,
    COALESCE(n."position", s.end_position) AS last_position
   FROM (log.stream s
     LEFT JOIN LATERAL ( SELECT e.version,
            e."position"
           FROM log.event e
          WHERE ((e.stream_id = s.stream_id) AND (e."position" > (s.end_position - ( SELECT h.partition_width
                   FROM log.head h
                  WHERE (h.log_id = 0)))) AND (e."position" <= s.end_position))
          ORDER BY e.version DESC
         LIMIT 1) n ON (true));

ALTER TABLE log.stream_head OWNER TO signalbox_owner;

CREATE SEQUENCE log.stream_id
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER TABLE log.stream_id OWNER TO signalbox_owner;

CREATE TABLE log.subject_key (
    subject text NOT NULL,
    wrapped_key bytea,
    erased_at timestamp with time zone,
    CONSTRAINT subject_key_check CHECK (((wrapped_key IS NULL) = (erased_at IS NOT NULL)))
);

ALTER TABLE log.subject_key OWNER TO signalbox_owner;

CREATE TABLE log.tile (
    level smallint NOT NULL,
    number bigint NOT NULL,
    width smallint NOT NULL,
    hashes bytea NOT NULL,
    CONSTRAINT tile_check CHECK ((octet_length(hashes) = (width * 32))),
    CONSTRAINT tile_level_check CHECK (((level >= 0) AND (level <= 8))),
    CONSTRAINT tile_number_check CHECK ((number >= 0)),
    CONSTRAINT tile_width_check CHECK (((width >= 1) AND (width <= 256)))
);
ALTER TABLE ONLY log.tile ALTER COLUMN hashes SET STORAGE EXTERNAL;

ALTER TABLE log.tile OWNER TO signalbox_owner;

CREATE TABLE meta.migration (
    name text NOT NULL,
    kind text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    applied_by text DEFAULT SESSION_USER NOT NULL,
    CONSTRAINT migration_checksum_check CHECK ((checksum ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT migration_kind_check CHECK ((kind = ANY (ARRAY['migration'::text, 'function'::text])))
);

ALTER TABLE meta.migration OWNER TO signalbox_owner;

CREATE TABLE saga.checkpoint (
    name text NOT NULL,
    "position" bigint NOT NULL,
    CONSTRAINT checkpoint_position_check CHECK (("position" >= 0))
);

ALTER TABLE saga.checkpoint OWNER TO signalbox_owner;

CREATE TABLE saga.resource (
    kind text NOT NULL,
    name text NOT NULL,
    instance text,
    generation integer,
    org_id bigint,
    saga text NOT NULL,
    step text NOT NULL,
    state text NOT NULL,
    keeps boolean NOT NULL,
    intended_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    observed_at timestamp with time zone,
    until timestamp with time zone,
    "position" bigint NOT NULL,
    CONSTRAINT resource_state_check CHECK ((state = ANY (ARRAY['intended'::text, 'present'::text, 'deleting'::text, 'gone'::text])))
);

ALTER TABLE saga.resource OWNER TO signalbox_owner;

CREATE TABLE saga.visit (
    target text NOT NULL,
    visitor text NOT NULL,
    until timestamp with time zone NOT NULL,
    is_probe boolean NOT NULL
)
WITH (fillfactor='50');

ALTER TABLE saga.visit OWNER TO signalbox_owner;

ALTER TABLE ONLY log.event ATTACH PARTITION log.event_0 FOR VALUES FROM ('1') TO ('16777217');

ALTER TABLE ONLY log.event ATTACH PARTITION log.event_1 FOR VALUES FROM ('16777217') TO ('33554433');

ALTER TABLE ONLY log.event ATTACH PARTITION log.event_2 FOR VALUES FROM ('33554433') TO ('50331649');

ALTER TABLE ONLY access.session
    ADD CONSTRAINT session_login_key UNIQUE (login);

ALTER TABLE ONLY access.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (token);

ALTER TABLE ONLY audit.key_use
    ADD CONSTRAINT key_use_pkey PRIMARY KEY (key);

ALTER TABLE ONLY audit.refusal
    ADD CONSTRAINT refusal_pkey PRIMARY KEY (id);

ALTER TABLE ONLY hook.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (webhook, event);

ALTER TABLE ONLY hook.endpoint
    ADD CONSTRAINT endpoint_pkey PRIMARY KEY (webhook);

ALTER TABLE ONLY log.audit_key
    ADD CONSTRAINT audit_key_pkey PRIMARY KEY (vkey);

ALTER TABLE ONLY log.checkpoint
    ADD CONSTRAINT checkpoint_pkey PRIMARY KEY (epoch, size);

ALTER TABLE ONLY log.claim
    ADD CONSTRAINT claim_pkey PRIMARY KEY (kind, key);

ALTER TABLE ONLY log.command
    ADD CONSTRAINT command_pkey PRIMARY KEY (command_id);

ALTER TABLE ONLY log.event
    ADD CONSTRAINT event_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY log.event_0
    ADD CONSTRAINT event_0_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY log.event_1
    ADD CONSTRAINT event_1_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY log.event_2
    ADD CONSTRAINT event_2_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY log.event_type
    ADD CONSTRAINT event_type_name_key UNIQUE (name);

ALTER TABLE ONLY log.event_type
    ADD CONSTRAINT event_type_pkey PRIMARY KEY (type_id);

ALTER TABLE ONLY log.head
    ADD CONSTRAINT head_pkey PRIMARY KEY (log_id);

ALTER TABLE ONLY log.secret
    ADD CONSTRAINT secret_pkey PRIMARY KEY (name);

ALTER TABLE ONLY log.segment_erasure
    ADD CONSTRAINT segment_erasure_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY log.segment
    ADD CONSTRAINT segment_pkey PRIMARY KEY (first_position);

ALTER TABLE ONLY log.snapshot
    ADD CONSTRAINT snapshot_pkey PRIMARY KEY (stream_id);

ALTER TABLE ONLY log.stream
    ADD CONSTRAINT stream_name_key UNIQUE (name);

ALTER TABLE ONLY log.stream
    ADD CONSTRAINT stream_pkey PRIMARY KEY (stream_id);

ALTER TABLE ONLY log.subject_key
    ADD CONSTRAINT subject_key_pkey PRIMARY KEY (subject);

ALTER TABLE ONLY log.tile
    ADD CONSTRAINT tile_pkey PRIMARY KEY (level, number);

ALTER TABLE ONLY log.work
    ADD CONSTRAINT work_pkey PRIMARY KEY (stream_id);

ALTER TABLE ONLY meta.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (name);

ALTER TABLE ONLY saga.checkpoint
    ADD CONSTRAINT checkpoint_pkey PRIMARY KEY (name);

ALTER TABLE ONLY saga.resource
    ADD CONSTRAINT resource_pkey PRIMARY KEY (kind, name);

ALTER TABLE ONLY saga.target
    ADD CONSTRAINT target_pkey PRIMARY KEY (name);

ALTER TABLE ONLY saga.visit
    ADD CONSTRAINT visit_pkey PRIMARY KEY (target, visitor);

CREATE INDEX session_ends_at ON access.session USING btree (ends_at);

CREATE INDEX refusal_at ON audit.refusal USING btree (at);

CREATE INDEX refusal_organization ON audit.refusal USING btree (organization, id) WHERE (organization IS NOT NULL);

CREATE INDEX delivery_claimed ON hook.delivery USING btree (webhook) WHERE (claimed_until IS NOT NULL);

CREATE INDEX delivery_due ON hook.delivery USING btree (webhook, due) WHERE (status = 'pending'::text);

CREATE INDEX delivery_ended ON hook.delivery USING btree (ended_at) WHERE (status <> 'pending'::text);

CREATE INDEX delivery_position ON hook.delivery USING btree (webhook, "position");

CREATE INDEX endpoint_organization ON hook.endpoint USING btree (organization);

CREATE INDEX command_recorded_at ON log.command USING brin (recorded_at);

CREATE UNIQUE INDEX event_0_stream ON log.event_0 USING btree (stream_id, version);

CREATE UNIQUE INDEX event_1_stream ON log.event_1 USING btree (stream_id, version);

CREATE UNIQUE INDEX event_2_stream ON log.event_2 USING btree (stream_id, version);

CREATE INDEX stream_organization ON log.stream USING btree (org_id) WHERE (org_id IS NOT NULL);

CREATE INDEX work_due ON log.work USING btree (wake_at) WHERE (wake_at IS NOT NULL);

CREATE UNIQUE INDEX work_lane ON log.work USING btree (lane) WHERE ((lane <> ''::text) AND (status = ANY (ARRAY['running'::text, 'waiting'::text, 'compensating'::text, 'parked'::text])));

CREATE INDEX work_queued ON log.work USING btree (lane) WHERE ((lane <> ''::text) AND (status = 'queued'::text));

CREATE INDEX resource_instance ON saga.resource USING btree (instance);

CREATE INDEX resource_saga ON saga.resource USING btree (saga);

ALTER INDEX log.event_pkey ATTACH PARTITION log.event_0_pkey;

ALTER INDEX log.event_pkey ATTACH PARTITION log.event_1_pkey;

ALTER INDEX log.event_pkey ATTACH PARTITION log.event_2_pkey;

CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON log.event FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON log.event_0 FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON log.event_1 FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON log.event_2 FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

CREATE TRIGGER append_only_update BEFORE UPDATE ON log.event FOR EACH ROW EXECUTE FUNCTION log.refuse_change();

CREATE TRIGGER same_width BEFORE UPDATE ON log.head FOR EACH ROW EXECUTE FUNCTION log.refuse_resizing();

ALTER TABLE ONLY hook.delivery
    ADD CONSTRAINT delivery_webhook_fkey FOREIGN KEY (webhook) REFERENCES hook.endpoint(webhook) ON DELETE CASCADE;

GRANT USAGE ON SCHEMA access TO signalbox_append;

GRANT USAGE ON SCHEMA audit TO signalbox_append;
GRANT USAGE ON SCHEMA audit TO signalbox_audit;

GRANT USAGE ON SCHEMA hook TO signalbox_append;

GRANT USAGE ON SCHEMA log TO signalbox_append;
GRANT USAGE ON SCHEMA log TO signalbox_project;
GRANT USAGE ON SCHEMA log TO signalbox_audit;

GRANT USAGE ON SCHEMA meta TO PUBLIC;

GRANT USAGE ON SCHEMA saga TO signalbox_append;

REVOKE ALL ON FUNCTION log.append(hint bigint, again boolean, durable boolean, r_command uuid[], r_actor text[], r_cause uuid[], r_correlation uuid[], r_metadata text[], r_metadata_hash bytea[], r_principal text[], r_hash bytea[], r_answer bytea[], r_size integer[], r_before integer[], r_lead integer[], r_lead_id uuid[], s_owner integer[], s_name text[], s_org bigint[], s_expected bigint[], s_count integer[], s_start integer[], types text[], e_stream integer[], e_nth integer[], e_type integer[], e_schema smallint[], e_id uuid[], e_payload bytea[], e_salt bytea[], e_hash bytea[], c_owner integer[], c_take boolean[], c_kind text[], c_key text[], c_stream integer[], w_owner integer[], w_guard smallint[], w_stream integer[], w_fence bigint[], w_kind text[], w_lane text[], w_priority smallint[], w_status text[], w_step text[], w_target text[], w_wake_at timestamp with time zone[], w_deadline timestamp with time zone[], OUT outcomes smallint[], OUT firsts bigint[], OUT lasts bigint[], OUT versions bigint[], OUT culprits integer[], OUT answers bytea[], OUT waited bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION log.append(hint bigint, again boolean, durable boolean, r_command uuid[], r_actor text[], r_cause uuid[], r_correlation uuid[], r_metadata text[], r_metadata_hash bytea[], r_principal text[], r_hash bytea[], r_answer bytea[], r_size integer[], r_before integer[], r_lead integer[], r_lead_id uuid[], s_owner integer[], s_name text[], s_org bigint[], s_expected bigint[], s_count integer[], s_start integer[], types text[], e_stream integer[], e_nth integer[], e_type integer[], e_schema smallint[], e_id uuid[], e_payload bytea[], e_salt bytea[], e_hash bytea[], c_owner integer[], c_take boolean[], c_kind text[], c_key text[], c_stream integer[], w_owner integer[], w_guard smallint[], w_stream integer[], w_fence bigint[], w_kind text[], w_lane text[], w_priority smallint[], w_status text[], w_step text[], w_target text[], w_wake_at timestamp with time zone[], w_deadline timestamp with time zone[], OUT outcomes smallint[], OUT firsts bigint[], OUT lasts bigint[], OUT versions bigint[], OUT culprits integer[], OUT answers bytea[], OUT waited bigint) TO signalbox_append;

REVOKE ALL ON FUNCTION log.append_one(hint bigint, durable boolean, r_command uuid, r_actor text, r_cause uuid, r_correlation uuid, r_metadata text, r_metadata_hash bytea, r_principal text, r_hash bytea, r_answer bytea, s_name text, s_org bigint, s_expected bigint, e_types text[], e_schemas smallint[], e_ids uuid[], e_payloads bytea[], e_salts bytea[], e_hashes bytea[], w_fence bigint, w_status text, w_step text, w_target text, w_deadline timestamp with time zone, OUT is_written boolean, OUT base bigint, OUT version bigint, OUT waited bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION log.append_one(hint bigint, durable boolean, r_command uuid, r_actor text, r_cause uuid, r_correlation uuid, r_metadata text, r_metadata_hash bytea, r_principal text, r_hash bytea, r_answer bytea, s_name text, s_org bigint, s_expected bigint, e_types text[], e_schemas smallint[], e_ids uuid[], e_payloads bytea[], e_salts bytea[], e_hashes bytea[], w_fence bigint, w_status text, w_step text, w_target text, w_deadline timestamp with time zone, OUT is_written boolean, OUT base bigint, OUT version bigint, OUT waited bigint) TO signalbox_append;

REVOKE ALL ON FUNCTION log.claim(kinds text[], owner text, most integer, ttl interval) FROM PUBLIC;
GRANT ALL ON FUNCTION log.claim(kinds text[], owner text, most integer, ttl interval) TO signalbox_append;
GRANT ALL ON FUNCTION log.claim(kinds text[], owner text, most integer, ttl interval) TO signalbox_project;

REVOKE ALL ON FUNCTION log.ensure_partitions() FROM PUBLIC;
GRANT ALL ON FUNCTION log.ensure_partitions() TO signalbox_append;

REVOKE ALL ON FUNCTION log.erase(positions bigint[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION log.erase_recorded(positions bigint[], subjects text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION log.erase_recorded(positions bigint[], subjects text[]) TO signalbox_append;

REVOKE ALL ON FUNCTION log.erased_subjects(subjects text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION log.erased_subjects(subjects text[]) TO signalbox_append;
GRANT ALL ON FUNCTION log.erased_subjects(subjects text[]) TO signalbox_project;
GRANT ALL ON FUNCTION log.erased_subjects(subjects text[]) TO signalbox_audit;

REVOKE ALL ON FUNCTION log.forget_commands(most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION log.forget_commands(most integer) TO signalbox_append;

GRANT SELECT ON TABLE log.stream TO signalbox_append;
GRANT SELECT ON TABLE log.stream TO signalbox_project;
GRANT SELECT ON TABLE log.stream TO signalbox_audit;

GRANT SELECT ON TABLE log.work TO signalbox_append;
GRANT SELECT ON TABLE log.work TO signalbox_project;
GRANT SELECT ON TABLE log.work TO signalbox_audit;

REVOKE ALL ON FUNCTION log.holds(stream text, fence bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION log.holds(stream text, fence bigint) TO signalbox_append;
GRANT ALL ON FUNCTION log.holds(stream text, fence bigint) TO signalbox_project;

REVOKE ALL ON FUNCTION log.publish_checkpoint(epoch integer, size bigint, root bytea, note text, vkeys text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION log.publish_checkpoint(epoch integer, size bigint, root bytea, note text, vkeys text[]) TO signalbox_append;

REVOKE ALL ON FUNCTION log.release(stream text, fence bigint, after interval) FROM PUBLIC;
GRANT ALL ON FUNCTION log.release(stream text, fence bigint, after interval) TO signalbox_append;
GRANT ALL ON FUNCTION log.release(stream text, fence bigint, after interval) TO signalbox_project;

REVOKE ALL ON FUNCTION log.renew(stream text, fence bigint, ttl interval) FROM PUBLIC;
GRANT ALL ON FUNCTION log.renew(stream text, fence bigint, ttl interval) TO signalbox_append;
GRANT ALL ON FUNCTION log.renew(stream text, fence bigint, ttl interval) TO signalbox_project;

REVOKE ALL ON FUNCTION log.restore_work(names text[], seen bigint[], kinds text[], lanes text[], priorities smallint[], statuses text[], steps text[], targets text[], wakes timestamp with time zone[], deadlines timestamp with time zone[]) FROM PUBLIC;
GRANT ALL ON FUNCTION log.restore_work(names text[], seen bigint[], kinds text[], lanes text[], priorities smallint[], statuses text[], steps text[], targets text[], wakes timestamp with time zone[], deadlines timestamp with time zone[]) TO signalbox_append;

REVOKE ALL ON FUNCTION log.seal(stream text, fence bigint, epoch integer, old_size bigint, old_root bytea, size bigint, root bytea, levels smallint[], numbers bigint[], tiles bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION log.seal(stream text, fence bigint, epoch integer, old_size bigint, old_root bytea, size bigint, root bytea, levels smallint[], numbers bigint[], tiles bytea[]) TO signalbox_append;

GRANT SELECT ON TABLE log.checkpoint TO signalbox_append;
GRANT SELECT ON TABLE log.checkpoint TO signalbox_audit;

GRANT SELECT ON TABLE log.head TO signalbox_append;
GRANT SELECT ON TABLE log.head TO signalbox_project;
GRANT SELECT ON TABLE log.head TO signalbox_audit;

REVOKE ALL ON FUNCTION log.start_epoch(epoch integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION log.vitals(OUT newest bigint, OUT oldest_transaction double precision, OUT wal_bytes bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION log.vitals(OUT newest bigint, OUT oldest_transaction double precision, OUT wal_bytes bigint) TO signalbox_append;
GRANT ALL ON FUNCTION log.vitals(OUT newest bigint, OUT oldest_transaction double precision, OUT wal_bytes bigint) TO signalbox_audit;

REVOKE ALL ON FUNCTION saga.admit(target text, visitor text, span interval, counted boolean, most integer, rate double precision, burst double precision, OUT why text, OUT wait interval) FROM PUBLIC;
GRANT ALL ON FUNCTION saga.admit(target text, visitor text, span interval, counted boolean, most integer, rate double precision, burst double precision, OUT why text, OUT wait interval) TO signalbox_append;

REVOKE ALL ON FUNCTION saga.free_target(target text) FROM PUBLIC;
GRANT ALL ON FUNCTION saga.free_target(target text) TO signalbox_append;

GRANT SELECT ON TABLE saga.target TO signalbox_append;
GRANT SELECT ON TABLE saga.target TO signalbox_project;

REVOKE ALL ON FUNCTION saga.hold_target(target text, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION saga.hold_target(target text, reason text) TO signalbox_append;

REVOKE ALL ON FUNCTION saga.settle(target text, visitor text, answered boolean, rest interval, error text) FROM PUBLIC;
GRANT ALL ON FUNCTION saga.settle(target text, visitor text, answered boolean, rest interval, error text) TO signalbox_append;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE access.session TO signalbox_append;

GRANT SELECT,INSERT,UPDATE ON TABLE audit.key_use TO signalbox_append;
GRANT SELECT ON TABLE audit.key_use TO signalbox_audit;

GRANT SELECT,INSERT,DELETE ON TABLE audit.refusal TO signalbox_append;
GRANT SELECT ON TABLE audit.refusal TO signalbox_audit;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE hook.delivery TO signalbox_append;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE hook.endpoint TO signalbox_append;

GRANT SELECT ON TABLE log.audit_key TO signalbox_append;
GRANT SELECT ON TABLE log.audit_key TO signalbox_audit;

GRANT SELECT ON TABLE log.claim TO signalbox_append;
GRANT SELECT ON TABLE log.claim TO signalbox_audit;

GRANT SELECT ON TABLE log.command TO signalbox_append;

GRANT SELECT ON TABLE log.event TO signalbox_append;
GRANT SELECT ON TABLE log.event TO signalbox_project;
GRANT SELECT ON TABLE log.event TO signalbox_audit;

GRANT SELECT ON TABLE log.event_type TO signalbox_append;
GRANT SELECT ON TABLE log.event_type TO signalbox_project;
GRANT SELECT ON TABLE log.event_type TO signalbox_audit;

GRANT SELECT ON TABLE log.event_json TO signalbox_append;
GRANT SELECT ON TABLE log.event_json TO signalbox_project;
GRANT SELECT ON TABLE log.event_json TO signalbox_audit;

GRANT SELECT ON TABLE log.partition TO signalbox_append;
GRANT SELECT ON TABLE log.partition TO signalbox_project;
GRANT SELECT ON TABLE log.partition TO signalbox_audit;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE log.secret TO signalbox_append;

GRANT SELECT ON TABLE log.segment TO signalbox_append;
GRANT SELECT ON TABLE log.segment TO signalbox_project;
GRANT SELECT ON TABLE log.segment TO signalbox_audit;

GRANT SELECT ON TABLE log.segment_erasure TO signalbox_append;
GRANT SELECT ON TABLE log.segment_erasure TO signalbox_project;
GRANT SELECT ON TABLE log.segment_erasure TO signalbox_audit;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE log.snapshot TO signalbox_append;

GRANT SELECT ON TABLE log.stream_head TO signalbox_append;
GRANT SELECT ON TABLE log.stream_head TO signalbox_project;
GRANT SELECT ON TABLE log.stream_head TO signalbox_audit;

GRANT SELECT,INSERT,UPDATE ON TABLE log.subject_key TO signalbox_append;

GRANT SELECT ON TABLE log.tile TO signalbox_append;
GRANT SELECT ON TABLE log.tile TO signalbox_audit;

GRANT SELECT ON TABLE meta.migration TO PUBLIC;

GRANT SELECT,INSERT,UPDATE ON TABLE saga.checkpoint TO signalbox_append;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE saga.resource TO signalbox_append;

GRANT SELECT ON TABLE saga.visit TO signalbox_append;
GRANT SELECT ON TABLE saga.visit TO signalbox_project;
