-- What schema.sql has and version 2 had not. A step that was published stays as it is; this one may grow until then.

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
	place BLOB PRIMARY KEY,		-- keyed hash of user and client network, under a key outside the database
	user INTEGER NOT NULL REFERENCES user (pk) ON DELETE CASCADE,
	seen_at INTEGER NOT NULL	-- the last login from there
) STRICT, WITHOUT ROWID;
CREATE INDEX known_network_user ON known_network (user);
CREATE INDEX known_network_seen ON known_network (seen_at);	-- for `okulctl cleanup`

CREATE INDEX audit_login ON audit (at) WHERE action IN ('session.login', 'session.locked');

DROP TRIGGER user_forgotten;
CREATE TRIGGER user_forgotten AFTER DELETE ON user BEGIN
	DELETE FROM login_code WHERE email = old.email;
	DELETE FROM event WHERE kind IN ('code-email', 'wrong-email', 'wrong-short')
		AND subject >= okul_mailbox(old.email) AND subject < okul_mailbox(old.email) || '!';
	DELETE FROM outbox WHERE recipient = old.email AND template <> 'contact-reply';
END;
