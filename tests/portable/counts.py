"""The triggers of both schemas: after the same random changes, the same counts and folded texts."""

import random
import threading

import psycopg2
import pytest

import engines
from engines import literal

BATCHES, STATEMENTS = 40, 50
DAY = 86400000
ALPHABET = "aAbBzZ09 .-'\"\\%_\t\nçÇğĞıIiİöÖşŞüÜßæøłñÉéÅαΣςйЙ你好かガ한ﷺﬁ𝔸😀\u0301\u200b\u00a0\u2019ᾳǅ"

COUNTS = {
    "tally": "SELECT name, n FROM tally WHERE name NOT LIKE '%:version' ORDER BY 1",
    "time_tally": "SELECT span, number, users, results, contacts, assignments FROM time_tally"
                  " WHERE users <> 0 OR results <> 0 OR contacts <> 0 OR assignments <> 0 ORDER BY 1, 2",
    "result_tally": "SELECT version, level, test, target_language, n, hundredths FROM result_tally WHERE n <> 0 ORDER BY 1, 2",
    "user_block": "SELECT block, n FROM user_block WHERE n <> 0 ORDER BY 1",
    "users": "SELECT pk, role, sort_name, folded FROM users ORDER BY 1",
    "course": "SELECT pk, title, sort_title, folded FROM course ORDER BY 1",
    "result": "SELECT pk, user_pk, version, total_score FROM result ORDER BY 1",
    "file": "SELECT pk, owner, sha256, size FROM file ORDER BY 1",
    "contact": "SELECT pk, status, created_at FROM contact ORDER BY 1",
    "material_pdf": "SELECT pk, material, file FROM material_pdf ORDER BY 1",
    "assignment": "SELECT pk, material, user_pk, assigned_by FROM assignment ORDER BY 1",
    "session": "SELECT pk, user_pk FROM session ORDER BY 1",
    "outbox": "SELECT pk, recipient, template FROM outbox ORDER BY 1",
    "event": "SELECT kind, subject, at, n FROM event ORDER BY 1, 2, 3, 4",
    "login_code": "SELECT email, network FROM login_code ORDER BY 1, 2",
}


