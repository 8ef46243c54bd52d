-- The schema of okul. `okulctl migrate` creates a new database from this file, and migrates an old one with
-- conf/migrate/NNNN-*.sql; a test compares the results.
--
-- Tables have an INTEGER primary key for joins and, where clients see the row, an id of 24 hex digits that grows with
-- time. Times are milliseconds since 1970 (UTC), dates are texts YYYY-MM-DD.

PRAGMA user_version = 4;

-- Users. Addresses are stored in lower case.
CREATE TABLE users (
	pk INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	email TEXT NOT NULL UNIQUE,
	role TEXT NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin', 'superadmin')),
	is_active INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
	language TEXT NOT NULL DEFAULT 'en' CHECK (language IN ('tr', 'en', 'es', 'de')),
	name TEXT,
	surname TEXT,
	username TEXT UNIQUE,
	username_changed_at INTEGER,
	country_code TEXT,
	phone_number TEXT,
	profile_photo TEXT,
	availability TEXT NOT NULL DEFAULT 'offline' CHECK (availability IN ('available', 'busy', 'offline')),
	birth_date TEXT,
	gender TEXT CHECK (gender IN ('female', 'male', 'other')),
	interests TEXT NOT NULL DEFAULT '[]',	-- JSON array of texts
	expertise TEXT,
	bio TEXT,
	instagram TEXT,
	x TEXT,
	tiktok TEXT,
	snapchat TEXT,
	facebook TEXT,
	timezone TEXT NOT NULL,
	-- a consent is stored as its time (NULL: none) and the version of the text
	privacy_policy_at INTEGER,
	privacy_policy_version TEXT,
	terms_of_use_at INTEGER,
	terms_of_use_version TEXT,
	consent_form_at INTEGER,
	consent_form_version TEXT,
	registered_at INTEGER,		-- registration completed
	last_login_at INTEGER,
	-- the origin of a user, as reported by the app at sign-up
	signup_source TEXT,
	signup_campaign TEXT,
	-- `okulctl cleanup` deletes the row when a requested deletion is due
	deletion_status TEXT NOT NULL DEFAULT 'none' CHECK (deletion_status IN ('none', 'pending', 'cancelled', 'finalized')),
	deletion_requested_at INTEGER,
	deletion_scheduled_for INTEGER,
	deletion_cancelled_at INTEGER,
	sort_name TEXT NOT NULL DEFAULT '',	-- name and surname, folded; set by triggers
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	folded TEXT NOT NULL DEFAULT ''	-- name, surname, user name and address, folded; set by triggers
) STRICT;
CREATE INDEX user_role ON users (role);
CREATE INDEX user_sort_name ON users (sort_name);
CREATE INDEX user_deletion ON users (deletion_scheduled_for) WHERE deletion_status = 'pending';

-- Substring search: a trigram index of users.folded. The index does not store the text, so a deletion needs the old
-- text, taken from the row and not folded again. Triggers may not write to a virtual table (the schema is not trusted),
-- so they note changes in user_reindex, and user_reindex() of lib/school/user.h updates user_text in the same
-- transaction. okul_fold() is defined only in okul's connections: write with `okulctl sql`, not with the sqlite3 shell.
CREATE VIRTUAL TABLE user_text USING fts5 (folded, content = '', columnsize = 0, tokenize = 'trigram');
CREATE TABLE user_reindex (
	pk INTEGER PRIMARY KEY,
	old TEXT			-- the text of the user in user_text; NULL: none yet
) STRICT;

CREATE TRIGGER user_added AFTER INSERT ON users BEGIN
	UPDATE users SET sort_name = okul_fold(new.name, new.surname),
		folded = okul_fold(new.name, new.surname, new.username, new.email) WHERE pk = new.pk;
	INSERT OR IGNORE INTO user_reindex (pk) VALUES (new.pk);
	UPDATE tally SET n = n + 1 WHERE name IN ('user', 'user:' || new.role);
	INSERT INTO user_block (block, n) VALUES (new.pk >> 10, 1) ON CONFLICT (block) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER user_renamed AFTER UPDATE OF name, surname, username, email ON users
WHEN new.name IS NOT old.name OR new.surname IS NOT old.surname OR new.username IS NOT old.username OR new.email <> old.email
BEGIN
	INSERT OR IGNORE INTO user_reindex (pk, old) VALUES (old.pk, old.folded);
	UPDATE users SET sort_name = okul_fold(new.name, new.surname),
		folded = okul_fold(new.name, new.surname, new.username, new.email) WHERE pk = new.pk;
END;
CREATE TRIGGER user_role_changed AFTER UPDATE OF role ON users WHEN new.role <> old.role BEGIN
	UPDATE tally SET n = n - 1 WHERE name = 'user:' || old.role;
	UPDATE tally SET n = n + 1 WHERE name = 'user:' || new.role;
