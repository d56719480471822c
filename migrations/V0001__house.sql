-- Times are unix milliseconds UTC (`_ms`); dates are ISO days of the site's time zone (`_on`).
-- Every constraint has a name, so that an error says which rule was broken.

-- One row: when this database was last seen alive. Written at start, at times, and as the probe
-- that tells whether a failing database has healed.
CREATE TABLE heartbeat (
  id INTEGER PRIMARY KEY CONSTRAINT heartbeat_single CHECK (id = 1),
  at_ms INTEGER NOT NULL
) STRICT;
INSERT INTO heartbeat (id, at_ms) VALUES (1, 0);

-- A named place.
CREATE TABLE location (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name_ko TEXT NOT NULL CONSTRAINT location_name_ko_given CHECK (name_ko <> ''),
  name_en TEXT NOT NULL CONSTRAINT location_name_en_given CHECK (name_en <> '')
) STRICT;
CREATE UNIQUE INDEX location_name ON location (name_ko);

-- One cabinet of lockers at a location.
CREATE TABLE bank (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  location_id INTEGER NOT NULL REFERENCES location (id) ON DELETE RESTRICT,
  name_ko TEXT NOT NULL CONSTRAINT bank_name_ko_given CHECK (name_ko <> ''),
  name_en TEXT NOT NULL CONSTRAINT bank_name_en_given CHECK (name_en <> ''),
  mode TEXT NOT NULL CONSTRAINT bank_mode_known CHECK (mode IN ('choose')),
  -- How long a hold keeps a locker, in seconds.
  hold_seconds INTEGER NOT NULL
    CONSTRAINT bank_hold_seconds_range CHECK (hold_seconds BETWEEN 10 AND 3600)
) STRICT;
CREATE UNIQUE INDEX bank_name ON bank (location_id, name_ko);

-- One compartment. `id` is the number people see on its door.
CREATE TABLE locker (
  id INTEGER PRIMARY KEY CONSTRAINT locker_id_range CHECK (id BETWEEN 1 AND 99999999),
  bank_id INTEGER NOT NULL REFERENCES bank (id) ON DELETE RESTRICT,
  -- The channel: bus name, board address, lock number from 1. All three or none.
  bus TEXT,
  board INTEGER CONSTRAINT locker_board_range CHECK (board BETWEEN 0 AND 255),
  lock INTEGER CONSTRAINT locker_lock_range CHECK (lock BETWEEN 1 AND 48),
  in_service INTEGER NOT NULL DEFAULT 1
    CONSTRAINT locker_in_service_flag CHECK (in_service IN (0, 1)),
  CONSTRAINT locker_channel_whole
    CHECK ((bus IS NULL) = (board IS NULL) AND (bus IS NULL) = (lock IS NULL))
) STRICT;
CREATE INDEX locker_bank ON locker (bank_id);
CREATE UNIQUE INDEX locker_channel ON locker (bus, board, lock) WHERE bus IS NOT NULL;

-- An application window and the dates it grants; for the site, one location or one bank.
CREATE TABLE term (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name_ko TEXT NOT NULL CONSTRAINT term_name_ko_given CHECK (name_ko <> ''),
  name_en TEXT NOT NULL CONSTRAINT term_name_en_given CHECK (name_en <> ''),
  opens_ms INTEGER NOT NULL,
  closes_ms INTEGER NOT NULL,
  starts_on TEXT NOT NULL,
  ends_on TEXT NOT NULL,
  location_id INTEGER REFERENCES location (id) ON DELETE RESTRICT,
  bank_id INTEGER REFERENCES bank (id) ON DELETE RESTRICT,
  CONSTRAINT term_window_order CHECK (opens_ms < closes_ms),
  CONSTRAINT term_dates_order CHECK (starts_on <= ends_on),
  CONSTRAINT term_one_scope CHECK (location_id IS NULL OR bank_id IS NULL)
) STRICT;
CREATE UNIQUE INDEX term_name ON term (name_ko);

