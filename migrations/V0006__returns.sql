-- The whole life of a rental: reserved for some locker of a bank or held, active, returned until its
-- locker was emptied, ended.
-- Runs with foreign keys off: `rental` is rebuilt, for its CHECKs.

CREATE TABLE rental_wider (
  id INTEGER PRIMARY KEY,
  bank_id INTEGER NOT NULL REFERENCES bank (id) ON DELETE RESTRICT,
  -- NULL as long as it is reserved: the compartment is bound at check-in.
  locker_id INTEGER REFERENCES locker (id) ON DELETE RESTRICT,
  member_id INTEGER NOT NULL REFERENCES member (id) ON DELETE RESTRICT,
  -- NULL in pool mode, and where staff gave other dates than a term's.
  term_id INTEGER REFERENCES term (id) ON DELETE RESTRICT,
  state TEXT NOT NULL CONSTRAINT rental_state_known
    CHECK (state IN ('reserved', 'held', 'active', 'returned', 'ended')),
  starts_on TEXT NOT NULL,
  ends_on TEXT NOT NULL,
  -- When it was held, reserved or, by staff, assigned.
  held_ms INTEGER NOT NULL,
  -- When it was confirmed or checked in.
  confirmed_ms INTEGER,
  -- Of a reservation: whether a compartment at an accessible height is wished for.
  accessible INTEGER NOT NULL DEFAULT 0
    CONSTRAINT rental_accessible_flag CHECK (accessible IN (0, 1)),
  -- Whether its hold was extended, and how often the rental was.
  hold_extended INTEGER NOT NULL DEFAULT 0
    CONSTRAINT rental_hold_extended_flag CHECK (hold_extended IN (0, 1)),
  extensions INTEGER NOT NULL DEFAULT 0
    CONSTRAINT rental_extensions_range CHECK (extensions >= 0),
  -- When its overdue case was sealed: its renter may not open any more, where the policy says so.
  sealed_ms INTEGER,
  -- When its door was first opened, or may have been; NULL: nothing can be inside. Openings
  -- themselves are forgotten earlier than a long rental ends.
  opened_ms INTEGER,
  -- When it was given back.
  returned_ms INTEGER,
  -- Of a returned one, after its last opening: when the door was seen closed, and when the renter
  -- said that the locker is empty. Both are void with the next opening.
  closed_ms INTEGER,
  emptied_ms INTEGER,
  -- Of a returned one: whether its last day was over by then, and whether staff took it away and nobody
  -- was seen to open the locker since, so that its things are still inside.
  returned_late INTEGER NOT NULL DEFAULT 0
    CONSTRAINT rental_returned_late_flag CHECK (returned_late IN (0, 1)),
  untouched INTEGER NOT NULL DEFAULT 0 CONSTRAINT rental_untouched_flag CHECK (untouched IN (0, 1)),
  -- Of a reservation: since when it is known that it was not served although somebody may have come;
  -- it can be checked in until its last day.
  unserved_ms INTEGER,
  -- When its renter was told that the locker is not to be had; NULL again when it is.
  shortage_told_ms INTEGER,
  -- The rental in whose place it came.
  follows_id INTEGER REFERENCES rental (id) ON DELETE RESTRICT,
  ended_ms INTEGER,
  end_reason TEXT CONSTRAINT rental_end_reason_known CHECK (end_reason IN (
    'hold_expired', 'hold_released', 'returned', 'ended_by_staff', 'replaced', 'cancelled', 'no_show',
    'collected')),
  CONSTRAINT rental_dates_order CHECK (starts_on <= ends_on),
  CONSTRAINT rental_ended_whole
    CHECK ((state = 'ended') = (ended_ms IS NOT NULL) AND (ended_ms IS NULL) = (end_reason IS NULL)),
  CONSTRAINT rental_active_confirmed
    CHECK (state NOT IN ('active', 'returned') OR confirmed_ms IS NOT NULL),
  CONSTRAINT rental_bound CHECK (locker_id IS NOT NULL OR state IN ('reserved', 'ended')),
  CONSTRAINT rental_reserved_unbound CHECK (state <> 'reserved' OR locker_id IS NULL),
  CONSTRAINT rental_returned_whole
    CHECK ((state <> 'returned' OR returned_ms IS NOT NULL)
      AND (state NOT IN ('reserved', 'held', 'active') OR returned_ms IS NULL)
      AND (returned_ms IS NOT NULL
        OR (closed_ms IS NULL AND emptied_ms IS NULL AND returned_late = 0 AND untouched = 0)))
) STRICT;
INSERT INTO rental_wider (id, bank_id, locker_id, member_id, term_id, state, starts_on, ends_on, held_ms,
    confirmed_ms, opened_ms, ended_ms, end_reason)
  SELECT id, (SELECT bank_id FROM locker WHERE locker.id = rental.locker_id), locker_id, member_id,
    term_id, state, starts_on, ends_on, held_ms, confirmed_ms,
    -- Openings are forgotten after a while: of what is still live, nobody can say that it was never opened.
    CASE WHEN confirmed_ms IS NOT NULL THEN
      coalesce(
        (SELECT min(requested_ms) FROM opening
         WHERE opening.locker_id = rental.locker_id AND requested_ms >= confirmed_ms
           AND (ended_ms IS NULL OR requested_ms <= ended_ms)
           AND (outcome IS NULL OR outcome NOT IN ('refused', 'unreachable'))),
        CASE WHEN ended_ms IS NULL THEN confirmed_ms END)
    END,
    ended_ms, end_reason
  FROM rental;