END;
CREATE TRIGGER user_removed AFTER DELETE ON users BEGIN
	INSERT OR IGNORE INTO user_reindex (pk, old) VALUES (old.pk, old.folded);
	UPDATE tally SET n = n - 1 WHERE name IN ('user', 'user:' || old.role);
	UPDATE user_block SET n = n - 1 WHERE block = old.pk >> 10;
END;

-- The number of users in each block of 1,024 keys: a late page of the list is found by summing blocks, not by skipping
-- rows.
CREATE TABLE user_block (
	block INTEGER PRIMARY KEY,
	n INTEGER NOT NULL CHECK (n >= 0)
) STRICT;

-- Exact counts, updated by triggers: counting 100,000 rows for each page of a list would cost more than the page.
CREATE TABLE tally (
	name TEXT PRIMARY KEY,
	n INTEGER NOT NULL DEFAULT 0 CHECK (n >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO tally (name) VALUES ('user'), ('user:user'), ('user:admin'), ('user:superadmin');

-- The audit trail, written in the transaction of the change. Texts instead of references, since it outlives both users.
CREATE TABLE audit (
	pk INTEGER PRIMARY KEY,
	at INTEGER NOT NULL,
	actor_id TEXT,			-- NULL: the operator, with okulctl
	actor_email TEXT,
	action TEXT NOT NULL,		-- 'user.role', 'user.email', 'user.profile', 'user.active', 'user.deleted', ...
	subject_id TEXT NOT NULL,
	subject TEXT NOT NULL,		-- address of a user, key of a setting
	before TEXT,
	after TEXT
) STRICT;
CREATE INDEX audit_subject ON audit (subject_id);
CREATE INDEX audit_actor ON audit (actor_id);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_name ON audit (subject);

-- Sessions. Deleting the row revokes its access token and all its refresh tokens.
CREATE TABLE session (
	pk INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	user_pk INTEGER NOT NULL REFERENCES users (pk) ON DELETE CASCADE,
	seed BLOB NOT NULL,		-- the refresh tokens are derived from it with a key outside the database
	counter INTEGER NOT NULL DEFAULT 0,	-- number of the current refresh token
	rotated_at INTEGER NOT NULL,	-- when the previous one was replaced
	created_at INTEGER NOT NULL,
	last_used_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	ip TEXT,
	user_agent TEXT,
	recent TEXT NOT NULL DEFAULT '[]'	-- JSON array: times of recent rotations, with rotated_at
) STRICT;
CREATE INDEX session_user ON session (user_pk);
CREATE INDEX session_expires ON session (expires_at);

-- Login codes of an address, with or without a user. One row per client network, whose new code replaces the old one.
CREATE TABLE login_code (
	email TEXT NOT NULL,
	network TEXT NOT NULL,		-- the client network that requested it
	digits INTEGER NOT NULL,
	mac BLOB NOT NULL,		-- keyed hash of the code, with a key outside the database
	language TEXT NOT NULL CHECK (language IN ('tr', 'en', 'es', 'de')),	-- of the mail, and of a new user
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	tries INTEGER NOT NULL DEFAULT 0,	-- wrong codes from that network
	strange_tries INTEGER NOT NULL DEFAULT 0,	-- wrong codes from others
	used INTEGER NOT NULL DEFAULT 0 CHECK (used IN (0, 1)),
	PRIMARY KEY (email, network)
) STRICT, WITHOUT ROWID;
CREATE INDEX login_code_expires ON login_code (expires_at);

-- The networks from which a user logged in recently. They have separate limits in table event.
CREATE TABLE known_network (
	mac BLOB PRIMARY KEY,		-- keyed hash of user and client network, with a key outside the database
	user_pk INTEGER NOT NULL REFERENCES users (pk) ON DELETE CASCADE,
	seen_at INTEGER NOT NULL	-- the last login from it
) STRICT, WITHOUT ROWID;
CREATE INDEX known_network_user ON known_network (user_pk);
CREATE INDEX known_network_seen ON known_network (seen_at);	-- for `okulctl cleanup`

-- Events that count towards a limit. Rows are deleted when their window is over.
CREATE TABLE event (
	-- of a mailbox: 'code-email', 'wrong-email' (6 digits), 'wrong-short' (4); of a client network: 'code-client',
	-- 'wrong-client', 'user-client', 'contact-client'
	kind TEXT NOT NULL,
	subject TEXT NOT NULL,		-- mailbox, with a space and a mark for a known network; or client network
	at INTEGER NOT NULL,
	n INTEGER NOT NULL,		-- distinguishes events of the same millisecond; or a size
	PRIMARY KEY (kind, subject, at, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_at ON event (at);	-- for `okulctl cleanup`

-- The queue of mails. A row is deleted when its mail was sent or has expired.
CREATE TABLE outbox (
	pk INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	recipient TEXT NOT NULL,
	language TEXT NOT NULL CHECK (language IN ('tr', 'en', 'es', 'de')),
	template TEXT NOT NULL,
	sealed BLOB NOT NULL,		-- the template's values, encrypted with a key outside the database
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	next_at INTEGER NOT NULL,	-- time of the next try; a sender that takes the row moves it forward as its lease
	attempts INTEGER NOT NULL DEFAULT 0,
	last_error TEXT
) STRICT;
CREATE INDEX outbox_next ON outbox (next_at);
CREATE INDEX outbox_recipient ON outbox (recipient);

-- Deletes the rows that refer to a user by address. Contact requests stay, and so does a queued reply.
CREATE TRIGGER user_forgotten AFTER DELETE ON users BEGIN
	DELETE FROM login_code WHERE email = old.email;
	DELETE FROM event WHERE kind IN ('code-email', 'wrong-email', 'wrong-short')
		AND subject >= okul_mailbox(old.email) AND subject < okul_mailbox(old.email) || '!';
	DELETE FROM outbox WHERE recipient = old.email AND template <> 'contact-reply';
END;
-- Deactivated users, and users who requested the deletion of their account, get only login codes and replies;
-- outbox_add() of lib/school/outbox.h adds nothing else. The notice of a changed address (email-changed) is for its
-- previous owner. A deactivation also ends the sessions.
CREATE TRIGGER user_deactivated AFTER UPDATE OF is_active ON users WHEN NOT new.is_active AND old.is_active BEGIN
	DELETE FROM session WHERE user_pk = new.pk;
	DELETE FROM outbox WHERE recipient = new.email AND template NOT IN ('login-code', 'contact-reply', 'email-changed');
END;
CREATE TRIGGER user_leaving AFTER UPDATE OF deletion_status ON users
WHEN new.deletion_status = 'pending' AND old.deletion_status <> 'pending'
BEGIN
	DELETE FROM outbox WHERE recipient = new.email AND template NOT IN ('login-code', 'contact-reply', 'email-changed');
END;

-- Events with the id of a user: 'submit' has the subject "ID TEST", 'file-gone' has the size of a deleted file in n.
CREATE TRIGGER user_events_forgotten AFTER DELETE ON users BEGIN
	DELETE FROM event WHERE kind IN ('submit', 'file-gone') AND subject BETWEEN old.id AND old.id || '~';
END;

-- ---- courses

CREATE TABLE course (
	pk INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	title TEXT NOT NULL,
	language TEXT NOT NULL CHECK (language IN ('tr', 'en', 'es', 'de')),
	level TEXT CHECK (level IN ('A1', 'A2', 'B1', 'B2', 'C1', 'C2')),
	price REAL NOT NULL DEFAULT 0,
	currency TEXT NOT NULL DEFAULT 'TRY',
	duration_weeks INTEGER,
	image_url TEXT,
	position INTEGER NOT NULL DEFAULT 0,	-- "order" in the API
	is_published INTEGER NOT NULL DEFAULT 1 CHECK (is_published IN (0, 1)),
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	sort_title TEXT NOT NULL DEFAULT '',	-- title, folded; set by triggers, as is the last column
	description TEXT NOT NULL DEFAULT '',	-- near the end: columns after a long text are expensive to read
	folded TEXT NOT NULL DEFAULT ''		-- title and description, folded, for search
) STRICT;
-- Covering indexes for each order of the list, with all its filters: a page is found without reading rows.
CREATE INDEX course_newest ON course (pk, is_published, language, level);
CREATE INDEX course_title ON course (sort_title, pk, is_published, language, level);
CREATE INDEX course_price ON course (price, pk, is_published, language, level);
CREATE INDEX course_position ON course (position, pk, is_published, language, level);
-- And for the unfiltered public list: skipping an entry costs a quarter when none of its columns is read. (With the
-- constant is_published SQLite treats them as covering.)
CREATE INDEX course_public_newest ON course (pk, is_published) WHERE is_published;
CREATE INDEX course_public_title ON course (sort_title, pk, is_published) WHERE is_published;
CREATE INDEX course_public_price ON course (price, pk, is_published) WHERE is_published;
CREATE INDEX course_public_position ON course (position, pk, is_published) WHERE is_published;

-- course:version grows with every change of a course and is part of the ETag of the list. It is at least the current
-- time, so that after a restore from a backup a new list does not get an old number.
INSERT INTO tally (name) VALUES ('course'), ('course:published'), ('course:version');

CREATE TRIGGER course_added AFTER INSERT ON course BEGIN
	UPDATE course SET sort_title = okul_fold(new.title), folded = okul_fold(new.title, new.description) WHERE pk = new.pk;
	UPDATE tally SET n = n + 1 WHERE name = 'course' OR (name = 'course:published' AND new.is_published);
END;
CREATE TRIGGER course_rewritten AFTER UPDATE OF title, description ON course
WHEN new.title <> old.title OR new.description <> old.description
BEGIN
	UPDATE course SET sort_title = okul_fold(new.title), folded = okul_fold(new.title, new.description) WHERE pk = new.pk;
END;
CREATE TRIGGER course_published AFTER UPDATE OF is_published ON course WHEN new.is_published <> old.is_published BEGIN
	UPDATE tally SET n = n + new.is_published - old.is_published WHERE name = 'course:published';
END;
-- Also fires after an INSERT, whose trigger updates the row.
CREATE TRIGGER course_changed AFTER UPDATE ON course BEGIN
	UPDATE tally SET n = max(n + 1, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)) WHERE name = 'course:version';
END;
CREATE TRIGGER course_removed AFTER DELETE ON course BEGIN
	UPDATE tally SET n = n - 1 WHERE name = 'course' OR (name = 'course:published' AND old.is_published);
	UPDATE tally SET n = max(n + 1, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)) WHERE name = 'course:version';
END;

-- ---- settings

-- Texts, numbers and lists for the school's web site. Their history is in setting_version.
CREATE TABLE setting (
	pk INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	key TEXT NOT NULL UNIQUE,
	is_public INTEGER NOT NULL DEFAULT 1 CHECK (is_public IN (0, 1)),
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	description TEXT,
	value TEXT NOT NULL		-- JSON text, unchanged; the last column, since it may be long
) STRICT;

-- All versions of a setting, with the current one. Texts instead of references, since they outlive setting and actor.
CREATE TABLE setting_version (
	pk INTEGER PRIMARY KEY,
	key TEXT NOT NULL,
	version INTEGER NOT NULL,	-- from 1 for each key
	at INTEGER NOT NULL,
	actor_id TEXT,			-- NULL: the operator, with okulctl
	actor_email TEXT,
	is_public INTEGER NOT NULL CHECK (is_public IN (0, 1)),
	description TEXT,
	value TEXT NOT NULL,
	UNIQUE (key, version)
) STRICT;

-- ---- files

-- Uploaded files. DATA/files stores equal bytes once, named by their hash.
CREATE TABLE file (
	pk INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	key TEXT NOT NULL UNIQUE,	-- the last segment of its URL
	sha256 TEXT NOT NULL,
	size INTEGER NOT NULL,
	mime TEXT NOT NULL,
	name TEXT NOT NULL,		-- of the client's file
	owner INTEGER REFERENCES users (pk) ON DELETE SET NULL,	-- NULL: the school; private files are then for admins
	is_public INTEGER NOT NULL CHECK (is_public IN (0, 1)),
	created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX file_sha256 ON file (sha256);
CREATE INDEX file_owner ON file (owner, size);

-- The number of stored bytes, each hash once.
INSERT INTO tally (name) VALUES ('file:bytes');
CREATE TRIGGER file_added AFTER INSERT ON file
WHEN NOT EXISTS (SELECT 1 FROM file WHERE sha256 = new.sha256 AND pk <> new.pk)
BEGIN
	UPDATE tally SET n = n + new.size WHERE name = 'file:bytes';
END;
CREATE TRIGGER file_removed AFTER DELETE ON file
WHEN NOT EXISTS (SELECT 1 FROM file WHERE sha256 = old.sha256)
BEGIN
	UPDATE tally SET n = n - old.size WHERE name = 'file:bytes';
END;
-- Private files are deleted with their owner; public files then belong to the school. `okulctl files gc` deletes the
-- bytes.
CREATE TRIGGER file_owner_removed BEFORE DELETE ON users BEGIN
	DELETE FROM file WHERE owner = old.pk AND NOT is_public;
END;

-- ---- placement tests

-- Versions of a test. They are immutable, so that a result keeps its wording and programs can cache them by pk; a
-- change of the test adds a version, and unreferenced versions are deleted.
CREATE TABLE test_version (
	pk INTEGER PRIMARY KEY AUTOINCREMENT,	-- never reused
	test INTEGER NOT NULL,		-- pk of the test; no reference, since results outlive their test
	test_id TEXT NOT NULL,
	title TEXT NOT NULL,
	target_language TEXT NOT NULL,
	level_ranges TEXT NOT NULL,	-- JSON array of {level, minScore, maxScore}, ascending
	answer_key BLOB NOT NULL,	-- the questions in the form for grading: lib/school/quiz.h
	questions TEXT NOT NULL		-- JSON array of {id, text, points, mediaUrl, order, options: [{id, text, isCorrect}]}
) STRICT;
CREATE INDEX test_version_test ON test_version (test);

CREATE TABLE test (
	pk INTEGER PRIMARY KEY AUTOINCREMENT,	-- never reused, since results refer to it after its deletion
	id TEXT NOT NULL UNIQUE,
	version INTEGER NOT NULL REFERENCES test_version (pk),
	title TEXT NOT NULL,
	target_language TEXT NOT NULL,
	duration_minutes INTEGER,
	max_attempts INTEGER NOT NULL DEFAULT 1,	-- 0: no limit
	shuffle INTEGER NOT NULL DEFAULT 0 CHECK (shuffle IN (0, 1)),
	is_published INTEGER NOT NULL DEFAULT 1 CHECK (is_published IN (0, 1)),
	question_count INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	folded TEXT NOT NULL,
	description TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX test_version_of ON test (version);

-- Like course:version, for the list of tests.
INSERT INTO tally (name) VALUES ('test:version');
CREATE TRIGGER test_added AFTER INSERT ON test BEGIN
	UPDATE tally SET n = max(n + 1, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)) WHERE name = 'test:version';
END;
CREATE TRIGGER test_changed AFTER UPDATE ON test BEGIN
	UPDATE tally SET n = max(n + 1, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)) WHERE name = 'test:version';
END;
CREATE TRIGGER test_removed AFTER DELETE ON test BEGIN
	UPDATE tally SET n = max(n + 1, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)) WHERE name = 'test:version';
END;

-- Open attempts: started, not yet submitted. The result replaces the row.
CREATE TABLE attempt (
	pk INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	user_pk INTEGER NOT NULL REFERENCES users (pk) ON DELETE CASCADE,
	test INTEGER NOT NULL REFERENCES test (pk) ON DELETE CASCADE,
	version INTEGER NOT NULL REFERENCES test_version (pk),
	started_at INTEGER NOT NULL,
	deadline INTEGER,		-- NULL: no time limit
	seed INTEGER,			-- of the order of questions and options; NULL: the order of the test
	chosen BLOB,			-- saved answers, one byte per question as in result
	UNIQUE (user_pk, test)
) STRICT;
CREATE INDEX attempt_test ON attempt (test);
CREATE INDEX attempt_version ON attempt (version);
CREATE INDEX attempt_deadline ON attempt (deadline) WHERE deadline IS NOT NULL;

-- Results: snapshots, together with their version. A result takes over the id of its open attempt. Rows are never
-- changed, only deleted.
CREATE TABLE result (
	pk INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	user_pk INTEGER NOT NULL REFERENCES users (pk) ON DELETE CASCADE,
	test INTEGER NOT NULL,		-- pk of the test, which may be deleted
	version INTEGER NOT NULL REFERENCES test_version (pk),
	attempt INTEGER NOT NULL,	-- from 1
	total_score REAL NOT NULL,	-- 0 to 100, two decimals
	correct_count INTEGER NOT NULL,
	question_count INTEGER NOT NULL,
	level TEXT NOT NULL CHECK (level IN ('A1', 'A2', 'B1', 'B2', 'C1', 'C2')),
	target_language TEXT NOT NULL,
	completed_at INTEGER NOT NULL,
	chosen BLOB NOT NULL		-- one byte per question: the option from 1, or 0 for none
) STRICT;
CREATE UNIQUE INDEX result_user ON result (user_pk, test, attempt);
-- Covering indexes for the list of all results, so that only the rows of the page are read: in an order (by time, by
-- score), or by the versions and levels that a filter selects.
CREATE INDEX result_time ON result (completed_at, pk, level, target_language, test, user_pk, version);
CREATE INDEX result_score ON result (total_score, pk, level, target_language, test, user_pk, version, completed_at);
CREATE INDEX result_kind ON result (version, level, completed_at, pk, total_score);

-- The number of results of each kind: the total of any filter of the list is a sum over a few rows. The sums of the
-- scores are integers, so that additions and deletions leave no rounding errors.
CREATE TABLE result_tally (
	version INTEGER NOT NULL,
	level TEXT NOT NULL,
	test INTEGER NOT NULL,		-- test and language are those of the version
	target_language TEXT NOT NULL,
	n INTEGER NOT NULL CHECK (n >= 0),
	hundredths INTEGER NOT NULL CHECK (hundredths >= 0),	-- sum of total_score x 100
	PRIMARY KEY (version, level)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER result_added AFTER INSERT ON result BEGIN
	INSERT INTO result_tally (version, level, test, target_language, n, hundredths)
		VALUES (new.version, new.level, new.test, new.target_language, 1, CAST(round(new.total_score * 100) AS INTEGER))
		ON CONFLICT DO UPDATE SET n = n + 1, hundredths = hundredths + excluded.hundredths;
END;
CREATE TRIGGER result_removed AFTER DELETE ON result BEGIN
	UPDATE result_tally SET n = n - 1, hundredths = hundredths - CAST(round(old.total_score * 100) AS INTEGER)
		WHERE version = old.version AND level = old.level;
	DELETE FROM result_tally WHERE version = old.version AND level = old.level AND n = 0;
END;
-- Only for operators; the programs change no result.
CREATE TRIGGER result_changed AFTER UPDATE OF version, level, test, target_language, total_score ON result BEGIN
	UPDATE result_tally SET n = n - 1, hundredths = hundredths - CAST(round(old.total_score * 100) AS INTEGER)
		WHERE version = old.version AND level = old.level;
	DELETE FROM result_tally WHERE version = old.version AND level = old.level AND n = 0;
	INSERT INTO result_tally (version, level, test, target_language, n, hundredths)
		VALUES (new.version, new.level, new.test, new.target_language, 1, CAST(round(new.total_score * 100) AS INTEGER))
		ON CONFLICT DO UPDATE SET n = n + 1, hundredths = hundredths + excluded.hundredths;
END;

-- ---- contact

CREATE TABLE contact (
	pk INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	full_name TEXT NOT NULL,
	email TEXT NOT NULL,
	phone_number TEXT,
	subject TEXT,
	source TEXT,
	language TEXT NOT NULL CHECK (language IN ('tr', 'en', 'es', 'de')),	-- of the reply
	status TEXT NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'REPLIED')),
	replied_at INTEGER,
	created_at INTEGER NOT NULL,
	sort_name TEXT NOT NULL,	-- full name, folded
	folded TEXT NOT NULL,		-- name, address, subject and message, folded, for search
	message TEXT NOT NULL,
	reply TEXT
) STRICT;
CREATE INDEX contact_status ON contact (status);
CREATE INDEX contact_source ON contact (source, status);
CREATE INDEX contact_sort_name ON contact (sort_name);
CREATE INDEX contact_email ON contact (email);	-- for the export of a user's data

