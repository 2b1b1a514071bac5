-- Those of some subjects whose key was destroyed, for readers who may not see any key.
CREATE OR REPLACE FUNCTION log.erased_subjects(subjects text[]) RETURNS SETOF text LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = log, pg_temp
AS $$
    SELECT k.subject FROM log.subject_key AS k WHERE k.subject = ANY (subjects) AND k.erased_at IS NOT NULL;
$$;

REVOKE ALL ON FUNCTION log.erased_subjects(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.erased_subjects(text[]) TO signalbox_append, signalbox_project, signalbox_audit;
