-- Places as staff manage them: what is retired, where lockers stand, when banks are open, what is written
-- about a locker. What is retired stays for the history; its name may be used again, a locker's number
-- may not.

ALTER TABLE location ADD COLUMN retired_ms INTEGER;
DROP INDEX location_name;
CREATE UNIQUE INDEX location_name ON location (name_ko) WHERE retired_ms IS NULL;

ALTER TABLE bank ADD COLUMN retired_ms INTEGER;
-- To which side its doors look.
ALTER TABLE bank ADD COLUMN front TEXT
  CONSTRAINT bank_front_known CHECK (front IN ('N', 'E', 'S', 'W'));
DROP INDEX bank_name;
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