INSERT INTO tally (name) VALUES ('contact'), ('contact:PENDING'), ('contact:REPLIED');
CREATE TRIGGER contact_added AFTER INSERT ON contact BEGIN
	UPDATE tally SET n = n + 1 WHERE name IN ('contact', 'contact:' || new.status);
END;
CREATE TRIGGER contact_status_changed AFTER UPDATE OF status ON contact WHEN new.status <> old.status BEGIN
	UPDATE tally SET n = n - 1 WHERE name = 'contact:' || old.status;
	UPDATE tally SET n = n + 1 WHERE name = 'contact:' || new.status;
END;
CREATE TRIGGER contact_removed AFTER DELETE ON contact BEGIN
	UPDATE tally SET n = n - 1 WHERE name IN ('contact', 'contact:' || old.status);
END;

-- ---- education materials

CREATE TABLE material (
	pk INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	title TEXT NOT NULL,
	locale TEXT NOT NULL CHECK (locale IN ('tr', 'en', 'es', 'de')),
	level TEXT CHECK (level IN ('A1', 'A2', 'B1', 'B2', 'C1', 'C2')),
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	folded TEXT NOT NULL,		-- title and description, folded, for search
	description TEXT NOT NULL DEFAULT '',
	videos TEXT NOT NULL DEFAULT '[]'	-- JSON array of {id, title, url}
) STRICT;

