-- The event log: one totally ordered, append-only sequence of facts, and what guards its writers.
CREATE SCHEMA log;

-- Which log this is. Written at creation, and when an operator starts a new incarnation after a lost tail.
CREATE TABLE log.head (
    log_id smallint PRIMARY KEY CHECK (log_id = 0),
    incarnation integer NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO log.head (log_id, incarnation) VALUES (0, 1);

-- The stored names of events: added to, never renamed.
CREATE TABLE log.event_type (
    type_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE
);

CREATE SEQUENCE log.stream_id;

-- One row per stream: where optimistic concurrency is judged. The name is `category-id`.
CREATE TABLE log.stream (
    stream_id bigint PRIMARY KEY,
    name text NOT NULL UNIQUE,
    org_id bigint,
    category text NOT NULL GENERATED ALWAYS AS (split_part(name, '-', 1)) STORED,
    version bigint NOT NULL,
    first_position bigint,
    last_position bigint
) WITH (fillfactor = 70);

-- Positions are 1, 2, 3, … in commit order; the primary key makes a writer that forgets the log lock fail instead of
-- leaving a hole or a double. `UNIQUE (stream_id, version)` stands on every partition (log.ensure_partitions).
-- `payload_hash` is SHA-256 of salt and payload, `leaf` the hash the transparency log holds (log.leaf).
CREATE TABLE log.event (
    position bigint NOT NULL PRIMARY KEY,
    event_id uuid NOT NULL,
    org_id bigint,
    stream_id bigint NOT NULL,
    version bigint NOT NULL,
    type_id integer NOT NULL,
    schema_version smallint NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor text NOT NULL,
    command_id uuid NOT NULL,
    causation_id uuid,
    correlation_id uuid NOT NULL,
    metadata text NOT NULL,
    payload bytea,
    salt bytea,
    payload_hash bytea NOT NULL,
    leaf bytea NOT NULL
) PARTITION BY RANGE (position);

-- The commands of clients, so that the same one again gets the same answer. Kept for seven days.
CREATE TABLE log.command (
    command_id uuid PRIMARY KEY,
    principal text NOT NULL,
    request_hash bytea NOT NULL,
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    answer bytea NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX command_recorded_at ON log.command USING brin (recorded_at);

-- Names that one stream at a time may hold: slugs, hosts, identities.
CREATE TABLE log.claim (
    kind text NOT NULL,
    key text NOT NULL,
    stream_id bigint NOT NULL,
    PRIMARY KEY (kind, key)
);

-- A wake-up and a lease for a stream; the log does not know what a saga is. While a row is leased its `wake_at` is the
-- end of the lease as it was claimed, renewing moves `lease_until` only, and whoever wakes it leaves `nudge_at`.
CREATE TABLE log.work (
    stream_id bigint PRIMARY KEY,
    kind text NOT NULL,
    lane text NOT NULL,
    priority smallint NOT NULL,
    status text NOT NULL CHECK (status IN (
        'queued', 'running', 'waiting', 'compensating', 'parked', 'completed', 'compensated', 'abandoned', 'superseded'
    )),
    step text NOT NULL,
    target text NOT NULL,
    fence bigint NOT NULL DEFAULT 0,
    owner text,
    lease_until timestamptz,
    wake_at timestamptz,
    nudge_at timestamptz,
    deadline timestamptz
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX work_lane ON log.work (lane)
    WHERE lane <> '' AND status IN ('running', 'waiting', 'compensating', 'parked');
CREATE INDEX work_due ON log.work (wake_at) WHERE wake_at IS NOT NULL;

-- The folded state of long streams, to be thrown away at any time.
CREATE TABLE log.snapshot (
    stream_id bigint PRIMARY KEY,
    version bigint NOT NULL,
    schema_version smallint NOT NULL,
    state bytea NOT NULL
);

-- The keys under which personal fields are sealed, themselves wrapped by the master key. Destroying one erases.
CREATE TABLE log.subject_key (
    subject text PRIMARY KEY,
    wrapped_key bytea,
    erased_at timestamptz,
    CHECK ((wrapped_key IS NULL) = (erased_at IS NOT NULL))
);

-- Secrets that others gave us and that cannot be derived again, sealed by the master key; never in an event.
CREATE TABLE log.secret (
    name text PRIMARY KEY,
    sealed bytea NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What is recorded stays: nothing is changed or removed, except that log.erase may empty a payload and its salt.
CREATE FUNCTION log.refuse_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = log, pg_temp
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

-- A row trigger is inherited by every partition; statement triggers are not, see log.ensure_partitions.
CREATE TRIGGER append_only_update BEFORE UPDATE ON log.event
    FOR EACH ROW EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON log.event
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

GRANT USAGE ON SCHEMA log TO signalbox_append, signalbox_project, signalbox_audit;
GRANT SELECT ON ALL TABLES IN SCHEMA log TO signalbox_append;
GRANT INSERT, UPDATE, DELETE ON log.snapshot, log.secret TO signalbox_append;
-- That a key was destroyed must stay known, so its row stays.
GRANT INSERT, UPDATE ON log.subject_key TO signalbox_append;
GRANT SELECT ON log.head, log.event_type, log.stream, log.event, log.work TO signalbox_project;
GRANT SELECT ON log.head, log.event_type, log.stream, log.event, log.claim, log.work TO signalbox_audit;
