-- What surrounds a rental: reminders, overdue cases with what was found, penalties, the waiting list.

-- Which reminders a rental's renter was sent, so that none is sent twice.
CREATE TABLE reminder (
  rental_id INTEGER NOT NULL REFERENCES rental (id) ON DELETE RESTRICT,
  kind TEXT NOT NULL
    CONSTRAINT reminder_kind_known CHECK (kind IN ('before', 'last_day', 'late')),
  -- The site's day on which it was sent, and the last day of the rental that it was about: an extended
  -- rental is reminded anew.
  sent_on TEXT NOT NULL,
  ends_on TEXT NOT NULL,
  PRIMARY KEY (rental_id, ends_on, kind, sent_on)
) STRICT, WITHOUT ROWID;
CREATE INDEX reminder_sent ON reminder (sent_on);

-- What happens to a rental that was not returned in time.
CREATE TABLE overdue_case (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  rental_id INTEGER NOT NULL REFERENCES rental (id) ON DELETE RESTRICT,
  bank_id INTEGER NOT NULL REFERENCES bank (id) ON DELETE RESTRICT,
  locker_id INTEGER NOT NULL REFERENCES locker (id) ON DELETE RESTRICT,
  member_id INTEGER NOT NULL REFERENCES member (id) ON DELETE RESTRICT,
  -- The last day of the rental that was missed.
  ended_on TEXT NOT NULL,
  state TEXT NOT NULL CONSTRAINT overdue_case_state_known
    CHECK (state IN ('detected', 'sealed', 'collected', 'handed_back', 'returned', 'dropped')),
  detected_ms INTEGER NOT NULL,
  sealed_ms INTEGER,
  -- When staff lifted the seal: from then on it is not sealed by itself.
  unsealed_ms INTEGER,
  collected_ms INTEGER,
  -- Where the things are kept.
  storage TEXT,
  handed_back_ms INTEGER,
  -- To whom, as they gave their name.
  handed_to TEXT,
  -- When nothing more is to be done: handed back, returned by the renter, or dropped by staff.
  closed_ms INTEGER,
  -- How many days late the locker was emptied.
  late_days INTEGER,
  CONSTRAINT overdue_case_closed_whole
    CHECK ((closed_ms IS NOT NULL) = (state IN ('handed_back', 'returned', 'dropped'))),
  CONSTRAINT overdue_case_collected_whole
    CHECK (state NOT IN ('collected', 'handed_back') OR collected_ms IS NOT NULL)
) STRICT;
-- One case for each end that was missed.
CREATE UNIQUE INDEX overdue_case_rental ON overdue_case (rental_id, ended_on);
CREATE INDEX overdue_case_open ON overdue_case (state, id) WHERE closed_ms IS NULL;
CREATE INDEX overdue_case_member ON overdue_case (member_id);
CREATE INDEX overdue_case_locker ON overdue_case (locker_id);
CREATE INDEX overdue_case_bank ON overdue_case (bank_id, id);
-- What is old enough to be forgotten.
CREATE INDEX overdue_case_closed ON overdue_case (closed_ms) WHERE closed_ms IS NOT NULL;

-- Each step of a case: who, when, and why where staff went another way than the usual one.
CREATE TABLE overdue_step (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  case_id INTEGER NOT NULL REFERENCES overdue_case (id) ON DELETE RESTRICT,
  state TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  -- NULL: by itself.
  actor_id INTEGER REFERENCES member (id) ON DELETE RESTRICT,
  reason TEXT
) STRICT;
CREATE INDEX overdue_step_case ON overdue_step (case_id, id);

-- What was found in the locker, in the order in which it was written down.
CREATE TABLE overdue_item (
  case_id INTEGER NOT NULL REFERENCES overdue_case (id) ON DELETE RESTRICT,
  position INTEGER NOT NULL,
  description TEXT NOT NULL CONSTRAINT overdue_item_description_given CHECK (description <> ''),
  -- Where the photo of it is: a reference, not the photo.
  photo TEXT,
  PRIMARY KEY (case_id, position)
) STRICT, WITHOUT ROWID;

-- Days on which a member may claim nothing, after a late return.
CREATE TABLE penalty (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  member_id INTEGER NOT NULL REFERENCES member (id) ON DELETE RESTRICT,
  -- The late return that it is for.
  case_id INTEGER NOT NULL REFERENCES overdue_case (id) ON DELETE RESTRICT,
  first_on TEXT NOT NULL,
  last_on TEXT NOT NULL,
  made_ms INTEGER NOT NULL,
  -- When staff took it back, who and why.
  waived_ms INTEGER,
  waived_by INTEGER REFERENCES member (id) ON DELETE RESTRICT,
  waived_reason TEXT,
  CONSTRAINT penalty_order CHECK (first_on <= last_on),
  CONSTRAINT penalty_waived_whole
    CHECK ((waived_ms IS NULL) = (waived_by IS NULL) AND (waived_ms IS NULL) = (waived_reason IS NULL))
) STRICT;
CREATE INDEX penalty_member ON penalty (member_id);
CREATE INDEX penalty_live ON penalty (last_on) WHERE waived_ms IS NULL;
CREATE UNIQUE INDEX penalty_case ON penalty (case_id);

