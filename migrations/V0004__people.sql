-- People and access: sign-up, log-ins and their devices, second factor, kiosks and presence, limits,
-- mail. Runs with foreign keys off: `session` and `outbox` are rebuilt.

-- A person with an account, or one of the roster who has not signed up yet (no password).
ALTER TABLE member ADD COLUMN department TEXT;
-- The language of mails.
ALTER TABLE member ADD COLUMN language TEXT NOT NULL DEFAULT 'ko'
  CONSTRAINT member_language_known CHECK (language IN ('ko', 'en'));
-- When the address was last proven by a mailed code.
ALTER TABLE member ADD COLUMN email_verified_ms INTEGER;
ALTER TABLE member ADD COLUMN password_changed_ms INTEGER;
-- Which privacy notice was agreed to, and when.
ALTER TABLE member ADD COLUMN consent_version TEXT;
ALTER TABLE member ADD COLUMN consent_ms INTEGER
  CONSTRAINT member_consent_whole CHECK ((consent_ms IS NULL) = (consent_version IS NULL));
-- Whether the last roster had them.
ALTER TABLE member ADD COLUMN on_roster INTEGER NOT NULL DEFAULT 0
  CONSTRAINT member_on_roster_flag CHECK (on_roster IN (0, 1));
-- Since when they are gone from the roster: they can only empty their locker and return it.
ALTER TABLE member ADD COLUMN leaving_ms INTEGER;
-- Since when and why staff keep them out.
ALTER TABLE member ADD COLUMN disabled_ms INTEGER;
ALTER TABLE member ADD COLUMN disabled_reason TEXT
  CONSTRAINT member_disabled_whole CHECK ((disabled_ms IS NULL) = (disabled_reason IS NULL));
-- When everything personal was blanked; the row stays for the history.
ALTER TABLE member ADD COLUMN anonymised_ms INTEGER
  CONSTRAINT member_anonymised_left CHECK (anonymised_ms IS NULL OR left_ms IS NOT NULL);
UPDATE member SET on_roster = 1 WHERE role = 'student' AND password_hash IS NULL AND left_ms IS NULL;
CREATE INDEX member_name ON member (name) WHERE left_ms IS NULL;

-- Everything a member rented, for their own data and for staff.
CREATE INDEX rental_of_member ON rental (member_id);