class Changes:
    """Statements of both engines, the same for the same seed. Those whose rows are missing change nothing."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.last = 0
        self.users, self.days = 60, 40

    def key(self):
        self.last += 1
        return self.last

    def pick(self, most):
        """The key of a row that may be there."""
        return self.random.randint(1, most)

    def text(self, most=12):
        return literal("".join(self.random.choice(ALPHABET) for _ in range(self.random.randint(0, most))))

    def maybe(self, value):
        return value if self.random.random() < 0.7 else "NULL"

    def time(self):
        return self.random.randrange(self.days * DAY)

    def flag(self):
        return self.random.choice(("true", "false"))

    def role(self):
        return literal(self.random.choice(("user", "user", "admin", "superadmin")))

    def blob(self):
        return "'\\x0102'::bytea|x'0102'"

    def user(self):
        pk = self.pick(self.users) + self.random.choice((0, 0, 1024, 5000))
        yield (f"INSERT INTO users (pk, id, email, role, is_active, name, surname, username, timezone, registered_at, created_at,"
               f" updated_at) VALUES ({pk}, 'u{pk}', 'a.{pk}+x@gmail.com', {self.role()}, {self.flag()}, {self.maybe(self.text())},"
               f" {self.maybe(self.text())}, {self.maybe(literal(f'Ad_{pk}'))}, 'UTC', {self.maybe(self.time())}, {self.time()}, 0)"
               " ON CONFLICT DO NOTHING")
        if self.random.random() < 0.5:
            key = self.key()
            yield (f"INSERT INTO session (pk, id, user_pk, seed, rotated_at, created_at, last_used_at, expires_at)"
                   f" SELECT {key}, 's{key}', pk, {self.blob()}, 0, 0, 0, 0 FROM users WHERE pk = {pk}")
            yield (f"INSERT INTO outbox (pk, id, recipient, language, template, sealed, created_at, expires_at, next_at)"
                   f" SELECT {key}, 'o{key}', email, 'tr', {literal(self.random.choice(('login-code', 'contact-reply', 'news')))},"
                   f" {self.blob()}, 0, 0, 0 FROM users WHERE pk = {pk}")
            yield (f"INSERT INTO event (kind, subject, at, n) VALUES ('code-email', 'a{pk}@gmail.com', {key}, 0),"
                   f" ('wrong-email', 'a{pk}@gmail.com k', {key}, 0), ('submit', 'u{pk} t', {key}, 0), ('code-client', 'u{pk}', {key}, 0)")
            yield (f"INSERT INTO login_code (email, network, digits, mac, language, created_at, expires_at)"
                   f" VALUES ('a.{pk}+x@gmail.com', 'n{key}', 6, {self.blob()}, 'de', 0, 0)")

    def user_changed(self):
        one = f"pk = {self.pick(self.users)}"
        some = f"pk % 7 = {self.pick(7)}"
        yield self.random.choice((
            f"UPDATE users SET name = {self.maybe(self.text())}, surname = {self.maybe(self.text())} WHERE {one}",
            f"UPDATE users SET name = {self.text()} WHERE {some}",
            f"UPDATE users SET role = {self.role()} WHERE {some}",
            f"UPDATE users SET registered_at = {self.maybe(self.time())}, is_active = {self.flag()} WHERE {some}",
            f"UPDATE users SET created_at = {self.time()}, email = lower(email) WHERE {one}",
            f"UPDATE users SET created_at = created_at + {self.pick(DAY)} WHERE {some}",
            f"UPDATE users SET deletion_status = {literal(self.random.choice(('none', 'pending', 'cancelled')))} WHERE {some}"))

    def user_removed(self):
        yield f"DELETE FROM users WHERE pk = {self.pick(self.users)}"
        if self.random.random() < 0.1:
            yield f"DELETE FROM users WHERE pk % 11 = {self.pick(11)} AND pk > 5"

    def course(self):
        pk = self.pick(60)
        yield self.random.choice((
            f"INSERT INTO course (pk, id, title, language, is_published, description, created_at, updated_at) VALUES"
            f" ({pk}, 'c{pk}', {self.text()}, 'en', {self.flag()}, {self.text(30)}, 0, 0) ON CONFLICT DO NOTHING",
            f"UPDATE course SET title = {self.text()}, is_published = {self.flag()} WHERE pk = {pk}",
            f"UPDATE course SET description = {self.text(30)} WHERE pk % 5 = {pk % 5}",
            f"UPDATE course SET is_published = NOT is_published WHERE pk % 5 = {pk % 5}",
            f"DELETE FROM course WHERE pk = {pk}"))

    def test(self):
        pk = self.pick(12)
        yield self.random.choice((
            f"INSERT INTO test_version (pk, test, test_id, title, target_language, level_ranges, answer_key, questions) VALUES"
            f" ({pk}, {pk}, 't{pk}', 'T', {literal(self.random.choice(('English', 'Deutsch', 'Français')))}, '[]', {self.blob()}, '[]')"
            " ON CONFLICT DO NOTHING",
            f"INSERT INTO test (pk, id, version, title, target_language, question_count, created_at, updated_at, folded) SELECT"
            f" pk, test_id, pk, title, target_language, 1, 0, 0, '' FROM test_version WHERE pk = {pk} ON CONFLICT DO NOTHING",
            f"DELETE FROM test WHERE pk = {pk}"))

    def result(self):
        key, level = self.key(), self.random.choice(("A1", "A2", "B1"))
        score = self.random.choice((self.random.randint(0, 10000) / 100, self.random.randint(0, 100000) / 1000))
        yield (f"INSERT INTO result (pk, id, user_pk, test, version, attempt, total_score, correct_count, question_count, level,"
               f" target_language, completed_at, chosen) SELECT {key}, 'r{key}', users.pk, v.test, v.pk, {key}, {score}, 1, 1, '{level}',"
               f" v.target_language, {self.time()}, {self.blob()} FROM users, test_version AS v"
               f" WHERE users.pk = {self.pick(self.users)} AND v.pk = {self.pick(12)}")
        if self.random.random() < 0.3:
            some = f"pk % 13 = {self.pick(13)}"
            yield self.random.choice((
                f"DELETE FROM result WHERE {some}",
                f"UPDATE result SET completed_at = {self.time()} WHERE {some}",
                f"UPDATE result SET total_score = {score}, level = '{level}' WHERE {some}"))

    def contact(self):
        key = self.key()
        status = literal(self.random.choice(("PENDING", "REPLIED")))
        some = f"pk % 9 = {self.pick(9)}"
        yield (f"INSERT INTO contact (pk, id, full_name, email, language, status, created_at, sort_name, folded, message)"
               f" VALUES ({key}, 'k{key}', 'K', 'k@x.com', 'tr', {status}, {self.time()}, '', '', '')")
        if self.random.random() < 0.5:
            yield self.random.choice((
                f"UPDATE contact SET status = {status} WHERE {some}",
                f"UPDATE contact SET created_at = {self.time()} WHERE {some}",
                f"DELETE FROM contact WHERE {some}"))

    def file(self):
        key, kind = self.key(), self.pick(15)
        yield (f"INSERT INTO file (pk, id, key, sha256, size, mime, name, owner, is_public, created_at) VALUES"
               f" ({key}, 'f{key}', 'f{key}', 'h{kind}', {kind * 100}, 'image/png', 'n', (SELECT pk FROM users WHERE pk ="
               f" {self.pick(self.users)}), {self.flag()}, 0)")
        if self.random.random() < 0.4:
            unused = "NOT EXISTS (SELECT 1 FROM material_pdf WHERE material_pdf.file = file.pk)"
            yield self.random.choice((
                f"DELETE FROM file WHERE pk % 6 = {self.pick(6)} AND {unused}",
                f"DELETE FROM file WHERE sha256 = 'h{kind}' AND {unused}",
                f"INSERT INTO file (pk, id, key, sha256, size, mime, name, is_public, created_at) VALUES"
                f" ({key}0001, 'g{key}', 'g{key}', 'h{kind}', {kind * 100}, '', '', true, 0),"
                f" ({key}0002, 'i{key}', 'i{key}', 'h{kind}', {kind * 100}, '', '', true, 0)"))

    def material(self):
        pk, key = self.pick(15), self.key()
        yield self.random.choice((
            f"INSERT INTO material (pk, id, title, locale, created_at, updated_at, folded) VALUES"
            f" ({pk}, 'm{pk}', 'M', 'tr', 0, 0, '') ON CONFLICT DO NOTHING",
            f"INSERT INTO material_pdf (pk, id, material, file, title) SELECT {key}, 'p{key}', material.pk, file.pk, 'P'"
            f" FROM material, file WHERE material.pk = {pk} AND file.pk = (SELECT max(pk) FROM file WHERE owner IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM material_pdf AS other WHERE other.file = file.pk))",
            f"DELETE FROM material_pdf WHERE material = {pk}",
            f"DELETE FROM material WHERE pk = {pk}"))

    def assignment(self):
        key = self.key()
        user, other = self.pick(self.users), self.pick(self.users)
        yield (f"INSERT INTO assignment (pk, material, user_pk, assigned_at, assigned_by) SELECT {key} * 10000 + users.pk,"
               f" material.pk, users.pk, {self.time()}, NULL FROM material, users WHERE material.pk = {self.pick(15)}"
               f" AND (users.pk = {user} OR users.pk % 10 = {user % 30}) ON CONFLICT DO NOTHING")
        if self.random.random() < 0.4:
            yield self.random.choice((
                f"DELETE FROM assignment WHERE user_pk = {user}",
                f"DELETE FROM assignment WHERE pk % 5 = {user % 5}",
                f"UPDATE assignment SET assigned_at = {self.time()}, assigned_by = {user} WHERE user_pk = {other}"
                f" AND EXISTS (SELECT 1 FROM users WHERE pk = {user})",
                f"UPDATE assignment SET user_pk = {other} WHERE user_pk = {user} AND EXISTS (SELECT 1 FROM users WHERE pk = {other})"
                f" AND NOT EXISTS (SELECT 1 FROM assignment AS a WHERE a.user_pk = {other} AND a.material = assignment.material)"))

    def batch(self, most):
        kinds = [self.user] * 4 + [self.user_changed] * 3 + [self.user_removed, self.course, self.course, self.test] + \
            [self.result] * 4 + [self.contact, self.file, self.file, self.material, self.material] + [self.assignment] * 3
        lines = []
        while len(lines) < most:
            lines += self.random.choice(kinds)()
        return lines[:most]


def in_dialects(lines):
    """The batch for the file and for the server, which differ in literals of bytes."""
    text = ";\n".join(lines)
    return text.replace("'\\x0102'::bytea|", ""), text.replace("|x'0102'", "")


def test_random_changes(server, tmp_path):
    (tmp_path / "file").mkdir()
    (tmp_path / "hosted").mkdir()
    file = engines.School(tmp_path / "file")
    hosted = engines.School(tmp_path / "hosted", engines.new_database(server, "counts"))
    changes = Changes(13)
    for number in range(BATCHES):
        lines = changes.batch(STATEMENTS)
        for_file, for_server = in_dialects(lines)
        file.sql(for_file)
        hosted.sql(for_server)
        for name, query in COUNTS.items():
            ours, theirs = file.rows(query), hosted.rows(query)
            differ = [row for row in ours + theirs if (row in ours) != (row in theirs)]
            assert not differ, (name, number, differ[:6], lines)
    # the changes are about all that is counted
    for name, query in COUNTS.items():
        assert len(file.rows(query)) >= 3, name
    counts = dict(file.rows(COUNTS["tally"]))
    assert min(counts.values()) > 0, counts
    # and the counts are those of the rows
    assert counts["user"] == file.rows("SELECT count(*) FROM users")[0][0]
    assert hosted.rows("SELECT sum(n) FROM user_block")[0][0] == counts["user"]


def test_versions_grow(server, tmp_path):
    """With each change of a course, also by several sessions."""
    hosted = engines.School(tmp_path, engines.new_database(server, "versions"))
    query = "SELECT n FROM tally WHERE name = 'course:version'"
    seen = [hosted.rows(query)[0][0]]
    for change in ("INSERT INTO course (pk, id, title, language, created_at, updated_at) VALUES (1, '1', 'x', 'en', 0, 0)",
                   "UPDATE course SET price = 5", "DELETE FROM course"):
        hosted.sql(change)
        seen.append(hosted.rows(query)[0][0])
    assert seen == sorted(set(seen)), seen


def insert_course(cursor, key):
    cursor.execute("INSERT INTO course (id, title, language, created_at, updated_at) VALUES (%s, 'x', 'en', 0, 0)", (key,))


def insert_user(cursor, key):
    cursor.execute("INSERT INTO users (id, email, timezone, registered_at, created_at, updated_at) VALUES (%s, %s, 'UTC', 1, 1, 1)",
                   (key, key + "@x.com"))


def test_writers_do_not_wait_for_each_other(server, tmp_path):
    """Two open transactions that insert users and courses; the counts are exact when both have committed."""
    hosted = engines.School(tmp_path, engines.new_database(server, "writers"))
    with hosted.connection() as one, hosted.connection() as other:
        first, second = one.cursor(), other.cursor()
        for number, cursor in enumerate((first, second)):
            cursor.execute("SET lock_timeout = '1s'")
            insert_user(cursor, f"first{number}")
            insert_course(cursor, f"first{number}")
        for cursor in first, second:
            insert_user(cursor, f"again{cursor is first}")
        one.commit()
        insert_user(second, "last")
        other.commit()
    assert dict(hosted.rows("SELECT name, n FROM tally WHERE name IN ('user', 'user:user', 'registration', 'course')")) == {
        "user": 5, "user:user": 5, "registration": 5, "course": 2}
    assert hosted.rows("SELECT sum(n) FROM user_block") == [(5,)]
    assert hosted.rows("SELECT sum(users) FROM time_tally WHERE span = 900000") == [(5,)]


def test_writers_of_one_row_do_wait(server, tmp_path):
    """The lock_timeout of the test above is what a wait runs into."""
    hosted = engines.School(tmp_path, engines.new_database(server, "waiting"))
    hosted.sql("INSERT INTO contact (pk, id, full_name, email, language, created_at, sort_name, folded, message)"
               " VALUES (1, '1', 'K', 'k@x.com', 'tr', 0, '', '', '')")
    with hosted.connection() as one, hosted.connection() as other:
        one.cursor().execute("UPDATE contact SET status = 'REPLIED'")
        cursor = other.cursor()
        cursor.execute("SET lock_timeout = '300ms'")
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            cursor.execute("UPDATE contact SET status = 'REPLIED'")


def test_counts_of_many_writers(server, tmp_path):
    """Eight sessions that insert, rename and delete at once, in serializable transactions that are tried again."""
    hosted = engines.School(tmp_path, engines.new_database(server, "many"))
    again = []

    def work(number):
        with hosted.connection() as db:
            db.set_session(isolation_level="SERIALIZABLE")
            cursor = db.cursor()
            for turn in range(30):
                while True:
                    try:
                        insert_user(cursor, f"w{number}.{turn}")
                        if turn % 3 == 2:
                            cursor.execute("DELETE FROM users WHERE id = %s", (f"w{number}.{turn - 1}",))
                        if turn % 3 == 1:
                            cursor.execute("UPDATE users SET role = 'admin' WHERE id = %s", (f"w{number}.{turn - 1}",))
                        db.commit()
                        break
                    except psycopg2.errors.SerializationFailure:
                        again.append(number)
                        db.rollback()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = dict(hosted.rows("SELECT name, n FROM tally WHERE name LIKE 'user%' OR name = 'registration'"))
    assert counts == {"user": 160, "user:user": 80, "user:admin": 80, "user:superadmin": 0, "registration": 160}
    assert hosted.rows("SELECT sum(n) FROM user_block") == [(160,)]
