import Postgres
import SignalboxTestKit

extension TestDatabase {
    /// Adds functions with which sessions of our own can append without a process around them.
    ///
    /// `torture.write(stream, count, durable)` appends so many events to one stream in one call and answers the last
    /// position; `torture.append_without_lock` is `log.append` as somebody would write it who forgets the lock.
    func installInstruments() async throws {
        let connection = try await Connection.open(superuser)
        try await connection.script(Self.write)
        try await connection.script(Self.append("torture.append_without_lock", lock: "pg_sleep(0)"))
        await connection.close()
    }

    private static func append(_ name: String, lock: String) -> String {
        """
        DO $do$
        DECLARE
            text text := pg_get_functiondef('log.append'::regproc);
            changed text;
        BEGIN
            changed := replace(text, 'pg_advisory_xact_lock(7203)', '\(lock)');
            IF changed = text THEN RAISE EXCEPTION 'log.append takes its lock in another way'; END IF;
            EXECUTE replace(changed, 'FUNCTION log.append(', 'FUNCTION \(name)(');
        END $do$
        """
    }

    private static let write = """
        CREATE SCHEMA torture;
        CREATE FUNCTION torture.payload(n integer) RETURNS bytea LANGUAGE sql IMMUTABLE
            RETURN convert_to('{"n":' || n || '}', 'UTF8');
        CREATE FUNCTION torture.salt(n integer) RETURNS bytea LANGUAGE sql IMMUTABLE
            RETURN decode(md5(n::text), 'hex');
        CREATE FUNCTION torture.write(
            stream text,
            count integer,
            durable boolean DEFAULT true,
            fn text DEFAULT 'log.append'
        ) RETURNS bigint LANGUAGE plpgsql AS $$
        DECLARE
            last bigint;
        BEGIN
            EXECUTE format($call$
                SELECT lasts[1]
                  FROM %s(
                    hint => 0,
                    again => false,
                    durable => $3,
                    r_command => ARRAY[gen_random_uuid()],
                    r_actor => ARRAY['system'],
                    r_cause => ARRAY[NULL::uuid],
                    r_correlation => ARRAY[gen_random_uuid()],
                    r_metadata => ARRAY['{}'],
                    r_metadata_hash => ARRAY[sha256('{}')],
                    r_principal => ARRAY[NULL::text],
                    r_hash => ARRAY[NULL::bytea],
                    r_answer => ARRAY[NULL::bytea],
                    r_size => ARRAY[$2],
                    r_before => ARRAY[0],
                    r_lead => ARRAY[1],
                    r_lead_id => ARRAY[gen_random_uuid()],
                    s_owner => ARRAY[1],
                    s_name => ARRAY[$1],
                    s_org => ARRAY[NULL::bigint],
                    s_expected => ARRAY[-1::bigint],
                    s_count => ARRAY[$2],
                    s_start => ARRAY[0],
                    types => ARRAY['lane.counted'],
                    e_stream => array_fill(1, ARRAY[$2]),
                    e_nth => ARRAY(SELECT generate_series(1, $2)),
                    e_type => array_fill(1, ARRAY[$2]),
                    e_schema => array_fill(1::smallint, ARRAY[$2]),
                    e_id => ARRAY(SELECT gen_random_uuid() FROM generate_series(1, $2)),
                    e_payload => ARRAY(SELECT torture.payload(n) FROM generate_series(1, $2) AS n),
                    e_salt => ARRAY(SELECT torture.salt(n) FROM generate_series(1, $2) AS n),
                    e_hash => ARRAY(
                        SELECT sha256(torture.salt(n) || torture.payload(n)) FROM generate_series(1, $2) AS n
                    ),
                    c_owner => ARRAY[]::integer[],
                    c_take => ARRAY[]::boolean[],
                    c_kind => ARRAY[]::text[],
                    c_key => ARRAY[]::text[],
                    c_stream => ARRAY[]::integer[],
                    w_owner => ARRAY[]::integer[],
                    w_guard => ARRAY[]::smallint[],
                    w_stream => ARRAY[]::integer[],
                    w_fence => ARRAY[]::bigint[],
                    w_kind => ARRAY[]::text[],
                    w_lane => ARRAY[]::text[],
                    w_priority => ARRAY[]::smallint[],
                    w_status => ARRAY[]::text[],
                    w_step => ARRAY[]::text[],
                    w_target => ARRAY[]::text[],
                    w_wake_at => ARRAY[]::timestamptz[],
                    w_deadline => ARRAY[]::timestamptz[]
                  )
                $call$, fn)
              INTO last USING stream, count, durable;
            RETURN last;
        END $$
        """
}
