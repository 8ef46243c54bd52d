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
	sort_title TEXT NOT NULL DEFAULT '',	-- title, folded; this and the last column are kept by triggers
	description TEXT NOT NULL DEFAULT '',	-- it may be long, and what stands behind it is dear to reach
	folded TEXT NOT NULL DEFAULT ''		-- title and description, folded: what search looks into
) STRICT;
-- One for each order of the list, with all that the list is filtered by: a page is found without looking into rows.
CREATE INDEX course_newest ON course (pk, is_published, language, level);
CREATE INDEX course_title ON course (sort_title, pk, is_published, language, level);
CREATE INDEX course_price ON course (price, pk, is_published, language, level);
CREATE INDEX course_position ON course (position, pk, is_published, language, level);

-- course:version grows with every change of a course, so that a client can ask whether its list is still the newest. Never
-- below the time, so that a database that was restored from a backup does not give an old number to a new list.
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
-- An INSERT comes by here too: it updates its row.
CREATE TRIGGER course_changed AFTER UPDATE ON course BEGIN
	UPDATE tally SET n = max(n + 1, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)) WHERE name = 'course:version';
END;
CREATE TRIGGER course_removed AFTER DELETE ON course BEGIN
	UPDATE tally SET n = n - 1 WHERE name = 'course' OR (name = 'course:published' AND old.is_published);
	UPDATE tally SET n = max(n + 1, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)) WHERE name = 'course:version';
END;

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
	owner INTEGER REFERENCES user (pk) ON DELETE SET NULL,
	is_public INTEGER NOT NULL CHECK (is_public IN (0, 1)),
	created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX file_sha256 ON file (sha256);
CREATE INDEX file_owner ON file (owner, size);

-- ---- placement tests

-- What a test asked at some time. A version never changes, so that a result keeps its wording, and programs may remember it by
-- its pk; a change of the test makes another, and what nothing refers to goes.
CREATE TABLE test_version (
	pk INTEGER PRIMARY KEY AUTOINCREMENT,	-- never given twice
	test INTEGER NOT NULL,		-- pk of the test; without reference: results outlive their test
	test_id TEXT NOT NULL,
	title TEXT NOT NULL,
	target_language TEXT NOT NULL,
	level_ranges TEXT NOT NULL,	-- JSON list of {level, minScore, maxScore}, in rising order
	answer_key BLOB NOT NULL,	-- the questions as grading needs them: lib/quiz.h
	questions TEXT NOT NULL		-- JSON list of {id, text, points, mediaUrl, order, options: [{id, text, isCorrect}]}
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

-- test:version is to the list of tests what course:version is to that of courses.
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

-- An attempt that is open: started, not yet submitted. Its row goes when its result comes.
CREATE TABLE attempt (
	pk INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	user INTEGER NOT NULL REFERENCES user (pk) ON DELETE CASCADE,
	test INTEGER NOT NULL REFERENCES test (pk) ON DELETE CASCADE,
	version INTEGER NOT NULL REFERENCES test_version (pk),
	started_at INTEGER NOT NULL,
	deadline INTEGER,		-- NULL: no limit of time
	seed INTEGER,			-- gives the order of questions and options in this attempt; NULL: that of the test
	chosen BLOB,			-- answers saved on the way: a byte a question, as in result
	UNIQUE (user, test)
) STRICT;
CREATE INDEX attempt_test ON attempt (test);
CREATE INDEX attempt_version ON attempt (version);
CREATE INDEX attempt_deadline ON attempt (deadline) WHERE deadline IS NOT NULL;

-- What somebody reached: a snapshot, together with the version that it points to. Where an attempt was open, its id goes on
-- as that of the result. Rows are never changed, only deleted.
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
	chosen BLOB NOT NULL		-- a byte a question of the version: the option from 1, 0 for none
) STRICT;
CREATE UNIQUE INDEX result_user ON result (user, test, attempt);
-- The list of all results is found in one of these, with all that it is filtered by, so that no row is looked into before
-- the page is known: along an order (by time, by score), or by the versions and levels that a filter leaves.
CREATE INDEX result_time ON result (completed_at, pk, level, target_language, test, user, version);
CREATE INDEX result_score ON result (total_score, pk, level, target_language, test, user, version, completed_at);
CREATE INDEX result_kind ON result (version, level, completed_at, pk, total_score);

-- How many results there are of each kind: what any filter of the list comes to is a sum over a few rows.
CREATE TABLE result_tally (
	version INTEGER NOT NULL,
	level TEXT NOT NULL,
	test INTEGER NOT NULL,		-- the version's, as is the language
	target_language TEXT NOT NULL,
	n INTEGER NOT NULL CHECK (n >= 0),
	PRIMARY KEY (version, level)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER result_added AFTER INSERT ON result BEGIN
	INSERT INTO result_tally (version, level, test, target_language, n)
		VALUES (new.version, new.level, new.test, new.target_language, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER result_removed AFTER DELETE ON result BEGIN
	UPDATE result_tally SET n = n - 1 WHERE version = old.version AND level = old.level;
	DELETE FROM result_tally WHERE version = old.version AND level = old.level AND n = 0;
END;

PRAGMA user_version = 2;
