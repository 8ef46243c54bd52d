"""Every statement of the programs on a server: it prepares, reads no table whole, and its arguments have the types that the
programs send."""

import psycopg2
import pytest

import engines

# The types that lib/store/postgres/parameter.c sends.
SENT = {"bigint", "text", "boolean", "bytea", "double precision"}


@pytest.mark.parametrize("program", engines.PROGRAMS, ids=lambda program: program.name)
def test_check(hosted, program):
    done = hosted.try_run(program, "--check")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith(": 0 faults"), done.stdout


def test_check_finds_what_a_server_would_not_take(server, tmp_path):
    """Without a column, and without an index."""
    school = engines.School(tmp_path, engines.new_database(server, "broken"))
    for program, change, found in ("auth", "DROP INDEX session_of_user", "FULL SCAN"), (
            "contact", "ALTER TABLE contact DROP COLUMN reply", 'column "reply"'):
        school.sql(change)
        done = school.try_run(engines.BUILD / f"{program}.fcgi", "--check")
        assert done.returncode != 0 and found in done.stdout + done.stderr, (program, done.stdout[-300:], done.stderr)


def test_types_of_parameters(hosted):
    """Each as wide as what is sent: an integer for a bigint would refuse large numbers, and a numeric uses no index."""
    wrong, prepared = [], 0
    with hosted.connection() as db:
        cursor = db.cursor()
        for statement, program in engines.statements().items():
            text = engines.in_postgres(statement)
            if not text:
                continue
            try:
                cursor.execute(b"PREPARE one AS " + text.encode())
            except psycopg2.Error as why:
                db.rollback()
                wrong.append((program, text, str(why)))
                continue
            cursor.execute("SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'one'")
            types = cursor.fetchone()[0]
            cursor.execute("DEALLOCATE one")
            prepared += 1
            if not set(types) <= SENT:
                wrong.append((program, types, text))
    assert not wrong
    assert prepared > 300