CREATE TABLE material_pdf (
	pk INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	material INTEGER NOT NULL REFERENCES material (pk) ON DELETE CASCADE,
	file INTEGER NOT NULL REFERENCES file (pk),
	title TEXT NOT NULL
) STRICT;
CREATE INDEX material_pdf_material ON material_pdf (material);
CREATE INDEX material_pdf_file ON material_pdf (file);
-- Each PDF has a separate file, which is deleted with it; `okulctl files gc` deletes the bytes.
CREATE TRIGGER material_pdf_removed AFTER DELETE ON material_pdf BEGIN
	DELETE FROM file WHERE pk = old.file;
END;

CREATE TABLE assignment (
	pk INTEGER PRIMARY KEY,
	material INTEGER NOT NULL REFERENCES material (pk) ON DELETE CASCADE,
	user_pk INTEGER NOT NULL REFERENCES users (pk) ON DELETE CASCADE,
	assigned_at INTEGER NOT NULL,
	assigned_by INTEGER REFERENCES users (pk) ON DELETE SET NULL,
	opened_at INTEGER,		-- when the user first opened one of its PDFs
	note TEXT,
	UNIQUE (user_pk, material)
) STRICT;
CREATE INDEX assignment_material ON assignment (material);
CREATE INDEX assignment_by ON assignment (assigned_by);

