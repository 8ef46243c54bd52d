-- The schema of okul on PostgreSQL 15 or later. `okulctl migrate` creates the tables of an empty database from this
-- file. It has the tables and columns of schema.sql, whose comments say more; tests/portable compares them.
--
-- What differs: texts compare by their bytes (COLLATE "C"), flags are BOOLEAN, and the counts that many transactions
-- change are stored in parts, so that these do not wait for each other: each server process counts in a part of its
-- own, and a view under the table's name sums them.

CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- ---- texts for search and sorting: lib/base/fold.h

-- What a code point is folded to, where that is not itself; `okulctl migrate` fills it from fold_text().
CREATE TABLE okul_letter (
	point BIGINT PRIMARY KEY,
	folded TEXT COLLATE "C" NOT NULL
);

CREATE FUNCTION okul_fold_one(t text) RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE STRICT AS $$
BEGIN
	IF t ~ '^[ -~]*$' THEN
		RETURN lower(t COLLATE "C");
	END IF;
	-- one look into the index a letter: for a join, the planner would read the table whole
	RETURN (SELECT coalesce(string_agg(coalesce((SELECT letter.folded FROM okul_letter AS letter WHERE letter.point = ascii(c)), c), ''
		ORDER BY place), '') FROM string_to_table(t, NULL) WITH ORDINALITY AS split (c, place));
END $$;

-- okul_fold(a, b, ...): the texts that are not NULL, folded, with a space between.
CREATE FUNCTION okul_fold(VARIADIC parts text[]) RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
	part text;
	folded text := '';
BEGIN
	FOREACH part IN ARRAY parts LOOP
		CONTINUE WHEN part IS NULL;
		folded := folded || CASE WHEN folded = '' THEN '' ELSE ' ' END || okul_fold_one(part);
	END LOOP;
	RETURN folded;
END $$;

