-- What schema.sql has and version 2 had not. A step that was published stays as it is; this one may grow until then.

-- ---- sessions

-- Which refresh tokens were replaced lately, and 180 days at most from the login on.
ALTER TABLE session ADD COLUMN recent TEXT NOT NULL DEFAULT '[]';
UPDATE session SET expires_at = min(expires_at, created_at + 15552000000);
-- A session of somebody who is deactivated would come back with them.
DELETE FROM session WHERE user IN (SELECT pk FROM user WHERE NOT is_active);
-- Who is deactivated, or asks for the deletion of their account, gets no mail from then on but login codes and answers to what
-- they asked; mail_queue() of lib/mail.h takes none in. A notice of a changed address (email-changed) is for whoever had it
-- before. And a deactivation ends the sessions for good.
CREATE TRIGGER user_deactivated AFTER UPDATE OF is_active ON user WHEN NOT new.is_active AND old.is_active BEGIN
	DELETE FROM session WHERE user = new.pk;
	DELETE FROM outbox WHERE recipient = new.email AND template NOT IN ('login-code', 'contact-reply', 'email-changed');
END;
CREATE TRIGGER user_leaving AFTER UPDATE OF deletion_status ON user
WHEN new.deletion_status = 'pending' AND old.deletion_status <> 'pending'
BEGIN
	DELETE FROM outbox WHERE recipient = new.email AND template NOT IN ('login-code', 'contact-reply', 'email-changed');
END;
