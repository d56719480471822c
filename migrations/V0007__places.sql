-- Runs with foreign keys off: `bank` is rebuilt.
-- Places as staff manage them: what is retired, where lockers stand, when banks are open, what is written
-- about a locker. What is retired stays for the history; its name may be used again, a locker's number
-- may not.

ALTER TABLE location ADD COLUMN retired_ms INTEGER;
DROP INDEX location_name;
CREATE UNIQUE INDEX location_name ON location (name_ko) WHERE retired_ms IS NULL;

-- `bank` is rebuilt, with foreign keys off, for its second mode; all settings that a bank has stand here.
CREATE TABLE bank_wider (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  location_id INTEGER NOT NULL REFERENCES location (id) ON DELETE RESTRICT,
  name_ko TEXT NOT NULL CONSTRAINT bank_name_ko_given CHECK (name_ko <> ''),
  name_en TEXT NOT NULL CONSTRAINT bank_name_en_given CHECK (name_en <> ''),
  mode TEXT NOT NULL CONSTRAINT bank_mode_known CHECK (mode IN ('choose', 'pool')),
  -- To which side its doors look.
  front TEXT CONSTRAINT bank_front_known CHECK (front IN ('N', 'E', 'S', 'W')),
  retired_ms INTEGER,
  -- Since when the bank is in maintenance, by whom and why; NULL when it is not.
  maintenance_ms INTEGER,
  maintenance_by INTEGER REFERENCES member (id) ON DELETE RESTRICT,
  maintenance_reason TEXT,
  -- How long a hold keeps a locker, in seconds.
  hold_seconds INTEGER NOT NULL
    CONSTRAINT bank_hold_seconds_range CHECK (hold_seconds BETWEEN 10 AND 3600),
  -- After how many seconds an open door is an alarm; NULL: as config.toml says.
  left_open_s INTEGER CONSTRAINT bank_left_open_s_range CHECK (left_open_s BETWEEN 1 AND 86400),
  open_from TEXT NOT NULL DEFAULT 'anywhere'
    CONSTRAINT bank_open_from_known CHECK (open_from IN ('anywhere', 'presence')),
  -- How it takes its lockers back: how long the former renter may open again, in minutes; whose word
  -- counts where no sensor shows the door; whether the closing door may be the return.
  grace_minutes INTEGER NOT NULL DEFAULT 10
    CONSTRAINT bank_grace_minutes_range CHECK (grace_minutes BETWEEN 0 AND 1440),
  return_unseen TEXT NOT NULL DEFAULT 'renter'
    CONSTRAINT bank_return_unseen_known CHECK (return_unseen IN ('renter', 'staff')),
  return_by_door INTEGER NOT NULL DEFAULT 0
    CONSTRAINT bank_return_by_door_flag CHECK (return_by_door IN (0, 1)),
  -- Pool mode: longest reservation, how far ahead, within how many days to check in, how many that wait.
  pool_days_max INTEGER CONSTRAINT bank_pool_days_max_range CHECK (pool_days_max BETWEEN 1 AND 366),
  pool_advance_days INTEGER NOT NULL DEFAULT 30
    CONSTRAINT bank_pool_advance_days_range CHECK (pool_advance_days BETWEEN 1 AND 366),
  pool_check_in_days INTEGER
    CONSTRAINT bank_pool_check_in_days_range CHECK (pool_check_in_days BETWEEN 1 AND 366),
  pool_reservations_max INTEGER NOT NULL DEFAULT 1
    CONSTRAINT bank_pool_reservations_max_range CHECK (pool_reservations_max BETWEEN 1 AND 10),
  -- Overdue: days before the end on which to remind, as JSON; reminders on the last day and while late;
  -- whether who is late may open; after how many days a case is sealed; penalty.
  reminder_days TEXT NOT NULL DEFAULT '[7,1]'
    CONSTRAINT bank_reminder_days_json CHECK (json_valid(reminder_days)),
  remind_on_last_day INTEGER NOT NULL DEFAULT 1
    CONSTRAINT bank_remind_on_last_day_flag CHECK (remind_on_last_day IN (0, 1)),
  remind_while_late INTEGER NOT NULL DEFAULT 1
    CONSTRAINT bank_remind_while_late_flag CHECK (remind_while_late IN (0, 1)),
  late_opening TEXT NOT NULL DEFAULT 'until_sealed'
    CONSTRAINT bank_late_opening_known CHECK (late_opening IN ('never', 'until_sealed', 'always')),
  seal_after_days INTEGER
    CONSTRAINT bank_seal_after_days_range CHECK (seal_after_days BETWEEN 1 AND 366),
  penalty_factor INTEGER NOT NULL DEFAULT 0
    CONSTRAINT bank_penalty_factor_range CHECK (penalty_factor BETWEEN 0 AND 30),
  penalty_max_days INTEGER NOT NULL DEFAULT 30
    CONSTRAINT bank_penalty_max_days_range CHECK (penalty_max_days BETWEEN 0 AND 366),
  -- Beyond the plain rental: extensions, swaps, waiting list, one extension of a hold.
  extensions_max INTEGER NOT NULL DEFAULT 0
    CONSTRAINT bank_extensions_max_range CHECK (extensions_max BETWEEN 0 AND 12),
  extension_days INTEGER CONSTRAINT bank_extension_days_range CHECK (extension_days BETWEEN 1 AND 366),
  extension_from_days INTEGER NOT NULL DEFAULT 14
    CONSTRAINT bank_extension_from_days_range CHECK (extension_from_days BETWEEN 1 AND 366),
  swaps INTEGER NOT NULL DEFAULT 0 CONSTRAINT bank_swaps_flag CHECK (swaps IN (0, 1)),
  waiting_list INTEGER NOT NULL DEFAULT 0
    CONSTRAINT bank_waiting_list_flag CHECK (waiting_list IN (0, 1)),
  offer_minutes INTEGER NOT NULL DEFAULT 60
    CONSTRAINT bank_offer_minutes_range CHECK (offer_minutes BETWEEN 1 AND 2880),
  hold_extension INTEGER NOT NULL DEFAULT 0
    CONSTRAINT bank_hold_extension_flag CHECK (hold_extension IN (0, 1)),
  CONSTRAINT bank_maintenance_whole
    CHECK ((maintenance_ms IS NULL) = (maintenance_reason IS NULL)
      AND (maintenance_ms IS NULL) = (maintenance_by IS NULL)),
  CONSTRAINT bank_pool_bounded CHECK (mode <> 'pool' OR pool_days_max IS NOT NULL)
) STRICT;
INSERT INTO bank_wider (id, location_id, name_ko, name_en, mode, maintenance_ms, maintenance_by,
    maintenance_reason, hold_seconds, left_open_s, open_from)
  SELECT id, location_id, name_ko, name_en, mode, maintenance_ms, maintenance_by,
    maintenance_reason, hold_seconds, left_open_s, open_from
  FROM bank;
