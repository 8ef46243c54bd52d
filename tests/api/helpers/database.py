"""SQL of the tests for either engine: what they do not share."""

import contextlib
import secrets
import sqlite3

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


@contextlib.contextmanager
def refusing(place, table, when, why="no room for it"):
    """Makes each INSERT into a table fail where the condition `when` holds of the row `new`."""
    name = "fault_" + secrets.token_hex(4)
    if place.database:
        place.sql(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{why}'; END $$;"
                  f"CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {name}()")
    else:
        place.sql(f"CREATE TRIGGER {name} BEFORE INSERT ON {table} WHEN {when} BEGIN SELECT RAISE(ABORT, '{why}'); END")
    try:
        yield
    finally:
        place.sql(f"DROP TRIGGER {name} ON {table}" if place.database else f"DROP TRIGGER {name}")