-- ---- counts for the dashboard

-- The number of rows in each day and each quarter of an hour in UTC: users and contact requests by created_at, results
-- by completed_at, assignments by assigned_at. The number between two times is a sum over whole days, whole quarters at
-- both ends, and a count of rows in the partial quarters. The offset of each time zone is a multiple of a quarter of an
-- hour, so a month has no partial quarters.
CREATE TABLE time_tally (
	span INTEGER NOT NULL,		-- in milliseconds: 86400000 or 900000
	number INTEGER NOT NULL,	-- time / span
	users INTEGER NOT NULL DEFAULT 0 CHECK (users >= 0),
	results INTEGER NOT NULL DEFAULT 0 CHECK (results >= 0),
	contacts INTEGER NOT NULL DEFAULT 0 CHECK (contacts >= 0),
	assignments INTEGER NOT NULL DEFAULT 0 CHECK (assignments >= 0),
	PRIMARY KEY (span, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_created ON users (created_at);
CREATE INDEX contact_created ON contact (created_at);
CREATE INDEX assignment_assigned ON assignment (assigned_at);

CREATE TRIGGER user_timed AFTER INSERT ON users BEGIN
	INSERT INTO time_tally (span, number, users)
		VALUES (86400000, new.created_at / 86400000, 1), (900000, new.created_at / 900000, 1)
		ON CONFLICT DO UPDATE SET users = users + 1;
END;
CREATE TRIGGER user_untimed AFTER DELETE ON users BEGIN
	UPDATE time_tally SET users = users - 1 WHERE span = 86400000 AND number = old.created_at / 86400000;
	UPDATE time_tally SET users = users - 1 WHERE span = 900000 AND number = old.created_at / 900000;
END;
CREATE TRIGGER user_retimed AFTER UPDATE OF created_at ON users WHEN new.created_at <> old.created_at BEGIN
	UPDATE time_tally SET users = users - 1 WHERE span = 86400000 AND number = old.created_at / 86400000;
	UPDATE time_tally SET users = users - 1 WHERE span = 900000 AND number = old.created_at / 900000;
	INSERT INTO time_tally (span, number, users)
		VALUES (86400000, new.created_at / 86400000, 1), (900000, new.created_at / 900000, 1)
		ON CONFLICT DO UPDATE SET users = users + 1;
END;
CREATE TRIGGER result_timed AFTER INSERT ON result BEGIN
	INSERT INTO time_tally (span, number, results)
		VALUES (86400000, new.completed_at / 86400000, 1), (900000, new.completed_at / 900000, 1)
		ON CONFLICT DO UPDATE SET results = results + 1;
END;
CREATE TRIGGER result_untimed AFTER DELETE ON result BEGIN
	UPDATE time_tally SET results = results - 1 WHERE span = 86400000 AND number = old.completed_at / 86400000;
	UPDATE time_tally SET results = results - 1 WHERE span = 900000 AND number = old.completed_at / 900000;
END;
CREATE TRIGGER result_retimed AFTER UPDATE OF completed_at ON result WHEN new.completed_at <> old.completed_at BEGIN
	UPDATE time_tally SET results = results - 1 WHERE span = 86400000 AND number = old.completed_at / 86400000;
	UPDATE time_tally SET results = results - 1 WHERE span = 900000 AND number = old.completed_at / 900000;
	INSERT INTO time_tally (span, number, results)
		VALUES (86400000, new.completed_at / 86400000, 1), (900000, new.completed_at / 900000, 1)
		ON CONFLICT DO UPDATE SET results = results + 1;
END;
CREATE TRIGGER contact_timed AFTER INSERT ON contact BEGIN
	INSERT INTO time_tally (span, number, contacts)
		VALUES (86400000, new.created_at / 86400000, 1), (900000, new.created_at / 900000, 1)
		ON CONFLICT DO UPDATE SET contacts = contacts + 1;
END;
CREATE TRIGGER contact_untimed AFTER DELETE ON contact BEGIN
	UPDATE time_tally SET contacts = contacts - 1 WHERE span = 86400000 AND number = old.created_at / 86400000;
	UPDATE time_tally SET contacts = contacts - 1 WHERE span = 900000 AND number = old.created_at / 900000;
END;
CREATE TRIGGER contact_retimed AFTER UPDATE OF created_at ON contact WHEN new.created_at <> old.created_at BEGIN
	UPDATE time_tally SET contacts = contacts - 1 WHERE span = 86400000 AND number = old.created_at / 86400000;
	UPDATE time_tally SET contacts = contacts - 1 WHERE span = 900000 AND number = old.created_at / 900000;
	INSERT INTO time_tally (span, number, contacts)
		VALUES (86400000, new.created_at / 86400000, 1), (900000, new.created_at / 900000, 1)
		ON CONFLICT DO UPDATE SET contacts = contacts + 1;
END;
CREATE TRIGGER assignment_timed AFTER INSERT ON assignment BEGIN
	INSERT INTO time_tally (span, number, assignments)
		VALUES (86400000, new.assigned_at / 86400000, 1), (900000, new.assigned_at / 900000, 1)
		ON CONFLICT DO UPDATE SET assignments = assignments + 1;
END;
CREATE TRIGGER assignment_untimed AFTER DELETE ON assignment BEGIN
	UPDATE time_tally SET assignments = assignments - 1 WHERE span = 86400000 AND number = old.assigned_at / 86400000;
	UPDATE time_tally SET assignments = assignments - 1 WHERE span = 900000 AND number = old.assigned_at / 900000;
END;
CREATE TRIGGER assignment_retimed AFTER UPDATE OF assigned_at ON assignment WHEN new.assigned_at <> old.assigned_at BEGIN
	UPDATE time_tally SET assignments = assignments - 1 WHERE span = 86400000 AND number = old.assigned_at / 86400000;
	UPDATE time_tally SET assignments = assignments - 1 WHERE span = 900000 AND number = old.assigned_at / 900000;
	INSERT INTO time_tally (span, number, assignments)
		VALUES (86400000, new.assigned_at / 86400000, 1), (900000, new.assigned_at / 900000, 1)
		ON CONFLICT DO UPDATE SET assignments = assignments + 1;
END;

-- 'registration': users with a complete registration; 'assignment:user': users with an assignment
INSERT INTO tally (name) VALUES ('registration'), ('test'), ('material'), ('assignment'), ('assignment:user');
CREATE TRIGGER user_registration_added AFTER INSERT ON users WHEN new.registered_at IS NOT NULL BEGIN
	UPDATE tally SET n = n + 1 WHERE name = 'registration';
END;
CREATE TRIGGER user_registration_changed AFTER UPDATE OF registered_at ON users BEGIN
	UPDATE tally SET n = n + (new.registered_at IS NOT NULL) - (old.registered_at IS NOT NULL) WHERE name = 'registration';
END;
CREATE TRIGGER user_registration_removed AFTER DELETE ON users WHEN old.registered_at IS NOT NULL BEGIN
	UPDATE tally SET n = n - 1 WHERE name = 'registration';
END;
CREATE TRIGGER test_counted AFTER INSERT ON test BEGIN
	UPDATE tally SET n = n + 1 WHERE name = 'test';
END;
CREATE TRIGGER test_uncounted AFTER DELETE ON test BEGIN
	UPDATE tally SET n = n - 1 WHERE name = 'test';
END;
CREATE TRIGGER material_counted AFTER INSERT ON material BEGIN
	UPDATE tally SET n = n + 1 WHERE name = 'material';
END;
CREATE TRIGGER material_uncounted AFTER DELETE ON material BEGIN
	UPDATE tally SET n = n - 1 WHERE name = 'material';
END;
CREATE TRIGGER assignment_counted AFTER INSERT ON assignment BEGIN
	UPDATE tally SET n = n + 1 WHERE name = 'assignment';
	UPDATE tally SET n = n + 1 WHERE name = 'assignment:user'
		AND NOT EXISTS (SELECT 1 FROM assignment WHERE user_pk = new.user_pk AND pk <> new.pk);
END;
CREATE TRIGGER assignment_uncounted AFTER DELETE ON assignment BEGIN
	UPDATE tally SET n = n - 1 WHERE name = 'assignment';
	UPDATE tally SET n = n - 1 WHERE name = 'assignment:user' AND NOT EXISTS (SELECT 1 FROM assignment WHERE user_pk = old.user_pk);
END;
CREATE TRIGGER assignment_given AFTER UPDATE OF user_pk ON assignment WHEN new.user_pk <> old.user_pk BEGIN
	UPDATE tally SET n = n - 1 WHERE name = 'assignment:user' AND NOT EXISTS (SELECT 1 FROM assignment WHERE user_pk = old.user_pk);
	UPDATE tally SET n = n + 1 WHERE name = 'assignment:user'
		AND NOT EXISTS (SELECT 1 FROM assignment WHERE user_pk = new.user_pk AND pk <> new.pk);
END;

-- Values of this installation.
CREATE TABLE instance (
	key TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