-- Who waits for a locker of a bank for the dates of a term.
CREATE TABLE waiting (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  bank_id INTEGER NOT NULL REFERENCES bank (id) ON DELETE RESTRICT,
  term_id INTEGER NOT NULL REFERENCES term (id) ON DELETE RESTRICT,
  member_id INTEGER NOT NULL REFERENCES member (id) ON DELETE RESTRICT,
  since_ms INTEGER NOT NULL,
  -- The hold that is their offer, while it stands.
  rental_id INTEGER REFERENCES rental (id) ON DELETE RESTRICT,
  offered_ms INTEGER,
  ended_ms INTEGER,
  end_reason TEXT CONSTRAINT waiting_end_reason_known
    CHECK (end_reason IN ('taken', 'declined', 'offer_expired', 'left', 'has_locker', 'term_over',
      'by_staff', 'list_closed', 'member_left')),
  CONSTRAINT waiting_ended_whole CHECK ((ended_ms IS NULL) = (end_reason IS NULL)),
  CONSTRAINT waiting_offered_whole CHECK (rental_id IS NULL OR offered_ms IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX waiting_live ON waiting (member_id, term_id) WHERE ended_ms IS NULL;
CREATE INDEX waiting_line ON waiting (bank_id, id) WHERE ended_ms IS NULL;
CREATE INDEX waiting_offer ON waiting (rental_id) WHERE rental_id IS NOT NULL;
CREATE INDEX waiting_member ON waiting (member_id);
CREATE INDEX waiting_ended ON waiting (ended_ms) WHERE ended_ms IS NOT NULL;

-- One order of staff to end many rentals: those of a term, or those that ended before a day, in a bank or
-- at a location. Carried out in slices, and gone on with after a restart.
CREATE TABLE bulk_end (
  -- UUID version 7 in text form, made by the program: in the order of their beginning.
  id TEXT NOT NULL PRIMARY KEY CONSTRAINT bulk_end_id_size CHECK (length(id) = 36),
  member_id INTEGER NOT NULL REFERENCES member (id) ON DELETE RESTRICT,
  bank_id INTEGER REFERENCES bank (id) ON DELETE RESTRICT,
  location_id INTEGER REFERENCES location (id) ON DELETE RESTRICT,
  term_id INTEGER REFERENCES term (id) ON DELETE RESTRICT,
  ended_before TEXT,
  reason TEXT NOT NULL CONSTRAINT bulk_end_reason_given CHECK (reason <> ''),
  -- The newest rental at its beginning: later ones are not meant.
  newest_rental_id INTEGER NOT NULL,
  -- How many were meant, are over, and wait until they were emptied.
  found INTEGER NOT NULL,
  ended INTEGER NOT NULL DEFAULT 0,
  returned INTEGER NOT NULL DEFAULT 0,
  started_ms INTEGER NOT NULL,
  done_ms INTEGER,
  CONSTRAINT bulk_end_one_place CHECK ((bank_id IS NULL) <> (location_id IS NULL)),
  CONSTRAINT bulk_end_one_choice CHECK ((term_id IS NULL) <> (ended_before IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX bulk_end_running ON bulk_end (started_ms) WHERE done_ms IS NULL;

-- Detecting who is late, reminding, no-shows: by the days of live rentals.
CREATE INDEX rental_live_ends ON rental (ends_on) WHERE ended_ms IS NULL;
-- Histories and statistics.
CREATE INDEX rental_of_locker ON rental (locker_id, id);
CREATE INDEX rental_of_bank ON rental (bank_id, held_ms);
-- When a locker was last freed in pool mode: rentals by a term are many more and no part of it.
CREATE INDEX rental_freed ON rental (locker_id, ended_ms)
  WHERE term_id IS NULL AND ended_ms IS NOT NULL AND locker_id IS NOT NULL;
CREATE INDEX rental_over ON rental (bank_id, ended_ms)
  WHERE ended_ms IS NOT NULL AND confirmed_ms IS NOT NULL;
CREATE INDEX waiting_since ON waiting (since_ms);
CREATE INDEX overdue_case_detected ON overdue_case (detected_ms);
-- What staff wrote about lockers, to be forgotten in time.
CREATE INDEX locker_note_at ON locker_note (at_ms);
CREATE INDEX locker_service_told ON locker_service (at_ms) WHERE reason <> '';
