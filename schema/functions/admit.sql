-- Asks whether a saga may call a target now. Who may, holds a visit until saga.settle ends it, or its time is over.
--
-- `span` is how long the call takes at most. `counted` says whether it takes a place and a token: a call that only watches
-- does not. `why` a call must wait: `open` (the target is left alone), `half-open` (another finds out whether it is well),
-- `asked` (it wanted a rest), `full` or `rate`. Waiting is spread, so that those who waited do not come back as one. None of
-- this has to survive a crash, so nobody waits for the disk.
CREATE OR REPLACE FUNCTION saga.admit(
    target text,
    visitor text,
    span interval,
    counted boolean,
    most integer,
    rate double precision,
    burst double precision,
    OUT why text,
    OUT wait interval
) LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = saga, pg_temp
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

REVOKE ALL ON FUNCTION
    saga.admit(text, text, interval, boolean, integer, double precision, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    saga.admit(text, text, interval, boolean, integer, double precision, double precision) TO signalbox_append;
