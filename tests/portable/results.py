"""What the statements of the programs answer: the same rows in the same order, byte for byte, on both engines. The database on
the server has a Turkish locale, so that what depends on a locale is found."""

import random
import re

import pytest

import engines
from engines import literal

TRIALS = 5
DEMO = ("demo", "--users", "150", "--results", "400", "--contacts", "60", "--courses", "30", "--seed", "3", "--until", "2026-06-01")

# In the file, before its rows are copied: a language with letters that are small or capital in one locale only.
BEFORE = (
    "UPDATE test_version SET target_language = 'TÜRKİŞ I', title = 'Sınav \"1\" / é' WHERE pk = 1",
    "UPDATE test SET target_language = 'TÜRKİŞ I' WHERE version = 1",
    "UPDATE result SET target_language = 'TÜRKİŞ I' WHERE version = 1",
    "UPDATE result_tally SET target_language = 'TÜRKİŞ I' WHERE version = 1",
)
# In both: texts with quotes and control characters, names without values; levels, languages and times that several rows share.
AFTER = (
    "UPDATE users SET name = 'I\"\\ş ' || pk || ' </b>', surname = NULL WHERE pk % 10 = 3",
    "UPDATE users SET name = NULL WHERE pk % 10 = 4",
    "UPDATE users SET created_at = 1700000000000, last_login_at = NULL WHERE pk % 4 = 1",
    "UPDATE course SET title = 'IĞDIR ' || pk, price = price / 3, level = NULL WHERE pk % 5 = 1",
    "UPDATE course SET price = 100, position = 0 WHERE pk % 3 = 1",
    "UPDATE contact SET created_at = 1760000000000, source = NULL WHERE pk % 3 = 0",
    "UPDATE result SET completed_at = 1770000000000, total_score = 50 WHERE pk % 4 = 0",
    "UPDATE assignment SET note = NULL, assigned_at = 1770000000000, assigned_by = 1 WHERE pk % 2 = 0",
    "INSERT INTO audit (at, actor_id, actor_email, action, subject_id, subject, before, after) SELECT 1770000000000 + pk / 3, NULL, 'i@x.com',"
    " 'user.profile', (SELECT id FROM users WHERE pk = 1), 'i@x.com', id, NULL FROM users WHERE pk < 60 ORDER BY pk",
    "INSERT INTO event (kind, subject, at, n) SELECT 'submit', id || ' t', 5, pk FROM users WHERE pk < 20",
)
# Not about rows that a client sees: whole tables, counts that are times, and locks.
LEFT_OUT = re.compile(r"pg_advisory|SELECT \* FROM|sqlite_sequence|user_reindex|schema_version|:version'")
# Arguments of a search come from fold_words() and fold_match().
WORDS = ("ada", "a", "i", "exa com", "ist", "sinav 1", "example", "'", "q\"")

CASED = (None, "TÜRKİŞ I", "TüRKİŞ i", "EN", "I@X.COM", "i@x.com")


class Pair:
    def __init__(self, server, folder):
        (folder / "file").mkdir()
        (folder / "hosted").mkdir()
        url = engines.new_database(server, "results", "--locale-provider=icu", "--icu-locale=tr-TR", "--locale=C.UTF-8")
        self.file, self.hosted = engines.School(folder / "file"), engines.School(folder / "hosted", url)
        self.file.run(engines.BUILD / "okulctl", *DEMO)
        self.file.sql(";".join(BEFORE))
        self.copy()
        for school in self.file, self.hosted:
            school.sql(";".join(AFTER))
        self.hosted.sql("ANALYZE")

    def copy(self):
        """The same rows on the server."""
        for table in ("users", "course", "setting", "setting_version", "file", "test_version", "test", "contact", "material",
                      "material_pdf", "assignment", "result", "audit"):
            kinds = {name: kind for name, kind in self.hosted.rows(
                f"SELECT column_name, data_type FROM information_schema.columns WHERE table_name = '{table}'")}
            names = list(kinds)
            columns = ", ".join(names)
            lines = []
            for row in self.file.rows(f"SELECT {columns} FROM {table} ORDER BY pk"):
                lines.append("(" + ", ".join(
                    f"'\\x{value.hex()}'::bytea" if isinstance(value, bytes) else
                    literal(bool(value)) if kinds[name] == "boolean" else literal(value) for name, value in zip(names, row)) + ")")
            if lines:
                self.hosted.sql(f"INSERT INTO {table} ({columns}) VALUES {', '.join(lines)};"
                                f"SELECT setval(pg_get_serial_sequence('{table}', 'pk'), (SELECT max(pk) FROM {table}))")


@pytest.fixture(scope="module")
def pair(server, tmp_path_factory):
    return Pair(server, tmp_path_factory.mktemp("results"))