-- A browser that was given a secret of its own at log-in.
CREATE TABLE device (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  -- SHA-256 of the secret in its cookie.
  secret_hash BLOB NOT NULL CONSTRAINT device_secret_hash_size CHECK (length(secret_hash) = 32),
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX device_secret ON device (secret_hash);
CREATE INDEX device_last ON device (last_ms);

-- From which devices a member has logged in: strangers' failures do not lock these out.
CREATE TABLE member_device (
  member_id INTEGER NOT NULL REFERENCES member (id) ON DELETE RESTRICT,
  device_id INTEGER NOT NULL REFERENCES device (id) ON DELETE CASCADE,
  last_ms INTEGER NOT NULL,
  PRIMARY KEY (member_id, device_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_device_device ON member_device (device_id);

-- A screen beside a bank; shows presence codes and lets members sign in for a moment.
CREATE TABLE kiosk (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL CONSTRAINT kiosk_name_given CHECK (name <> ''),
  created_ms INTEGER NOT NULL,
  created_by INTEGER NOT NULL REFERENCES member (id) ON DELETE RESTRICT,
  -- The short code that pairs it: keyed hash, and until when it is good.
  pairing_hash BLOB CONSTRAINT kiosk_pairing_hash_size CHECK (length(pairing_hash) = 32),
  pairing_expires_ms INTEGER,
  -- SHA-256 of its credential; NULL until it was paired.
  credential_hash BLOB CONSTRAINT kiosk_credential_hash_size CHECK (length(credential_hash) = 32),
  paired_ms INTEGER,
  revoked_ms INTEGER,
  revoked_by INTEGER REFERENCES member (id) ON DELETE RESTRICT,
  -- What it said of itself last.
  seen_ms INTEGER,
  address TEXT,
  version TEXT,
  CONSTRAINT kiosk_pairing_whole CHECK ((pairing_hash IS NULL) = (pairing_expires_ms IS NULL)),
  CONSTRAINT kiosk_paired_whole CHECK ((credential_hash IS NULL) = (paired_ms IS NULL)),
  CONSTRAINT kiosk_revoked_whole CHECK ((revoked_ms IS NULL) = (revoked_by IS NULL))
) STRICT;
CREATE UNIQUE INDEX kiosk_name ON kiosk (name) WHERE revoked_ms IS NULL;
CREATE UNIQUE INDEX kiosk_pairing ON kiosk (pairing_hash) WHERE pairing_hash IS NOT NULL;

CREATE TABLE kiosk_bank (
  kiosk_id INTEGER NOT NULL REFERENCES kiosk (id) ON DELETE RESTRICT,
  bank_id INTEGER NOT NULL REFERENCES bank (id) ON DELETE RESTRICT,
  PRIMARY KEY (kiosk_id, bank_id)
) STRICT, WITHOUT ROWID;

-- One log-in. A refresh token proves the family; only its newest secret is good.
CREATE TABLE session_wider (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  member_id INTEGER NOT NULL REFERENCES member (id) ON DELETE RESTRICT,
  method TEXT NOT NULL
    CONSTRAINT session_method_known CHECK (method IN ('password', 'roster', 'issued', 'kiosk')),
  -- Whether a second factor was shown as well.
  strong INTEGER NOT NULL DEFAULT 0 CONSTRAINT session_strong_flag CHECK (strong IN (0, 1)),
  -- The device that holds it, and the kiosk it was made at.
  device_id INTEGER REFERENCES device (id) ON DELETE SET NULL,
  kiosk_id INTEGER REFERENCES kiosk (id) ON DELETE RESTRICT,
  -- SHA-256 of the family's secret, of the newest refresh secret, and of the one before it.
  family_hash BLOB NOT NULL CONSTRAINT session_family_hash_size CHECK (length(family_hash) = 32),
  refresh_hash BLOB NOT NULL CONSTRAINT session_refresh_hash_size CHECK (length(refresh_hash) = 32),
  previous_hash BLOB
    CONSTRAINT session_previous_hash_size CHECK (length(previous_hash) = 32),
  issued_ms INTEGER NOT NULL,
  -- When the newest refresh token was issued, and until when it is good.
  refreshed_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  -- When a request last came with it; written down every now and then.
  last_used_ms INTEGER NOT NULL,
  user_agent TEXT NOT NULL,
  address TEXT NOT NULL,
  ended_ms INTEGER,
  end_reason TEXT CONSTRAINT session_end_reason_known CHECK (end_reason IN (
    'log_out', 'log_out_everywhere', 'token_reuse', 'by_staff', 'other_device', 'password_changed',
    'account_changed', 'idle', 'expired')),
  CONSTRAINT session_ended_whole CHECK ((ended_ms IS NULL) = (end_reason IS NULL)),
  CONSTRAINT session_kiosk_whole CHECK ((method = 'kiosk') = (kiosk_id IS NOT NULL))
) STRICT;
INSERT INTO session_wider (id, member_id, method, family_hash, refresh_hash, previous_hash,
    issued_ms, refreshed_ms, expires_ms, last_used_ms, user_agent, address, ended_ms, end_reason)
  SELECT id, member_id, method, family_hash, refresh_hash, previous_hash, issued_ms, refreshed_ms,
    expires_ms, refreshed_ms, user_agent, address, ended_ms, end_reason
  FROM session;
DROP TABLE session;
ALTER TABLE session_wider RENAME TO session;
CREATE INDEX session_ended ON session (ended_ms) WHERE ended_ms IS NOT NULL;
CREATE INDEX session_member ON session (member_id) WHERE ended_ms IS NULL;
CREATE INDEX session_device ON session (device_id) WHERE device_id IS NOT NULL;
CREATE INDEX session_expires ON session (expires_ms) WHERE ended_ms IS NULL;
CREATE INDEX session_of_member ON session (member_id);

-- A code that was mailed or handed out: for a sign-up, a new password, a new address, a kiosk.
CREATE TABLE code (
  -- UUID version 4 in text form: who has a code must also know which one.
  id TEXT NOT NULL PRIMARY KEY CONSTRAINT code_id_size CHECK (length(id) = 36),
  purpose TEXT NOT NULL CONSTRAINT code_purpose_known
    CHECK (purpose IN ('sign_up', 'password_reset', 'email_change', 'kiosk')),
  -- Whose; NULL for a sign-up.
  member_id INTEGER REFERENCES member (id) ON DELETE RESTRICT,
  -- A JSON object with what is waiting for the code; emptied once it was used.
  payload TEXT NOT NULL,
  -- Keyed hash of the code.
  code_hash BLOB NOT NULL CONSTRAINT code_hash_size CHECK (length(code_hash) = 32),
  tries INTEGER NOT NULL DEFAULT 0,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  used_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX code_expires ON code (expires_ms);
CREATE INDEX code_member ON code (member_id, purpose) WHERE member_id IS NOT NULL;

-- The second factor of a member; a new one waits beside the old until it was confirmed.
CREATE TABLE totp (
  member_id INTEGER NOT NULL REFERENCES member (id) ON DELETE RESTRICT,
  state TEXT NOT NULL CONSTRAINT totp_state_known CHECK (state IN ('pending', 'active')),
  -- The secret, sealed with a key that is not in this database.
  sealed BLOB NOT NULL,
  created_ms INTEGER NOT NULL,
  confirmed_ms INTEGER,
  -- The last time step whose code was accepted: none is good twice.
  last_step INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (member_id, state),
  CONSTRAINT totp_confirmed_whole CHECK ((state = 'active') = (confirmed_ms IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE recovery_code (
  member_id INTEGER NOT NULL REFERENCES member (id) ON DELETE RESTRICT,
  -- Keyed hash of the code.
  code_hash BLOB NOT NULL CONSTRAINT recovery_code_hash_size CHECK (length(code_hash) = 32),
  created_ms INTEGER NOT NULL,
  used_ms INTEGER,
  PRIMARY KEY (member_id, code_hash)
) STRICT, WITHOUT ROWID;

-- From where renters may open: from anywhere, or only when they prove to stand before the bank.
ALTER TABLE bank ADD COLUMN open_from TEXT NOT NULL DEFAULT 'anywhere'
  CONSTRAINT bank_open_from_known CHECK (open_from IN ('anywhere', 'presence'));

-- The secret behind a bank's presence code, sealed like those of members.
CREATE TABLE bank_key (
  bank_id INTEGER PRIMARY KEY REFERENCES bank (id) ON DELETE RESTRICT,
  sealed BLOB NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT;

-- The last time step whose presence code a member used at a bank.
CREATE TABLE presence_use (
  bank_id INTEGER NOT NULL REFERENCES bank (id) ON DELETE RESTRICT,
  member_id INTEGER NOT NULL REFERENCES member (id) ON DELETE RESTRICT,
  step INTEGER NOT NULL,
  PRIMARY KEY (bank_id, member_id)
) STRICT, WITHOUT ROWID;

-- The code with which one member of staff takes a bank over; the newest one of each bank counts.
CREATE TABLE registration_code (
  bank_id INTEGER PRIMARY KEY REFERENCES bank (id) ON DELETE RESTRICT,
  -- Keyed hash of the code.
  code_hash BLOB NOT NULL CONSTRAINT registration_code_hash_size CHECK (length(code_hash) = 32),
  created_ms INTEGER NOT NULL,
  created_by INTEGER NOT NULL REFERENCES member (id) ON DELETE RESTRICT,
  used_ms INTEGER,
  used_by INTEGER REFERENCES member (id) ON DELETE RESTRICT,
  CONSTRAINT registration_code_used_whole CHECK ((used_ms IS NULL) = (used_by IS NULL))
) STRICT;

-- How often something failed or was done, so that a restart forgives nobody.
CREATE TABLE throttle (
  -- What is limited, and whose: an account, a device with an account, a session, an address.
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  -- Whose account it is about: their failures count together.
  member_id INTEGER REFERENCES member (id) ON DELETE RESTRICT,
  -- Since when `count` counts.
  since_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  count INTEGER NOT NULL CONSTRAINT throttle_count_positive CHECK (count >= 0),
  -- Until when the next try is refused; 0 for not at all.
  until_ms INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX throttle_last ON throttle (last_ms);
CREATE INDEX throttle_member ON throttle (member_id, kind) WHERE member_id IS NOT NULL;

-- What people are to be told; written with the change it tells of, delivered later.
CREATE TABLE outbox_wider (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  -- Whom; a mail to somebody without an account has an address of its own instead.
  member_id INTEGER REFERENCES member (id) ON DELETE RESTRICT,
  address TEXT,
  -- The language; NULL: the member's.
  language TEXT CONSTRAINT outbox_language_known CHECK (language IN ('ko', 'en')),
  -- A JSON object with what the text needs, and the same sealed for what must not be read here.
  payload TEXT NOT NULL,
  sealed BLOB,
  -- Fixed for all attempts, so that a repeat after a crash is recognised.
  message_id TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  -- When to try (again); NULL once it was delivered or given up.
  due_ms INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  last_error TEXT,
  sent_ms INTEGER,
  -- When it was given up, until somebody sends it anew or drops it.
  dead_ms INTEGER,
  -- When it was found that nobody needs it: no address, no mail on this site, dropped by staff.
  dropped_ms INTEGER,
  CONSTRAINT outbox_to_somebody CHECK (member_id IS NOT NULL OR address IS NOT NULL),
  CONSTRAINT outbox_one_fate
    CHECK ((due_ms IS NOT NULL) + (sent_ms IS NOT NULL) + (dead_ms IS NOT NULL)
      + (dropped_ms IS NOT NULL) = 1)
) STRICT;
-- Nobody sent mail until now: what waited is old news, and is not told.
INSERT INTO outbox_wider (id, kind, member_id, payload, message_id, created_ms, dropped_ms, attempts)
  SELECT id, kind, member_id, payload, 'lockerd.' || id || '.' || lower(hex(randomblob(8))),
    created_ms, created_ms, attempts
  FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_wider RENAME TO outbox;
CREATE INDEX outbox_member ON outbox (member_id) WHERE member_id IS NOT NULL;
CREATE UNIQUE INDEX outbox_message ON outbox (message_id);
CREATE INDEX outbox_due ON outbox (due_ms) WHERE due_ms IS NOT NULL;
CREATE INDEX outbox_dead ON outbox (dead_ms) WHERE dead_ms IS NOT NULL;
CREATE INDEX outbox_sent ON outbox (sent_ms) WHERE sent_ms IS NOT NULL;
CREATE INDEX outbox_dropped ON outbox (dropped_ms) WHERE dropped_ms IS NOT NULL;

-- How often something happened on a day of the site's calendar, where no row tells of each time.
CREATE TABLE day_count (
  day_on TEXT NOT NULL,
  what TEXT NOT NULL,
  count INTEGER NOT NULL CONSTRAINT day_count_positive CHECK (count > 0),
  PRIMARY KEY (day_on, what)
) STRICT, WITHOUT ROWID;

-- The days for which the daily mail to staff was written.
CREATE TABLE daily_mail (
  day_on TEXT NOT NULL PRIMARY KEY,
  written_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was forgotten because it was old enough, by run and kind of row.
CREATE TABLE pruning (
  at_ms INTEGER NOT NULL,
  what TEXT NOT NULL,
  rows INTEGER NOT NULL CONSTRAINT pruning_rows_positive CHECK (rows > 0),
  PRIMARY KEY (at_ms, what)
) STRICT, WITHOUT ROWID;

-- Openings are forgotten after a while, what they say of the locks is not: figures of those that are
-- gone, by locker and day (UTC, its first millisecond). It names no member.
CREATE TABLE opening_tally (
  locker_id INTEGER NOT NULL REFERENCES locker (id) ON DELETE RESTRICT,
  day_ms INTEGER NOT NULL,
  sent INTEGER NOT NULL,
  retried INTEGER NOT NULL,
  jammed INTEGER NOT NULL,
  unanswered INTEGER NOT NULL,
  -- Acknowledged ones, the sum of their times and the longest.
  acknowledged INTEGER NOT NULL,
  acknowledged_sum_ms INTEGER NOT NULL,
  acknowledged_max_ms INTEGER,
  -- Those that were seen to open at the first pulse, and the sum of their times.
  opened INTEGER NOT NULL,
  opened_sum_ms INTEGER NOT NULL,
  PRIMARY KEY (locker_id, day_ms)
) STRICT, WITHOUT ROWID;
CREATE INDEX opening_requested ON opening (requested_ms);
-- How a line of a mass opening ended, once its opening is forgotten.
ALTER TABLE mass_opening_locker ADD COLUMN outcome TEXT;
CREATE INDEX alarm_cleared ON alarm (cleared_ms) WHERE cleared_ms IS NOT NULL;
CREATE INDEX member_left ON member (left_ms) WHERE left_ms IS NOT NULL AND anonymised_ms IS NULL;
CREATE INDEX member_leaving ON member (leaving_ms) WHERE leaving_ms IS NOT NULL;