-- A person with an account.
CREATE TABLE member (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  student_id TEXT NOT NULL,
  name TEXT NOT NULL,
  phone TEXT,
  email TEXT,
  role TEXT NOT NULL CONSTRAINT member_role_known CHECK (role IN ('student', 'staff', 'admin')),
  -- argon2id in PHC form; NULL when the member has no password.
  password_hash TEXT,
  joined_ms INTEGER NOT NULL,
  last_login_ms INTEGER,
  -- Set when the account was closed; the row stays for the history.
  left_ms INTEGER
) STRICT;
CREATE UNIQUE INDEX member_student_id ON member (student_id) WHERE left_ms IS NULL;
CREATE UNIQUE INDEX member_phone ON member (phone) WHERE left_ms IS NULL AND phone IS NOT NULL;
CREATE UNIQUE INDEX member_email ON member (email) WHERE left_ms IS NULL AND email IS NOT NULL;

-- Which staff member looks after which bank.
CREATE TABLE bank_staff (
  member_id INTEGER NOT NULL REFERENCES member (id) ON DELETE RESTRICT,
  bank_id INTEGER NOT NULL REFERENCES bank (id) ON DELETE RESTRICT,
  PRIMARY KEY (member_id, bank_id)
) STRICT, WITHOUT ROWID;

-- One log-in. A refresh token proves the family; only its newest secret is good.
CREATE TABLE session (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  member_id INTEGER NOT NULL REFERENCES member (id) ON DELETE RESTRICT,
  method TEXT NOT NULL
    CONSTRAINT session_method_known CHECK (method IN ('password', 'roster', 'issued')),
  -- SHA-256 of the family's secret, of the newest refresh secret, and of the one before it.
  family_hash BLOB NOT NULL CONSTRAINT session_family_hash_size CHECK (length(family_hash) = 32),
  refresh_hash BLOB NOT NULL CONSTRAINT session_refresh_hash_size CHECK (length(refresh_hash) = 32),
  previous_hash BLOB
    CONSTRAINT session_previous_hash_size CHECK (length(previous_hash) = 32),
  issued_ms INTEGER NOT NULL,
  -- When the newest refresh token was issued, and until when it is good.
  refreshed_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  user_agent TEXT NOT NULL,
  address TEXT NOT NULL,
  ended_ms INTEGER,
  end_reason TEXT
    CONSTRAINT session_end_reason_known CHECK (end_reason IN ('log_out', 'token_reuse')),
  CONSTRAINT session_ended_whole CHECK ((ended_ms IS NULL) = (end_reason IS NULL))
) STRICT;
CREATE INDEX session_ended ON session (ended_ms) WHERE ended_ms IS NOT NULL;
CREATE INDEX session_member ON session (member_id) WHERE ended_ms IS NULL;

-- One member's right to one locker: a hold, then a rental, then history.
-- Rows are never deleted, so numbers are never reused, without the price of AUTOINCREMENT.
CREATE TABLE rental (
  id INTEGER PRIMARY KEY,
  locker_id INTEGER NOT NULL REFERENCES locker (id) ON DELETE RESTRICT,
  member_id INTEGER NOT NULL REFERENCES member (id) ON DELETE RESTRICT,
  term_id INTEGER NOT NULL REFERENCES term (id) ON DELETE RESTRICT,
  state TEXT NOT NULL
    CONSTRAINT rental_state_known CHECK (state IN ('held', 'active', 'ended')),
  starts_on TEXT NOT NULL,
  ends_on TEXT NOT NULL,
  held_ms INTEGER NOT NULL,
  confirmed_ms INTEGER,
  ended_ms INTEGER,
  end_reason TEXT CONSTRAINT rental_end_reason_known
    CHECK (end_reason IN ('hold_expired', 'hold_released', 'returned', 'ended_by_staff')),
  CONSTRAINT rental_dates_order CHECK (starts_on <= ends_on),
  CONSTRAINT rental_ended_whole
    CHECK ((state = 'ended') = (ended_ms IS NOT NULL) AND (ended_ms IS NULL) = (end_reason IS NULL)),
  CONSTRAINT rental_active_confirmed CHECK (state <> 'active' OR confirmed_ms IS NOT NULL)
) STRICT;
-- Two live rentals that end on the same day share that day: the index refuses them by itself, and
-- serves the triggers below, which refuse every other overlap.
CREATE UNIQUE INDEX rental_live_locker ON rental (locker_id, ends_on) WHERE ended_ms IS NULL;
CREATE UNIQUE INDEX rental_live_member ON rental (member_id, ends_on) WHERE ended_ms IS NULL;

CREATE TRIGGER rental_no_delete BEFORE DELETE ON rental BEGIN
  SELECT RAISE(ABORT, 'rental.kept');
