-- Courses, settings, files and placement tests: the tables and triggers of schema.sql that version 1 had not.

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
	position INTEGER NOT NULL DEFAULT 0,	-- "order" of the contract
	is_published INTEGER NOT NULL DEFAULT 1 CHECK (is_published IN (0, 1)),
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	folded TEXT NOT NULL,		-- what search looks into: title and description, folded
	description TEXT NOT NULL DEFAULT ''	-- last: it may be long, and what stands behind it is dear to reach
) STRICT;

-- ---- settings

CREATE TABLE setting (
	pk INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	key TEXT NOT NULL UNIQUE,
	value TEXT NOT NULL,		-- JSON text as it came
	description TEXT,
	is_public INTEGER NOT NULL DEFAULT 1 CHECK (is_public IN (0, 1)),
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
) STRICT;

-- ---- files

-- What was uploaded. The bytes lie once below DATA/files under the name of their hash, however many rows name them.
CREATE TABLE file (
	pk INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	key TEXT NOT NULL UNIQUE,	-- the last segment of its address
	sha256 TEXT NOT NULL,
	size INTEGER NOT NULL,
	mime TEXT NOT NULL,
	name TEXT NOT NULL,		-- as the client called it
	owner INTEGER REFERENCES user (pk) ON DELETE SET NULL,	-- NULL: the school; a private one is then for admins
	is_public INTEGER NOT NULL CHECK (is_public IN (0, 1)),
	created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX file_sha256 ON file (sha256);
CREATE INDEX file_owner ON file (owner, size);

-- How many bytes are stored: those of each hash once.
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
-- A user's private files go with them; the public ones stay, and then belong to the school. The bytes are left to
-- `okulctl files gc`.
CREATE TRIGGER file_owner_removed BEFORE DELETE ON user BEGIN
	DELETE FROM file WHERE owner = old.pk AND NOT is_public;
END;

-- ---- placement tests

-- What a test asked at some time: never changed once a result or an attempt refers to it, so that a result keeps its wording.
CREATE TABLE test_version (
	pk INTEGER PRIMARY KEY,
	test INTEGER NOT NULL,		-- pk of the test; without reference: results outlive their test
	test_id TEXT NOT NULL,
	title TEXT NOT NULL,
	target_language TEXT NOT NULL,
	level_ranges TEXT NOT NULL,	-- JSON list of {level, minScore, maxScore}, in rising order
	answer_key BLOB NOT NULL,	-- the questions as grading needs them: lib/quiz.h
	questions TEXT NOT NULL		-- JSON list of {id, text, points, mediaUrl, options: [{id, text, isCorrect}]}
) STRICT;
CREATE INDEX test_version_test ON test_version (test);

CREATE TABLE test (
	pk INTEGER PRIMARY KEY AUTOINCREMENT,	-- never given twice: results name it when it is gone
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

-- An attempt that is open: started, not yet submitted. Its row goes when its result comes.
CREATE TABLE attempt (
	pk INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	user INTEGER NOT NULL REFERENCES user (pk) ON DELETE CASCADE,
	test INTEGER NOT NULL REFERENCES test (pk) ON DELETE CASCADE,
	version INTEGER NOT NULL REFERENCES test_version (pk),
	started_at INTEGER NOT NULL,
	deadline INTEGER,		-- NULL: no limit of time
	chosen BLOB,			-- answers saved on the way: a byte a question, as in result
	UNIQUE (user, test)
) STRICT;
CREATE INDEX attempt_test ON attempt (test);
CREATE INDEX attempt_version ON attempt (version);
CREATE INDEX attempt_deadline ON attempt (deadline) WHERE deadline IS NOT NULL;

-- What somebody reached: a snapshot, together with the version that it points to.
CREATE TABLE result (
	pk INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	user INTEGER NOT NULL REFERENCES user (pk) ON DELETE CASCADE,
	test INTEGER NOT NULL,		-- pk of the test, which may be gone
	version INTEGER NOT NULL REFERENCES test_version (pk),
	attempt INTEGER NOT NULL,	-- 1, 2, ...
	total_score REAL NOT NULL,	-- 0 to 100, two decimals
	correct_count INTEGER NOT NULL,
	question_count INTEGER NOT NULL,
	level TEXT NOT NULL CHECK (level IN ('A1', 'A2', 'B1', 'B2', 'C1', 'C2')),
	target_language TEXT NOT NULL,
	completed_at INTEGER NOT NULL,
	chosen BLOB NOT NULL,		-- a byte a question of the version: the option from 1, 0 for none
	UNIQUE (user, test, attempt)
) STRICT;
CREATE INDEX result_version ON result (version);

PRAGMA user_version = 2;
