-- Requests for help among the alarms: one more kind, one more end, and a bank as what it is about.
-- Runs with foreign keys off: SQLite changes a CHECK only by a copy of the table.

CREATE TABLE alarm_wider (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CONSTRAINT alarm_kind_known CHECK (kind IN (
    'forced_open', 'opened_unwatched', 'left_open', 'jammed', 'sensor_fault', 'board_offline',
    'bus_offline', 'help')),
  severity TEXT NOT NULL
    CONSTRAINT alarm_severity_known CHECK (severity IN ('info', 'warning', 'critical')),
  -- What it is about: locker:101, board:east/1, bus:east or bank:1.
  subject TEXT NOT NULL,
  -- The same in columns, for filters: the locker with its bank, the bank alone, or the bus with perhaps
  -- a board.
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
    'bus_offline', 'staff', 'not_watched', 'answered')),
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
    CHECK ((bank_id IS NULL) = (bus IS NOT NULL) AND (locker_id IS NULL OR bank_id IS NOT NULL))
) STRICT;
INSERT INTO alarm_wider (id, kind, severity, subject, locker_id, bank_id, bus, board, raised_ms, last_seen_ms,
    count, escalated_ms, cleared_ms, clear_reason, acknowledged_ms, acknowledged_by, acknowledge_note, claimed_ms,
    claimed_by, evidence)
  SELECT id, kind, severity, subject, locker_id, bank_id, bus, board, raised_ms, last_seen_ms,
    count, escalated_ms, cleared_ms, clear_reason, acknowledged_ms, acknowledged_by, acknowledge_note, claimed_ms,
    claimed_by, evidence
  FROM alarm;
-- Numbers of alarms that were forgotten are not given again.
DELETE FROM sqlite_sequence WHERE name = 'alarm_wider';
INSERT INTO sqlite_sequence (name, seq) SELECT 'alarm_wider', seq FROM sqlite_sequence WHERE name = 'alarm';
DROP TABLE alarm;
ALTER TABLE alarm_wider RENAME TO alarm;
-- Raised once: one live alarm of a kind about one thing.
CREATE UNIQUE INDEX alarm_live ON alarm (kind, subject) WHERE cleared_ms IS NULL;
CREATE INDEX alarm_locker ON alarm (locker_id) WHERE locker_id IS NOT NULL;
CREATE INDEX alarm_open ON alarm (id) WHERE cleared_ms IS NULL OR acknowledged_ms IS NULL;
CREATE INDEX alarm_cleared ON alarm (cleared_ms) WHERE cleared_ms IS NOT NULL;
CREATE INDEX alarm_claimed_by ON alarm (claimed_by) WHERE claimed_by IS NOT NULL;
CREATE INDEX alarm_acknowledged_by ON alarm (acknowledged_by) WHERE acknowledged_by IS NOT NULL;
