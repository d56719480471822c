-- Alarms, what the door watch remembers, and a bank in maintenance.
-- Runs with foreign keys off: `locker` is rebuilt, and what refers to it must not be touched.

-- Boards with up to 50 locks exist: the range of `lock` grows, which SQLite can only do by a copy.
CREATE TABLE locker_wider (
  id INTEGER PRIMARY KEY CONSTRAINT locker_id_range CHECK (id BETWEEN 1 AND 99999999),
  bank_id INTEGER NOT NULL REFERENCES bank (id) ON DELETE RESTRICT,
  -- The channel: bus name, board address, lock number from 1. All three or none.
  bus TEXT,
  board INTEGER CONSTRAINT locker_board_range CHECK (board BETWEEN 0 AND 255),
  lock INTEGER CONSTRAINT locker_lock_range CHECK (lock BETWEEN 1 AND 50),
  in_service INTEGER NOT NULL DEFAULT 1
    CONSTRAINT locker_in_service_flag CHECK (in_service IN (0, 1)),
  CONSTRAINT locker_channel_whole
    CHECK ((bus IS NULL) = (board IS NULL) AND (bus IS NULL) = (lock IS NULL))
) STRICT;
INSERT INTO locker_wider (id, bank_id, bus, board, lock, in_service)
  SELECT id, bank_id, bus, board, lock, in_service FROM locker;
DROP TABLE locker;
ALTER TABLE locker_wider RENAME TO locker;
CREATE INDEX locker_bank ON locker (bank_id);
CREATE UNIQUE INDEX locker_channel ON locker (bus, board, lock) WHERE bus IS NOT NULL;

-- When the one automatic second pulse of an opening went out; NULL when there was none.
ALTER TABLE opening ADD COLUMN retried_ms INTEGER;

-- How long a door of this bank may stand open, in seconds; NULL: as the site's configuration says.
ALTER TABLE bank ADD COLUMN left_open_s INTEGER
  CONSTRAINT bank_left_open_s_range CHECK (left_open_s BETWEEN 1 AND 86400);
-- Since when the bank is in maintenance, by whom and why; NULL when it is not.
ALTER TABLE bank ADD COLUMN maintenance_ms INTEGER;
ALTER TABLE bank ADD COLUMN maintenance_by INTEGER REFERENCES member (id) ON DELETE RESTRICT;
ALTER TABLE bank ADD COLUMN maintenance_reason TEXT
  CONSTRAINT bank_maintenance_whole
    CHECK ((maintenance_ms IS NULL) = (maintenance_reason IS NULL)
      AND (maintenance_ms IS NULL) = (maintenance_by IS NULL));

-- Until when the doors were watched: what happened after it, happened unwatched.
ALTER TABLE heartbeat ADD COLUMN watched_ms INTEGER;

-- Each door as it was last known, for the question what changed while nobody watched.
CREATE TABLE door (
  locker_id INTEGER PRIMARY KEY REFERENCES locker (id) ON DELETE RESTRICT,
  state TEXT NOT NULL CONSTRAINT door_state_known CHECK (state IN ('open', 'closed')),
  -- When it was last seen, while nobody can see it; NULL while it is seen.
  unseen_ms INTEGER
) STRICT;

-- Something at a door or on the wire that people must look at. It is live until `cleared_ms`; a
-- cleared one stays in view until somebody acknowledged it.
CREATE TABLE alarm (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CONSTRAINT alarm_kind_known CHECK (kind IN (
    'forced_open', 'opened_unwatched', 'left_open', 'jammed', 'sensor_fault', 'board_offline',
    'bus_offline')),
  severity TEXT NOT NULL
    CONSTRAINT alarm_severity_known CHECK (severity IN ('info', 'warning', 'critical')),
  -- What it is about: locker:101, board:east/1 or bus:east.
  subject TEXT NOT NULL,
  -- The same in columns, for filters: the locker with its bank, or the bus with perhaps a board.
  locker_id INTEGER REFERENCES locker (id) ON DELETE RESTRICT,
  bank_id INTEGER REFERENCES bank (id) ON DELETE RESTRICT,
  bus TEXT,
  board INTEGER,
  raised_ms INTEGER NOT NULL,
  -- When the cause was last seen to go on, and how often it was seen.
  last_seen_ms INTEGER NOT NULL,
  count INTEGER NOT NULL CONSTRAINT alarm_count_positive CHECK (count >= 1),
  -- When staff were told because nobody had ended the cause.
  escalated_ms INTEGER,
  cleared_ms INTEGER,
  clear_reason TEXT CONSTRAINT alarm_clear_reason_known CHECK (clear_reason IN (
    'door_closed', 'door_opened', 'calm', 'back', 'maintenance', 'mechanical_key', 'sensor_fault',
    'bus_offline', 'staff', 'not_watched')),
  acknowledged_ms INTEGER,
  acknowledged_by INTEGER REFERENCES member (id) ON DELETE RESTRICT,
  acknowledge_note TEXT,
  -- When the renter said that it was them.
  claimed_ms INTEGER,
  claimed_by INTEGER REFERENCES member (id) ON DELETE RESTRICT,
  -- A JSON object: what was seen (domain/alarm.rs).
  evidence TEXT NOT NULL,
  CONSTRAINT alarm_cleared_whole CHECK ((cleared_ms IS NULL) = (clear_reason IS NULL)),
  CONSTRAINT alarm_acknowledged_whole
    CHECK ((acknowledged_ms IS NULL) = (acknowledged_by IS NULL)
      AND (acknowledged_ms IS NULL) = (acknowledge_note IS NULL)),
  CONSTRAINT alarm_claimed_whole CHECK ((claimed_ms IS NULL) = (claimed_by IS NULL)),
  CONSTRAINT alarm_subject_whole
    CHECK ((locker_id IS NULL) = (bank_id IS NULL) AND (locker_id IS NULL) = (bus IS NOT NULL))
) STRICT;
-- Raised once: one live alarm of a kind about one thing.
CREATE UNIQUE INDEX alarm_live ON alarm (kind, subject) WHERE cleared_ms IS NULL;
CREATE INDEX alarm_locker ON alarm (locker_id) WHERE locker_id IS NOT NULL;
CREATE INDEX alarm_open ON alarm (id) WHERE cleared_ms IS NULL OR acknowledged_ms IS NULL;

-- What became of an alarm, step by step.
CREATE TABLE alarm_step (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  alarm_id INTEGER NOT NULL REFERENCES alarm (id) ON DELETE RESTRICT,
  at_ms INTEGER NOT NULL,
  step TEXT NOT NULL CONSTRAINT alarm_step_known CHECK (step IN (
    'raised', 'updated', 'renter_told', 'staff_told', 'escalated', 'claimed', 'acknowledged',
    'cleared')),
  -- Who did it; NULL for the program itself.
  actor_id INTEGER REFERENCES member (id) ON DELETE RESTRICT,
  -- A person's words or the reason of a clearing; NULL when there is nothing to say.
  note TEXT
) STRICT;
CREATE INDEX alarm_step_alarm ON alarm_step (alarm_id);