DROP TABLE bank;
ALTER TABLE bank_wider RENAME TO bank;
CREATE UNIQUE INDEX bank_name ON bank (location_id, name_ko) WHERE retired_ms IS NULL;

ALTER TABLE term ADD COLUMN retired_ms INTEGER;
DROP INDEX term_name;
CREATE UNIQUE INDEX term_name ON term (name_ko) WHERE retired_ms IS NULL;

-- Where it stands in its bank's grid, from 1, and how many cells it takes. All four or none.
ALTER TABLE locker ADD COLUMN place_col INTEGER
  CONSTRAINT locker_place_col_range CHECK (place_col BETWEEN 1 AND 200);
ALTER TABLE locker ADD COLUMN place_row INTEGER
  CONSTRAINT locker_place_row_range CHECK (place_row BETWEEN 1 AND 200);
ALTER TABLE locker ADD COLUMN place_width INTEGER
  CONSTRAINT locker_place_width_range CHECK (place_width BETWEEN 1 AND 200);
ALTER TABLE locker ADD COLUMN place_height INTEGER
  CONSTRAINT locker_place_height_range CHECK (place_height BETWEEN 1 AND 200)
  CONSTRAINT locker_place_whole
    CHECK ((place_col IS NULL) = (place_row IS NULL)
      AND (place_col IS NULL) = (place_width IS NULL)
      AND (place_col IS NULL) = (place_height IS NULL));
-- How high it hangs.
ALTER TABLE locker ADD COLUMN level TEXT
  CONSTRAINT locker_level_known CHECK (level IN ('top', 'eye', 'middle', 'low'));
