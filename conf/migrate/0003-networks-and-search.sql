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

-- ---- search

-- What is searched and sorted was folded by a table that knew few letters. All of it is folded again, and the index of users,
-- which cannot be told what it held, is made again.
ALTER TABLE user ADD COLUMN folded TEXT NOT NULL DEFAULT '';
DROP TRIGGER user_added;
DROP TRIGGER user_renamed;
DROP TRIGGER user_removed;
CREATE TRIGGER user_added AFTER INSERT ON user BEGIN
	UPDATE user SET sort_name = okul_fold(new.name, new.surname),
		folded = okul_fold(new.name, new.surname, new.username, new.email) WHERE pk = new.pk;
	INSERT OR IGNORE INTO user_reindex (pk) VALUES (new.pk);
	UPDATE tally SET n = n + 1 WHERE name IN ('user', 'user:' || new.role);
	INSERT INTO user_block (block, n) VALUES (new.pk >> 10, 1) ON CONFLICT (block) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER user_renamed AFTER UPDATE OF name, surname, username, email ON user
WHEN new.name IS NOT old.name OR new.surname IS NOT old.surname OR new.username IS NOT old.username OR new.email <> old.email
BEGIN
	INSERT OR IGNORE INTO user_reindex (pk, old) VALUES (old.pk, old.folded);
	UPDATE user SET sort_name = okul_fold(new.name, new.surname),
		folded = okul_fold(new.name, new.surname, new.username, new.email) WHERE pk = new.pk;
END;
CREATE TRIGGER user_removed AFTER DELETE ON user BEGIN
	INSERT OR IGNORE INTO user_reindex (pk, old) VALUES (old.pk, old.folded);
	UPDATE tally SET n = n - 1 WHERE name IN ('user', 'user:' || old.role);
	UPDATE user_block SET n = n - 1 WHERE block = old.pk >> 10;
END;

UPDATE user SET sort_name = okul_fold(name, surname), folded = okul_fold(name, surname, username, email);
DROP TABLE user_text;
CREATE VIRTUAL TABLE user_text USING fts5 (folded, content = '', columnsize = 0, tokenize = 'trigram');
INSERT INTO user_text (rowid, folded) SELECT pk, folded FROM user;
DELETE FROM user_reindex;

UPDATE course SET sort_title = okul_fold(title), folded = okul_fold(title, description);
UPDATE test SET folded = okul_fold(title, description);
UPDATE contact SET sort_name = okul_fold(full_name), folded = okul_fold(full_name, email, subject, message);
UPDATE material SET folded = okul_fold(title, description);

-- The audit as a list of the API.
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_name ON audit (subject);

-- ---- logins

-- A code lives ten minutes: those of before are dropped, and whoever waits for one asks again.
DROP TABLE login_code;
CREATE TABLE login_code (
	email TEXT NOT NULL,
	network TEXT NOT NULL,		-- the client network that asked for it
	digits INTEGER NOT NULL,
	mac BLOB NOT NULL,		-- keyed hash of the code, under a key outside the database
	language TEXT NOT NULL CHECK (language IN ('tr', 'en', 'es', 'de')),	-- of the mail; a new user starts with it
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	tries INTEGER NOT NULL DEFAULT 0,	-- wrong ones, from that network
	strange_tries INTEGER NOT NULL DEFAULT 0,	-- wrong ones, from others
	used INTEGER NOT NULL DEFAULT 0 CHECK (used IN (0, 1)),
	PRIMARY KEY (email, network)
) STRICT, WITHOUT ROWID;
CREATE INDEX login_code_expires ON login_code (expires_at);

CREATE TABLE known_network (
	mac BLOB PRIMARY KEY,		-- keyed hash of user and client network, under a key outside the database
	user INTEGER NOT NULL REFERENCES user (pk) ON DELETE CASCADE,
	seen_at INTEGER NOT NULL	-- the last login from there
) STRICT, WITHOUT ROWID;
CREATE INDEX known_network_user ON known_network (user);
CREATE INDEX known_network_seen ON known_network (seen_at);	-- for `okulctl cleanup`

DROP TRIGGER user_forgotten;
CREATE TRIGGER user_forgotten AFTER DELETE ON user BEGIN
	DELETE FROM login_code WHERE email = old.email;
	DELETE FROM event WHERE kind IN ('code-email', 'wrong-email', 'wrong-short')
		AND subject >= okul_mailbox(old.email) AND subject < okul_mailbox(old.email) || '!';
	DELETE FROM outbox WHERE recipient = old.email AND template <> 'contact-reply';
END;

-- Events of a user by their id: 'submit' has the subject "ID TEST", 'file-gone' the bytes of a deleted file as its n.
CREATE TRIGGER user_events_forgotten AFTER DELETE ON user BEGIN
	DELETE FROM event WHERE kind IN ('submit', 'file-gone') AND subject BETWEEN old.id AND old.id || '~';
END;

-- Addresses that a browser would take for a script or another site, as profile photos could be.
UPDATE user SET profile_photo = NULL WHERE profile_photo NOT LIKE 'http://%' AND profile_photo NOT LIKE 'https://%'
	AND (instr(profile_photo, ':') OR profile_photo LIKE '//%' OR instr(profile_photo, char(92))
		OR profile_photo GLOB '*[' || char(1) || '-' || char(32) || ']*');
