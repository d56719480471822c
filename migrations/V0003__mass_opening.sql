-- One order to open many lockers. What became of each locker is told by its own opening; only what
-- has none is written beside it.
CREATE TABLE mass_opening (
  -- UUID version 7 in text form, made by the program: in the order of their beginning.
  id TEXT NOT NULL PRIMARY KEY CONSTRAINT mass_opening_id_size CHECK (length(id) = 36),
  member_id INTEGER NOT NULL REFERENCES member (id) ON DELETE RESTRICT,
  reason TEXT NOT NULL CONSTRAINT mass_opening_reason_given CHECK (reason <> ''),
  state TEXT NOT NULL CONSTRAINT mass_opening_state_known
    CHECK (state IN ('running', 'done', 'cancelled', 'interrupted')),
  started_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  CONSTRAINT mass_opening_ended_whole CHECK ((state = 'running') = (ended_ms IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX mass_opening_running ON mass_opening (started_ms) WHERE ended_ms IS NULL;

-- The banks of its lockers: a bank has at most one that runs.
CREATE TABLE mass_opening_bank (
  mass_opening_id TEXT NOT NULL REFERENCES mass_opening (id) ON DELETE RESTRICT,
  bank_id INTEGER NOT NULL REFERENCES bank (id) ON DELETE RESTRICT,
  running INTEGER NOT NULL CONSTRAINT mass_opening_bank_running_flag CHECK (running IN (0, 1)),
  PRIMARY KEY (mass_opening_id, bank_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX mass_opening_bank_running ON mass_opening_bank (bank_id) WHERE running = 1;

-- Its lockers in the order of their turns.
CREATE TABLE mass_opening_locker (
  mass_opening_id TEXT NOT NULL REFERENCES mass_opening (id) ON DELETE RESTRICT,
  position INTEGER NOT NULL,
  locker_id INTEGER NOT NULL REFERENCES locker (id) ON DELETE RESTRICT,
  -- Why there is no opening; NULL when there is one, or when its turn never came.
  unopened TEXT CONSTRAINT mass_opening_locker_unopened_known
    CHECK (unopened IN ('not_wired', 'busy', 'not_allowed', 'cancelled')),
  PRIMARY KEY (mass_opening_id, position)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX mass_opening_locker_once ON mass_opening_locker (mass_opening_id, locker_id);

-- The order that an opening belongs to. No reference: an opening of a failing database is stored
-- whatever became of the order.
ALTER TABLE opening ADD COLUMN mass_opening_id TEXT;
CREATE UNIQUE INDEX opening_mass ON opening (mass_opening_id, locker_id)
  WHERE mass_opening_id IS NOT NULL;