def pools(pair):
    """Values that arguments have, by type."""
    def first(query, count=4):
        return [row[0] for row in pair.file.rows(query + f" LIMIT {count}")]
    texts = [None, None, None, "I", "a", "ada", "example", "TÜRKİŞ I", "english", "English", "A1", "B2", "tr", "en", "user", "admin", "USER",
             "PENDING", "public", "private", "operator", "user.", "I@X.COM", "i@x.com", "ş", "sinav", '"ada"', '"exa" "com"']
    texts += first("SELECT id FROM users") + first("SELECT email FROM users") + first("SELECT upper(email) FROM users") + \
        first("SELECT id FROM test") + first("SELECT id FROM material") + first("SELECT key FROM setting") + \
        first("SELECT target_language FROM test") + first("SELECT id FROM result") + first("SELECT key FROM file")
    return {"text": texts, "bigint": [None, 0, 1, 1, 2, 3, 5, 20, 50, 86400000, 1 << 40, 1 << 42],
            "boolean": [True, False], "double precision": [0.5, 50.0], "bytea": [None]}


def filled(statement, marker, values, kinds):
    """The statement with its arguments, typed as a program sends them."""
    def argument(match):
        at = int(match[1]) - 1
        kind = {"double precision": "REAL"}.get(kinds[at], kinds[at]) if marker == r"\?" else kinds[at]
        return f"CAST({literal(values[at])} AS {kind})" if kinds[at] != "boolean" else f"({literal(values[at])})"
    return re.sub(marker + r"(\d+)", argument, statement)


def same(ours, theirs):
    """Two values as `okulctl sql` prints them; a number that the server sends as a text has no .0 behind it."""
    if ours == theirs:
        return True
    try:
        return float(ours) == float(theirs)
    except ValueError:
        return False


def same_rows(ours, theirs):
    return len(ours) == len(theirs) and all(
        len(a) == len(b) and all(map(same, a, b)) for a, b in zip(ours, theirs))


def rows_of(done):
    """The rows of each statement."""
    parts = ("mark\n--\n" + done.stdout).split("mark\n--\n")[1:]
    return [[line.split("\t") for line in part.splitlines()[1:]] for part in parts]


def selects(pair):
    """(program, statement, its form on the server, types of its arguments)"""
    with pair.hosted.connection() as db:
        cursor = db.cursor()
        for statement, program in engines.statements().items():
            text = engines.in_postgres(statement)
            if re.match(r"SELECT|WITH", text) and not LEFT_OUT.search(statement):
                cursor.execute(b"PREPARE one AS " + text.encode())
                cursor.execute("SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'one'")
                yield program, statement, text, cursor.fetchone()[0]
                cursor.execute("DEALLOCATE one")


def arguments(chance, pool, statement, text, kinds, first):
    """Values for the arguments of a statement; `first`: without a filter."""
    values = []
    for at, kind in enumerate(kinds, 1):
        value = chance.choice(pool[kind])
        searched = chance.choice(WORDS)
        if re.search(rf"MATCH \?{at}\b", statement):
            value = '"ada"' if first else chance.choice(('"exa" "com"', '"ist"', '"sinav"', '"example"'))
        elif re.search(rf"LIMIT \${at}\b", text):
            value = chance.choice((5, 50))
        elif re.search(rf"OFFSET (coalesce\()?\${at}\b", text):
            value = chance.choice((0, 0, 3))
        elif kind == "text" and first:
            value = None
        elif re.search(rf"okul_patterns\(\${at}\)", text):
            value = searched
        elif re.search(rf"lower\(\${at}\b", text):
            value = chance.choice(CASED)
        elif re.search(rf"(_at|\.at|deadline) < \${at}\b", text):
            value = 1 << 42
        elif re.search(rf"(_at|\.at) >= \${at}\b", text):
            value = 0
        values.append(value)
    return values


def test_every_select(pair):
    chance = random.Random(23)
    pool = pools(pair)
    wrong, ran, full = [], 0, set()
    for program, statement, text, kinds in selects(pair):
        trials = [arguments(chance, pool, statement, text, kinds, first) for first in [True] + [False] * (TRIALS - 1 if kinds else 0)]
        one, other = (school.try_run(engines.BUILD / "okulctl", "sql", text=";SELECT '--' AS mark;".join(
            filled(form, marker, values, kinds) for values in trials)) for school, form, marker in (
                (pair.file, statement, r"\?"), (pair.hosted, text, r"\$")))
        if one.returncode or other.returncode:
            wrong.append((program, trials, text, one.stderr, other.stderr))
            continue
        assert len(rows_of(one)) == len(rows_of(other)) == len(trials), (text, one.stdout)
        for values, ours, theirs in zip(trials, rows_of(one), rows_of(other)):
            ran += 1
            if "ORDER BY" not in text:      # the engines find them in different orders
                ours, theirs = sorted(ours), sorted(theirs)
            if not same_rows(ours, theirs):
                differ = [(a, b) for a, b in zip(ours, theirs) if not same_rows([a], [b])]
                wrong.append((program, values, text, len(ours), len(theirs), differ[:1]))
            elif len(ours) > 1:
                full.add(statement)
    assert not wrong, "\n".join(map(str, wrong))
    assert ran > 800 and len(full) > 80, (ran, len(full))