END;
CREATE TRIGGER rental_insert_overlap BEFORE INSERT ON rental WHEN NEW.ended_ms IS NULL BEGIN
  SELECT RAISE(ABORT, 'rental.member_overlap') WHERE EXISTS (
    SELECT 1 FROM rental WHERE member_id = NEW.member_id AND ended_ms IS NULL
      AND ends_on >= NEW.starts_on AND starts_on <= NEW.ends_on);
  SELECT RAISE(ABORT, 'rental.locker_overlap') WHERE EXISTS (
    SELECT 1 FROM rental WHERE locker_id = NEW.locker_id AND ended_ms IS NULL
      AND ends_on >= NEW.starts_on AND starts_on <= NEW.ends_on);
END;
CREATE TRIGGER rental_update_overlap
BEFORE UPDATE OF locker_id, member_id, starts_on, ends_on, ended_ms ON rental
WHEN NEW.ended_ms IS NULL BEGIN
  SELECT RAISE(ABORT, 'rental.member_overlap') WHERE EXISTS (
    SELECT 1 FROM rental WHERE member_id = NEW.member_id AND ended_ms IS NULL AND id <> NEW.id
      AND ends_on >= NEW.starts_on AND starts_on <= NEW.ends_on);
  SELECT RAISE(ABORT, 'rental.locker_overlap') WHERE EXISTS (
    SELECT 1 FROM rental WHERE locker_id = NEW.locker_id AND ended_ms IS NULL AND id <> NEW.id
      AND ends_on >= NEW.starts_on AND starts_on <= NEW.ends_on);
END;

-- One attempt to open one locker. The intent is stored before the bus is told.
CREATE TABLE opening (
  -- UUID version 7 in text form, made by the program.
  id TEXT NOT NULL PRIMARY KEY CONSTRAINT opening_id_size CHECK (length(id) = 36),
  locker_id INTEGER NOT NULL REFERENCES locker (id) ON DELETE RESTRICT,
  member_id INTEGER NOT NULL REFERENCES member (id) ON DELETE RESTRICT,
  opened_as TEXT NOT NULL
    CONSTRAINT opening_opened_as_known CHECK (opened_as IN ('renter', 'staff')),
  requested_ms INTEGER NOT NULL,
  sent_ms INTEGER,
  acknowledged_ms INTEGER,
  opened_ms INTEGER,
  closed_ms INTEGER,
  outcome TEXT CONSTRAINT opening_outcome_known CHECK (outcome IN (
    'opened', 'already_open', 'door_did_not_open', 'unseen', 'no_answer', 'refused',
    'unreachable', 'interrupted'))
) STRICT, WITHOUT ROWID;
CREATE INDEX opening_locker ON opening (locker_id, requested_ms);
CREATE INDEX opening_unsettled ON opening (requested_ms) WHERE outcome IS NULL;

-- Who did what. Append-only; each row's hash covers the row before it.
CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  -- The member who did it; NULL for the program itself and for the command line.
  actor_id INTEGER,
  action TEXT NOT NULL,
  -- What it was done to, as noun:id.
  subject TEXT NOT NULL,
  -- A JSON object with what else matters; never a secret.
  detail TEXT NOT NULL,
  -- SHA-256 over the previous row's hash and this row's fields (store/audit.rs).
  hash BLOB NOT NULL CONSTRAINT audit_hash_size CHECK (length(hash) = 32)
) STRICT;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN
  SELECT RAISE(ABORT, 'audit.append_only');
END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN
  SELECT RAISE(ABORT, 'audit.append_only');
END;

-- What people are to be told; written with the change it tells of, delivered later.
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  member_id INTEGER NOT NULL REFERENCES member (id) ON DELETE RESTRICT,
  -- A JSON object with what the text needs.
  payload TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  -- When to try (again); NULL once it was delivered or given up.
  due_ms INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX outbox_due ON outbox (due_ms) WHERE due_ms IS NOT NULL;

-- Answers kept for repeated requests, for 24 hours.
CREATE TABLE idempotency (
  member_id INTEGER NOT NULL REFERENCES member (id) ON DELETE RESTRICT,
  key TEXT NOT NULL,
  operation TEXT NOT NULL,
  -- SHA-256 of what was asked: another request under the same key is refused.
  request_hash BLOB NOT NULL
    CONSTRAINT idempotency_request_hash_size CHECK (length(request_hash) = 32),
  -- The answer as JSON.
  answer TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  PRIMARY KEY (member_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_created ON idempotency (created_ms);
