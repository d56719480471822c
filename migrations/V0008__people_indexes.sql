-- What is asked of one member at a time (their own data, making them nameless) is found by indexes:
-- without them each question goes through whole tables.

CREATE INDEX opening_member ON opening (member_id, requested_ms);
CREATE INDEX alarm_claimed_by ON alarm (claimed_by) WHERE claimed_by IS NOT NULL;
CREATE INDEX alarm_acknowledged_by ON alarm (acknowledged_by) WHERE acknowledged_by IS NOT NULL;
CREATE INDEX audit_actor ON audit (actor_id) WHERE actor_id IS NOT NULL;
-- Of what was done to members alone; a question must name both bounds to be answered by it.
CREATE INDEX audit_member ON audit (subject) WHERE subject >= 'member:' AND subject < 'member;';
CREATE INDEX presence_use_member ON presence_use (member_id);
CREATE INDEX outbox_address ON outbox (address) WHERE address IS NOT NULL;

-- Kiosks are not locked any more by wrong codes: what was counted for them under the members' kind is
-- asked about by nobody.
DELETE FROM throttle WHERE kind = 'kiosk_code' AND subject GLOB 'kiosk:*';
