-- What waits for its lane, to be woken when the lane is free.
CREATE INDEX work_queued ON log.work (lane) WHERE lane <> '' AND status = 'queued';

-- log.release takes a third argument: functions/release.sql would stand beside the old one.
DROP FUNCTION IF EXISTS log.release(text, bigint);