-- The words of fold_words() as patterns of LIKE; none for NULL.
CREATE FUNCTION okul_patterns(words text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT coalesce(array_agg('%' || regexp_replace(word, '([\\%_])', '\\\1', 'g') || '%'), '{}')
	FROM string_to_table(words, ' ') AS word WHERE word <> ''
$$;

-- The words that a text lacks: fold_has_words().
CREATE FUNCTION okul_words_left(t text, words text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN t IS NOT NULL AND words IS NOT NULL THEN coalesce((SELECT string_agg(word, ' ' ORDER BY place)
		FROM string_to_table(words, ' ') WITH ORDINALITY AS split (word, place) WHERE strpos(t, word) = 0), '') END
$$;

-- fold_match() has the words in quotes, with a quote inside doubled. The longest, with the most trigrams, is for the index.
CREATE FUNCTION okul_match_words(match text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT replace(replace(substr(match, 2, length(match) - 2), '" "', ' '), '""', '"')
$$;
CREATE FUNCTION okul_longest(match text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT pattern FROM unnest(okul_patterns(okul_match_words(match))) AS pattern ORDER BY length(pattern) DESC LIMIT 1
$$;

-- The mailbox of an address: email_mailbox() of lib/base/email.h.
CREATE FUNCTION okul_mailbox(email text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
	SELECT CASE WHEN domain IN ('@gmail.com', '@googlemail.com') THEN replace(name, '.', '') || '@gmail.com' ELSE name || domain END
	FROM (SELECT CASE WHEN strpos(local, '+') > 1 THEN left(local, strpos(local, '+') - 1) ELSE local END AS name, domain
		FROM (SELECT split_part(email, '@', 1) AS local, substr(email, length(split_part(email, '@', 1)) + 1) AS domain) AS halves) AS parts
$$;

-- ---- counts

-- Exact counts. A name may be in several parts; a part may be below 0. Rows that are changed that often want room for
-- their next versions in the same page, and an early vacuum.
CREATE TABLE tally_part (
	name TEXT COLLATE "C" NOT NULL,
	part INTEGER NOT NULL DEFAULT 0,
	n BIGINT NOT NULL,
	PRIMARY KEY (name, part)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
CREATE VIEW tally AS SELECT name, CAST(sum(n) AS bigint) AS n FROM tally_part GROUP BY name;
INSERT INTO tally_part (name, part, n) SELECT name, 0, 0 FROM unnest(ARRAY['user', 'user:user', 'user:admin', 'user:superadmin',
	'course', 'course:published', 'course:version', 'file:bytes', 'test:version', 'contact', 'contact:PENDING', 'contact:REPLIED',
	-- 'registration': users with a complete registration; 'assignment:user': users with an assignment
	'registration', 'test', 'material', 'assignment', 'assignment:user']) AS name;

CREATE FUNCTION okul_part() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT pg_backend_pid() % 64 $$;

CREATE FUNCTION okul_count(counted text, change bigint) RETURNS void LANGUAGE sql AS $$
	INSERT INTO tally_part AS t (name, part, n) SELECT counted, okul_part(), change WHERE change <> 0
		ON CONFLICT (name, part) DO UPDATE SET n = t.n + excluded.n
$$;
-- A version is the sum of its parts: each change makes one of them larger, so no two states have the same. A part becomes
-- at least the time, in microseconds, so that after a restore from a backup a new list does not get an old number.
CREATE FUNCTION okul_next_version(counted text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO tally_part AS t (name, part, n)
		VALUES (counted, okul_part(), CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint))
		ON CONFLICT (name, part) DO UPDATE SET n = greatest(t.n + 1, excluded.n)
$$;

-- An operator sets a count as in SQLite's table.
CREATE FUNCTION okul_tally_set() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO tally_part AS t (name, part, n) VALUES (new.name, 0, new.n - old.n)
		ON CONFLICT (name, part) DO UPDATE SET n = t.n + excluded.n;
	RETURN new;
END $$;
CREATE TRIGGER tally_set INSTEAD OF UPDATE ON tally FOR EACH ROW EXECUTE FUNCTION okul_tally_set();

-- The number of users in each block of 1,024 keys.
CREATE TABLE user_block_part (
	block BIGINT NOT NULL,
	part INTEGER NOT NULL DEFAULT 0,
	n BIGINT NOT NULL,
	PRIMARY KEY (block, part)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
CREATE VIEW user_block AS SELECT block, CAST(sum(n) AS bigint) AS n FROM user_block_part GROUP BY block;

-- The number of rows in each day and each quarter of an hour in UTC.
CREATE TABLE time_tally_part (
	span BIGINT NOT NULL,		-- in milliseconds: 86400000 or 900000
	number BIGINT NOT NULL,		-- time / span
	part INTEGER NOT NULL DEFAULT 0,
	users BIGINT NOT NULL DEFAULT 0,
	results BIGINT NOT NULL DEFAULT 0,
	contacts BIGINT NOT NULL DEFAULT 0,
	assignments BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (span, number, part)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
CREATE VIEW time_tally AS SELECT span, number, CAST(sum(users) AS bigint) AS users, CAST(sum(results) AS bigint) AS results,
	CAST(sum(contacts) AS bigint) AS contacts, CAST(sum(assignments) AS bigint) AS assignments
	FROM time_tally_part GROUP BY span, number;

CREATE FUNCTION okul_time(at bigint, in_users integer, in_results integer, in_contacts integer, in_assignments integer)
RETURNS void LANGUAGE sql AS $$
	INSERT INTO time_tally_part AS t (span, number, part, users, results, contacts, assignments)
		VALUES (86400000, at / 86400000, okul_part(), in_users, in_results, in_contacts, in_assignments),
			(900000, at / 900000, okul_part(), in_users, in_results, in_contacts, in_assignments)
		ON CONFLICT (span, number, part) DO UPDATE SET users = t.users + excluded.users, results = t.results + excluded.results,
			contacts = t.contacts + excluded.contacts, assignments = t.assignments + excluded.assignments
$$;

-- ---- users

-- Users. Addresses are stored in lower case.
CREATE TABLE users (
	pk BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	id TEXT COLLATE "C" NOT NULL UNIQUE,
	email TEXT COLLATE "C" NOT NULL UNIQUE,
	role TEXT COLLATE "C" NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin', 'superadmin')),
	is_active BOOLEAN NOT NULL DEFAULT true,
	language TEXT COLLATE "C" NOT NULL DEFAULT 'en' CHECK (language IN ('tr', 'en', 'es', 'de')),
	name TEXT COLLATE "C",
	surname TEXT COLLATE "C",
	username TEXT COLLATE "C" UNIQUE,
	username_changed_at BIGINT,
	country_code TEXT COLLATE "C",
	phone_number TEXT COLLATE "C",
	profile_photo TEXT COLLATE "C",
	availability TEXT COLLATE "C" NOT NULL DEFAULT 'offline' CHECK (availability IN ('available', 'busy', 'offline')),
	birth_date TEXT COLLATE "C",
	gender TEXT COLLATE "C" CHECK (gender IN ('female', 'male', 'other')),
	interests TEXT COLLATE "C" NOT NULL DEFAULT '[]',	-- JSON array of texts
	expertise TEXT COLLATE "C",
	bio TEXT COLLATE "C",
	instagram TEXT COLLATE "C",
	x TEXT COLLATE "C",
	tiktok TEXT COLLATE "C",
	snapchat TEXT COLLATE "C",
	facebook TEXT COLLATE "C",
	timezone TEXT COLLATE "C" NOT NULL,
	-- a consent is stored as its time (NULL: none) and the version of the text
	privacy_policy_at BIGINT,
	privacy_policy_version TEXT COLLATE "C",
	terms_of_use_at BIGINT,
	terms_of_use_version TEXT COLLATE "C",
	consent_form_at BIGINT,
	consent_form_version TEXT COLLATE "C",
	registered_at BIGINT,		-- registration completed
	last_login_at BIGINT,
	-- the origin of a user, as reported by the app at sign-up
	signup_source TEXT COLLATE "C",
	signup_campaign TEXT COLLATE "C",
	-- `okulctl cleanup` deletes the row when a requested deletion is due
	deletion_status TEXT COLLATE "C" NOT NULL DEFAULT 'none' CHECK (deletion_status IN ('none', 'pending', 'cancelled', 'finalized')),
	deletion_requested_at BIGINT,
	deletion_scheduled_for BIGINT,
	deletion_cancelled_at BIGINT,
	sort_name TEXT COLLATE "C" NOT NULL DEFAULT '',	-- name and surname, folded; set by triggers
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	folded TEXT COLLATE "C" NOT NULL DEFAULT ''	-- name, surname, user name and address, folded; set by triggers
);
CREATE INDEX user_role ON users (role);
CREATE INDEX user_sort_name ON users (sort_name, pk);
CREATE INDEX user_deletion ON users (deletion_scheduled_for) WHERE deletion_status = 'pending';

-- Substring search. Without fastupdate, whose list of pending entries all writers would share.
CREATE INDEX user_folded ON users USING gin (folded gin_trgm_ops) WITH (fastupdate = off);
CREATE VIEW user_text AS SELECT pk, folded FROM users;
-- Only SQLite's index has to be told of changes: always empty.
CREATE TABLE user_reindex (
	pk BIGINT PRIMARY KEY,
	old TEXT COLLATE "C"
);

CREATE FUNCTION okul_user_named() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	new.sort_name := okul_fold(new.name, new.surname);
	new.folded := okul_fold(new.name, new.surname, new.username, new.email);
	RETURN new;
END $$;
CREATE TRIGGER user_named BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION okul_user_named();
CREATE TRIGGER user_renamed BEFORE UPDATE OF name, surname, username, email ON users FOR EACH ROW
	WHEN ((old.name, old.surname, old.username, old.email) IS DISTINCT FROM (new.name, new.surname, new.username, new.email))
	EXECUTE FUNCTION okul_user_named();

CREATE FUNCTION okul_user_counted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	one constant integer := CASE WHEN tg_op = 'INSERT' THEN 1 ELSE -1 END;
	r users;
BEGIN
	IF tg_op = 'INSERT' THEN r := new; ELSE r := old; END IF;
	PERFORM okul_count('user', one), okul_count('user:' || r.role, one);
	IF r.registered_at IS NOT NULL THEN
		PERFORM okul_count('registration', one);
	END IF;
	PERFORM okul_time(r.created_at, one, 0, 0, 0);
	INSERT INTO user_block_part AS t (block, part, n) VALUES (r.pk >> 10, okul_part(), one)
		ON CONFLICT (block, part) DO UPDATE SET n = t.n + excluded.n;
	RETURN NULL;
END $$;
CREATE TRIGGER user_counted AFTER INSERT OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION okul_user_counted();

CREATE FUNCTION okul_user_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF new.role <> old.role THEN
		PERFORM okul_count('user:' || old.role, -1), okul_count('user:' || new.role, 1);
	END IF;
	PERFORM okul_count('registration', (new.registered_at IS NOT NULL)::integer - (old.registered_at IS NOT NULL)::integer);
	IF new.created_at <> old.created_at THEN
		PERFORM okul_time(old.created_at, -1, 0, 0, 0), okul_time(new.created_at, 1, 0, 0, 0);
	END IF;
	-- Deactivated users, and users who requested the deletion of their account, get only login codes and replies.
	IF old.is_active AND NOT new.is_active THEN
		DELETE FROM session WHERE user_pk = new.pk;
	END IF;
	IF (old.is_active AND NOT new.is_active) OR (new.deletion_status = 'pending' AND old.deletion_status <> 'pending') THEN
		DELETE FROM outbox WHERE recipient = new.email AND template NOT IN ('login-code', 'contact-reply', 'email-changed');
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER user_changed AFTER UPDATE OF role, registered_at, created_at, is_active, deletion_status ON users FOR EACH ROW
	WHEN ((old.role, old.registered_at, old.created_at, old.is_active, old.deletion_status)
		IS DISTINCT FROM (new.role, new.registered_at, new.created_at, new.is_active, new.deletion_status))
	EXECUTE FUNCTION okul_user_changed();

-- Deletes the rows that refer to a user by address or id. Contact requests stay, and so does a queued reply. Private
-- files are deleted with their owner; public files then belong to the school.
CREATE FUNCTION okul_user_forgotten() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM file WHERE owner = old.pk AND NOT is_public;
	DELETE FROM login_code WHERE email = old.email;
	DELETE FROM event WHERE kind IN ('code-email', 'wrong-email', 'wrong-short')
		AND subject >= okul_mailbox(old.email) AND subject < okul_mailbox(old.email) || '!';
	DELETE FROM event WHERE kind IN ('submit', 'file-gone') AND subject BETWEEN old.id AND old.id || '~';
	DELETE FROM outbox WHERE recipient = old.email AND template <> 'contact-reply';
	RETURN old;
END $$;
CREATE TRIGGER user_forgotten BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION okul_user_forgotten();

-- The audit trail, written in the transaction of the change. Texts instead of references, since it outlives both users.
CREATE TABLE audit (
	pk BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	at BIGINT NOT NULL,
	actor_id TEXT COLLATE "C",			-- NULL: the operator, with okulctl
	actor_email TEXT COLLATE "C",
	action TEXT COLLATE "C" NOT NULL,		-- 'user.role', 'user.email', 'user.profile', 'user.active', 'user.deleted', ...
	subject_id TEXT COLLATE "C" NOT NULL,
	subject TEXT COLLATE "C" NOT NULL,		-- address of a user, key of a setting
	before TEXT COLLATE "C",
	after TEXT COLLATE "C"
);
CREATE INDEX audit_subject ON audit (subject_id);
CREATE INDEX audit_actor ON audit (actor_id);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_name ON audit (subject);

-- Sessions. Deleting the row revokes its access token and all its refresh tokens.
CREATE TABLE session (
	pk BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	id TEXT COLLATE "C" NOT NULL UNIQUE,
	user_pk BIGINT NOT NULL REFERENCES users (pk) ON DELETE CASCADE,
	seed BYTEA NOT NULL,		-- the refresh tokens are derived from it with a key outside the database
	counter BIGINT NOT NULL DEFAULT 0,	-- number of the current refresh token
	rotated_at BIGINT NOT NULL,	-- when the previous one was replaced
	created_at BIGINT NOT NULL,
	last_used_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	ip TEXT COLLATE "C",
	user_agent TEXT COLLATE "C",
	recent TEXT COLLATE "C" NOT NULL DEFAULT '[]'	-- JSON array: times of recent rotations, with rotated_at
);
CREATE INDEX session_of_user ON session (user_pk);
CREATE INDEX session_expires ON session (expires_at);

-- Login codes of an address, with or without a user. One row per client network, whose new code replaces the old one.
CREATE TABLE login_code (
	email TEXT COLLATE "C" NOT NULL,
	network TEXT COLLATE "C" NOT NULL,		-- the client network that requested it
	digits BIGINT NOT NULL,
	mac BYTEA NOT NULL,		-- keyed hash of the code, with a key outside the database
	language TEXT COLLATE "C" NOT NULL CHECK (language IN ('tr', 'en', 'es', 'de')),	-- of the mail, and of a new user
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	tries BIGINT NOT NULL DEFAULT 0,	-- wrong codes from that network
	strange_tries BIGINT NOT NULL DEFAULT 0,	-- wrong codes from others
	used BOOLEAN NOT NULL DEFAULT false,
	PRIMARY KEY (email, network)
);
CREATE INDEX login_code_expires ON login_code (expires_at);

-- The networks from which a user logged in recently. They have separate limits in table event.
CREATE TABLE known_network (
	mac BYTEA PRIMARY KEY,		-- keyed hash of user and client network, with a key outside the database
	user_pk BIGINT NOT NULL REFERENCES users (pk) ON DELETE CASCADE,
	seen_at BIGINT NOT NULL	-- the last login from it
);
CREATE INDEX known_network_user ON known_network (user_pk);
CREATE INDEX known_network_seen ON known_network (seen_at);	-- for `okulctl cleanup`

-- Events that count towards a limit. Rows are deleted when their window is over.
CREATE TABLE event (
	-- of a mailbox: 'code-email', 'wrong-email' (6 digits), 'wrong-short' (4); of a client network: 'code-client',
	-- 'wrong-client', 'user-client', 'contact-client'
	kind TEXT COLLATE "C" NOT NULL,
	subject TEXT COLLATE "C" NOT NULL,		-- mailbox, with a space and a mark for a known network; or client network
	at BIGINT NOT NULL,
	n BIGINT NOT NULL,		-- distinguishes events of the same millisecond; or a size
	PRIMARY KEY (kind, subject, at, n)
);
CREATE INDEX event_at ON event (at);	-- for `okulctl cleanup`

-- The queue of mails. A row is deleted when its mail was sent or has expired.
CREATE TABLE outbox (
	pk BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	id TEXT COLLATE "C" NOT NULL UNIQUE,
	recipient TEXT COLLATE "C" NOT NULL,
	language TEXT COLLATE "C" NOT NULL CHECK (language IN ('tr', 'en', 'es', 'de')),
	template TEXT COLLATE "C" NOT NULL,
	sealed BYTEA NOT NULL,		-- the template's values, encrypted with a key outside the database
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	next_at BIGINT NOT NULL,	-- time of the next try; a sender that takes the row moves it forward as its lease
	attempts BIGINT NOT NULL DEFAULT 0,
	last_error TEXT COLLATE "C"
);
CREATE INDEX outbox_next ON outbox (next_at);
CREATE INDEX outbox_recipient ON outbox (recipient);

-- ---- courses

CREATE TABLE course (
	pk BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	id TEXT COLLATE "C" NOT NULL UNIQUE,
	title TEXT COLLATE "C" NOT NULL,
	language TEXT COLLATE "C" NOT NULL CHECK (language IN ('tr', 'en', 'es', 'de')),
	level TEXT COLLATE "C" CHECK (level IN ('A1', 'A2', 'B1', 'B2', 'C1', 'C2')),
	price DOUBLE PRECISION NOT NULL DEFAULT 0,
	currency TEXT COLLATE "C" NOT NULL DEFAULT 'TRY',
	duration_weeks BIGINT,
	image_url TEXT COLLATE "C",
	position BIGINT NOT NULL DEFAULT 0,	-- "order" in the API
	is_published BOOLEAN NOT NULL DEFAULT true,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	sort_title TEXT COLLATE "C" NOT NULL DEFAULT '',	-- title, folded; set by triggers, as is the last column
	description TEXT COLLATE "C" NOT NULL DEFAULT '',	-- near the end: columns after a long text are expensive to read
	folded TEXT COLLATE "C" NOT NULL DEFAULT ''		-- title and description, folded, for search
);
-- For each order of the list.
CREATE INDEX course_title ON course (sort_title, pk);
CREATE INDEX course_price ON course (price, pk);
CREATE INDEX course_position ON course (position, pk);

CREATE FUNCTION okul_course_named() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	new.sort_title := okul_fold(new.title);
	new.folded := okul_fold(new.title, new.description);
	RETURN new;
END $$;
CREATE TRIGGER course_named BEFORE INSERT ON course FOR EACH ROW EXECUTE FUNCTION okul_course_named();
CREATE TRIGGER course_renamed BEFORE UPDATE OF title, description ON course FOR EACH ROW
	WHEN ((old.title, old.description) IS DISTINCT FROM (new.title, new.description)) EXECUTE FUNCTION okul_course_named();

-- course:version grows with every change of a course and is part of the ETag of the list.
CREATE FUNCTION okul_course_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM okul_next_version('course:version');
	IF tg_op = 'INSERT' THEN
		PERFORM okul_count('course', 1), okul_count('course:published', new.is_published::integer);
	ELSIF tg_op = 'DELETE' THEN
		PERFORM okul_count('course', -1), okul_count('course:published', - old.is_published::integer);
	ELSE
		PERFORM okul_count('course:published', new.is_published::integer - old.is_published::integer);
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER course_changed AFTER INSERT OR UPDATE OR DELETE ON course FOR EACH ROW EXECUTE FUNCTION okul_course_changed();

-- ---- settings

-- Texts, numbers and lists for the school's web site. Their history is in setting_version.
CREATE TABLE setting (
	pk BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	id TEXT COLLATE "C" NOT NULL UNIQUE,
	key TEXT COLLATE "C" NOT NULL UNIQUE,
	is_public BOOLEAN NOT NULL DEFAULT true,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	description TEXT COLLATE "C",
	value TEXT COLLATE "C" NOT NULL		-- JSON text, unchanged; the last column, since it may be long
);

-- All versions of a setting, with the current one. Texts instead of references, since they outlive setting and actor.
CREATE TABLE setting_version (
	pk BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	key TEXT COLLATE "C" NOT NULL,
	version BIGINT NOT NULL,	-- from 1 for each key
	at BIGINT NOT NULL,
	actor_id TEXT COLLATE "C",			-- NULL: the operator, with okulctl
	actor_email TEXT COLLATE "C",
	is_public BOOLEAN NOT NULL,
	description TEXT COLLATE "C",
	value TEXT COLLATE "C" NOT NULL,
	UNIQUE (key, version)
);

-- ---- files

-- Uploaded files. DATA/files stores equal bytes once, named by their hash.
CREATE TABLE file (
	pk BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	id TEXT COLLATE "C" NOT NULL UNIQUE,
	key TEXT COLLATE "C" NOT NULL UNIQUE,	-- the last segment of its URL
	sha256 TEXT COLLATE "C" NOT NULL,
	size BIGINT NOT NULL,
	mime TEXT COLLATE "C" NOT NULL,
	name TEXT COLLATE "C" NOT NULL,		-- of the client's file
	owner BIGINT REFERENCES users (pk) ON DELETE SET NULL,	-- NULL: the school; private files are then for admins
	is_public BOOLEAN NOT NULL,
	created_at BIGINT NOT NULL
);
CREATE INDEX file_sha256 ON file (sha256);
CREATE INDEX file_owner ON file (owner, size);

-- file:bytes is the number of stored bytes, each hash once. By statement, since one may delete several rows of a hash.
CREATE FUNCTION okul_file_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM okul_count('file:bytes', coalesce((SELECT sum(size) FROM (SELECT DISTINCT ON (sha256) sha256, size FROM added) AS one
		WHERE NOT EXISTS (SELECT FROM file WHERE file.sha256 = one.sha256 AND file.pk NOT IN (SELECT pk FROM added))), 0)::bigint);
	RETURN NULL;
END $$;
CREATE TRIGGER file_added AFTER INSERT ON file REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION okul_file_added();
CREATE FUNCTION okul_file_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM okul_count('file:bytes', - coalesce((SELECT sum(size) FROM (SELECT DISTINCT ON (sha256) sha256, size FROM removed) AS one
		WHERE NOT EXISTS (SELECT FROM file WHERE file.sha256 = one.sha256)), 0)::bigint);
	RETURN NULL;
END $$;
CREATE TRIGGER file_removed AFTER DELETE ON file REFERENCING OLD TABLE AS removed FOR EACH STATEMENT
	EXECUTE FUNCTION okul_file_removed();

-- ---- placement tests

-- Versions of a test. They are immutable, so that a result keeps its wording and programs can cache them by pk; a
-- change of the test adds a version, and unreferenced versions are deleted.
CREATE TABLE test_version (
	pk BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,	-- never reused
	test BIGINT NOT NULL,		-- pk of the test; no reference, since results outlive their test
	test_id TEXT COLLATE "C" NOT NULL,
	title TEXT COLLATE "C" NOT NULL,
	target_language TEXT COLLATE "C" NOT NULL,
	level_ranges TEXT COLLATE "C" NOT NULL,	-- JSON array of {level, minScore, maxScore}, ascending
	answer_key BYTEA NOT NULL,	-- the questions in the form for grading: lib/school/quiz.h
	questions TEXT COLLATE "C" NOT NULL		-- JSON array of {id, text, points, mediaUrl, order, options: [{id, text, isCorrect}]}
);
CREATE INDEX test_version_test ON test_version (test);

CREATE TABLE test (
	pk BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,	-- never reused, since results refer to it after its deletion
	id TEXT COLLATE "C" NOT NULL UNIQUE,
	version BIGINT NOT NULL REFERENCES test_version (pk),
	title TEXT COLLATE "C" NOT NULL,
	target_language TEXT COLLATE "C" NOT NULL,
	duration_minutes BIGINT,
	max_attempts BIGINT NOT NULL DEFAULT 1,	-- 0: no limit
	shuffle BOOLEAN NOT NULL DEFAULT false,
	is_published BOOLEAN NOT NULL DEFAULT true,
	question_count BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	folded TEXT COLLATE "C" NOT NULL,
	description TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX test_version_of ON test (version);

-- test:version is like course:version, for the list of tests.
CREATE FUNCTION okul_test_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM okul_next_version('test:version');
	IF tg_op <> 'UPDATE' THEN
		PERFORM okul_count('test', CASE WHEN tg_op = 'INSERT' THEN 1 ELSE -1 END);
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER test_changed AFTER INSERT OR UPDATE OR DELETE ON test FOR EACH ROW EXECUTE FUNCTION okul_test_changed();

-- Open attempts: started, not yet submitted. The result replaces the row.
CREATE TABLE attempt (
	pk BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	id TEXT COLLATE "C" NOT NULL UNIQUE,
	user_pk BIGINT NOT NULL REFERENCES users (pk) ON DELETE CASCADE,
	test BIGINT NOT NULL REFERENCES test (pk) ON DELETE CASCADE,
	version BIGINT NOT NULL REFERENCES test_version (pk),
	started_at BIGINT NOT NULL,
	deadline BIGINT,		-- NULL: no time limit
	seed BIGINT,			-- of the order of questions and options; NULL: the order of the test
	chosen BYTEA,			-- saved answers, one byte per question as in result
	UNIQUE (user_pk, test)
);
CREATE INDEX attempt_test ON attempt (test);
CREATE INDEX attempt_version ON attempt (version);
CREATE INDEX attempt_deadline ON attempt (deadline) WHERE deadline IS NOT NULL;

-- Results: snapshots, together with their version. A result takes over the id of its open attempt. Rows are never
-- changed, only deleted.
CREATE TABLE result (
	pk BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	id TEXT COLLATE "C" NOT NULL UNIQUE,
	user_pk BIGINT NOT NULL REFERENCES users (pk) ON DELETE CASCADE,
	test BIGINT NOT NULL,		-- pk of the test, which may be deleted
	version BIGINT NOT NULL REFERENCES test_version (pk),
	attempt BIGINT NOT NULL,	-- from 1
	total_score DOUBLE PRECISION NOT NULL,	-- 0 to 100, two decimals
	correct_count BIGINT NOT NULL,
	question_count BIGINT NOT NULL,
	level TEXT COLLATE "C" NOT NULL CHECK (level IN ('A1', 'A2', 'B1', 'B2', 'C1', 'C2')),
	target_language TEXT COLLATE "C" NOT NULL,
	completed_at BIGINT NOT NULL,
	chosen BYTEA NOT NULL		-- one byte per question: the option from 1, or 0 for none
);
CREATE UNIQUE INDEX result_user ON result (user_pk, test, attempt);
-- For the list of all results: in an order (by time, by score), or by the versions and levels that a filter selects.
CREATE INDEX result_time ON result (completed_at, pk);
-- The highest scores are of few levels: a list of another level passes many entries of this index, and reads no row for them.
CREATE INDEX result_score ON result (total_score, pk) INCLUDE (test, level, target_language, completed_at);
CREATE INDEX result_kind ON result (version, level, completed_at);

-- The number of results of each kind. The sums of the scores are integers, so that additions and deletions leave no
-- rounding errors. A half is rounded up, as SQLite does; round() of PostgreSQL takes it to the even number.
CREATE TABLE result_tally_part (
	version BIGINT NOT NULL,
	level TEXT COLLATE "C" NOT NULL,
	test BIGINT NOT NULL,		-- test and language are those of the version
	target_language TEXT COLLATE "C" NOT NULL,
	part INTEGER NOT NULL DEFAULT 0,
	n BIGINT NOT NULL,
	hundredths BIGINT NOT NULL,	-- sum of total_score x 100
	PRIMARY KEY (version, level, part)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
CREATE VIEW result_tally AS SELECT version, level, test, target_language, CAST(sum(n) AS bigint) AS n,
	CAST(sum(hundredths) AS bigint) AS hundredths
	FROM result_tally_part GROUP BY version, level, test, target_language HAVING sum(n) <> 0;

CREATE FUNCTION okul_count_result(r result, one integer) RETURNS void LANGUAGE sql AS $$
	INSERT INTO result_tally_part AS t (version, level, test, target_language, part, n, hundredths)
		VALUES (r.version, r.level, r.test, r.target_language, okul_part(), one, one * CAST(floor(r.total_score * 100 + 0.5) AS bigint))
		ON CONFLICT (version, level, part) DO UPDATE SET n = t.n + excluded.n, hundredths = t.hundredths + excluded.hundredths
$$;
CREATE FUNCTION okul_result_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF tg_op <> 'INSERT' THEN
		PERFORM okul_count_result(old, -1), okul_time(old.completed_at, 0, -1, 0, 0);
	END IF;
	IF tg_op <> 'DELETE' THEN
		PERFORM okul_count_result(new, 1), okul_time(new.completed_at, 0, 1, 0, 0);
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER result_counted AFTER INSERT OR UPDATE OR DELETE ON result FOR EACH ROW EXECUTE FUNCTION okul_result_counted();

-- ---- contact

CREATE TABLE contact (
	pk BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	id TEXT COLLATE "C" NOT NULL UNIQUE,
	full_name TEXT COLLATE "C" NOT NULL,
	email TEXT COLLATE "C" NOT NULL,
	phone_number TEXT COLLATE "C",
	subject TEXT COLLATE "C",
	source TEXT COLLATE "C",
	language TEXT COLLATE "C" NOT NULL CHECK (language IN ('tr', 'en', 'es', 'de')),	-- of the reply
	status TEXT COLLATE "C" NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'REPLIED')),
	replied_at BIGINT,
	created_at BIGINT NOT NULL,
	sort_name TEXT COLLATE "C" NOT NULL,	-- full name, folded
	folded TEXT COLLATE "C" NOT NULL,		-- name, address, subject and message, folded, for search
	message TEXT COLLATE "C" NOT NULL,
	reply TEXT COLLATE "C"
);
CREATE INDEX contact_status ON contact (status);
CREATE INDEX contact_source ON contact (source, status);
CREATE INDEX contact_sort_name ON contact (sort_name, pk);
CREATE INDEX contact_email ON contact (email);	-- for the export of a user's data

CREATE FUNCTION okul_contact_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF tg_op <> 'INSERT' THEN
		PERFORM okul_count('contact', -1), okul_count('contact:' || old.status, -1), okul_time(old.created_at, 0, 0, -1, 0);
	END IF;
	IF tg_op <> 'DELETE' THEN
		PERFORM okul_count('contact', 1), okul_count('contact:' || new.status, 1), okul_time(new.created_at, 0, 0, 1, 0);
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER contact_counted AFTER INSERT OR UPDATE OF status, created_at OR DELETE ON contact FOR EACH ROW
	EXECUTE FUNCTION okul_contact_counted();

-- ---- education materials

CREATE TABLE material (
	pk BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	id TEXT COLLATE "C" NOT NULL UNIQUE,
	title TEXT COLLATE "C" NOT NULL,
	locale TEXT COLLATE "C" NOT NULL CHECK (locale IN ('tr', 'en', 'es', 'de')),
	level TEXT COLLATE "C" CHECK (level IN ('A1', 'A2', 'B1', 'B2', 'C1', 'C2')),
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	folded TEXT COLLATE "C" NOT NULL,		-- title and description, folded, for search
	description TEXT COLLATE "C" NOT NULL DEFAULT '',
	videos TEXT COLLATE "C" NOT NULL DEFAULT '[]'	-- JSON array of {id, title, url}
);

CREATE TABLE material_pdf (
	pk BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	id TEXT COLLATE "C" NOT NULL UNIQUE,
	material BIGINT NOT NULL REFERENCES material (pk) ON DELETE CASCADE,
	file BIGINT NOT NULL REFERENCES file (pk),
	title TEXT COLLATE "C" NOT NULL
);
CREATE INDEX material_pdf_material ON material_pdf (material);
CREATE INDEX material_pdf_file ON material_pdf (file);
-- Each PDF has a separate file, which is deleted with it; `okulctl files gc` deletes the bytes.
CREATE FUNCTION okul_material_pdf_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM file WHERE pk = old.file;
	RETURN NULL;
END $$;
CREATE TRIGGER material_pdf_removed AFTER DELETE ON material_pdf FOR EACH ROW EXECUTE FUNCTION okul_material_pdf_removed();

CREATE FUNCTION okul_material_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM okul_count('material', CASE WHEN tg_op = 'INSERT' THEN 1 ELSE -1 END);
	RETURN NULL;
END $$;
CREATE TRIGGER material_counted AFTER INSERT OR DELETE ON material FOR EACH ROW EXECUTE FUNCTION okul_material_counted();

CREATE TABLE assignment (
	pk BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	material BIGINT NOT NULL REFERENCES material (pk) ON DELETE CASCADE,
	user_pk BIGINT NOT NULL REFERENCES users (pk) ON DELETE CASCADE,
	assigned_at BIGINT NOT NULL,
	assigned_by BIGINT REFERENCES users (pk) ON DELETE SET NULL,
	opened_at BIGINT,		-- when the user first opened one of its PDFs
	note TEXT COLLATE "C",
	UNIQUE (user_pk, material)
);
CREATE INDEX assignment_material ON assignment (material);
CREATE INDEX assignment_by ON assignment (assigned_by);

CREATE INDEX user_created ON users (created_at);
CREATE INDEX contact_created ON contact (created_at);
CREATE INDEX assignment_assigned ON assignment (assigned_at);

-- assignment:user is the number of users with an assignment. By statement, since one may delete several of a user.
CREATE FUNCTION okul_assigned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM okul_count('assignment', (SELECT count(*) FROM added)), okul_count('assignment:user', (SELECT count(DISTINCT user_pk)
		FROM added WHERE NOT EXISTS (SELECT FROM assignment AS a WHERE a.user_pk = added.user_pk AND a.pk NOT IN (SELECT pk FROM added))));
	PERFORM okul_time(assigned_at, 0, 0, 0, 1) FROM added;
	RETURN NULL;
END $$;
CREATE TRIGGER assigned AFTER INSERT ON assignment REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION okul_assigned();
CREATE FUNCTION okul_unassigned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM okul_count('assignment', - (SELECT count(*) FROM removed)), okul_count('assignment:user', - (SELECT count(DISTINCT user_pk)
		FROM removed WHERE NOT EXISTS (SELECT FROM assignment AS a WHERE a.user_pk = removed.user_pk)));
	PERFORM okul_time(assigned_at, 0, 0, 0, -1) FROM removed;
	RETURN NULL;
END $$;
CREATE TRIGGER unassigned AFTER DELETE ON assignment REFERENCING OLD TABLE AS removed FOR EACH STATEMENT
	EXECUTE FUNCTION okul_unassigned();
-- Only for operators: the programs change neither user nor time of an assignment.
CREATE FUNCTION okul_reassigned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM okul_time(before.assigned_at, 0, 0, 0, -1), okul_time(after.assigned_at, 0, 0, 0, 1)
		FROM before JOIN after USING (pk) WHERE before.assigned_at <> after.assigned_at;
	PERFORM okul_count('assignment:user', coalesce(sum((now > 0)::integer - (now - gained > 0)::integer), 0)::bigint)
		FROM (SELECT sum(change) AS gained, (SELECT count(*) FROM assignment AS a WHERE a.user_pk = moved.user_pk) AS now
			FROM (SELECT user_pk, 1 AS change FROM after UNION ALL SELECT user_pk, -1 FROM before) AS moved
			GROUP BY user_pk HAVING sum(change) <> 0) AS users;
	RETURN NULL;
END $$;
CREATE TRIGGER reassigned AFTER UPDATE ON assignment REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT
	EXECUTE FUNCTION okul_reassigned();

-- Values of this installation.
CREATE TABLE instance (
	key TEXT COLLATE "C" PRIMARY KEY,
	value TEXT COLLATE "C" NOT NULL
);

-- The version of this schema, as in schema.sql.
CREATE TABLE schema_version (
	one BOOLEAN PRIMARY KEY DEFAULT true CHECK (one),	-- a single row
	version INTEGER NOT NULL
);
INSERT INTO schema_version (version) VALUES (4);

-- ---- rights

-- Programs read these two and do not write them, whatever the default privileges of the role that creates them say
-- (conf/postgres/roles.sql).
DO $$
DECLARE
	line record;
BEGIN
	FOR line IN SELECT DISTINCT oid::regclass AS name, grantee::regrole AS role FROM pg_class, aclexplode(relacl)
		WHERE oid IN ('okul_letter'::regclass, 'schema_version'::regclass) AND grantee <> relowner AND grantee <> 0 LOOP
		EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON %s FROM %s', line.name, line.role);
	END LOOP;
END $$;

-- These find their tables whatever the search_path of a session. Functions in SQL do not, so that a statement can take
-- them in; those that read a table are called only by these.
DO $$
DECLARE
	f regprocedure;
BEGIN
	FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'okul\_%'
		AND prolang = (SELECT oid FROM pg_language WHERE lanname = 'plpgsql') LOOP
		EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', f, current_schema());
	END LOOP;
END $$;