ALTER TABLE locker ADD COLUMN accessible INTEGER NOT NULL DEFAULT 0
  CONSTRAINT locker_accessible_flag CHECK (accessible IN (0, 1));
-- A retired locker hangs on no wire: its lock may be another's.
ALTER TABLE locker ADD COLUMN retired_ms INTEGER
  CONSTRAINT locker_retired_unwired CHECK (retired_ms IS NULL OR bus IS NULL);

-- What stands in a bank's grid beside lockers.
CREATE TABLE bank_fixture (
  bank_id INTEGER NOT NULL REFERENCES bank (id) ON DELETE RESTRICT,
  position INTEGER NOT NULL,
  kind TEXT NOT NULL
    CONSTRAINT bank_fixture_kind_known CHECK (kind IN ('kiosk', 'pillar', 'wall', 'gap')),
  place_col INTEGER NOT NULL,
  place_row INTEGER NOT NULL,
  place_width INTEGER NOT NULL,
  place_height INTEGER NOT NULL,
  label_ko TEXT,
  label_en TEXT CONSTRAINT bank_fixture_label_whole CHECK ((label_ko IS NULL) = (label_en IS NULL)),
  PRIMARY KEY (bank_id, position)
) STRICT, WITHOUT ROWID;

-- When a bank is open, in the site's time; a bank without a row is open day and night.
CREATE TABLE bank_hours (
  bank_id INTEGER NOT NULL REFERENCES bank (id) ON DELETE RESTRICT,
  -- The day on which it opens: 1 Monday to 7 Sunday.
  weekday INTEGER NOT NULL CONSTRAINT bank_hours_weekday_range CHECK (weekday BETWEEN 1 AND 7),
  -- Minutes after the midnight before it opens.
  opens_min INTEGER NOT NULL
    CONSTRAINT bank_hours_opens_range CHECK (opens_min BETWEEN 0 AND 1439),
  closes_min INTEGER NOT NULL
    CONSTRAINT bank_hours_closes_range CHECK (closes_min - opens_min BETWEEN 1 AND 1440),
  PRIMARY KEY (bank_id, weekday, opens_min)
) STRICT, WITHOUT ROWID;

-- Days on which a bank stays closed.
CREATE TABLE bank_closing (
  bank_id INTEGER NOT NULL REFERENCES bank (id) ON DELETE RESTRICT,
  first_on TEXT NOT NULL,
  last_on TEXT NOT NULL,
  name_ko TEXT NOT NULL CONSTRAINT bank_closing_name_ko_given CHECK (name_ko <> ''),
  name_en TEXT NOT NULL CONSTRAINT bank_closing_name_en_given CHECK (name_en <> ''),
  PRIMARY KEY (bank_id, first_on, last_on, name_ko),
  CONSTRAINT bank_closing_order CHECK (first_on <= last_on)
) STRICT, WITHOUT ROWID;

-- When a locker was taken out of service and put back, and why.
CREATE TABLE locker_service (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  locker_id INTEGER NOT NULL REFERENCES locker (id) ON DELETE RESTRICT,
  at_ms INTEGER NOT NULL,
  in_service INTEGER NOT NULL CONSTRAINT locker_service_flag CHECK (in_service IN (0, 1)),
  reason TEXT NOT NULL,
  -- Who did it; NULL for the command line and for imports.
  member_id INTEGER REFERENCES member (id) ON DELETE RESTRICT
) STRICT;
CREATE INDEX locker_service_locker ON locker_service (locker_id, id);
CREATE INDEX locker_service_member ON locker_service (member_id, id) WHERE member_id IS NOT NULL;

-- What staff write about a locker.
CREATE TABLE locker_note (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  locker_id INTEGER NOT NULL REFERENCES locker (id) ON DELETE RESTRICT,
  at_ms INTEGER NOT NULL,
  member_id INTEGER NOT NULL REFERENCES member (id) ON DELETE RESTRICT,
  text TEXT NOT NULL CONSTRAINT locker_note_text_given CHECK (text <> '')
) STRICT;
CREATE INDEX locker_note_locker ON locker_note (locker_id, id);
CREATE INDEX locker_note_member ON locker_note (member_id, id);
