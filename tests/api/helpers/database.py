"""SQL of the tests for either engine: what they do not share."""

import contextlib
import secrets
import sqlite3
import time

from helpers import postgres


@contextlib.contextmanager
def reading(server):
    """A function from a statement to its rows, as dictionaries, which sees one snapshot of the database."""
    if server.database:
        import psycopg2
        import psycopg2.extras
        db = psycopg2.connect(server.database, cursor_factory=psycopg2.extras.RealDictCursor)
        db.set_session(isolation_level="REPEATABLE READ", readonly=True)
    else:
        db = sqlite3.connect(f"file:{server.data}/okul.db?mode=ro", uri=True, isolation_level=None)
        db.row_factory = sqlite3.Row
        db.execute("BEGIN")

    def all_of(sql, *values):
        cursor = db.cursor()
        cursor.execute(sql.replace("?", "%s") if server.database else sql, values)
        return [dict(row) for row in cursor.fetchall()]
    with contextlib.closing(db):
        yield all_of


def tuples(place, sql):
    """The rows of a statement, as tuples; of the file `path`, where a place has one."""
    if place.database:
        import psycopg2
        db = psycopg2.connect(place.database)
    else:
        path = f"{place.path}?mode=ro&immutable=1" if hasattr(place, "path") else f"{place.data}/okul.db?mode=ro"
        db = sqlite3.connect(f"file:{path}", uri=True)
    with contextlib.closing(db):
        cursor = db.cursor()
        cursor.execute(sql)
        return cursor.fetchall()


def tables(place):
    """The names of all tables that hold rows of their own."""
    return [name for name, in tuples(place, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'" if place.database else
                                     "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'")]


def text(value):
    return "NULL" if value is None else str(value) if isinstance(value, (int, float)) else "'" + value.replace("'", "''") + "'"


def blob(content):
    """A literal of bytes."""
    return f"'\\x{content.hex()}'::bytea" if postgres.ENABLED else f"x'{content.hex()}'"


def table(name, rows):
    """The beginning of a statement that reads rows of Python as a table: with their number as `key`, and columns c0, c1, ..."""
    columns = ", ".join(["key", *(f"c{i}" for i in range(len(rows[0])))])
    values = ", ".join("(" + ", ".join(map(text, (key, *row))) + ")" for key, row in enumerate(rows))
    return f"WITH {name} ({columns}) AS (VALUES {values}) "


def count_to(n):
    return f"SELECT count(*) FROM (WITH RECURSIVE i(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM i WHERE i < {n}) SELECT i FROM i)"


@contextlib.contextmanager
def slow_deletion(place, email):
    """Deleting that user takes four seconds."""
    if place.database:
        place.sql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(4); RETURN old; END $$;"
                  f"CREATE TRIGGER slow BEFORE DELETE ON users FOR EACH ROW WHEN (old.email = '{email}') EXECUTE FUNCTION slow()")
    else:
        started = time.monotonic()
        place.sql(count_to(2_000_000))
        n = int(2_000_000 * 4 / (time.monotonic() - started))
        place.sql(f"CREATE TRIGGER slow BEFORE DELETE ON users WHEN old.email = '{email}' BEGIN {count_to(n)}; END")
    try:
        yield
    finally:
        place.sql("DROP TRIGGER slow ON users; DROP FUNCTION slow" if place.database else "DROP TRIGGER slow")


@contextlib.contextmanager
def refusing(place, table, when="true", why="no room for it", verb="INSERT"):
    """Makes each INSERT into a table fail where the condition `when` holds of the row `new`; or each DELETE, of `old`."""
    name = "fault_" + secrets.token_hex(4)
    if place.database:
        place.sql(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{why}' USING ERRCODE = '23000'; END $$;"
                  f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {name}()")
    else:
        place.sql(f"CREATE TRIGGER {name} BEFORE {verb} ON {table} WHEN {when} BEGIN SELECT RAISE(ABORT, '{why}'); END")
    try:
        yield
    finally:
        place.sql(f"DROP TRIGGER {name} ON {table}" if place.database else f"DROP TRIGGER {name}")
