-- Appends many requests in one transaction; each is written whole or leaves no trace. A refusal is an answer, not an
-- error, so no neighbour is rolled back.
--
-- Parallel arrays, all counted from 1. Requests (r_…): `metadata_hash` is the SHA-256 of the metadata; `principal` is
-- NULL unless the command is to be remembered,
-- `size` is its number of events, `before` that of the requests before it, `lead` its first written stream (0 without
-- events) and `lead_id` the event written there first. Streams (s_…) are those a request writes, expects or names in
-- claims and work, in the order of their requests; `expected` is a version, -1 for any, -2 for "exists"; `start` counts
-- the events of the same request before this stream's. Events (e_…) name their stream and their number in it; `hash` is
-- the SHA-256 of salt and payload. Claims (c_…) and work (w_…) name request and
-- stream; work is guarded by 0 create, 1 holding a fence, 2 wake, 3 seize, and due at the moment of this append when it
-- is to be woken at -infinity. What is queued for a lane that is taken sleeps until the lane is free. No two requests of one call may name the
-- same stream, claim or command.
--
-- `hint` is a position the caller has seen: a log that has lost it is not written to. `again` says that the call may
-- have been made before. `durable` says that the commit waits for the disk; without it a barrier must follow before
-- anybody is answered (EventStore/Barrier.swift).
--
-- Outcomes per request: 0 written, 1 written before (`answers` has the stored one; none for what has no command),
-- 2 command id used for another request, 3 conflict at stream `culprits`, 4 claim `culprits` held by another stream,
-- 5 fenced. `firsts` and `lasts` are positions, `versions` what each stream had before, `waited` the microseconds it took
-- to get the log lock.
--
-- The log lock is the first lock, and nobody who holds another waits for it, so writers cannot deadlock. Positions come
-- from the end of the primary key: a sequence would leave holes, a counter row is slow beside an old snapshot. The
-- planner's freedom is taken away because a plan made while the tables were empty would be kept while they grow.
CREATE OR REPLACE FUNCTION log.append(
    hint bigint,
    again boolean,
    durable boolean,
    r_command uuid[],
    r_actor text[],
    r_cause uuid[],
    r_correlation uuid[],
    r_metadata text[],
    r_metadata_hash bytea[],
    r_principal text[],
    r_hash bytea[],
    r_answer bytea[],
    r_size integer[],
    r_before integer[],
    r_lead integer[],
    r_lead_id uuid[],
    s_owner integer[],
    s_name text[],
    s_org bigint[],
    s_expected bigint[],
    s_count integer[],
    s_start integer[],
    types text[],
    e_stream integer[],
    e_nth integer[],
    e_type integer[],
    e_schema smallint[],
    e_id uuid[],
    e_payload bytea[],
    e_salt bytea[],
    e_hash bytea[],
    c_owner integer[],
    c_take boolean[],
    c_kind text[],
    c_key text[],
    c_stream integer[],
    w_owner integer[],
    w_guard smallint[],
    w_stream integer[],
    w_fence bigint[],
    w_kind text[],
    w_lane text[],
    w_priority smallint[],
    w_status text[],
    w_step text[],
    w_target text[],
    w_wake_at timestamptz[],
    w_deadline timestamptz[],
    OUT outcomes smallint[],
    OUT firsts bigint[],
    OUT lasts bigint[],
    OUT versions bigint[],
    OUT culprits integer[],
    OUT answers bytea[],
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

DO $$
BEGIN
    -- Its arguments are too many to be repeated.
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', 'log.append'::regproc::oid::regprocedure);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO signalbox_append', 'log.append'::regproc::oid::regprocedure);
END $$;
