-- Ends a visit to a target, and learns from it.
--
-- `answered` is whether the target did its part, whatever it said; NULL when nobody knows, because the caller broke off. Five
-- failures in a row, or half of at least twenty calls in a minute, leave the target alone: for 30 s at first, twice as
-- long each time it is found unwell again, and never longer than five minutes. One call that goes well ends it.
CREATE OR REPLACE FUNCTION saga.settle(
    target text,
    visitor text,
    answered boolean,
    rest interval,
    error text
) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = saga, pg_temp
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

REVOKE ALL ON FUNCTION saga.settle(text, text, boolean, interval, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION saga.settle(text, text, boolean, interval, text) TO signalbox_append;
