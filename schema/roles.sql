-- The roles of the control database. Run once per cluster by someone who may create roles; running it again is harmless.
--
-- Nobody logs in as an owner: `signalbox` logs in, inherits nothing, and each pool says with SET ROLE what it is.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[
        'signalbox_owner NOLOGIN',
        'signalbox_append NOLOGIN',
        'signalbox_project NOLOGIN',
        'signalbox_audit NOLOGIN',
        'signalbox LOGIN NOINHERIT'
    ] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = split_part(wanted, ' ', 1)) THEN
            BEGIN
                EXECUTE 'CREATE ROLE ' || wanted;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- Another database of this cluster is being prepared at the same time.
            END;
        END IF;
    END LOOP;

    FOREACH wanted IN ARRAY ARRAY['signalbox_append', 'signalbox_project', 'signalbox_audit'] LOOP
        IF NOT EXISTS (
            SELECT
              FROM pg_auth_members AS m
             WHERE m.roleid = wanted::regrole AND m.member = 'signalbox'::regrole
        ) THEN
            EXECUTE format('GRANT %I TO signalbox', wanted);
        END IF;
    END LOOP;

    -- The owner's function log.vitals tells how old the oldest transaction is; who may not grant this sees only its own.
    IF NOT EXISTS (
        SELECT
          FROM pg_auth_members AS m
         WHERE m.roleid = 'pg_read_all_stats'::regrole AND m.member = 'signalbox_owner'::regrole
    ) THEN
        BEGIN
            GRANT pg_read_all_stats TO signalbox_owner;
        EXCEPTION WHEN insufficient_privilege THEN
            NULL;
        END;
    END IF;

    -- The owner makes the schemas of the log, the projector those of the read models.
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO signalbox', current_database());
    EXECUTE format('GRANT CONNECT, CREATE ON DATABASE %I TO signalbox_owner, signalbox_project', current_database());
END $$;
