-- When somebody last showed in a log-in who they are: at the log-in itself, later with their password or a
-- code again. Dangerous acts ask for it; new tokens do not renew it.
ALTER TABLE session ADD COLUMN proven_ms INTEGER;
UPDATE session SET proven_ms = issued_ms WHERE kiosk_id IS NULL;
