-- Lending in full. So far: trust in the clock, and the last run of each job.

-- The newest time that was believed, whether the last look believed it (what has no row of the audit
-- log to the contrary counts as believed), the wall time at the machine's start by its own count
-- when an admin vouched for the clock, and the last note of a time service with the same for when it was
-- first seen: an old note says nothing of a clock that was set by hand since.
ALTER TABLE heartbeat ADD COLUMN trusted_ms INTEGER;
ALTER TABLE heartbeat ADD COLUMN trusted INTEGER NOT NULL DEFAULT 1
  CONSTRAINT heartbeat_trusted_flag CHECK (trusted IN (0, 1));
ALTER TABLE heartbeat ADD COLUMN confirmed_origin_ms INTEGER;
ALTER TABLE heartbeat ADD COLUMN noted_ms INTEGER;
ALTER TABLE heartbeat ADD COLUMN noted_origin_ms INTEGER
  CONSTRAINT heartbeat_noted_whole CHECK ((noted_origin_ms IS NULL) = (noted_ms IS NULL));

-- The last run of a job that did something or failed, and the last that succeeded: a daily job that
-- ran today does not run again because the program was restarted.
CREATE TABLE job_run (
  name TEXT NOT NULL PRIMARY KEY CONSTRAINT job_run_name_given CHECK (name <> ''),
  started_ms INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  -- How much was done; NULL when it failed.
  count INTEGER,
  -- Why it failed.
  error TEXT,
  succeeded_ms INTEGER,
  CONSTRAINT job_run_result_whole CHECK ((count IS NULL) = (error IS NOT NULL))
) STRICT, WITHOUT ROWID;