DROP TABLE rental;
ALTER TABLE rental_wider RENAME TO rental;

-- Two live rentals that end on the same day share that day: the index refuses them by itself, and
-- serves the triggers below, which refuse every other overlap. A returned rental keeps others from
-- the locker, but not its member from another one.
CREATE UNIQUE INDEX rental_live_locker ON rental (locker_id, ends_on) WHERE ended_ms IS NULL;
CREATE UNIQUE INDEX rental_live_member ON rental (member_id, ends_on)
  WHERE ended_ms IS NULL AND returned_ms IS NULL;
-- Everything a member rented, for their own data and for staff.
CREATE INDEX rental_of_member ON rental (member_id);
CREATE INDEX rental_reserved ON rental (bank_id, starts_on) WHERE state = 'reserved';
CREATE INDEX rental_shortage_told ON rental (id)
  WHERE shortage_told_ms IS NOT NULL AND ended_ms IS NULL;

CREATE TRIGGER rental_no_delete BEFORE DELETE ON rental BEGIN
  SELECT RAISE(ABORT, 'rental.kept');
END;
CREATE TRIGGER rental_insert_overlap BEFORE INSERT ON rental WHEN NEW.ended_ms IS NULL BEGIN
  SELECT RAISE(ABORT, 'rental.member_overlap') WHERE NEW.returned_ms IS NULL AND EXISTS (
    SELECT 1 FROM rental WHERE member_id = NEW.member_id AND ended_ms IS NULL
      AND returned_ms IS NULL AND ends_on >= NEW.starts_on AND starts_on <= NEW.ends_on);
  SELECT RAISE(ABORT, 'rental.locker_overlap') WHERE EXISTS (
    SELECT 1 FROM rental WHERE locker_id = NEW.locker_id AND ended_ms IS NULL
      AND ends_on >= NEW.starts_on AND starts_on <= NEW.ends_on);
END;
CREATE TRIGGER rental_update_overlap
BEFORE UPDATE OF locker_id, member_id, starts_on, ends_on, returned_ms, ended_ms ON rental
WHEN NEW.ended_ms IS NULL BEGIN
  SELECT RAISE(ABORT, 'rental.member_overlap') WHERE NEW.returned_ms IS NULL AND EXISTS (
    SELECT 1 FROM rental WHERE member_id = NEW.member_id AND ended_ms IS NULL
      AND returned_ms IS NULL AND id <> NEW.id
      AND ends_on >= NEW.starts_on AND starts_on <= NEW.ends_on);
  SELECT RAISE(ABORT, 'rental.locker_overlap') WHERE EXISTS (
    SELECT 1 FROM rental WHERE locker_id = NEW.locker_id AND ended_ms IS NULL AND id <> NEW.id
      AND ends_on >= NEW.starts_on AND starts_on <= NEW.ends_on);
END;

-- Whether the opening is the last one of a return: when the door was seen open, the locker is given back.
ALTER TABLE opening ADD COLUMN returns INTEGER NOT NULL DEFAULT 0;
